//! A herald of one's own at work, and plugins that it writes for others.

mod generated;
mod manual;
mod support;

use std::collections::BTreeSet;
use support::{eventually, herald, run, stopped, text};
use tempfile::TempDir;

const CONFIG: &str = r#"
[controllers.home]
url = "https://192.0.2.1"
auth = { username = "herald", password = "x" }

[sinks.own]
plugin = "spool"
options = { folder = "spool" }

[sinks.archive]
plugin = "file"
options = { path = "archive.jsonl" }

[filters.numbers]
plugin = "number"

[chains.everything]
steps = [{ sink = "archive" }, { filter = "numbers" }, { sink = "own" }]
"#;

#[test]
fn the_events_of_a_controller_arrive_in_a_plugin_that_knows_only_the_contract() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("config.toml"), CONFIG).unwrap();
    run(herald(folder.path()).arg("check"));
    let spooled = || {
        let entries = std::fs::read_dir(folder.path().join("spool"));
        let entries = entries.into_iter().flatten().map(|entry| entry.unwrap());
        let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
        files.sort();
        files
    };
    let running = herald(folder.path())
        .args(["demo", "--rate", "50"])
        .spawn()
        .unwrap();
    eventually("events arrive", || spooled().len() > 20);
    stopped(running);
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let id = |event: &serde_json::Value| event["id"].as_str().unwrap().to_owned();
    let archive = text(&folder.path().join("archive.jsonl"));
    let archived: BTreeSet<String> = archive.lines().map(|line| id(&parse(line))).collect();
    let own: Vec<_> = spooled().iter().map(|file| parse(&text(file))).collect();
    let numbers: Vec<_> = own
        .iter()
        .map(|event| event["fields"]["number"].as_u64().unwrap())
        .collect();
    // What was there before the first start is numbered as well, and is for the journal only.
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    assert_eq!(own.iter().map(id).collect::<BTreeSet<_>>(), archived);
}

/// Our own tests ask crates for more than the program does; here is a program as everybody builds it.
#[test]
fn what_is_made_when_it_is_needed_can_be_made() {
    let folder = TempDir::new().unwrap();
    let nobody_home = CONFIG.replace("192.0.2.1", "127.0.0.1:1");
    std::fs::write(folder.path().join("config.toml"), nobody_home).unwrap();
    let captured = herald(folder.path())
        .args(["capture", "--redact", "frames.jsonl", "--for", "1s"])
        .output()
        .unwrap();
    assert_eq!(captured.status.code(), Some(69), "{captured:?}");
    let frames = text(&folder.path().join("frames.jsonl"));
    assert_eq!(frames, "");
}

#[test]
fn its_plugins_are_listed_like_the_others() {
    let folder = TempDir::new().unwrap();
    let list = run(herald(folder.path()).args(["plugins", "list"]));
    for line in [
        "sink spool writes each event into a file of its own",
        "filter number numbers the events",
    ] {
        // How wide the columns are depends on the names of all.
        let mut listed = list
            .lines()
            .map(|listed| listed.split_whitespace().collect::<Vec<_>>().join(" "));
        assert!(listed.any(|listed| listed == line), "{list}");
    }
    let shown = run(herald(folder.path()).args(["plugins", "show", "number"]));
    assert!(
        shown.contains("[filters.NAME]\nplugin = \"number\"\n"),
        "{shown}"
    );
}
