//! A connection that is there and carries nothing: the host finds out by its own pings and opens another.

use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use crate::support::{LIMIT, eventually};
use std::sync::atomic::Ordering;
use std::time::Duration;
use unifi_herald::config::ControllerKind;
use unifi_herald::demo::{Simulator, SimulatorOptions};
use unifi_herald::unifi::timing::Timing;

/// Quick enough to test, slow enough that a live socket is never taken for dead on a machine ten times slower.
fn quick() -> Timing {
    Timing {
        ping: Duration::from_millis(200),
        silence: Duration::from_secs(4),
        ..Timing::default()
    }
}

fn a_frozen_socket_is_replaced(kind: ControllerKind) {
    let simulator = Simulator::start(SimulatorOptions {
        kind,
        missing_id_share: 0.0,
        alert_share: 0.0,
        ..SimulatorOptions::default()
    })
    .unwrap();
    let sockets = if kind == ControllerKind::SelfHosted {
        2
    } else {
        1
    };
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
    let host = rig.start_timed(quick());
    assert!(simulator.wait_for_sockets(sockets, LIMIT));
    let answered = simulator.stats().counts().pings;
    let pinged = |count: u64| {
        simulator
            .stats()
            .wait(LIMIT, |counts| counts.pings >= answered + count)
    };
    assert!(pinged(5), "a quiet socket is pinged");
    assert_eq!(
        simulator.stats().counts().connects,
        sockets as u64,
        "and stays, since its pongs come"
    );

    simulator.mischief().freeze_sockets();
    let lost = simulator.emit("default", 3);
    let came_to_life = || {
        let (_, status) = host.controllers().remove(0);
        status.counts().connects.load(Ordering::Relaxed)
    };
    eventually("every socket is replaced", || {
        came_to_life() == 2 * sockets as u64 && simulator.stats().counts().sockets == sockets
    });
    assert_eq!(
        simulator.stats().counts().logins,
        1,
        "a dead connection is no reason to distrust the session"
    );

    let made = simulator.emit("default", 10);
    assert!(made.iter().all(|entry| entry.listeners > 0));
    eventually("events arrive by the new socket", || {
        let written = rig.raws("events.jsonl");
        let heard = |entry: &&std::sync::Arc<unifi_herald::demo::Entry>| entry.site == "default";
        made.iter()
            .filter(heard)
            .all(|entry| written.contains_key(&entry.raw))
    });
    // The gap is told: the events in it were made while the controller believed that somebody listened.
    let kinds = |kind: &str| {
        let events = rig.events("events.jsonl");
        events
            .iter()
            .filter(|event| event.kind.as_str() == kind)
            .cloned()
            .collect::<Vec<_>>()
    };
    let down = kinds("herald.disconnected");
    assert!(
        down.iter()
            .any(|event| event.summary.contains("no answer to pings")),
        "{down:?}"
    );
    assert!(!lost.is_empty() && kinds("herald.connected").len() >= 2);
    stop_clean(host);
}

#[test]
fn of_a_console() {
    a_frozen_socket_is_replaced(ControllerKind::UnifiOs);
}

#[test]
fn of_a_classic_controller() {
    a_frozen_socket_is_replaced(ControllerKind::SelfHosted);
}
