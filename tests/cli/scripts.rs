//! Scripts of a running herald: which are bypassed, and how one is made to forget.

use super::{Herald, nobody_home};
use crate::support::rig::controller;
use crate::support::{LIMIT, eventually};
use serde_json::Value;
use unifi_herald::demo::{Simulator, SimulatorOptions};

const CONFIG: &str = r#"
[scripts.counter]
file = "counter.rhai"
[scripts.endless]
file = "endless.rhai"
[scripts.twin]
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
    // By its file as well, whatever is made of it.
    let reset = |name| herald.run(&["scripts", "reset", name]).with_code(0).stdout;
    let twin = "twin: 0 keys forgotten\n";
    assert_eq!(reset("endless"), "endless: 0 keys forgotten\n");
    assert_eq!(reset("twin"), twin);
    assert_eq!(
        reset("endless.rhai"),
        format!("endless: 0 keys forgotten\n{twin}")
    );
    let wrong = herald.run(&["scripts", "reset", "countr"]).with_code(2);
    assert_eq!(
        wrong.stderr,
        "error: there is no script `countr`; did you mean `counter`?\n"
    );
}

#[test]
fn a_script_goes_by_its_file_by_its_configured_name_and_by_a_path() {
    let herald = Herald::with(&nobody_home(
        r#"
[scripts.jumpers]
file = "scripts/storm.rhai"
[scripts.others]
file = "scripts/storm.rhai"
[sinks.out]
plugin = "file"
options = { path = "out.jsonl" }
[chains.all]
steps = [{ script = "jumpers" }, { script = "others" }, { sink = "out" }]
"#,
    ));
    std::fs::create_dir(herald.path("scripts")).unwrap();
    herald.write(
        "scripts/storm.rhai",
        "// Keeps all.\nfn filter(event) { true }",
    );
    herald.write(
        "scripts/storm.cases.toml",
        "[[case]]\nname = \"all\"\nsteps = [{ event = { kind = \"wan.down\" }, expect = \"keep\" }]",
    );
    for name in [
        "storm",
        "jumpers",
        "scripts/storm.rhai",
        "scripts/storm.cases.toml",
    ] {
        let test = herald.run(&["test", name]).with_code(0).stdout;
        assert!(test.contains("1 cases ok"), "{name}: {test}");
        let show = herald.run(&["scripts", "show", name]).with_code(0).stdout;
        assert!(show.contains("Keeps all."), "{name}: {show}");
    }
    for verb in [&["test"][..], &["scripts", "show"]] {
        let wrong = herald.run(&[verb, &["jumper"]].concat()).with_code(2);
        assert_eq!(
            wrong.stderr,
            "error: there is no script `jumper`; did you mean `jumpers`?\n"
        );
    }
}

#[test]
fn testing_again_and_again_ends_with_ctrl_c_as_the_last_run_did() {
    let herald = Herald::with(&nobody_home(""));
    std::fs::create_dir(herald.path("scripts")).unwrap();
    herald.write("scripts/all.rhai", "fn filter(event) { true }");
    let cases = |expect: &str| {
        format!(
            "[[case]]\nname = \"all\"\nsteps = [{{ event = {{ kind = \"wan.down\" }}, expect = {expect:?} }}]"
        )
    };
    herald.write("scripts/all.cases.toml", &cases("keep"));
    let mut running = herald.start(&["test", "--watch"]);
    running.says("waiting for a change");
    running.signal("INT");
    let ended = running.ended().with_code(0);
    assert!(ended.stdout.contains("1 cases ok"), "{}", ended.stdout);

    herald.write("scripts/all.cases.toml", &cases("drop"));
    let mut running = herald.start(&["test", "--watch"]);
    running.says("waiting for a change");
    running.signal("TERM");
    let ended = running.ended().with_code(1);
    assert!(ended.stdout.contains("FAILED"), "{}", ended.stdout);
}
