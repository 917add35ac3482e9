//! Every mode of trust against a real server on loopback, over HTTP and over the socket's handshake.

use super::*;
use crate::source::address::Address;
use crate::source::http::{Client, SMALL};
use crate::source::socket;
use crate::source::testing::{self, Identity};
use crate::tasks::Tasks;
use crate::unifi::close::Seen;
use crate::unifi::session::Pass;
use http::HeaderMap;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// A server with this identity that answers requests and accepts sockets; its port.
async fn serve(identity: &Identity, tasks: &Tasks) -> u16 {
    testing::serve(identity, tasks, |head| {
        let Some(key) = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")) else {
            return ANSWER.to_owned();
        };
        assert!(head.contains("TOKEN=abc"), "{head}");
        let accept = derive_accept_key(key.as_bytes());
        format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n")
    })
    .await
}

/// Whether a request and a socket get through; else the sentence, which must be the same for both.
async fn try_both(url: &str, options: &TlsOptions) -> Result<(), String> {
    let address = Address::parse(url).unwrap();
    let tls = Tls::new(options, Path::new("")).unwrap();
    let client = Client::new(&address, &tls).unwrap();
    let http = client
        .get("/", HeaderMap::new(), SMALL)
        .await
        .map(|answer| assert_eq!(answer.status, 200));
    let pass = Pass {
        generation: 1,
        cookie: "TOKEN=abc".to_owned(),
        csrf: None,
    };
    let tls = Tls::new(options, Path::new("")).unwrap();
    let socket = match socket::connect(&address, &tls, "/wss/s/default/events", &pass).await {
        Ok(_) => Ok(()),
        Err(Seen::Unreachable(sentence)) => Err(sentence),
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(http.map_err(|error| error.to_string()), socket);
    socket
}

#[tokio::test]
async fn a_certificate_that_is_its_own_authority_is_trusted_when_the_file_has_it_and_the_name_fits()
{
    let tasks = Tasks::new();
    let (identity, other) = (
        Identity::of_its_own("localhost"),
        Identity::of_its_own("localhost"),
    );
    let port = serve(&identity, &tasks).await;
    let by_name = format!("https://localhost:{port}");
    let dir = tempfile::tempdir().unwrap();
    let trusting = |identity: &Identity| {
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, &identity.authority).unwrap();
        TlsOptions {
            ca_file: Some(file),
            ..TlsOptions::default()
        }
    };
    let refused = try_both(&by_name, &trusting(&other)).await.unwrap_err();
    assert!(refused.contains("self-signed"), "{refused}");
    let trusted = trusting(&identity);
    assert_eq!(try_both(&by_name, &trusted).await, Ok(()));
    let by_ip = format!("https://127.0.0.1:{port}");
    let wrong_name = try_both(&by_ip, &trusted).await.unwrap_err();
    assert!(wrong_name.contains("another host name"), "{wrong_name}");
    tasks.stop();
    tasks.ended().await;
}

fn pin(pin: String) -> TlsOptions {
    TlsOptions {
        pin_sha256: Some(pin),
        ..TlsOptions::default()
    }
}

#[tokio::test]
async fn every_mode_of_trust() {
    let identity = Identity::new("localhost");
    let tasks = Tasks::new();
    let port = serve(&identity, &tasks).await;
    let dir = tempfile::tempdir().unwrap();
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, &identity.authority).unwrap();
    let by_name = format!("https://localhost:{port}");
    let by_ip = format!("https://127.0.0.1:{port}");
    let found = fingerprint(&identity.leaf);
    let line = format!("tls = {{ pin_sha256 = \"{found}\" }}");

    let refused = try_both(&by_name, &TlsOptions::default())
        .await
        .unwrap_err();
    assert!(
        refused.contains("self-signed, or signed by nobody") && refused.contains(&line),
        "{refused}"
    );

    let with_file = TlsOptions {
        ca_file: Some(ca_file),
        ..TlsOptions::default()
    };
    assert_eq!(try_both(&by_name, &with_file).await, Ok(()));
    let wrong_name = try_both(&by_ip, &with_file).await.unwrap_err();
    assert!(
        wrong_name.contains("another host name") && wrong_name.contains(&line),
        "{wrong_name}"
    );

    let colons: Vec<&str> = (0..32).map(|n| &found[2 * n..2 * n + 2]).collect();
    let colons = colons.join(":").to_uppercase();
    for form in [found.clone(), colons] {
        for url in [&by_name, &by_ip] {
            assert_eq!(try_both(url, &pin(form.clone())).await, Ok(()), "{form}");
        }
    }
    let other = fingerprint(b"another certificate");
    let mismatch = try_both(&by_name, &pin(other.clone())).await.unwrap_err();
    assert!(
        mismatch.contains(&other) && mismatch.contains(&line),
        "{mismatch}"
    );

    let insecure = TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    };
    assert_eq!(try_both(&by_ip, &insecure).await, Ok(()));
    let both = TlsOptions {
        insecure: true,
        ..pin(other)
    };
    assert!(
        try_both(&by_ip, &both).await.is_err(),
        "a pin is not weakened by `insecure`"
    );
    tasks.stop();
    tasks.ended().await;
}

#[tokio::test]
async fn an_ip_address_can_be_the_name() {
    let identity = Identity::new("127.0.0.1");
    let tasks = Tasks::new();
    let port = serve(&identity, &tasks).await;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca.pem"), &identity.authority).unwrap();
    let options = TlsOptions {
        ca_file: Some(dir.path().join("ca.pem")),
        ..TlsOptions::default()
    };
    assert_eq!(
        try_both(&format!("https://127.0.0.1:{port}"), &options).await,
        Ok(())
    );
    tasks.stop();
    tasks.ended().await;
}

#[tokio::test]
async fn a_pin_is_of_no_use_to_whoever_has_no_key() {
    let (honest, thief) = (Identity::new("localhost"), Identity::new("localhost"));
    let stolen = honest.with_key_of(&thief);
    let tasks = Tasks::new();
    let port = serve(&stolen, &tasks).await;
    let url = format!("https://localhost:{port}");
    assert!(
        try_both(&url, &pin(fingerprint(&honest.leaf)))
            .await
            .is_err()
    );
    tasks.stop();
    tasks.ended().await;
}

#[test]
fn what_cannot_work_is_refused_at_once() {
    let wrong = |options: TlsOptions| Tls::new(&options, Path::new("/nonexistent")).unwrap_err();
    for text in [
        "",
        "abc",
        &"g".repeat(64),
        &"a".repeat(63),
        &"ab".repeat(33),
    ] {
        assert_eq!(wrong(pin(text.to_owned())), TlsError::Pin, "{text}");
    }
    let missing = wrong(TlsOptions {
        ca_file: Some("ca.pem".into()),
        ..TlsOptions::default()
    });
    assert!(
        missing.to_string().contains("/nonexistent/ca.pem"),
        "{missing}"
    );
    let dir = tempfile::tempdir().unwrap();
    for text in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        std::fs::write(dir.path().join("ca.pem"), text).unwrap();
        let options = TlsOptions {
            ca_file: Some("ca.pem".into()),
            ..TlsOptions::default()
        };
        let error = Tls::new(&options, dir.path()).unwrap_err();
        assert!(matches!(error, TlsError::CaFile { .. }), "{text}: {error}");
    }
}
