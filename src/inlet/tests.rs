//! Whatever comes, only events go on.

use super::*;
use serde_json::{Value, json};
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{Kind, Origin, Raw};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn door(id: &str) -> Value {
    json!({
        "v": 1, "id": id, "time": "2026-11-22T17:21:13.440Z", "received": "2026-11-22T17:21:14.000Z",
        "controller": "building", "site": "lobby", "kind": "system.notice", "summary": "The door is open",
    })
}

fn read(payload: &[u8]) -> Reading {
    Inlet::default().read(payload, &["home".into()], NOW)
}

fn read_json(value: &Value) -> Reading {
    read(value.to_string().as_bytes())
}

#[test]
fn an_event_goes_on_as_it_was_sent_but_for_the_time_it_was_received() {
    let Reading::Event(event) = read_json(&door("1")) else {
        panic!("an event");
    };
    assert_eq!(event.received, NOW);
    let (controller, site) = (&*event.controller, &*event.site);
    assert_eq!((controller, site, &*event.id), ("building", "lobby", "1"));
    assert_eq!(event.time.to_string(), "2026-11-22T17:21:13.440Z");
    assert_eq!(
        (event.kind, event.origin),
        (Kind::SYSTEM_NOTICE, Origin::Stream)
    );

    let mut sent = EventBuilder::new(Kind::CLIENT_ROAMED)
        .site("b", "s", "S")
        .build();
    let text = serde_json::to_string(&sent).unwrap();
    sent.received = NOW;
    let Reading::Event(event) = read(text.as_bytes()) else {
        panic!("an event");
    };
    assert_eq!(*event, sent);
}

#[test]
fn nobody_speaks_for_a_controller_of_ours() {
    let mut event = door("1");
    event["controller"] = "home".into();
    assert_eq!(read_json(&event), Reading::Own);
    event["controller"] = "Home".into();
    assert!(matches!(read_json(&event), Reading::Event(_)));
}

#[test]
fn what_is_no_event_is_refused_and_nothing_of_it_is_said() {
    let with = |field: &str, value: Value| {
        let mut event = door("topsecret");
        event[field] = value;
        event.to_string().into_bytes()
    };
    let lacking = |field: &str| {
        let mut event = door("topsecret");
        event.as_object_mut().unwrap().remove(field);
        event.to_string().into_bytes()
    };
    let deep = |levels| {
        let raw = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let text = door("topsecret").to_string();
        text.replace("\"v\":1", &format!("\"v\":1,\"raw\":{raw}"))
    };
    assert!(matches!(read(deep(60).as_bytes()), Reading::Event(_)));
    let no = |field: &str| Refusal::Lacking(format!("no `{field}`"));
    for (payload, refusal) in [
        (b"".to_vec(), Refusal::Syntax),
        (b"topsecret".to_vec(), Refusal::Syntax),
        (b"\xff\xfe".to_vec(), Refusal::Syntax),
        (b"{\"id\":\"topsecret\"".to_vec(), Refusal::Syntax),
        (b" [1, 2]".to_vec(), Refusal::Shape),
        (b"{}".to_vec(), no("id")),
        (b"5".to_vec(), Refusal::Shape),
        (lacking("id"), no("id")),
        (lacking("time"), no("time")),
        (lacking("kind"), no("kind")),
        (with("kind", "topsecret.kind".into()), Refusal::Shape),
        (with("time", "yesterday".into()), Refusal::Shape),
        (with("client", 5.into()), Refusal::Shape),
        (with("id", "".into()), Refusal::Name),
        (with("id", "x".repeat(257).into()), Refusal::Name),
        (with("controller", "a\nb".into()), Refusal::Name),
        (with("site", "x".repeat(257).into()), Refusal::Name),
        (
            with("time", "2099-01-01T00:00:00.000Z".into()),
            Refusal::Future,
        ),
        (
            with("summary", "x".repeat(MAX_PAYLOAD).into()),
            Refusal::Large,
        ),
        (deep(80).into_bytes(), Refusal::Deep),
        (vec![b'['; 1_000_000], Refusal::Deep),
        (b"{\"a\":".repeat(200_000), Refusal::Deep),
    ] {
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(80)]).into_owned();
        let reading = read(&payload);
        let Reading::Refused(said) = reading else {
            panic!("{shown}: {reading:?}");
        };
        assert_eq!(said, refusal, "{shown}");
        assert!(!said.to_string().contains("topsecret"), "{said}");
    }
}

#[test]
fn a_large_item_is_left_out() {
    let text = "x".repeat(MAX_RAW);
    let mut event = door("1");
    event["raw"] = text.into();
    let Reading::Event(event) = read_json(&event) else {
        panic!("an event");
    };
    assert_eq!((event.raw, event.raw_truncated), (None, true));
    let mut small = door("2");
    small["raw"] = json!({"a": 1});
    let Reading::Event(event) = read_json(&small) else {
        panic!("an event");
    };
    assert_eq!(event.raw.as_ref().map(Raw::as_str), Some("{\"a\":1}"));
}

#[test]
fn there_are_only_so_many_controllers_and_sites() {
    let mut inlet = Inlet::default();
    let mut named = |number: usize| {
        let mut event = door("1");
        event["site"] = format!("s{number}").into();
        inlet.read(event.to_string().as_bytes(), &[], NOW)
    };
    for number in (0..MAX_PLACES).chain(0..3) {
        assert!(matches!(named(number), Reading::Event(_)), "{number}");
    }
    assert_eq!(named(MAX_PLACES), Reading::Refused(Refusal::Places));
    assert!(matches!(named(7), Reading::Event(_)));
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(payload in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        read(&payload);
    }

    #[test]
    fn nothing_within_an_event_makes_it_panic(at in 0_usize..200, byte in proptest::num::u8::ANY) {
        let mut payload = door("1").to_string().into_bytes();
        let place = at % payload.len();
        payload[place] = byte;
        read(&payload);
    }
}
