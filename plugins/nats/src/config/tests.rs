//! What the options refuse, and how they say it.

use crate::Nats;
use serde_json::{Value, json};
use std::path::Path;
use unifi_herald_plugin::testing::TestContext;

fn refused(option: &str, value: &Value) -> String {
    let mut options = json!({"servers": ["nats://192.0.2.1"]});
    options[option] = value.clone();
    let built = TestContext::new().build::<Nats>(Path::new(""), options);
    built.expect_err("must be refused").to_string()
}

#[test]
fn an_address_is_a_scheme_and_a_host() {
    let build = |server: &str| {
        let options = json!({"servers": ["nats://192.0.2.1", server]});
        TestContext::new()
            .build::<Nats>(Path::new(""), options)
            .map(drop)
    };
    for fine in ["nats://h", "tls://h:4443", "nats://[::1]:4222"] {
        assert_eq!(build(fine), Ok(()), "{fine}");
    }
    for wrong in ["h", "http://h", "ws://h", "nats://", "nats://h/topic"] {
        assert_eq!(
            build(wrong).unwrap_err().to_string(),
            "`servers`: write [\"nats://host\"] or [\"tls://host:4222\"]",
            "{wrong}"
        );
    }
    let said = build("nats://anna:topsecret@h").unwrap_err().to_string();
    assert!(said.contains("use `creds`, `username` or `token`") && !said.contains("topsecret"));
    assert!(refused("servers", &json!([])).contains("write"));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    for (option, value, said) in [
        (
            "username",
            json!("anna"),
            "`password`: `username` needs one",
        ),
        ("password", json!("x"), "`username`: `password` needs one"),
        (
            "prefix",
            json!("Home.>"),
            "`prefix`: it is the beginning of a subject, such as \"unifi\" or \"home.unifi\": lower-case letters, digits, - and _",
        ),
        (
            "tls",
            json!({"insecure": true}),
            "`tls`: this host lends no TLS for NATS",
        ),
    ] {
        assert_eq!(refused(option, &value), said);
    }
}

#[test]
fn what_is_in_a_file_of_credentials_is_never_said() {
    let folder = tempfile::tempdir().unwrap();
    let creds = folder.path().join("x.creds");
    let said = refused("creds", &json!(creds));
    assert!(said.starts_with("`creds`: cannot use "), "{said}");
    std::fs::write(&creds, "SUATOPSECRET").unwrap();
    let said = refused("creds", &json!(creds));
    assert!(
        said.contains("it has no JWT and seed") && !said.contains("TOPSECRET"),
        "{said}"
    );
}
