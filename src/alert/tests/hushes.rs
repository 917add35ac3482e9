//! When nobody is told: quiet hours, work under way, silences.

use super::line::{alert, device, span};
use super::*;
use crate::alert::{Addressee, NewSilence};
use unifi_herald_plugin::testing::START;
use unifi_herald_plugin::{AlertState, Kind, Timestamp};

const DOWN: &str = r#"
[alerts.down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.device.mac }}"
"#;

fn offline(line: &mut Line) -> &mut Line {
    line.push_device(Kind::DEVICE_OFFLINE, device(1, None))
}

fn online(line: &mut Line) -> &mut Line {
    line.push_device(Kind::DEVICE_ONLINE, device(1, None))
}

/// The time of the day at the start, in UTC, and so long after it.
fn clock(after: &str) -> String {
    (START + span(after)).to_string()[11..16].to_owned()
}

fn quiet(from: &str, to: &str, then: &str, more: &str) -> Line {
    let hours = format!("{}-{}", clock(from), clock(to));
    line(&format!(
        "{DOWN}quiet = {{ hours = \"{hours}\", then = \"{then}\" }}\n{more}\n[digests.daily]\nat = \"00:00\""
    ))
}

#[test]
fn what_begins_in_quiet_hours_is_dropped_and_so_is_its_end() {
    let mut line = quiet("0s", "1h", "drop", "");
    offline(line.until("5m"));
    online(line.until("3h"));
    offline(line.until("4h"));
    assert_eq!(line.states(), ["4h firing"]);
}

#[test]
fn what_was_dropped_and_lasts_is_told_when_it_would_be_repeated() {
    let mut line = quiet("0s", "1h", "drop", "repeat = \"40m\"");
    offline(line.until("5m"));
    online(line.until("2h"));
    assert_eq!(line.states(), ["85m firing", "2h resolved"]);
}

#[test]
fn whoever_was_told_of_the_beginning_is_told_of_the_end_when_the_hours_are_over() {
    let mut line = quiet("10m", "1h", "drop", "");
    offline(&mut line);
    online(line.until("20m"));
    line.until("3h");
    let told = line.messages();
    assert_eq!(told.len(), 2);
    assert_eq!(
        alert(&told[1]).until,
        Some(START + span("20m")),
        "its own time"
    );
    assert!(line.now > told[1].received && told[1].received >= START + span("59m"));
    assert!(
        alert(&told[1]).body.contains("late"),
        "{}",
        alert(&told[1]).body
    );
}

#[test]
fn what_is_told_in_quiet_hours_may_be_a_digests_own() {
    let mut line = quiet("0s", "1h", "daily", "");
    offline(line.until("5m"));
    online(line.until("2h"));
    offline(line.until("3h"));
    assert_eq!(line.states(), ["5m firing", "2h resolved", "3h firing"]);
    let digest = Addressee::Digest(0);
    assert_eq!(
        line.addressees(),
        [digest, digest, Addressee::StepsBehind(0)]
    );
}

const WORK: &str = "hold = \"1m\"\nmute_while = { from = [\"device.upgrading\"], until = [\"device.online\"], max = \"20m\" }";

#[test]
fn work_mutes_what_it_is_about_and_ends_with_it() {
    let mut line = line(&format!("{DOWN}{WORK}"));
    line.push_device(Kind::DEVICE_UPGRADING, device(1, None));
    offline(line.until("1m"));
    line.push_device(Kind::DEVICE_OFFLINE, device(2, None));
    online(line.until("8m"));
    // The work is over: what breaks now is told.
    offline(line.until("10m")).until("1h");
    assert_eq!(
        line.told(),
        [
            "2m down firing f0:9f:c2:00:00:02",
            "11m down firing f0:9f:c2:00:00:01"
        ]
    );
}

#[test]
fn what_does_not_come_back_from_work_is_told_when_its_time_is_over() {
    let mut line = line(&format!("{DOWN}{WORK}"));
    line.push_device(Kind::DEVICE_UPGRADING, device(1, None));
    offline(line.until("1m")).until("2h");
    assert_eq!(line.states(), ["20m firing"]);
}

fn silence(line: &mut Line, alert: Option<&str>, device: Option<&str>, time: &str) -> String {
    let new = NewSilence {
        alert: alert.map(Into::into),
        device: device.map(Into::into),
        seconds: span(time).as_secs(),
        reason: "works".into(),
    };
    let silence = new.begin(line.now).unwrap();
    let id = silence.id.clone();
    line.alerts.silence(silence, line.now).unwrap();
    id
}

#[test]
fn a_silence_keeps_the_state_and_what_lasts_longer_is_told_afterwards() {
    let mut line = line(DOWN);
    silence(&mut line, Some("do*"), None, "1h");
    offline(line.until("10m"));
    assert_eq!(
        line.alerts.incidents(line.now)[0].silenced_until,
        Some(START + span("1h"))
    );
    line.push_device(Kind::DEVICE_OFFLINE, device(2, None))
        .until("20m");
    line.push_device(Kind::DEVICE_ONLINE, device(2, None))
        .until("2h");
    assert_eq!(line.told(), ["1h down firing f0:9f:c2:00:00:01"]);
    assert!(line.alerts.silences(line.now).is_empty());
}

#[test]
fn a_silence_may_be_for_a_device_and_end_early() {
    let mut line = line(DOWN);
    let id = silence(&mut line, None, Some("D1"), "10h");
    offline(&mut line).push_device(Kind::DEVICE_OFFLINE, device(2, None));
    line.until("1h");
    assert_eq!(line.told(), ["0s down firing f0:9f:c2:00:00:02"]);
    assert!(line.alerts.end_silence(&id, line.now) && !line.alerts.end_silence(&id, line.now));
    line.until("2h");
    assert_eq!(line.told()[1..], ["1h down firing f0:9f:c2:00:00:01"]);
}

#[test]
fn an_end_within_a_silence_is_told_after_it_to_whom_the_beginning_was_told() {
    let mut line = line(DOWN);
    offline(&mut line);
    silence(&mut line, Some("down"), Some("F0:9F:C2:00:00:01"), "1h");
    online(line.until("10m"));
    line.until("2h");
    assert_eq!(line.states(), ["0s firing", "1h resolved"]);
    assert_eq!(alert(line.last()).until, Some(START + span("10m")));
}

#[test]
fn what_breaks_again_before_its_end_was_told_goes_on() {
    let mut line = line(&format!("{DOWN}repeat = \"1h\""));
    offline(&mut line);
    silence(&mut line, Some("down"), None, "30m");
    online(line.until("10m"));
    offline(line.until("20m"));
    line.until("85m");
    assert_eq!(line.states(), ["0s firing", "80m repeated"]);
    assert_eq!(alert(line.last()).state, AlertState::Repeated);
}

#[test]
fn a_silence_has_bounds() {
    let now = Timestamp::from_millis(0);
    let new = |alert: Option<&str>, seconds| NewSilence {
        alert: alert.map(Into::into),
        seconds,
        ..NewSilence::default()
    };
    assert!(new(None, 60).begin(now).is_err());
    assert!(new(Some("*"), 0).begin(now).is_err());
    assert!(new(Some("*"), u64::MAX).begin(now).is_err());
    assert!(new(Some(&"x".repeat(2000)), 60).begin(now).is_err());
    assert!(new(Some("*"), 60).begin(now).is_ok());
}
