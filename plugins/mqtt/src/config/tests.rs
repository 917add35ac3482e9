//! What the options refuse, and how they say it.

use super::*;
use crate::Mqtt;
use serde_json::{Value, json};
use std::path::Path;
use unifi_herald_plugin::testing::TestContext;

fn resolve(options: Value) -> Result<Settings, BuildError> {
    let config: Config = serde_json::from_value(options).unwrap();
    config.resolve(&TestContext::new().build_context("home", Path::new("")))
}

fn refused(option: &str, value: &Value) -> String {
    let options = json!({"url": "mqtt://192.0.2.1", option: value});
    let built = TestContext::new().build::<Mqtt>(Path::new(""), options);
    built.expect_err("must be refused").to_string()
}

#[test]
fn each_way_has_its_port() {
    let port = |url: &str| resolve(json!({ "url": url })).map(|settings| settings.broker.port);
    assert_eq!(port("mqtt://h"), Ok(1883));
    assert_eq!(port("mqtts://h"), Ok(8883));
    assert_eq!(port("mqtt://[::1]:1884/"), Ok(1884));
    for url in ["h:1883", "http://h", "mqtt://", "mqtt://h/topic"] {
        let said = port(url).unwrap_err().to_string();
        assert_eq!(
            said, "`url`: write \"mqtt://host\" or \"mqtts://host:port\"",
            "{url}"
        );
    }
    let said = port("mqtt://anna:topsecret@h").unwrap_err().to_string();
    assert!(said.contains("use `username` and `password`") && !said.contains("topsecret"));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    for (option, value, said) in [
        ("qos", json!(3), "`qos`: it is 0, 1 or 2"),
        (
            "username",
            json!("anna"),
            "`password`: `username` needs one",
        ),
        ("password", json!("x"), "`username`: `password` needs one"),
        (
            "tls",
            json!({"insecure": true}),
            "`tls`: it is used only with a url that begins with mqtts://",
        ),
        (
            "client_id",
            json!(""),
            "`client_id`: it has 1 to 128 bytes, without control characters",
        ),
    ] {
        assert_eq!(refused(option, &value), said);
    }
    for prefix in ["", "/a", "a/", "a/+", "#", "$SYS", "a b"] {
        let said = refused("prefix", &json!(prefix));
        assert!(
            said.starts_with("`prefix`: it is the beginning of a topic"),
            "{said}"
        );
        let said = refused("discovery", &json!({ "prefix": prefix }));
        assert!(said.starts_with("`discovery.prefix`: "), "{said}");
    }
    assert!(refused("ulr", &json!("x")).contains("unknown field `ulr`"));
    assert!(refused("discovery", &json!({"client": []})).contains("unknown field `client`"));
}

#[test]
fn clients_are_watched_by_address_or_name() {
    let clients = json!(["AA-BB-CC-00-00-01", "Anna's iPhone"]);
    let settings = resolve(json!({"url": "mqtt://h", "discovery": {"clients": clients}})).unwrap();
    let watched = settings.home_assistant.unwrap().watched;
    let (anna, other) = (
        "aa:bb:cc:00:00:01".parse().unwrap(),
        "02:00:00:00:00:01".parse().unwrap(),
    );
    assert!(watched.has(anna, [None, None]));
    assert!(watched.has(other, [None, Some("anna's IPHONE")]));
    assert!(!watched.has(other, [Some("anna"), None]));
}
