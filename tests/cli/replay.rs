//! `herald replay`: old events through the chains of today.

use super::Herald;
use crate::support::rig::{ARCHIVE, controller};
use crate::support::{LIMIT, eventually};
use serde_json::Value;
use std::collections::BTreeSet;
use unifi_herald::demo::{Simulator, SimulatorOptions};

const SECOND: &str = "[sinks.second]\nplugin = \"file\"\noptions = { path = \"second.jsonl\" }\n[chains.second]\nwhen = { kinds = [\"client.*\"] }\nsteps = [{ sink = \"second\" }]\n";

fn ids(events: &[Value]) -> BTreeSet<String> {
    let id = |event: &Value| event["id"].as_str().unwrap().to_owned();
    events.iter().map(id).collect()
}

fn lines(text: &str) -> Vec<Value> {
    let line = |line| serde_json::from_str(line).unwrap();
    text.lines().map(line).collect()
}

/// A herald with a journal, stopped.
fn with_journal() -> (Herald, String) {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let config = controller("home", &simulator, r#"["default"]"#) + ARCHIVE;
    let herald = Herald::with(&config);
    let running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let made = simulator.emit("default", 60).len();
    eventually("they are in the file", || {
        herald.events("events.jsonl").len() >= made
    });
    running.stopped().with_code(0);
    (herald, config)
}

#[test]
fn the_journal_is_replayed_and_compared_with_what_was_sent() {
    let (herald, config) = with_journal();
    let archived = herald.read("events.jsonl");
    let all = herald.events("events.jsonl");
    let same = herald.run(&["replay"]).with_code(0);
    let first = same.stdout.lines().next().unwrap_or_default();
    assert_eq!(first, "", "nothing differs: {}", same.stdout);
    assert!(same.stdout.contains("0 of them differ"), "{}", same.stdout);

    // The account's password may be out of reach for whoever replays.
    let changed = config.replace(
        "[chains.everything]\n",
        "[chains.everything]\nwhen = { kinds = [\"device.*\"] }\n",
    ) + SECOND;
    herald.write("config.toml", &changed);
    let clients = all.iter().filter(|event| event["category"] == "client");
    let clients = ids(&clients.cloned().collect::<Vec<_>>());
    assert!(clients.len() > 5);
    let replayed = herald.run(&["replay", "--json"]).with_code(0);
    let found = lines(&replayed.stdout);
    let sums = &found.last().unwrap()["sums"];
    assert_eq!(sums["events"], sums["known"]);
    assert!(sums["events"].as_u64().unwrap() >= all.len() as u64);
    assert_eq!(sums["sinks"]["second"]["now"], clients.len());
    assert_eq!(sums["sinks"]["archive"]["then"], all.len());
    let plus: Vec<Value> = found
        .iter()
        .filter(|line| line["diff"]["second"] == 1)
        .cloned()
        .collect();
    assert_eq!(ids(&plus), clients);
    assert!(plus.iter().all(|line| line["diff"]["archive"] == -1));
    let human = herald.run(&["replay", "--kind", "client.*"]).with_code(0);
    assert_eq!(
        human.stdout.matches("\n  + second").count(),
        clients.len(),
        "{}",
        human.stdout
    );
    assert_eq!(human.stdout.matches("\n  - archive").count(), clients.len());
    assert_eq!(herald.read("second.jsonl"), "", "dry");

    let delivered = herald.run(&["replay", "--deliver"]).with_code(0);
    assert!(
        delivered
            .stdout
            .contains(&format!("delivered to second: {}", clients.len())),
        "{}",
        delivered.stdout
    );
    let second = herald.events("second.jsonl");
    assert_eq!(second.len(), clients.len());
    assert_eq!(ids(&second), clients, "with the ids of that time");
    assert!(herald.read("events.jsonl").starts_with(&archived));
}

#[test]
fn a_file_is_replayed_at_its_own_time_with_a_memory_of_its_own() {
    let config = super::nobody_home(
        "[scripts.often]\nfile = \"often.rhai\"\n[sinks.out]\nplugin = \"file\"\noptions = { path = \"out.jsonl\" }\n[chains.often]\nsteps = [{ script = \"often\" }, { sink = \"out\" }]\n",
    );
    let herald = Herald::with(&config);
    herald.write(
        "often.rhai",
        "fn filter(event) { count(\"all\", \"10m\") == 2 }",
    );
    let event = |id: &str, time: &str| {
        format!(
            "{{\"v\":1,\"id\":\"{id}\",\"seq\":1,\"time\":\"{time}\",\"received\":\"{time}\",\"controller\":\"home\",\"site\":\"default\",\"site_name\":\"Home\",\"origin\":\"stream\",\"kind\":\"wan.down\",\"key\":\"EVT\",\"category\":\"wan\",\"severity\":\"error\",\"level\":4,\"summary\":\"down\"}}\n"
        )
    };
    let text = [
        event("a", "2026-11-22T10:00:00.000Z"),
        event("b", "2026-11-22T10:20:00.000Z"),
        event("c", "2026-11-22T10:25:00.000Z"),
        "half a li\n".to_owned(),
        event("d", "2026-11-22T11:00:00.000Z"),
        event("e", "2026-11-22T11:09:00.000Z"),
    ];
    herald.write("old.jsonl", &text.concat());
    for _ in 0..2 {
        let ended = herald
            .shell("herald replay --file - --json < old.jsonl")
            .with_code(1);
        assert!(ended.stderr.contains("-:4: no event"), "{}", ended.stderr);
        let found = lines(&ended.stdout);
        let sent: Vec<Value> = found
            .iter()
            .filter(|line| line["sent"]["out"] == 1)
            .cloned()
            .collect();
        assert_eq!(
            ids(&sent),
            ["c", "e"].map(str::to_owned).into(),
            "{}",
            ended.stdout
        );
        assert!(found[0]["was"].is_null());
    }
    let since = herald.run(&[
        "replay",
        "--file",
        "old.jsonl",
        "--since",
        "2026-11-22T10:50:00Z",
    ]);
    assert_eq!(
        since.stdout.matches("  > out").count(),
        1,
        "{}",
        since.stdout
    );
    assert!(!herald.path("out.jsonl").exists());
}

#[test]
fn nothing_is_delivered_beside_a_running_herald() {
    let herald = Herald::with(&super::nobody_home(ARCHIVE));
    let mut running = herald.start(&["run"]);
    running.says("herald starts");
    eventually("it can be asked", || {
        herald.run(&["status"]).stdout.contains("is running")
    });
    let refused = herald.run(&["replay", "--deliver"]).with_code(1);
    assert!(
        refused.stderr.contains("stop it first"),
        "{}",
        refused.stderr
    );
    herald.run(&["replay"]).with_code(0);
    running.stopped().with_code(0);
}

#[test]
fn alerts_fire_at_the_time_of_the_events() {
    let herald = Herald::with(&super::nobody_home(
        "[alerts.down]\non = [\"wan.down\"]\nresolve_on = [\"wan.up\"]\nkey = \"{{ event.controller }}\"\nhold = \"2m\"\n[sinks.out]\nplugin = \"file\"\noptions = { path = \"out.jsonl\" }\n[chains.down]\nsteps = [{ alert = \"down\" }, { sink = \"out\" }]\n",
    ));
    let event = |kind: &str, time: &str| {
        format!(
            "{{\"v\":1,\"id\":\"{time}\",\"seq\":1,\"time\":\"{time}\",\"received\":\"{time}\",\"controller\":\"home\",\"site\":\"default\",\"site_name\":\"Home\",\"origin\":\"stream\",\"kind\":\"{kind}\",\"key\":\"EVT\",\"category\":\"wan\",\"severity\":\"error\",\"level\":4,\"summary\":\"x\"}}\n"
        )
    };
    let text = [
        event("wan.down", "2026-11-22T10:00:00.000Z"),
        event("wan.up", "2026-11-22T10:01:00.000Z"),
        event("wan.down", "2026-11-22T11:00:00.000Z"),
        event("wan.up", "2026-11-22T11:30:00.000Z"),
    ];
    herald.write("old.jsonl", &text.concat());
    let ended = herald
        .run(&["replay", "--file", "old.jsonl", "--json"])
        .with_code(0);
    let found = lines(&ended.stdout);
    let sent = found.iter().filter(|line| line["sent"]["out"] == 1);
    let sent: Vec<_> = sent.map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(sent, ["alert.firing", "alert.resolved"], "{}", ended.stdout);
}
