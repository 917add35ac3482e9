//! MQTT by TLS, against a real mosquitto.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use unifi_herald::clock::Clock;
use unifi_herald::services::HostServices;
use unifi_herald::source::tls::fingerprint;
use unifi_herald::tasks::Tasks;
use unifi_herald_plugin::testing::batch;
use unifi_herald_plugin::{Batch, BuildContext, Fault, Sink};

/// A mosquitto that speaks TLS only and knows one account. Dropping it kills it.
struct Broker {
    child: Child,
    folder: TempDir,
    port: u16,
    fingerprint: String,
}

/// A port that was free a moment ago, and not one of those that are given to who connects.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display().to_string();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(
            folder.path().join("key.pem"),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
        let account = Command::new("mosquitto_passwd")
            .args(["-c", "-b", &format!("{at}/passwords"), "herald", "secret"])
            .status();
        assert!(account.unwrap().success());
        let port = free_port();
        let config = format!(
            "listener {port} 127.0.0.1\nuser root\npersistence false\nlog_dest none\nallow_anonymous false\n\
             password_file {at}/passwords\ncertfile {at}/cert.pem\nkeyfile {at}/key.pem\n"
        );
        fs::write(folder.path().join("conf"), config).unwrap();
        let child = Command::new("/usr/sbin/mosquitto")
            .args(["-c", &format!("{at}/conf")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            // `make packages` installs it.
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::yield_now();
        }
        Self {
            child,
            folder,
            port,
            fingerprint: fingerprint(made.cert.der()),
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn sink(tasks: &Tasks, folder: &Path, options: &str) -> Box<dyn Sink> {
    let services = HostServices::new(Clock::system(), tasks.clone());
    let context = BuildContext::new("home", folder, services);
    let options: toml::Table = options.parse().unwrap();
    let registry = unifi_herald::builtin();
    registry.build_sink("mqtt", &options, &context).unwrap()
}

#[tokio::test]
async fn only_a_broker_that_is_trusted_sees_the_password() {
    let broker = Broker::start();
    let tasks = Tasks::new();
    let account = format!(
        "url = \"mqtts://127.0.0.1:{}\"\nusername = \"herald\"\npassword = \"secret\"\n",
        broker.port
    );
    let mut wary = sink(&tasks, broker.folder.path(), &account);
    let error = wary.deliver(Batch::new(&batch(1))).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unreachable);
    assert!(error.to_string().contains(&broker.fingerprint), "{error}");
    let pin = format!("tls = {{ pin_sha256 = \"{}\" }}", broker.fingerprint);
    for trust in ["tls = { ca_file = \"cert.pem\" }", &pin] {
        let options = format!("{account}{trust}\ndiscovery = {{}}");
        let mut trusting = sink(&tasks, broker.folder.path(), &options);
        trusting.check().await.unwrap();
        trusting.deliver(Batch::new(&batch(5))).await.unwrap();
        trusting.close().await.unwrap();
    }
    tasks.stop();
    tasks.ended().await;
}
