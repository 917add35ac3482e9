//! NATS by TLS with credentials, against a real nats-server.

use crate::support::guarded::guarded;
use std::path::Path;
use unifi_herald::clock::Clock;
use unifi_herald::services::HostServices;
use unifi_herald::tasks::Tasks;
use unifi_herald_plugin::testing::batch;
use unifi_herald_plugin::{Batch, BuildContext, Fault, Sink};

fn sink(tasks: &Tasks, folder: &Path, options: &str) -> Box<dyn Sink> {
    let services = HostServices::new(Clock::system(), tasks.clone());
    let context = BuildContext::new("bus", folder, services);
    let options: toml::Table = options.parse().unwrap();
    let registry = unifi_herald::builtin();
    registry.build_sink("nats", &options, &context).unwrap()
}

#[tokio::test]
async fn only_a_server_that_is_trusted_learns_who_we_are() {
    let (server, fingerprint) = guarded();
    let tasks = Tasks::new();
    let to = |creds: &str, trust: &str| {
        let port = server.port();
        let options = format!(
            "servers = [\"tls://127.0.0.1:{port}\"]\njetstream = false\ncreds = \"{creds}\"\n{trust}"
        );
        sink(&tasks, server.folder(), &options)
    };
    let mut wary = to("herald.creds", "");
    let error = wary.deliver(Batch::new(&batch(1))).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unreachable);
    assert!(error.to_string().contains(&fingerprint), "{error}");
    let pin = format!("tls = {{ pin_sha256 = \"{fingerprint}\" }}");
    for trust in ["tls = { ca_file = \"cert.pem\" }", &pin] {
        let mut trusting = to("herald.creds", trust);
        trusting.check().await.unwrap();
        trusting.deliver(Batch::new(&batch(5))).await.unwrap();
        let mut stranger = to("stranger.creds", trust);
        let error = stranger.deliver(Batch::new(&batch(1))).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Configuration, "{error}");
        assert!(!error.to_string().contains("SU"), "{error}");
    }
    tasks.stop();
    tasks.ended().await;
}
