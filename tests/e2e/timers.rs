//! Alerts over `kill -9`: what was to be told while the process was dead is told once, with the times it had.

use crate::support::eventually;
use crate::support::herald::Herald;
use crate::support::rig::controller;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};
use unifi_herald_plugin::Timestamp;

/// Longer than it takes to kill a process, most of the time.
const HOLD: Duration = Duration::from_secs(4);

const CONFIG: &str = r#"
[alerts.down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.device.mac }}"
hold = "4s"
repeat = "1h"
title = "{{ event.device.name }} is offline"

[sinks.archive]
plugin = "file"
options = { path = "events.jsonl" }

[sinks.phone]
plugin = "file"
options = { path = "phone.jsonl" }

[chains.everything]
steps = [{ sink = "archive" }, { alert = "down" }, { where = 'event.category == "alert"' }, { sink = "phone" }]
"#;

fn offline(simulator: &Simulator, number: usize) -> (String, Timestamp) {
    let id = format!("5ee9f7ca453d4e00f3c1{number:04x}");
    let time = Clock::system().wall();
    simulator.emit_item(
        "default",
        Carrier::Events,
        &format!(
            r#"{{"key":"EVT_AP_Lost_Contact","ap":"02:00:00:00:01:{number:02x}","ap_name":"AP {number}","time":{},"_id":"{id}"}}"#,
            time.as_millis()
        ),
    );
    (id, time)
}

fn is_kept(herald: &Herald, id: &str) -> bool {
    let events = herald.events("events.jsonl");
    events.iter().any(|event| event["id"] == *id)
}

/// What was told of the access point of this number. What was in flight when herald was killed comes again with its id.
fn told(herald: &Herald, number: usize) -> Vec<Value> {
    let title = format!("AP {number} is offline");
    let mut told = herald.events("phone.jsonl");
    told.retain(|event| event["alert"]["title"] == title);
    let mut ids = BTreeSet::new();
    told.retain(|event| ids.insert(event["id"].to_string()));
    told
}

#[test]
fn what_fell_due_while_herald_was_dead_is_told_once_with_the_times_it_had() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let herald = Herald::with(&(controller("home", &simulator, r#"["default"]"#) + CONFIG));
    for number in 1.. {
        let mut running = herald.start(&["run"]);
        running.says("listen: connected");
        let (id, time) = offline(&simulator, number);
        eventually("it is kept", || is_kept(&herald, &id));
        running.signal("KILL");
        drop(running.ended());
        if !told(&herald, number).is_empty() {
            // The machine was too slow to kill it in time.
            assert!(number < 20, "it is never killed in time");
            continue;
        }
        let due = time + HOLD;
        eventually("it is due", || Clock::system().wall() > due);

        let mut running = herald.start(&["run"]);
        // It waits for what the history has to say.
        eventually("it is told", || !told(&herald, number).is_empty());
        let firing = told(&herald, number).remove(0);
        assert_eq!(firing["kind"], "alert.firing");
        assert_eq!(firing["alert"]["since"], time.to_string());
        let at: Timestamp = firing["time"].as_str().unwrap().parse().unwrap();
        // It held from when it was received, which was a moment later.
        assert!(at >= due && at < due + HOLD, "{firing}");

        // And it is told once, however often herald dies.
        running.signal("KILL");
        drop(running.ended());
        running = herald.start(&["run"]);
        running.says("listen: connected");
        let (id, _) = offline(&simulator, 200);
        eventually("it is at work again", || is_kept(&herald, &id));
        let list = herald
            .run(&["incidents", "list", "--json"])
            .with_code(0)
            .stdout;
        let known = list
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let known: Vec<Value> = known
            .filter(|one| one["id"] == firing["alert"]["id"])
            .collect();
        assert_eq!(
            (known[0]["state"].as_str(), known[0]["told"].as_bool()),
            (Some("open"), Some(true))
        );
        running.stopped().with_code(0);
        assert_eq!(told(&herald, number).len(), 1);
        return;
    }
}
