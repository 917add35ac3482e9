//! `herald tail`

use super::{err, herald};
use crate::support::eventually;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use unifi_herald::demo::{Simulator, SimulatorOptions};
use unifi_herald::tasks::thread;

#[test]
fn live_events_are_shown_until_the_host_stops() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, crate::support::LIMIT));
    let mut child = Command::new(env!("CARGO_BIN_EXE_herald"))
        .args(["tail", "--json", "--no-raw", "--kind", "client.*"])
        .args(["--where", "event.severity != \"critical\""])
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
