//! `herald events`, `herald dead-letters` and `herald store`, with a host and without one.

use super::{err, herald, out};
use crate::support::eventually;
use crate::support::receiver::Receiver;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;
use unifi_herald::clock::Clock;
use unifi_herald::demo::{Simulator, SimulatorOptions};
use unifi_herald::store::{Commit, DeadLetter, DiskStore, Share, Store};
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{BufferedEvent, Kind, Raw, Timestamp};

const NOBODY: &str = r#"
[controllers.home]
url = "https://192.0.2.1"
auth = { username = "x", password = "y" }
"#;

fn event(seq: u64, kind: Kind) -> BufferedEvent {
    let time = format!("2026-11-2{seq}T12:00:00Z").parse().unwrap();
    let mut event = EventBuilder::new(kind)
        .time(time)
        .summary(&format!("event {seq}"))
        .build();
    event.id = format!("id{seq}").into();
    let raw = RawValue::from_string(format!("{{\"n\":{seq}}}")).unwrap();
    event.raw = Some(Raw::new(&raw));
    BufferedEvent {
        seq,
        event: Arc::new(event),
    }
}

/// A folder whose store has three events, of which the sink awaits one and refused one.
fn stored() -> Rig {
    let rig = Rig::new(&format!("[time]\nzone = \"UTC\"\n{NOBODY}{ARCHIVE}"));
    let plan = rig.plan();
    let store = DiskStore::open(
        &plan.store,
        &["archive".into()],
        &plan.buffer,
        Clock::system(),
    )
    .unwrap();
    let events = vec![
        event(1, Kind::DEVICE_OFFLINE),
        event(2, Kind::CLIENT_CONNECTED),
        event(3, Kind::DEVICE_ONLINE),
    ];
    let letter = DeadLetter {
        sink: 0,
        event: events[0].clone(),
        reason: "answered 400".into(),
        attempts: 1,
        first: Timestamp::from_millis(0),
        last: Timestamp::from_millis(1000),
    };
    let commit = Commit {
        shares: vec![Share {
            sink: 0,
            events: vec![events[2].clone()],
        }],
        dead: vec![letter],
        events,
        ..Commit::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(store.commit(commit)).unwrap();
    rig
}

fn ids(rig: &Rig, arguments: &[&str]) -> Vec<String> {
    let output = herald(rig, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let id = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap();
        object["id"].as_str().unwrap().to_owned()
    };
    out(&output).lines().map(id).collect()
}

#[test]
fn the_journal_is_searched_without_a_host() {
    let rig = stored();
    for (arguments, found) in [
        (&[][..], &["id1", "id2", "id3"][..]),
        (&["--limit", "2"], &["id2", "id3"]),
        (&["--limit", "0"], &["id1", "id2", "id3"]),
        (&["--kind", "device.*"], &["id1", "id3"]),
        (
            &["--kind", "device.online", "--kind", "client.*"],
            &["id2", "id3"],
        ),
        (
            &["--since", "2026-11-22", "--until", "2026-11-23"],
            &["id2"],
        ),
        (&["--severity", "error"], &["id1"]),
        (&["--text", "EVENT 3"], &["id3"]),
        (&["--text", "event*3"], &[]),
        (&["--site", "home/default"], &["id1", "id2", "id3"]),
        (&["--site", "HOME/h*", "--limit", "1"], &["id3"]),
        (&["--site", "work/default"], &[]),
        (&["--site", "nowhere"], &[]),
    ] {
        let arguments = [&["events", "--json"], arguments].concat();
        assert_eq!(ids(&rig, &arguments), found, "{arguments:?}");
    }
    let text = out(&herald(&rig, &["events", "--limit", "1"]));
    assert_eq!(
        text,
        "2026-11-23 12:00:00 notice   device.online          home/Home  event 3\n"
    );
    let json = out(&herald(&rig, &["events", "--json", "--limit", "1"]));
    assert!(json.contains(r#""raw":{"n":3}"#), "{json}");
    let json = out(&herald(
        &rig,
        &["events", "--json", "--no-raw", "--limit", "1"],
    ));
    assert!(!json.contains("\"raw\""), "{json}");
}

#[test]
fn a_question_that_makes_no_sense_is_wrong_usage() {
    let rig = stored();
    for (arguments, told) in [
        (
            ["--since", "soon"],
            "error: --since: `soon` is not a moment: write a time ago (2h)",
        ),
        (
            ["--kind", "device.of"],
            "error: --kind: there is no kind `device.of`; ",
        ),
    ] {
        let output = herald(&rig, &[&["events"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).starts_with(told), "{}", err(&output));
    }
}

#[test]
fn a_stopped_host_is_told_from_its_store() {
    let rig = stored();
    let output = herald(&rig, &["status", "--json"]);
    let told: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(
        told["controllers"]["home"],
        serde_json::json!({"connected": false, "last_frame": null, "version": null, "kind": null})
    );
    assert_eq!(
        told["sinks"]["archive"],
        serde_json::json!({
            "state": "stopped", "received": 3, "duplicate": 0, "filtered": 1, "delivered": 0,
            "dead_lettered": 1, "pending": 1, "lost": 0
        })
    );
    let text = out(&herald(&rig, &["status"]));
    assert!(text.starts_with("herald is not running; "), "{text}");
}

#[test]
fn dead_letters_are_told_and_moved_without_a_host() {
    let rig = stored();
    let line = out(&herald(&rig, &["dead-letters", "list", "--json"]));
    let letter: Value = serde_json::from_str(&line).unwrap();
    let keys: Vec<&String> = letter.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 7, "{keys:?}");
    assert_eq!(
        (
            &letter["id"],
            &letter["sink"],
            &letter["reason"],
            &letter["attempts"]
        ),
        (
            &"id1".into(),
            &"archive".into(),
            &"answered 400".into(),
            &1.into()
        )
    );
    assert_eq!(letter["last"], "1970-01-01T00:00:01.000Z");
    assert_eq!(letter["event"]["summary"], "event 1");

    let shown = out(&herald(&rig, &["dead-letters", "show", "id1"]));
    assert!(
        shown.contains("answered 400") && shown.contains("\"n\":1"),
        "{shown}"
    );
    for verb in ["show", "retry", "drop"] {
        let output = herald(&rig, &["dead-letters", verb, "id2"]);
        assert_eq!(output.status.code(), Some(1), "{verb}");
        let told = err(&output);
        assert!(
            told.contains("there is no dead letter of the event `id2`"),
            "{told}"
        );
    }
    let all_or_which = herald(&rig, &["dead-letters", "drop"]);
    assert_eq!(all_or_which.status.code(), Some(2));

    let retried = herald(&rig, &["dead-letters", "retry", "--sink", "archive"]);
    assert_eq!(out(&retried), "1 dead letter made pending again\n");
    let text = out(&herald(&rig, &["dead-letters", "list"]));
    assert_eq!(text, "there are no dead letters\n");
    let told: Value = serde_json::from_str(&out(&herald(&rig, &["status", "--json"]))).unwrap();
    assert_eq!(told["sinks"]["archive"]["pending"], 2);
}

/// Each verb names the sink that is none, and one that is where the event has no letter.
fn no_sink_is_told(rig: &Rig, id: &str, sink: &str) {
    for verb in [
        &["list"][..],
        &["show", id],
        &["retry", id],
        &["drop", id],
        &["drop"],
    ] {
        let output = herald(
            rig,
            &[&["dead-letters"], verb, &["--sink", "nope"]].concat(),
        );
        assert_eq!(output.status.code(), Some(2), "{verb:?}");
        let told = format!(
            "error: there is no sink `nope`, nor a dead letter of one; there are: {sink}\n"
        );
        assert_eq!(err(&output), told, "{verb:?}");
        assert_eq!(out(&output), "");
    }
    for verb in ["show", "retry", "drop"] {
        let output = herald(rig, &["dead-letters", verb, "id9", "--sink", sink]);
        assert_eq!(output.status.code(), Some(1), "{verb}");
        let told =
            format!("error: there is no dead letter of the event `id9` for the sink `{sink}`\n");
        assert_eq!(err(&output), told, "{verb}");
    }
}

#[test]
fn dead_letters_of_a_sink_that_left_the_configuration_are_still_told() {
    let rig = stored();
    no_sink_is_told(&rig, "id1", "archive");
    let other = ARCHIVE.replace("archive", "other");
    rig.write(
        "config.toml",
        &format!("[time]\nzone = \"UTC\"\n{NOBODY}{other}"),
    );
    assert_eq!(
        ids(
            &rig,
            &["dead-letters", "list", "--json", "--sink", "archive"]
        ),
        ["id1"]
    );
    let dropped = herald(
        &rig,
        &["dead-letters", "drop", "id1", "id2", "--sink", "archive"],
    );
    assert_eq!(out(&dropped), "1 dead letter dropped\n");
    assert!(err(&dropped).contains("of the event `id2` for the sink `archive`"));
    let gone = herald(&rig, &["dead-letters", "list", "--sink", "archive"]);
    assert_eq!(gone.status.code(), Some(2), "{}", out(&gone));
}

#[test]
fn a_dead_letter_that_is_named_twice_counts_once() {
    for (verb, told) in [
        ("retry", "1 dead letter made pending again\n"),
        ("drop", "1 dead letter dropped\n"),
    ] {
        let output = herald(&stored(), &["dead-letters", verb, "id1", "id1"]);
        assert_eq!(out(&output), told);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    }
}

#[test]
fn the_store_is_looked_after() {
    let rig = stored();
    assert_eq!(
        out(&herald(&rig, &["store", "check"])),
        "the store is sound\n"
    );
    let damaged = stored();
    let nonsense = "not a database, whatever it is called ".repeat(200);
    damaged.write("herald-data/herald.db", &nonsense);
    let output = herald(&damaged, &["store", "check"]);
    assert_eq!(
        (output.status.code(), out(&output)),
        (Some(1), String::new())
    );
    let told = err(&output);
    assert!(
        told.starts_with("error: file is not a database\n\nthe store is damaged: stop herald and move `herald.db` "),
        "{told}"
    );
    assert!(!told.contains("store check"), "{told}");

    let backup = herald(&rig, &["store", "backup", "copy.db"]);
    assert_eq!(backup.status.code(), Some(0), "{}", err(&backup));
    assert!(rig.path("copy.db").is_file());
    let again = herald(&rig, &["store", "backup", "copy.db"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("is there already"), "{}", err(&again));
    assert_eq!(herald(&rig, &["store", "compact"]).status.code(), Some(0));

    let plan = rig.plan();
    let sinks = ["archive".into()];
    let _other = DiskStore::open(&plan.store, &sinks, &plan.buffer, Clock::system()).unwrap();
    for arguments in [
        &["store", "compact"][..],
        &["dead-letters", "drop", "--all"],
    ] {
        let output = herald(&rig, arguments);
        assert_eq!(output.status.code(), Some(78), "{}", err(&output));
        assert!(err(&output).contains("another herald is using this store: the lock `"));
    }
}

#[test]
fn no_store_is_no_store() {
    let rig = Rig::new(&format!("{NOBODY}{ARCHIVE}"));
    for arguments in [
        &["store", "check"][..],
        &["events"],
        &["dead-letters", "list"],
        &["status"],
    ] {
        let output = herald(&rig, arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            err(&output).contains("there is no store at"),
            "{}",
            err(&output)
        );
    }
    assert!(!rig.path("herald-data").exists());
}

/// A host whose one sink is refused an event for good, asked and told over its socket.
fn a_running_host_knows_its_dead_letters(mode: &str) {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let receiver = Receiver::start();
    let rig = Rig::new(&format!(
        "[store]\nmode = \"{mode}\"\n{}[sinks.ops]\nplugin = \"webhook\"\nbatch = {{ max = 1 }}\noptions = {{ url = \"{}\" }}\n\
         [chains.all]\nwhen = {{ kinds = [\"client.*\", \"device.*\", \"wan.*\"] }}\nsteps = [{{ sink = \"ops\" }}]\n",
        controller("home", &simulator, r#"["default"]"#),
        receiver.url()
    ));
    receiver.answer(&[400]);
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, crate::support::LIMIT));
    let mut letters = Vec::new();
    eventually("a dead letter", || {
        simulator.emit("default", 5);
        letters = ids(&rig, &["dead-letters", "list", "--json"]);
        !letters.is_empty()
    });
    let refused = letters.remove(0);
    no_sink_is_told(&rig, &refused, "ops");
    assert!(!receiver.ids().contains(&refused));
    let retried = herald(&rig, &["dead-letters", "retry", &refused]);
    assert_eq!(
        out(&retried),
        "1 dead letter made pending again\n",
        "{}",
        err(&retried)
    );
    eventually("it arrives", || receiver.ids().contains(&refused));
    assert!(ids(&rig, &["dead-letters", "list", "--json"]).is_empty());

    let events = herald(&rig, &["events", "--json", "--limit", "0"]);
    if mode == "disk" {
        assert!(out(&events).contains(&format!("\"id\":\"{refused}\"")));
    } else {
        assert_eq!(events.status.code(), Some(1));
        assert!(
            err(&events).contains("there is no journal"),
            "{}",
            err(&events)
        );
    }
    stop_clean(host);
}

#[test]
fn a_host_in_memory_knows_its_dead_letters() {
    a_running_host_knows_its_dead_letters("memory");
}

#[test]
fn a_host_on_disk_knows_its_dead_letters() {
    a_running_host_knows_its_dead_letters("disk");
}
