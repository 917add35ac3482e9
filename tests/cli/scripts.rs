//! Scripts of a running herald: which are bypassed, and how one is made to forget.

use super::Herald;
use crate::support::rig::controller;
use crate::support::{LIMIT, eventually};
use serde_json::Value;
use unifi_herald::demo::{Simulator, SimulatorOptions};

const CONFIG: &str = r#"
[scripts.counter]
file = "counter.rhai"
[scripts.endless]
file = "endless.rhai"
[sinks.out]
plugin = "file"
options = { path = "out.jsonl" }
[chains.counted]
steps = [{ script = "counter" }, { sink = "out" }]
[chains.stuck]
steps = [{ script = "endless" }]
"#;

fn counts(herald: &Herald) -> Vec<u64> {
    let count = |event: Value| event["fields"]["n"].as_u64().unwrap();
    herald.events("out.jsonl").into_iter().map(count).collect()
}

#[test]
fn a_bypassed_script_is_in_the_status_and_a_running_one_forgets_when_told() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let herald = Herald::with(&(controller("home", &simulator, r#"["default"]"#) + CONFIG));
    herald.write(
        "counter.rhai",
        "fn filter(event) { event.fields.n = count(\"all\", \"1h\"); true }",
    );
    herald.write("endless.rhai", "fn filter(event) { loop {} }");
    let running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit("default", 40);
    eventually("they are counted", || counts(&herald).len() >= 40);
    let status = herald.run(&["status"]).with_code(0).stdout;
    assert!(
        status.contains("the script endless is bypassed in the chain stuck"),
        "{status}"
    );
    assert!(status.contains("endless.rhai:1:"), "{status}");
    let json = herald.run(&["status", "--json"]).with_code(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["scripts"][0]["name"], "endless");

    let reset = herald.run(&["scripts", "reset", "counter"]).with_code(0);
    assert_eq!(reset.stdout, "counter: 1 keys forgotten\n");
    let before = counts(&herald).len();
    simulator.emit("default", 10);
    eventually("it counts again", || counts(&herald).len() > before);
    assert_eq!(counts(&herald)[before], 1, "from the beginning");
    running.stopped().with_code(0);
    let again = herald.run(&["scripts", "reset", "counter"]).with_code(0);
    assert_eq!(again.stdout, "counter: 1 keys forgotten\n");
}
