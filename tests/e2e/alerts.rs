//! Incidents through the whole host: told once, over a restart, and looked at and changed from outside.

use crate::control::{err, herald, out};
use crate::support::eventually;
use crate::support::rig::{Rig, stop_clean};
use serde_json::Value;
use std::sync::Arc;
use unifi_herald::clock::Clock;
use unifi_herald::host::Host;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{BufferedEvent, Kind, Origin};

pub(super) const CONFIG: &str = r#"
[controllers.home]
url = "https://127.0.0.1:9"
auth = { username = "x", password = "y" }

[time]
zone = "UTC"

[alerts.down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.device.mac }}"
hold = "300ms"
title = "{{ event.device.name }} is offline"

[sinks.phone]
plugin = "file"
options = { path = "phone.jsonl" }

[chains.outages]
when = { kinds = ["wan.*"], min_severity = "critical" }
steps = [{ alert = "down" }, { sink = "phone" }]

[sinks.archive]
plugin = "file"
options = { path = "events.jsonl" }

[chains.everything]
steps = [{ sink = "archive" }, { alert = "down" }]
"#;

pub(super) fn push(host: &Host, id: &str, kind: Kind) {
    let now = Clock::system().wall();
    let mut event = EventBuilder::new(kind).id(id).time(now).build();
    event.received = now;
    event.origin = Origin::Stream;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(host.intake().push(&mut vec![Arc::new(event)]));
}

fn told(rig: &Rig) -> Vec<BufferedEvent> {
    let mut events = rig.events("phone.jsonl");
    events.retain(|event| event.alert.is_some());
    events
}

fn object(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn an_incident_is_told_once_over_a_restart_and_over_when_it_is_over() {
    let rig = Rig::new(CONFIG);
    let host = rig.start();
    push(&host, "a1", Kind::DEVICE_OFFLINE);
    eventually("it fires", || !told(&rig).is_empty());
    let firing = told(&rig)[0].clone();
    let alert = firing.alert.as_deref().unwrap();
    assert_eq!(
        (firing.kind, &*firing.summary),
        (Kind::ALERT_FIRING, "Kitchen is offline")
    );
    assert_eq!(
        alert.events.iter().map(|id| &**id).collect::<Vec<_>>(),
        ["a1"]
    );

    // From outside, while it runs.
    let list = object(&out(&herald(&rig, &["incidents", "list", "--json"])));
    assert_eq!(
        (list["id"].as_str(), list["state"].as_str()),
        (Some(&*alert.id), Some("open"))
    );
    assert_eq!(
        out(&herald(&rig, &["incidents", "ack", &alert.id])),
        "acknowledged\n"
    );
    let why = out(&herald(&rig, &["events", "--why", &firing.id]));
    assert!(
        why.contains("alert down: said it") && why.contains("sink phone: got it"),
        "{why}"
    );
    let why = out(&herald(&rig, &["events", "--why", "a1"]));
    assert!(why.contains("alert down: counted it and kept it"), "{why}");
    stop_clean(host);

    // And while it does not.
    let shown = object(&out(&herald(
        &rig,
        &["incidents", "show", &alert.id, "--json"],
    )));
    assert_eq!(
        (shown["acknowledged"].as_bool(), shown["told"].as_bool()),
        (Some(true), Some(true))
    );
    let people = out(&herald(&rig, &["incidents", "list"]));
    assert!(
        people.contains("Kitchen is offline") && people.contains("acknowledged"),
        "{people}"
    );
    assert!(err(&herald(&rig, &["incidents", "ack", "nonsense"])).contains("there is no incident"));

    let host = rig.start();
    push(&host, "a2", Kind::DEVICE_ONLINE);
    eventually("it is over", || told(&rig).len() > 1);
    stop_clean(host);
    let [first, last] = told(&rig).try_into().unwrap();
    assert_eq!((&first.id, last.kind), (&firing.id, Kind::ALERT_RESOLVED));
    assert_eq!(last.alert.as_deref().unwrap().id, alert.id);
    assert_eq!(
        out(&herald(&rig, &["incidents", "list"])),
        "there are no incidents\n"
    );
}

#[test]
fn a_silence_holds_whether_it_was_made_with_a_host_or_without() {
    let rig = Rig::new(CONFIG);
    let host = rig.start();
    stop_clean(host);
    let add = [
        "silence",
        "add",
        "--alert",
        "down",
        "--device",
        "Kit*",
        "--for",
        "2h",
        "--reason",
        "new cable",
        "--json",
    ];
    let made = object(&out(&herald(&rig, &add)));
    let host = rig.start();
    let list = out(&herald(&rig, &["silence", "list", "--json"]));
    assert_eq!(object(&list), made);
    push(&host, "a1", Kind::DEVICE_OFFLINE);
    let incidents = || out(&herald(&rig, &["incidents", "list", "--json"]));
    eventually("it is open", || incidents().contains("\"open\""));
    assert!(object(&incidents())["silenced_until"].is_string());
    assert!(told(&rig).is_empty());
    let id = made["id"].as_str().unwrap();
    let ended = herald(&rig, &["silence", "remove", id]);
    assert!(ended.status.success(), "{}", err(&ended));
    eventually("it is told at last", || told(&rig).len() == 1);
    assert!(!herald(&rig, &["silence", "remove", id]).status.success());
    assert_eq!(
        out(&herald(&rig, &["silence", "list"])),
        "there are no silences\n"
    );
    assert_eq!(
        herald(&rig, &["silence", "add", "--for", "2h"])
            .status
            .code(),
        Some(2)
    );
    stop_clean(host);
}
