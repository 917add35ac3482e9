//! Presence over any sequence of events and any passing of time.

use super::*;
use crate::config::Config;
use proptest::prelude::*;
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use unifi_herald_plugin::testing::{EventBuilder, START, TestContext};

fn house() -> House {
    let config: Config = serde_json::from_value(json!({
        "url": "mqtt://h", "discovery": {"clients": ["aa:bb:cc:00:00:01"], "away_after": "5m"},
    }))
    .unwrap();
    let context = TestContext::new().build_context("home", Path::new(""));
    House::new(&config.resolve(&context).unwrap())
}

const KINDS: [Kind; 5] = [
    Kind::CLIENT_CONNECTED,
    Kind::CLIENT_ROAMED,
    Kind::CLIENT_ROAMED_RADIO,
    Kind::CLIENT_DISCONNECTED,
    Kind::CLIENT_BLOCKED,
];

proptest! {
    #[test]
    fn nobody_leaves_but_after_five_minutes_away(steps in prop::collection::vec((0usize..5, 0u64..400), 1..40)) {
        let mut house = house();
        let mut now = START;
        // Since when the client is away, as anybody would say who watches it.
        let mut away: Option<Timestamp> = None;
        let mut seen = false;
        for (number, (kind, pause)) in steps.into_iter().enumerate() {
            let kind = KINDS[kind];
            let event = EventBuilder::new(kind).time(now).buffered(number as u64);
            house.take(&event, now);
            match kind {
                Kind::CLIENT_BLOCKED => {}
                Kind::CLIENT_DISCONNECTED => {
                    // Going away twice is going away the second time, unless it had left before.
                    let left = away.is_some_and(|since| now.since(since) >= Duration::from_secs(300));
                    if !left {
                        away = Some(now);
                    }
                    seen = true;
                }
                _ => {
                    away = None;
                    seen = true;
                }
            }
            now = now + Duration::from_secs(pause);
            house.pass_time(now);
            let home = away.is_none_or(|since| now.since(since) < Duration::from_secs(300));
            let state = house.clients.values().next();
            prop_assert_eq!(state.and_then(|state| state.home), seen.then_some(home));
        }
    }
}

#[test]
fn a_thing_is_published_until_it_was_acknowledged_and_not_longer() {
    let mut house = house();
    let event = EventBuilder::new(Kind::DEVICE_OFFLINE).buffered(1);
    let messages = house.take(&event, START);
    assert_eq!(house.unpublished(), messages[..2], "announcement and state");
    house.acknowledge(&messages[..1]);
    assert_eq!(house.unpublished(), messages[1..2]);
    house.acknowledge(&messages);
    assert_eq!(house.unpublished(), []);
    let again = house.take(&event, START);
    let topics: Vec<&str> = again.iter().map(|message| &*message.topic).collect();
    assert_eq!(
        topics,
        [
            "unifi-herald/home/default/event/device/f09fc2000002",
            "unifi-herald/home/default/event/device.offline",
        ]
    );
    house.forget_published();
    assert_eq!(house.unpublished(), messages[..2]);
}

#[test]
fn an_alert_about_a_device_says_nothing_of_its_state() {
    let mut house = house();
    let alert = EventBuilder::new(Kind::DEVICE_OFFLINE)
        .with(|event| event.kind = Kind::ALERT_FIRING)
        .buffered(1);
    assert_eq!(house.take(&alert, START).len(), 1);
    assert!(house.devices.is_empty());
}

#[test]
fn junk_on_the_broker_is_skipped() {
    let mut house = house();
    for (topic, payload) in [
        ("unifi-herald/a/b/state/device/f09fc2000002", "nonsense"),
        (
            "unifi-herald/a/b/state/device/f09fc2000002",
            r#"{"mac":"00:00:00:00:00:01","online":true,"since":"2026-11-22T17:21:13.440Z"}"#,
        ),
        ("homeassistant/device/x/config", "[1]"),
        ("unifi-herald/a/b/state/client/aabbcc000001", "{}"),
    ] {
        house.restore(topic, payload.as_bytes());
    }
    house.restored();
    assert_eq!(house.unpublished(), []);
}
