//! Nights: what begins in quiet hours is told in the morning, by one digest.

use super::timeline::Timeline;
use std::time::Duration;
use unifi_herald_plugin::testing::START;
use unifi_herald_plugin::{Kind, Timestamp};

const CONFIG: &str = r#"
[controllers.home]
url = "https://192.0.2.1"
auth = { username = "x", password = "y" }

[time]
zone = "UTC"

[alerts.device_down]
on         = ["device.offline"]
resolve_on = ["device.online"]
key        = "{{ event.device.mac }}"
hold       = "2m"
title      = "{{ event.device.name }} is offline"
quiet      = { hours = "22:00-07:00", then = "morning" }

[digests.morning]
at         = "07:30"
skip_empty = true

[sinks.phone]
plugin = "console"

[chains.outages]
steps = [
  { alert = "device_down" },
  { digest = "morning", when = { kinds = ["wifi.rogue_ap"] } },
  { where = 'event.category == "alert" || event.category == "digest"' },
  { sink = "phone" },
]
"#;

/// The first `hour:00` after the start.
fn next(hour: u64) -> Duration {
    let day = Duration::from_hours(24).as_millis() as i64;
    let midnight = START.as_millis() - START.as_millis().rem_euclid(day);
    let at = Timestamp::from_millis(midnight) + Duration::from_hours(hour);
    if at > START {
        at.since(START)
    } else {
        (at + Duration::from_hours(24)).since(START)
    }
}

#[test]
fn what_begins_at_night_is_told_in_the_morning_by_one_digest() {
    let mut line = Timeline::of(CONFIG);
    // At eleven in the evening.
    line.pass(next(23));
    line.push(Kind::DEVICE_OFFLINE);
    line.pass(Duration::from_mins(30));
    line.push(Kind::WIFI_ROGUE_AP);
    line.pass(Duration::from_hours(2));
    assert_eq!(line.told(), Vec::<String>::new(), "nobody is woken");
    line.push(Kind::DEVICE_ONLINE);
    // Half past one; the digest comes at half past seven.
    line.pass(Duration::from_mins(5 * 60 + 55));
    assert_eq!(line.told(), Vec::<String>::new());
    line.pass(Duration::from_mins(10));
    let told = line.told_events();
    let [(sink, digest)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((&**sink, digest.kind), ("phone", Kind::DIGEST_READY));
    let digest = digest.digest.as_deref().unwrap();
    let incidents: Vec<&str> = digest.incidents.iter().map(|one| &*one.title).collect();
    assert_eq!(incidents, ["Kitchen is offline"]);

    // The day is not quiet, and an empty digest is not told.
    line.pass(Duration::from_hours(3));
    line.push(Kind::DEVICE_OFFLINE);
    line.pass(Duration::from_mins(3));
    assert_eq!(line.told(), ["phone alert.firing Kitchen is offline"]);
    line.push(Kind::DEVICE_ONLINE);
    line.pass(Duration::from_hours(1));
    assert_eq!(
        line.told(),
        ["phone alert.resolved Over: Kitchen is offline"]
    );
    line.pass(Duration::from_hours(24));
    assert_eq!(line.told(), Vec::<String>::new());
}
