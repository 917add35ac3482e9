//! Syslog by TLS (RFC 5425), with a real handshake.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use unifi_herald::clock::Clock;
use unifi_herald::services::HostServices;
use unifi_herald::source::tls::fingerprint;
use unifi_herald::tasks::{Tasks, thread};
use unifi_herald_plugin::testing::batch;
use unifi_herald_plugin::{Batch, BuildContext, Fault, Sink};

/// A collector that takes one connection and reads it to its end.
struct Collector {
    url: String,
    fingerprint: String,
    pem: String,
    received: std::thread::JoinHandle<Vec<String>>,
}

impl Collector {
    fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let der = made.cert.der().clone();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der.clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("tls://{}", listener.local_addr().unwrap());
        let received = thread("collector", move || {
            loop {
                let (stream, _) = listener.accept().unwrap();
                let session = rustls::ServerConnection::new(Arc::new(config.clone())).unwrap();
                let mut reader = BufReader::new(rustls::StreamOwned::new(session, stream));
                // Whoever does not trust us hangs up, and another one comes.
                if reader.fill_buf().is_ok_and(|bytes| !bytes.is_empty()) {
                    return frames(reader);
                }
            }
        });
        Self {
            url,
            fingerprint: fingerprint(&der),
            pem: made.cert.pem(),
            received: received.unwrap(),
        }
    }
}

/// The messages until the end of the connection, by octet counting.
fn frames(mut reader: impl BufRead) -> Vec<String> {
    let mut messages = Vec::new();
    loop {
        let mut length = Vec::new();
        if reader.read_until(b' ', &mut length).unwrap() == 0 {
            return messages;
        }
        let length = String::from_utf8(length).unwrap();
        let mut message = vec![0; length.trim_end().parse().unwrap()];
        reader.read_exact(&mut message).unwrap();
        messages.push(String::from_utf8(message).unwrap());
    }
}

fn sink(tasks: &Tasks, folder: &Path, options: &str) -> Box<dyn Sink> {
    let services = HostServices::new(Clock::system(), tasks.clone());
    let context = BuildContext::new("siem", folder, services);
    let options: toml::Table = options.parse().unwrap();
    let registry = unifi_herald::builtin();
    registry.build_sink("syslog", &options, &context).unwrap()
}

#[tokio::test]
async fn only_a_collector_that_is_trusted_gets_anything_and_it_gets_it_whole() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = Tasks::new();
    let events = batch(3);
    for by_file in [true, false] {
        let collector = Collector::start();
        std::fs::write(folder.path().join("ca.pem"), &collector.pem).unwrap();
        let url = format!("url = \"{}\"\n", collector.url);
        let mut wary = sink(&tasks, folder.path(), &url);
        let error = wary.deliver(Batch::new(&events)).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Unreachable);
        assert!(
            error.to_string().contains(&collector.fingerprint),
            "{error}"
        );
        let trust = if by_file {
            "tls = { ca_file = \"ca.pem\" }".to_owned()
        } else {
            format!("tls = {{ pin_sha256 = \"{}\" }}", collector.fingerprint)
        };
        let mut trusting = sink(&tasks, folder.path(), &format!("{url}{trust}"));
        trusting.deliver(Batch::new(&events)).await.unwrap();
        trusting.close().await.unwrap();
        let received = collector.received.join().unwrap();
        assert_eq!(received.len(), 3);
        for (message, event) in received.iter().zip(&events) {
            assert!(
                message.contains(&format!(" id=\"{}\" ", event.id)),
                "{message}"
            );
            assert!(message.ends_with(&event.to_json()), "{message}");
        }
    }
}
