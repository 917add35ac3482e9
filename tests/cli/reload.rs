//! Reloading a real process: by command, by signal, and because a file has changed.

use super::Herald;
use crate::support::rig::{ARCHIVE, controller};
use crate::support::{LIMIT, eventually};
use serde_json::Value;
use unifi_herald::demo::{Simulator, SimulatorOptions};

const SECOND: &str = "[sinks.second]\nplugin = \"file\"\noptions = { path = \"second.jsonl\" }\n[chains.second]\nsteps = [{ sink = \"second\" }]\n";

fn herald() -> (Herald, Simulator, String) {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let config = controller("home", &simulator, r#"["default"]"#) + ARCHIVE;
    (Herald::with(&config), simulator, config)
}

#[test]
fn the_command_reports_success_and_the_whole_error() {
    let (herald, simulator, config) = herald();
    let nobody = herald.run(&["reload"]).with_code(1);
    assert!(nobody.stderr.contains("not running"), "{}", nobody.stderr);
    let running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let done = herald.run(&["reload"]).with_code(0);
    assert_eq!(done.stdout, "reloaded\n");
    herald.write("config.toml", &(config.clone() + SECOND));
    let done = herald.run(&["reload"]).with_code(0);
    assert_eq!(done.stdout, "reloaded\n  added: sinks.second\n");
    let broken = config.clone()
        + "[sinks.third]\nplugin = \"fil\"\n[chains.x]\nsteps = [{ sink = \"nope\" }]\n";
    herald.write("config.toml", &broken);
    let refused = herald.run(&["reload"]).with_code(78);
    for part in ["`fil`", "`nope`", "config.toml:", "goes on with the former"] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert_eq!(refused.stdout, "");
    let status = herald.run(&["status"]).with_code(0);
    assert!(
        status.stdout.contains("the configuration is wrong since"),
        "{}",
        status.stdout
    );
    assert!(status.stdout.contains("archive"), "{}", status.stdout);
    herald.write("config.toml", &(config + SECOND));
    herald.run(&["reload"]).with_code(0);
    let status = herald.run(&["status"]).with_code(0);
    assert!(!status.stdout.contains("is wrong"), "{}", status.stdout);
    running.stopped().with_code(0);
}

/// Nobody is there.
const PAGER: &str = "[sinks.pager]\nplugin = \"webhook\"\noptions = { url = \"http://127.0.0.1:1/\", format = \"json\" }\n\
[chains.pager]\nwhen = { kinds = [\"client.*\"] }\nsteps = [{ sink = \"pager\" }]\n";

#[test]
fn what_waits_for_a_sink_that_left_is_told_until_it_is_back() {
    let (herald, simulator, config) = herald();
    herald.write("config.toml", &(config.clone() + PAGER));
    let running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let made = simulator.emit("default", 20);
    let heard = made.iter().filter(|entry| entry.listeners > 0).count();
    let status = || {
        let told = herald.run(&["status", "--json"]).with_code(0).stdout;
        serde_json::from_str::<Value>(&told).unwrap()
    };
    let pager = || status()["sinks"]["pager"]["pending"].as_u64().unwrap();
    eventually("all is in the store", || {
        let events = herald.events("events.jsonl");
        events
            .iter()
            .filter(|event| event["raw"].is_object())
            .count()
            >= heard
    });
    assert_eq!(status().get("former_sinks"), None);
    let pending = pager();
    assert!(pending > 0);

    herald.write("config.toml", &config);
    let done = herald.run(&["reload"]).with_code(0);
    let told = format!("{pending} pending for the sink pager, which is not configured");
    assert_eq!(
        done.stdout,
        format!("reloaded\n  removed: sinks.pager\n  {told}\n")
    );
    let former = serde_json::json!({"pager": {"pending": pending}});
    let table = format!("sinks that are not configured\n  pager  {pending} pending\n");
    let shown = || {
        let told = status();
        assert_eq!(told["former_sinks"], former);
        assert_eq!(told["sinks"].as_object().unwrap().len(), 1);
        let told = herald.run(&["status"]).with_code(0).stdout;
        assert!(told.ends_with(&table), "{told}");
    };
    let logged = |stderr: &str| {
        let line = "events are pending for a sink that is not configured";
        let found = stderr.lines().filter(|told| told.contains(line));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{stderr}");
        let fields = [
            "sink=pager".to_owned(),
            format!("pending={pending}"),
            "WARN".to_owned(),
        ];
        let all = fields.iter().all(|field| found[0].contains(field));
        assert!(all, "{}", found[0]);
    };
    shown();
    logged(&running.stopped().with_code(0).stderr);
    assert!(simulator.wait_for_sockets(0, LIMIT));
    shown();
    let running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    eventually("it answers", || {
        let told = herald.run(&["status"]).with_code(0).stdout;
        told.contains(" is running ")
    });
    shown();
    herald.write("config.toml", &(config.clone() + PAGER));
    herald.run(&["reload"]).with_code(0);
    assert_eq!(status().get("former_sinks"), None);
    assert!(pager() >= pending);
    logged(&running.stopped().with_code(0).stderr);
}

#[test]
fn a_hangup_reloads_and_a_wrong_configuration_ends_nothing() {
    let (herald, simulator, config) = herald();
    let mut running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    herald.write("config.toml", "nonsense = ");
    running.signal("HUP");
    running.says("configuration not reloaded, the former one stays");
    herald.write("config.toml", &(config + SECOND));
    running.signal("HUP");
    running.says("configuration reloaded");
    let made = simulator.emit("default", 20).len();
    eventually("both have them", || {
        herald.events("second.jsonl").len() >= made && herald.events("events.jsonl").len() >= made
    });
    assert_eq!(simulator.stats().counts().logins, 1);
    running.stopped().with_code(0);
}

#[test]
fn with_another_folder_for_the_store_it_is_told_where_nobody_answers_and_a_hangup_reloads() {
    let (herald, simulator, config) = herald();
    let mut running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let moved = format!("[store]\ndir = \"elsewhere\"\n{config}{SECOND}");
    herald.write("config.toml", &moved);
    for verb in ["reload", "health", "tail"] {
        let told = herald.run(&[verb]).with_code(1).stderr;
        for part in ["elsewhere/herald.sock)", "another `store.dir`", "SIGHUP"] {
            assert!(told.contains(part), "{verb}: {told}");
        }
    }
    running.signal("HUP");
    running.says("configuration reloaded");
    running.stopped().with_code(0);
}

#[test]
fn what_is_watched_is_reloaded_when_it_changes() {
    let (herald, simulator, config) = herald();
    let mut running = herald.start(&["run", "--watch"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    // As editors do it: written beside, then put in its place.
    herald.write("config.toml.new", &(config.clone() + SECOND));
    std::fs::rename(herald.path("config.toml.new"), herald.path("config.toml")).unwrap();
    running.says("configuration reloaded");
    simulator.emit("default", 5);
    eventually("the new sink gets them", || {
        !herald.events("second.jsonl").is_empty()
    });
    herald.write("config.toml", "nonsense = ");
    running.says("configuration not reloaded, the former one stays");
    std::fs::create_dir(herald.path("scripts")).unwrap();
    herald.write(
        "scripts/some.rhai",
        "fn filter(event) { event.fields.mark = 1; true }",
    );
    let scripted = config
        + "[scripts.some]\nfile = \"scripts/some.rhai\"\n[chains.some]\nsteps = [{ script = \"some\" }, { sink = \"some\" }]\n[sinks.some]\nplugin = \"file\"\noptions = { path = \"some.jsonl\" }\n";
    herald.write("config.toml", &scripted);
    eventually("it is right again", || {
        running.stderr().matches("configuration reloaded").count() == 2
    });
    herald.write(
        "scripts/some.rhai",
        "fn filter(event) { event.fields.mark = 2; true }",
    );
    eventually("the script is read anew", || {
        running.stderr().matches("configuration reloaded").count() == 3
    });
    simulator.emit("default", 5);
    eventually("it is at work", || {
        herald.read("some.jsonl").contains("\"mark\":2")
    });
    running.stopped().with_code(0);
}
