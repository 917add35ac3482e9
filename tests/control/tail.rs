//! `herald tail`

use super::{err, herald};
use crate::support::eventually;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use unifi_herald::demo::{Simulator, SimulatorOptions};
use unifi_herald::tasks::thread;

/// `herald tail` with these arguments, and the lines it wrote so far.
fn tail(rig: &Rig, arguments: &[&str], condition: &str) -> (Child, Arc<Mutex<Vec<String>>>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_herald"))
        .arg("tail")
        .args(arguments)
        .args(["--where", condition])
        .current_dir(rig.folder.path())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, out) = (Arc::clone(&lines), child.stdout.take().unwrap());
    thread("tail-output", move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            seen.lock().unwrap().push(line);
        }
    })
    .unwrap();
    (child, lines)
}

#[test]
fn live_events_are_shown_until_the_host_stops() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, crate::support::LIMIT));
    let (mut child, lines) = tail(
        &rig,
        &["--json", "--no-raw", "--kind", "client.*"],
        "event.severity != \"critical\"",
    );
    eventually("live events", || {
        simulator.emit("default", 5);
        lines.lock().unwrap().len() >= 3
    });
    stop_clean(host);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(told, "herald has stopped\n");
    for line in lines.lock().unwrap().iter() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["category"], "client");
        assert_eq!(event.get("raw"), None);
    }
}

/// Two watchers, of whom one asks why, over a host with such a store.
fn it_is_told_why(mode: &str) {
    const CHAINS: &str = r#"
[scripts.twice]
file = "twice.rhai"

[chains.nothing]
when = { kinds = ["herald.blind"] }
steps = [{ sink = "archive" }]

[chains.roams]
steps = [{ script = "twice" }, { sink = "archive" }, { where = "event.v == 2" }]
"#;
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let archive = ARCHIVE.split("[chains").next().unwrap();
    let rig = Rig::new(&format!(
        "[store]\nmode = \"{mode}\"\n{}{archive}{CHAINS}",
        controller("home", &simulator, r#"["default"]"#)
    ));
    rig.write(
        "twice.rhai",
        "fn filter(event) { if event.category == \"client\" { [event, event.derive()] } else { true } }",
    );
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, crate::support::LIMIT));
    let (mut human, text) = tail(&rig, &["--why"], "event.category == \"client\"");
    let (mut program, objects) = tail(
        &rig,
        &["--why", "--json", "--no-raw"],
        "event.category == \"client\"",
    );
    eventually("live events", || {
        simulator.emit("default", 5);
        text.lock().unwrap().len() >= 20 && objects.lock().unwrap().len() >= 6
    });
    stop_clean(host);
    for child in [&mut human, &mut program] {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }

    let objects = objects.lock().unwrap();
    let objects = objects
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (made, came): (Vec<Value>, Vec<Value>) =
        objects.partition(|object| object["event"]["origin"] == "derived");
    let step = |depth: usize, step: &str, did: &str| json!({"step": step, "depth": depth, "did": did, "failed": false});
    for object in &came {
        assert_eq!(object["event"].get("raw"), None);
        assert_eq!(
            object["chains"],
            json!([
                {"chain": "nothing", "entered": false, "steps": []},
                {"chain": "roams", "entered": true, "steps": [
                    step(0, "script twice", "replaced"),
                    step(1, "sink archive", "given"),
                    step(1, "where event.v == 2", "dropped"),
                    step(1, "sink archive", "given"),
                    step(1, "where event.v == 2", "dropped"),
                ]},
            ])
        );
    }
    assert!(!came.is_empty() && !made.is_empty());
    assert!(made.iter().all(|object| object["chains"] == json!([])));

    let text = text.lock().unwrap().join("\n");
    for told in [
        "\n  nothing: not for it (`when`)\n  roams\n    script twice: put others in its place\n      sink archive: got it\n",
        "\n  made by a script or filter, with the event before it\n",
    ] {
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn with_a_store_on_disk_it_is_told_why() {
    it_is_told_why("disk");
}

#[test]
fn with_a_store_in_memory_it_is_told_why() {
    it_is_told_why("memory");
}

#[test]
fn only_a_running_host_has_live_events() {
    let rig = Rig::new(ARCHIVE);
    let output = herald(&rig, &["tail"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("herald is not running"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_condition_that_is_none_is_wrong_usage() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
    let host = rig.start();
    let output = herald(&rig, &["tail", "--where", "event.level >"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("--where: "), "{}", err(&output));
    stop_clean(host);
}
