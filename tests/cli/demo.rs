//! `herald demo`: anybody's first minute, without a controller.

use super::Herald;
use crate::support::eventually;
use std::collections::BTreeMap;
use unifi_herald::demo::Scenario;

/// The texts of the events that came from the simulated network, by id. How long a client was connected depends on the
/// moment at which it is told.
fn summaries(herald: &Herald) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let events = herald.events("events.jsonl").into_iter();
    events
        .filter(|event| event["origin"] == "stream")
        .map(|event| {
            let summary = text(&event["summary"]);
            let told = summary.split(" after ").next().unwrap_or_default();
            (
                text(&event["id"]),
                format!("{} {told}", text(&event["kind"])),
            )
        })
        .collect()
}

/// Run a demo until `count` of its events are in the file.
fn demo(arguments: &[&str], count: usize) -> Herald {
    let herald = Herald::new();
    let running = herald.start(&[&["demo", "--rate", "100"], arguments].concat());
    eventually("enough events are in the file", || {
        summaries(&herald).len() >= count
    });
    running.stopped().with_code(0);
    herald
}

#[test]
fn in_an_empty_folder_it_shows_events_with_names_and_writes_them_to_a_file() {
    let herald = Herald::new();
    let ended = herald
        .run(&["demo", "--for", "2s", "--rate", "50"])
        .with_code(0);
    assert!(
        ended
            .stderr
            .starts_with("there is no config.toml here: running the one that herald ships with\n"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("everything is delivered"),
        "{}",
        ended.stderr
    );
    assert!(
        !ended.stdout.contains('\u{1b}'),
        "no colours where no terminal is"
    );
    let events = herald.events("events.jsonl");
    assert_eq!(
        ended.stdout.lines().count(),
        events.len(),
        "a line each, on screen and in the file"
    );
    for (line, event) in ended.stdout.lines().zip(&events) {
        assert!(line.contains(event["kind"].as_str().unwrap()), "{line}");
    }
    assert!(ended.stdout.contains("herald is connected to Home on home"));
    let named = |event: &&serde_json::Value| {
        let client = &event["client"];
        client["name"]
            .as_str()
            .is_some_and(|name| event["summary"].as_str().unwrap().contains(name))
    };
    assert!(
        events.iter().filter(named).count() > 5,
        "names instead of addresses"
    );
}

#[test]
fn while_it_runs_other_commands_find_it() {
    let herald = Herald::new();
    let mut running = herald.start(&["demo", "--rate", "50"]);
    running.says("herald -c ");
    running.says("connected");
    let said = running.stderr();
    let (_, said) = said.split_once("herald -c ").unwrap();
    let config = said.split(' ').next().unwrap();
    let status = herald.run(&["-c", config, "status"]).with_code(0).stdout;
    assert!(status.contains("is running"), "{status}");
    assert!(status.contains("  archive"), "{status}");
    eventually("the journal has events", || {
        let found = herald.run(&["-c", config, "events", "--json"]);
        found.with_code(0).stdout.lines().count() > 5
    });
    running.stopped().with_code(0);
    assert!(
        !std::path::Path::new(config).exists(),
        "nothing is left behind"
    );
}

#[test]
fn it_runs_the_configuration_of_the_folder() {
    let herald = Herald::with(
        r#"
[controllers.cabin]
url = "https://192.0.2.1"
auth = { username = "x", password = { env = "NOT_SET" } }
[sinks.screen]
plugin = "console"
options = { format = "json" }
[chains.roaming]
when = { kinds = ["client.*"] }
steps = [{ sink = "screen" }]
"#,
    );
    let ended = herald
        .run(&["demo", "--for", "1s", "--rate", "100"])
        .with_code(0);
    assert!(!ended.stderr.contains("ships with"));
    assert!(!herald.path("events.jsonl").exists());
    assert!(ended.stdout.lines().count() > 5);
    for line in ended.stdout.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&event["controller"], &event["category"]),
            (&"cabin".into(), &"client".into())
        );
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let [one, again, other] = ["7", "7", "8"].map(|seed| summaries(&demo(&["--seed", seed], 60)));
    let both: Vec<_> = one.keys().filter(|id| again.contains_key(*id)).collect();
    // What happened before the socket was open is missed, and that moment is not the same twice.
    assert!(both.len() > 20, "{}", both.len());
    for id in both {
        assert_eq!(one[id], again[id]);
    }
    assert!(one.keys().all(|id| !other.contains_key(id)));
}

#[test]
fn the_classic_application_looks_the_same() {
    let herald = demo(&["--kind", "self-hosted"], 50);
    let events = herald.events("events.jsonl");
    let connected = |site: &str| {
        events
            .iter()
            .any(|event| event["kind"] == "herald.connected" && event["site"] == site)
    };
    assert!(connected("default") && connected("super"));
}

#[test]
fn every_scenario_runs_and_the_named_thing_happens() {
    let expected = |scenario: Scenario| match scenario {
        Scenario::House | Scenario::Office => "client.roamed",
        Scenario::ApOutage => "device.offline",
        Scenario::WanFailover => "wan.",
        Scenario::RoamingStorm => "client.roamed",
        Scenario::ThreatBurst => "threat.",
        Scenario::Upgrade => "device.up",
        Scenario::NewDevice => "client.connected",
    };
    // All at once: a scenario takes its time, and most of it is waiting.
    let running: Vec<_> = Scenario::ALL
        .into_iter()
        .map(|scenario| {
            let herald = Herald::new();
            let running = herald.start(&["demo", "--rate", "20", "--scenario", scenario.as_str()]);
            (scenario, herald, running)
        })
        .collect();
    for (scenario, herald, running) in running {
        eventually(scenario.as_str(), || {
            herald.events("events.jsonl").iter().any(|event| {
                event["kind"]
                    .as_str()
                    .unwrap()
                    .starts_with(expected(scenario))
            })
        });
        running.stopped().with_code(0);
    }
}

#[test]
fn a_reader_who_has_gone_ends_it_quietly() {
    let herald = Herald::new();
    let ended = herald
        .shell("herald demo --log-level error | head -n 1")
        .with_code(0);
    assert_eq!(ended.stdout.lines().count(), 1);
    assert_eq!(
        ended.stderr,
        "there is no config.toml here: running the one that herald ships with\n"
    );
}

#[test]
fn wrong_usage_is_2_and_names_what_is_right() {
    let herald = Herald::new();
    let ended = herald.run(&["demo", "--scenario", "flood"]).with_code(2);
    for scenario in Scenario::ALL {
        assert!(ended.stderr.contains(scenario.as_str()), "{}", ended.stderr);
    }
    herald.run(&["demo", "--kind", "cloud"]).with_code(2);
    herald.run(&["demo", "--rate", "0"]).with_code(2);
    herald.run(&["demo", "--for", "long"]).with_code(2);
    assert!(!herald.path("events.jsonl").exists());
}
