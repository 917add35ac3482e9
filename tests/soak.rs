//! `kill -9` at random moments under load: nothing lost, nothing out of order, scripts remember as if never killed.
//!
//! A few kills in every test run; `make soak` does many (`HERALD_SOAK_KILLS`).

use crate::support::receiver::Receiver;
use crate::support::rig::{Rig, controller};
use crate::support::{LIMIT, eventually};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Child, Command, Stdio};
use unifi_herald::demo::{Ending, History, Pace, Simulator, SimulatorOptions};
use unifi_herald_plugin::BufferedEvent;

/// Events per second while it is being killed.
const RATE: f64 = 2000.0;

/// A script whose memory shows every event it ever saw.
const COUNTER: &str = r#"
fn filter(event) {
    let n = get("n");
    if n == () { n = 0; }
    n += 1;
    set("n", n);
    event.fields.n = n;
    true
}
"#;

fn config(simulator: &Simulator, hook: &Receiver) -> String {
    format!(
        r#"
{controller}
backfill = {{ first_run = "deliver" }}

[scripts.counter]
file = "scripts/counter.rhai"

[sinks.archive]
plugin = "file"
options = {{ path = "events.jsonl" }}

[sinks.hook]
plugin = "webhook"
retry = {{ min = "50ms", max = "200ms" }}
options = {{ url = "{url}", format = "json" }}

[chains.everything]
steps = [
  {{ script = "counter", when = {{ kinds = ["client.*", "device.*", "wifi.*"] }} }},
  {{ sink = "archive" }},
  {{ sink = "hook" }},
]
"#,
        controller = controller("home", simulator, r#"["default"]"#),
        url = hook.url(),
    )
}

fn start(rig: &Rig) -> Child {
    Command::new(env!("CARGO_BIN_EXE_herald"))
        .arg("-c")
        .arg(rig.path("config.toml"))
        .arg("run")
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kills() -> u64 {
    std::env::var("HERALD_SOAK_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4)
}

/// The first line of each id; a later one must be the same event again.
fn once_each(events: &[BufferedEvent]) -> Vec<&BufferedEvent> {
    let mut first = BTreeMap::new();
    let mut kept = Vec::new();
    for event in events {
        let key = (event.id.clone(), event.seq);
        match first.get(&event.id) {
            None => {
                first.insert(event.id.clone(), key);
                kept.push(event);
            }
            Some(known) => assert_eq!(*known, key, "the same id is the same event"),
        }
    }
    kept
}

#[test]
fn killed_at_random_moments_nothing_is_lost() {
    let simulator = Simulator::start(SimulatorOptions {
        history: History::LegacyOnly,
        missing_id_share: 0.0,
        alert_share: 0.0,
        ledger_capacity: 2_000_000,
        ..SimulatorOptions::default()
    })
    .unwrap();
    let hook = Receiver::start();
    let rig = Rig::new(&config(&simulator, &hook));
    rig.write("scripts/counter.rhai", COUNTER);
    let mut chance = fastrand::Rng::with_seed(7);

    simulator.play(Pace::PerSecond(RATE));
    for kill in 0..kills() {
        let mut herald = start(&rig);
        let connects = simulator.stats().counts().connects;
        assert!(
            simulator
                .stats()
                .wait(LIMIT, |counts| counts.connects > connects),
            "kill {kill}: it did not connect"
        );
        if chance.bool() {
            simulator.mischief().end_sockets(Ending::Cut);
        }
        hook.answer(&[503, 503, 500]);
        // A random moment, told by what has happened rather than by a clock.
        let size = fs::metadata(rig.path("events.jsonl")).map_or(0, |file| file.len());
        let more = chance.u64(1..600_000);
        eventually("the file grows", || {
            fs::metadata(rig.path("events.jsonl")).is_ok_and(|file| file.len() > size + more)
        });
        herald.kill().unwrap();
        herald.wait().unwrap();
    }
    simulator.play(Pace::Still);

    let mut herald = start(&rig);
    let ledger = simulator.ledger();
    let wanted: BTreeSet<String> = ledger
        .entries("default")
        .iter()
        .filter_map(|entry| entry.id.clone())
        .collect();
    assert_eq!(ledger.forgotten(), 0);
    // However long it takes, as long as it goes on.
    let mut ids = rig.ids("events.jsonl");
    while !wanted.is_subset(&ids) {
        let known = ids.len();
        eventually("the repair goes on", || {
            ids = rig.ids("events.jsonl");
            ids.len() > known
        });
    }
    eventually("every event of the ledger is at the webhook", || {
        wanted.is_subset(&hook.ids().into_iter().collect())
    });
    let killed = Command::new("kill")
        .arg(herald.id().to_string())
        .status()
        .unwrap();
    assert!(
        killed.success() && herald.wait().unwrap().success(),
        "and it stops cleanly"
    );

    let events = rig.events("events.jsonl");
    let once = once_each(&events);
    assert!(
        once.windows(2).all(|pair| pair[0].seq < pair[1].seq),
        "in the order of seq"
    );
    let doubled = events.len() - once.len();
    assert!(
        doubled <= 100 * usize::try_from(kills() + 1).unwrap(),
        "only batches in flight come again: {doubled}"
    );
    let counted: Vec<u64> = once
        .iter()
        .filter_map(|event| event.fields.get("n")?.as_u64())
        .collect();
    let expected: Vec<u64> = (1..=counted.len() as u64).collect();
    assert_eq!(
        counted, expected,
        "the script remembers as if it had never been killed"
    );
    simulator.stop();
}
