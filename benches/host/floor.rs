//! What no host can do better than: the same socket, read by a program that counts the frames, and by one that also
//! writes each as a line.

use crate::case::simulator;
use crate::flow::{MEASURED, PACE, WARM_UP, row};
use crate::process::cpu_seconds;
use futures_util::StreamExt as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use unifi_herald::clock::Clock;
use unifi_herald::demo::Simulator;

/// The argument that makes a reader of this program.
const FLAG: &str = "--read-floor";
/// How frames with events begin.
const EVENTS: &str = r#"{"meta":{"rc":"ok","message":"events"}"#;
/// Events in each of them.
const ITEMS: u64 = 4;

pub(crate) fn name(writes: bool, sync_share: f64) -> String {
    let what = if writes {
        "the same, writing the raw line"
    } else {
        "a bare reader"
    };
    match sync_share {
        0.0 => what.to_owned(),
        share => format!("{what}, {} % sync frames", share * 100.0),
    }
}

pub(crate) fn measure(name: &str, writes: bool, sync_share: f64) -> String {
    let simulator = simulator(sync_share);
    simulator.play(PACE);
    let folder = tempfile::TempDir::new().unwrap();
    let output = folder.path().join("raw.jsonl");
    let SimulatorAccount { username, password } = SimulatorAccount::of(&simulator);
    let program = std::env::current_exe().unwrap();
    let mut reader = Command::new(program);
    reader.args([
        FLAG,
        simulator.url(),
        simulator.certificate_pem(),
        &username,
        &password,
    ]);
    reader.arg(*simulator.sites().first().unwrap());
    if writes {
        reader.arg(&output);
    }
    let output = reader.stderr(Stdio::inherit()).output().unwrap();
    simulator.stop();
    let said = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = said
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    row(
        name,
        numbers[0],
        Duration::from_secs_f64(numbers[1]),
        numbers[2],
        numbers[3],
        "",
    )
}

struct SimulatorAccount {
    username: String,
    password: String,
}

impl SimulatorAccount {
    fn of(simulator: &Simulator) -> Self {
        let options = simulator.options();
        Self {
            username: options.username.clone(),
            password: options.password.clone(),
        }
    }
}

/// What this program does when it is started as a reader.
pub(crate) struct Task {
    url: String,
    pem: String,
    account: SimulatorAccount,
    site: String,
    output: Option<String>,
}

impl Task {
    pub(crate) fn of(arguments: &[String]) -> Option<Self> {
        let [flag, url, pem, username, password, site, output @ ..] = arguments else {
            return None;
        };
        (flag == FLAG).then(|| Self {
            url: url.clone(),
            pem: pem.clone(),
            account: SimulatorAccount {
                username: username.clone(),
                password: password.clone(),
            },
            site: site.clone(),
            output: output.first().cloned(),
        })
    }

    /// Read for the usual time and print events, seconds, seconds of process time, and most memory in MiB.
    pub(crate) fn run(self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (events, elapsed, cpu) = runtime.block_on(self.read());
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        let kib: f64 = peak
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        println!("{events} {} {cpu} {}", elapsed.as_secs_f64(), kib / 1024.0);
    }

    async fn read(self) -> (u64, Duration, f64) {
        let mut roots = rustls::RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap();
        roots.add(certificate).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let cookie = self.log_in(&tls).await;
        let address = self.url.trim_start_matches("https://");
        let path = format!("wss://{address}/proxy/network/wss/s/{}/events", self.site);
        let mut request = path.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("cookie", cookie.parse().unwrap());
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::new(tls))
            .connect(name, stream)
            .await
            .unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();

        let mut output = self
            .output
            .map(|path| BufWriter::with_capacity(64 << 10, File::create(path).unwrap()));
        let clock = Clock::system();
        let start = clock.now() + WARM_UP;
        let (mut events, mut begun) = (0, None);
        loop {
            let message = socket.next().await.unwrap().unwrap();
            let Message::Text(text) = message else {
                continue;
            };
            let is_events = text.starts_with(EVENTS);
            if let Some(output) = output.as_mut().filter(|_| is_events) {
                output.write_all(text.as_bytes()).unwrap();
                output.write_all(b"\n").unwrap();
            }
            events += if is_events { ITEMS } else { 0 };
            let now = clock.now();
            match begun {
                None if now >= start => {
                    begun = Some((now, cpu_seconds("self")));
                    events = 0;
                }
                Some((begun, cpu)) if now >= begun + MEASURED => {
                    return (events, now - begun, cpu_seconds("self") - cpu);
                }
                _ => {}
            }
        }
    }

    async fn log_in(&self, tls: &rustls::ClientConfig) -> String {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .build()
            .unwrap();
        let SimulatorAccount { username, password } = &self.account;
        let answer = http
            .post(format!("{}/api/auth/login", self.url))
            .json(&serde_json::json!({"username": username, "password": password}))
            .send()
            .await
            .unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}
