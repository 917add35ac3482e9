//! `herald events --why`

use super::{err, herald, out};
use crate::support::eventually;
use crate::support::rig::{Rig, controller, stop_clean};
use serde_json::{Value, json};
use std::path::Path;
use unifi_herald::demo::{Simulator, SimulatorOptions};
use unifi_herald_plugin::BufferedEvent;

const CHAINS: &str = r#"
[sinks.archive]
plugin = "file"
options = { path = "events.jsonl" }

[sinks.dull]
plugin = "file"
options = { path = "dull.jsonl" }

[chains.nothing]
when = { kinds = ["herald.blind"] }
steps = [{ sink = "dull" }]

[chains.everything]
steps = [{ where = "event.v == 1" }, { sink = "archive" }, { where = "event.v == 2" }, { sink = "dull" }]

[chains.again]
steps = [{ sink = "dull", when = { kinds = ["herald.blind"] } }, { sink = "archive" }]
"#;

fn told(rig: &Rig, id: &str) -> Value {
    let output = herald(rig, &["events", "--why", id, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    serde_json::from_str(&out(&output)).unwrap()
}

#[test]
fn what_became_of_an_event_is_told_step_by_step() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + CHAINS));
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, crate::support::LIMIT));
    eventually("an event in the file", || {
        simulator.emit("default", 1);
        !rig.events("events.jsonl").is_empty()
    });
    let id = rig.events("events.jsonl")[0].id.to_string();
    eventually("it is settled", || {
        told(&rig, &id)["deliveries"][0]["state"] == "settled"
    });
    let running = told(&rig, &id);
    stop_clean(host);
    assert!(!Path::new(&rig.path("dull.jsonl")).exists() || rig.events("dull.jsonl").is_empty());

    // The configuration of that time counts, not that of today.
    let config = std::fs::read_to_string(rig.path("config.toml")).unwrap();
    rig.write(
        "config.toml",
        &config.replace("[chains.again]", "[chains.renamed]"),
    );
    for fate in [&running, &told(&rig, &id)] {
        assert_eq!(fate["event"]["id"], *id);
        let step =
            |step: &str, did: &str| json!({"step": step, "depth": 0, "did": did, "failed": false});
        assert_eq!(
            fate["chains"],
            json!([
                {"chain": "nothing", "entered": false, "steps": []},
                {"chain": "everything", "entered": true, "steps": [
                    step("where event.v == 1", "kept"),
                    step("sink archive", "given"),
                    step("where event.v == 2", "dropped"),
                ]},
                {"chain": "again", "entered": true, "steps": [
                    step("sink dull", "skipped"),
                    step("sink archive", "had_it"),
                ]},
            ])
        );
        assert_eq!(
            fate["deliveries"],
            json!([{"sink": "archive", "state": "settled", "reason": null}])
        );
    }
    let text = out(&herald(&rig, &["events", "--why", &id]));
    assert!(text.contains("  nothing: not for it (`when`)\n"), "{text}");
    assert!(
        text.contains("    where event.v == 2: let it go no further\n"),
        "{text}"
    );
    assert!(text.contains("  archive: delivered"), "{text}");
    let unknown = herald(&rig, &["events", "--why", "nonesuch"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(err(&unknown).contains("no event `nonesuch`"));
}

const SEVERAL: &str = r#"
[sinks.archive]
plugin = "file"
options = { path = "events.jsonl" }

[scripts.two]
file = "two.rhai"

[chains.everything]
steps = [{ script = "two" }, { sink = "archive" }]
"#;

#[test]
fn what_a_script_made_and_the_event_beside_it_are_delivered_each() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + SEVERAL));
    rig.write(
        "two.rhai",
        "fn filter(event) { let copy = event.derive(); copy.summary = \"copy\"; [event, copy] }",
    );
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, crate::support::LIMIT));
    let made = &simulator.emit("default", 1)[0];
    let is = |event: &BufferedEvent| {
        let raw = event.raw.as_ref();
        raw.is_some_and(|raw| raw.as_str() == made.raw)
    };
    let both = || {
        let mut events = rig.events("events.jsonl");
        events.retain(is);
        events
    };
    eventually("both are in the file", || both().len() == 2);
    for event in both() {
        let id = event.id.to_string();
        let settled = json!([{"sink": "archive", "state": "settled", "reason": null}]);
        eventually("it is settled", || told(&rig, &id)["deliveries"] == settled);
        let given = told(&rig, &id)["chains"].to_string();
        assert!(given.contains("given"), "{given}");
    }
    stop_clean(host);
}
