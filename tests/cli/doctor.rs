//! `herald doctor`: one line for each step, with the fix, and as JSON.

use super::{Herald, nobody_home};
use crate::support::rig::{ARCHIVE, controller};
use unifi_herald::demo::{Simulator, SimulatorOptions};

#[test]
fn a_network_in_order_gets_a_line_for_each_step_and_0() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let herald = Herald::with(&(controller("home", &simulator, r#"["*"]"#) + ARCHIVE));
    let ended = herald.run(&["doctor"]).with_code(0);
    for line in [
        "ok       home: tls: the certificate is the pinned one",
        "ok       home: kind: unifi-os, found out\n",
        "ok       home: login: as herald\n",
        "ok       home: role: the account may only look\n",
        "ok       home: version: Network 9.5.21\n",
        "ok       home: socket default: first frame after ",
        "ok       home: history default: system log (",
        "ok       store: ",
        "ok       sink archive: its destination answers\n",
    ] {
        assert!(ended.stdout.contains(line), "{line}\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("failed") && !ended.stdout.contains("fix:"));
    assert!(!ended.stdout.contains(&simulator.options().password));
}

#[test]
fn as_json_it_is_one_object_whatever_failed() {
    let sink = r#"
[sinks.hook]
plugin = "webhook"
options = { url = "http://127.0.0.1:1/hook" }
[chains.all]
steps = [{ sink = "hook" }]
"#;
    let ended = Herald::with(&nobody_home(sink))
        .run(&["doctor", "--json"])
        .with_code(69);
    let found: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap();
    let told: Vec<(&str, &str)> = checks
        .iter()
        .map(|check| {
            (
                check["name"].as_str().unwrap(),
                check["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("home: tcp", "failed"),
            ("store", "ok"),
            ("sink hook", "failed")
        ]
    );
    for check in checks {
        let failed = check["status"] == "failed";
        assert_eq!(
            !check["fix"].as_str().unwrap().is_empty(),
            failed,
            "{check}"
        );
        assert!(!check["detail"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_wrong_password_is_77_a_dead_sink_1_and_a_wrong_configuration_78() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let config = controller("home", &simulator, r#"["*"]"#);
    let wrong = config.replace(&simulator.options().password, "a wrong one");
    let ended = Herald::with(&(wrong + ARCHIVE))
        .run(&["doctor"])
        .with_code(77);
    assert!(
        ended.stdout.contains("failed   home: login: "),
        "{}",
        ended.stdout
    );
    assert!(!ended.stdout.contains("a wrong one"));

    let sink = "[sinks.hook]\nplugin = \"webhook\"\noptions = { url = \"http://127.0.0.1:1/hook\" }\n[chains.all]\nsteps = [{ sink = \"hook\" }]\n";
    let ended = Herald::with(&(config + sink)).run(&["doctor"]).with_code(1);
    assert!(
        ended.stdout.contains("failed   sink hook: "),
        "{}",
        ended.stdout
    );

    Herald::with("[bufer]\n").run(&["doctor"]).with_code(78);
}
