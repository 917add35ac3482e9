//! An alert that leaves the configuration while it has something open.

use super::alerts::{CONFIG, push};
use crate::control::{herald, out};
use crate::support::eventually;
use crate::support::rig::{Rig, reload, stop_clean};
use unifi_herald_plugin::{AlertState, BufferedEvent, Kind};

/// What every chain got of incidents.
fn told(rig: &Rig) -> Vec<BufferedEvent> {
    let mut events = rig.events("events.jsonl");
    events.retain(|event| event.alert.is_some());
    events
}

/// [`CONFIG`] without its alert.
fn without() -> String {
    let (before, rest) = CONFIG.split_once("[alerts.down]").unwrap();
    let (_, after) = rest.split_once("[sinks.phone]").unwrap();
    let config = format!("{before}[sinks.phone]{after}");
    config
        .replace(r#"{ alert = "down" }, "#, "")
        .replace(r#", { alert = "down" }"#, "")
}

fn its_incident_is_ended_and_told(restart: bool) {
    let rig = Rig::new(CONFIG);
    let mut host = rig.start_reloading();
    push(&host, "a1", Kind::DEVICE_OFFLINE);
    eventually("it fires", || !rig.events("phone.jsonl").is_empty());
    let firing = rig.events("phone.jsonl").remove(0);
    let opened = firing.alert.as_deref().unwrap();

    rig.write("config.toml", &without());
    if restart {
        stop_clean(host);
        host = rig.start_reloading();
    } else {
        reload(&host).unwrap();
    }
    eventually("its end is told", || !told(&rig).is_empty());
    let end = told(&rig).remove(0);
    assert_eq!(
        (end.kind, &*end.summary),
        (
            Kind::ALERT_RESOLVED,
            "No longer watched: Kitchen is offline"
        )
    );
    assert_eq!(
        end.reason.as_deref(),
        Some("the alert down has left the configuration")
    );
    let closed = end.alert.as_deref().unwrap();
    assert_eq!(
        (&closed.id, closed.state, closed.severity, closed.since),
        (
            &opened.id,
            AlertState::Resolved,
            opened.severity,
            opened.since
        )
    );
    assert!(closed.until.is_some());
    assert!(closed.body.contains("Whether it is over is not known"));

    // When it comes back nothing is left of that time.
    rig.write("config.toml", CONFIG);
    if restart {
        stop_clean(host);
        host = rig.start_reloading();
    } else {
        reload(&host).unwrap();
    }
    let list = out(&herald(&rig, &["incidents", "list"]));
    assert_eq!(list, "there are no incidents\n");
    push(&host, "a2", Kind::DEVICE_OFFLINE);
    eventually("it fires anew", || rig.events("phone.jsonl").len() == 2);
    let again = rig.events("phone.jsonl").remove(1);
    assert_ne!(again.alert.as_deref().unwrap().id, opened.id);
    assert_eq!(told(&rig).len(), 1);
    stop_clean(host);
}

#[test]
fn taken_out_by_a_reload_its_incident_is_ended_and_told() {
    its_incident_is_ended_and_told(false);
}

#[test]
fn taken_out_while_herald_was_stopped_its_incident_is_ended_and_told() {
    its_incident_is_ended_and_told(true);
}
