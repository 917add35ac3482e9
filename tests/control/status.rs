//! `herald status`

use super::{err, herald, out};
use crate::support::eventually;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use serde_json::Value;
use unifi_herald::demo::{Simulator, SimulatorOptions};

const MEMORY: &str = "[store]\nmode = \"memory\"\n";

#[test]
fn a_running_host_tells_how_it_is() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let config = controller("home", &simulator, r#"["*"]"#) + MEMORY + ARCHIVE;
    let rig = Rig::new(&config);
    let host = rig.start();
    let status = || {
        let output = herald(&rig, &["status", "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        serde_json::from_str::<Value>(&out(&output)).unwrap()
    };
    eventually("connected", || {
        status()["controllers"]["home"]["connected"] == Value::Bool(true)
    });
    let told = status();
    let home = &told["controllers"]["home"];
    assert_eq!(home["kind"], "unifi-os");
    assert!(home["version"].is_string(), "{home}");
    let archive = told["sinks"]["archive"].as_object().unwrap();
    let names: Vec<&String> = archive.keys().collect();
    assert_eq!(names.len(), 8, "{names:?}");
    assert_eq!(archive["state"], "ok");
    let count = |name: &str| archive[name].as_u64().unwrap();
    let parts = [
        "duplicate",
        "filtered",
        "delivered",
        "dead_lettered",
        "pending",
        "lost",
    ];
    assert_eq!(count("received"), parts.map(count).iter().sum::<u64>());

    let text = out(&herald(&rig, &["status"]));
    assert!(text.contains("is running (process "), "{text}");
    assert!(text.contains("home  connected, unifi-os "), "{text}");
    stop_clean(host);
    assert!(!rig.path("herald-data/herald.sock").exists());
}

#[test]
fn a_memory_store_tells_nothing_without_its_host() {
    // A secret that is not there, and a sink that is none: neither matters to who asks.
    let rig = Rig::new(&format!(
        "{MEMORY}[controllers.home]\nurl = \"https://192.0.2.1\"\nauth = {{ username = \"x\", password = {{ env = \"NOT_HERE\" }} }}\n[sinks.x]\nplugin = \"nonesuch\"\n"
    ));
    for arguments in [&["status"][..], &["status", "--json"]] {
        let output = herald(&rig, arguments);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(out(&output), "");
        let told = err(&output);
        assert!(
            told.starts_with("herald is not running (nobody answers at "),
            "{told}"
        );
    }
}

#[test]
fn a_memory_store_has_no_journal_whether_a_host_runs_or_not() {
    let rig = Rig::new(&format!(
        "{MEMORY}[controllers.home]\nurl = \"https://192.0.2.1\"\nauth = {{ username = \"x\", password = \"y\" }}\n{ARCHIVE}"
    ));
    let replay = "there is no journal to replay; `--file` takes the events of a file";
    let search = "there is no journal to search; `herald tail` shows";
    let all = [
        (&["replay"][..], replay),
        (&["events"], search),
        (&["events", "--why", "id1"], search),
    ];
    let told = |when: &str| {
        for (arguments, why) in all {
            let output = herald(&rig, arguments);
            assert_eq!(output.status.code(), Some(1), "{when}");
            let told = err(&output);
            assert!(
                told.starts_with("error: with `store.mode = \"memory\"` ") && told.contains(why),
                "{when}: {told}"
            );
        }
    };
    told("stopped");
    let host = rig.start();
    eventually("the host answers", || {
        herald(&rig, &["status"]).status.success()
    });
    told("running");
    stop_clean(host);
}

#[test]
fn a_wrong_store_table_is_a_wrong_configuration() {
    let rig = Rig::new("[store]\nmode = \"punched cards\"\n");
    let output = herald(&rig, &["status"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(err(&output).contains("punched cards"), "{}", err(&output));
}
