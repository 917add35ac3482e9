//! `herald capture`: what the controllers send, as it came, or so that it can be shown to others.

use super::Herald;
use crate::support::rig::controller;
use crate::support::{LIMIT, eventually};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};
use unifi_herald::unifi::{Decoder, Site};
use unifi_herald_plugin::{Event, Kind, Timestamp};

fn kinds(texts: &[String]) -> Vec<Kind> {
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    let mut decoder = Decoder::new("home".into(), site);
    let mut events: Vec<Arc<Event>> = Vec::new();
    for text in texts {
        decoder.decode(text, Timestamp::from_millis(1_780_000_000_000), &mut events);
    }
    events.iter().map(|event| event.kind).collect()
}

fn texts(herald: &Herald, file: &str) -> Vec<String> {
    let text = |line: Value| line["text"].as_str().unwrap().to_owned();
    herald.events(file).into_iter().map(text).collect()
}

/// Everything in a frame that is somebody's.
fn identifiers(value: &Value, key: &str, found: &mut BTreeSet<String>) {
    const NAMES: &[&str] = &[
        "hostname",
        "name",
        "ssid",
        "essid",
        "ap_name",
        "serial",
        "admin",
        "display_name",
    ];
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| identifiers(value, key, found)),
        Value::Array(items) => items.iter().for_each(|item| identifiers(item, key, found)),
        Value::String(text) => {
            let mac = text.len() == 17 && text.matches(':').count() == 5;
            let ip = text.parse::<std::net::IpAddr>().is_ok();
            if mac || ip || (NAMES.contains(&key) && text.len() > 3) {
                found.insert(text.clone());
            }
        }
        _ => {}
    }
}

#[test]
fn what_is_captured_is_what_came_and_redacted_it_is_nobodys() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let herald = Herald::with(&controller("home", &simulator, r#"["default"]"#));
    let raw = herald.start(&["capture", "raw.jsonl"]);
    let redacted = herald.start(&["capture", "--redact", "redacted.jsonl"]);
    assert!(simulator.wait_for_sockets(2, LIMIT));
    simulator.sync("default");
    simulator.emit("default", 80);
    let half = r#"{"key":"EVT_WU_Connected","user":"02:00:00:aa:bb:cc","hostname":"Rosebud"#;
    simulator.emit_item("default", Carrier::Events, half);
    eventually("the last is there", || {
        herald.read("raw.jsonl").contains("Rosebud")
            && texts(&herald, "raw.jsonl").len() == texts(&herald, "redacted.jsonl").len()
    });
    for running in [raw, redacted] {
        running.signal("INT");
        let ended = running.ended().with_code(0);
        assert!(ended.stderr.contains("frames in"), "{}", ended.stderr);
    }
    let (raw, redacted) = (
        texts(&herald, "raw.jsonl"),
        texts(&herald, "redacted.jsonl"),
    );
    assert!(kinds(&raw).len() > 50);
    assert_eq!(kinds(&raw), kinds(&redacted));
    let mut found = BTreeSet::new();
    for text in &raw {
        if let Ok(value) = serde_json::from_str(text) {
            identifiers(&value, "", &mut found);
        }
    }
    assert!(found.len() > 20, "{found:?}");
    let everything = herald.read("redacted.jsonl");
    found.insert("Rosebud".to_owned());
    found.insert("aa:bb:cc".to_owned());
    for original in found {
        assert!(!everything.contains(&original), "{original}");
    }
    assert!(!everything.contains("password"));
    assert_eq!(simulator.stats().counts().logouts, 2);
}

#[test]
fn it_ends_when_the_file_is_large_enough_or_the_login_is_refused() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let herald = Herald::with(&controller("home", &simulator, r#"["default"]"#));
    let running = herald.start(&["capture", "small.jsonl", "--max-size", "4KiB"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit("default", 60);
    let ended = running.ended().with_code(0);
    assert!(ended.stderr.contains("--max-size"), "{}", ended.stderr);
    assert!(herald.read("small.jsonl").len() <= 4096);
    let there = herald.run(&["capture", "small.jsonl"]).with_code(1);
    assert!(there.stderr.contains("small.jsonl"), "{}", there.stderr);
    let wrong = controller("home", &simulator, r#"["default"]"#)
        .replace(&*simulator.options().password, "not it");
    herald.write("config.toml", &wrong);
    herald
        .run(&["capture", "none.jsonl", "--for", "60s"])
        .with_code(77);
}
