//! What is somebody's goes, and what happened stays.

use super::*;
use crate::unifi::{Decoder, Site};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Kind, Timestamp};

fn redactor() -> Redactor {
    Redactor::with_salt([7; 32])
}

fn kinds(text: &str) -> Vec<Kind> {
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    let mut decoder = Decoder::new("home".into(), site);
    let mut events: Vec<Arc<Event>> = Vec::new();
    decoder.decode(text, Timestamp::from_millis(1_780_000_000_000), &mut events);
    events.iter().map(|event| event.kind).collect()
}

const ROAM: &str = r#"{"meta":{"rc":"ok","message":"events"},"data":[{"key":"EVT_WU_Roam","user":"a4:83:e7:11:22:33","hostname":"Annas-iPhone","ap_from":"74:ac:b9:00:00:01","ap_to":"74:AC:B9:00:00:02","ssid":"Chez Anna","channel_from":"36","channel_to":"44","radio_from":"na","radio_to":"na","subsystem":"wlan","site_id":"bee13ee323c2eb08ea41acbd","time":1780000000000,"datetime":"2026-05-28T20:26:40Z","msg":"User[a4:83:e7:11:22:33] (Annas-iPhone, 192.168.1.23) roams from AP[Attic] to AP[Kitchen] on \"Chez Anna\"","_id":"5ee9f7ca453d4e00f3c04b57"}]}"#;

#[test]
fn a_frame_keeps_what_happened_and_nothing_of_anybody() {
    let mut redactor = redactor();
    redactor.learn(br#"{"data":[{"name":"Attic","mac":"74:ac:b9:00:00:01","serial":"74ACB9000001","x_authkey":"s3cr3t"},{"name":"Kitchen"}]}"#);
    let redacted = redactor.frame(ROAM);
    for original in [
        "a4:83:e7:11:22:33",
        "11:22:33",
        "Anna",
        "192.168.1.23",
        "Attic",
        "Kitchen",
        "00:00:01",
        "00:00:02",
    ] {
        assert!(!redacted.contains(original), "{original} in {redacted}");
    }
    assert!(
        redacted.contains("a4:83:e7:"),
        "the vendor stays: {redacted}"
    );
    assert!(
        redacted.contains("74:AC:B9:"),
        "as it was written: {redacted}"
    );
    assert_eq!(kinds(&redacted), kinds(ROAM));
    assert_eq!(kinds(ROAM), [Kind::CLIENT_ROAMED]);
    assert_eq!(redactor.frame(ROAM), redacted, "the same by the same");
    let other = Redactor::with_salt([8; 32]).frame(ROAM);
    assert_ne!(other, redacted);
    let value: Value = serde_json::from_str(&redacted).unwrap();
    let item = &value["data"][0];
    let text = item["msg"].as_str().unwrap();
    for key in ["user", "hostname", "ssid"] {
        assert!(text.contains(item[key].as_str().unwrap()), "{key}: {text}");
    }
}

#[test]
fn secrets_go_whatever_they_are_and_unknown_texts_are_taken_for_names() {
    let frame = r#"{"meta":{"rc":"ok","message":"device:sync"},"data":[{"x_passphrase":"hunter22","password":["a1b2c3"],"x_number":4711,"api_token":"zzz","favourite":"Rosebud","mac":"74acb9000001","uptime":12,"74:ac:b9:00:00:09":{"ip":"fe80::1234:5678:9abc:def0"}}]}"#;
    let redacted = redactor().frame(frame);
    for original in [
        "hunter22", "a1b2c3", "4711", "zzz", "Rosebud", "000001", "00:00:09", "9abc",
    ] {
        assert!(!redacted.contains(original), "{original} in {redacted}");
    }
    assert!(
        redacted.contains(r#""uptime":12"#) && redacted.contains("fe80:"),
        "{redacted}"
    );
}

#[test]
fn half_a_frame_is_redacted_as_well() {
    let mut redactor = redactor();
    for end in 1..ROAM.len() {
        let Some(part) = ROAM.get(..end) else {
            continue;
        };
        let redacted = redactor.frame(part);
        for original in [
            "Annas-iPhone",
            "11:22:33",
            "Chez Anna",
            "192.168.1.23",
            "Annas-iPh",
            "Chez A",
        ] {
            assert!(!redacted.contains(original), "{original} in {redacted}");
        }
    }
    assert_eq!(redactor.frame("pong"), "pong");
    assert!(!redactor.frame("Rosebud is here").contains("Rosebud"));
    let (half, whole) = (&ROAM[..ROAM.len() - 3], redactor.frame(ROAM));
    let half = redactor.frame(half);
    let user = |text: &str| text.split("\"user\":").nth(1).unwrap()[..19].to_owned();
    assert_eq!(user(&half), user(&whole), "the same by the same");
}

#[test]
fn every_frame_of_the_corpus_has_the_same_kinds_as_before() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/corpus/ws_messages.jsonl"
    );
    let text = std::fs::read_to_string(corpus).unwrap();
    let mut redactor = redactor();
    let mut seen = 0;
    for line in text.lines() {
        assert_eq!(kinds(&redactor.frame(line)), kinds(line), "{line}");
        seen += kinds(line).len();
    }
    assert!(seen > 10, "{seen}");
}
