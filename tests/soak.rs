//! `kill -9` at random moments under load: nothing lost, nothing out of order, scripts remember as if never killed.
//!
//! A few kills in every test run; `make soak` does many (`HERALD_SOAK_KILLS`).

mod disk;
mod history;
mod kills;
mod outage;
mod systemlog;

use crate::support::receiver::Receiver;
use crate::support::rig::{Rig, controller};
use crate::support::tail::Tail;
use crate::support::{COUNTER, LIMIT, eventually, within};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs::{self, File};
use std::process::{Child, Command};
use std::sync::Arc;
use unifi_herald::clock::Clock;
use unifi_herald::config::BackfillPlan;
use unifi_herald::demo::{Ending, Entry, History, Pace, Simulator, SimulatorOptions};
use unifi_herald_plugin::BufferedEvent;

/// Most events in a batch, by default.
const BATCH: usize = 100;

/// How many events happen between two lives of herald.
const MISSED: usize = 300;

/// Most events that happen in one of its lives. A slow machine would leave more and more behind, and all of it would have
/// to be told in the end.
const IN_A_LIFE: u64 = 3_000;

/// A herald that is killed again and again, the controller it listens to, and where its events go.
struct Soak {
    simulator: Simulator,
    hook: Receiver,
    rig: Rig,
    chance: fastrand::Rng,
    kills: usize,
}

/// A herald that runs until it is killed, which is what dropping it does.
struct Herald(Child);

impl Herald {
    /// Let it end as it should; whether it did.
    fn stop(&mut self) -> bool {
        let told = Command::new("kill").arg(self.0.id().to_string()).status();
        told.unwrap().success() && self.0.wait().unwrap().success()
    }
}

impl Drop for Herald {
    fn drop(&mut self) {
        // One that has ended needs nothing.
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

impl Soak {
    fn new(history: History) -> Self {
        let options = SimulatorOptions {
            history,
            missing_id_share: 0.0,
            alert_share: 0.0,
            ledger_capacity: 2_000_000,
            ..SimulatorOptions::default()
        };
        let simulator = Simulator::start(options).unwrap();
        let hook = Receiver::start();
        let rig = Rig::new(&config(&simulator, &hook));
        rig.write("scripts/counter.rhai", COUNTER);
        let kills = std::env::var("HERALD_SOAK_KILLS").ok();
        Self {
            simulator,
            hook,
            rig,
            chance: fastrand::Rng::with_seed(7),
            kills: kills.and_then(|text| text.parse().ok()).unwrap_or(3),
        }
    }

    /// Start herald, and wait until it has connected.
    fn start(&self) -> Herald {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.rig.path("log"))
            .unwrap();
        let connects = self.simulator.stats().counts().connects;
        let herald = Command::new(env!("CARGO_BIN_EXE_herald"))
            .arg("-c")
            .arg(self.rig.path("config.toml"))
            .arg("run")
            .stderr(log)
            .spawn()
            .map(Herald)
            .unwrap();
        assert!(
            self.simulator
                .stats()
                .wait(LIMIT, |counts| counts.connects > connects),
            "it did not connect: {}",
            self.log()
        );
        herald
    }

    /// What herald said.
    fn log(&self) -> String {
        fs::read_to_string(self.rig.path("log")).unwrap_or_default()
    }

    /// Kill herald again and again, at moments told by what has happened rather than by a clock: so many bytes of
    /// events after the last at most. Every other time the sockets break first.
    fn storm(&mut self, rate: f64, bytes: u64) {
        for _ in 0..self.kills {
            let herald = self.start();
            let enough = self.simulator.ledger().made() + IN_A_LIFE;
            self.simulator.play(Pace::PerSecond(rate));
            if self.chance.bool() {
                self.simulator.mischief().end_sockets(Ending::Cut);
            }
            if !self.hook.is_down() {
                self.hook.answer(&[503, 503, 500]);
            }
            let size = self.size() + self.chance.u64(1..bytes);
            self.go_on_until("the file grows", || {
                if self.simulator.ledger().made() >= enough {
                    self.simulator.play(Pace::Still);
                }
                self.size() >= size
            });
            drop(herald);
            // So many while nobody listens, however slow the machine is.
            self.simulator.play(Pace::Still);
            self.simulator.emit("default", MISSED);
        }
    }

    /// Let something happen while herald listens.
    fn emit(&self, count: usize) -> Vec<Arc<Entry>> {
        assert!(self.simulator.wait_for_sockets(1, LIMIT));
        let made = self.simulator.emit("default", count);
        assert!(made.iter().all(|entry| entry.listeners == 1));
        made
    }

    /// How many bytes of events herald has written.
    fn size(&self) -> u64 {
        fs::metadata(self.rig.path("events.jsonl")).map_or(0, |file| file.len())
    }

    /// Wait until `condition` holds, however long it takes, as long as the file grows.
    fn go_on_until(&self, what: &str, condition: impl Fn() -> bool) {
        while !condition() {
            let before = self.size();
            eventually(what, || self.size() > before || condition());
        }
    }

    /// Wait until nothing is missing that `missing` names, however long it takes, as long as the file grows or the history
    /// is asked. The second look at a hole comes a while after the first.
    fn catch_up<T: Debug>(&self, mut missing: impl FnMut(&Tail) -> Vec<T>) {
        let patience = BackfillPlan::default().settle + LIMIT;
        let clock = Clock::system();
        let mut file = Tail::of(self.rig.path("events.jsonl"));
        file.read();
        loop {
            let begun = clock.now();
            let missing = missing(&file);
            if missing.is_empty() {
                return;
            }
            // To look is work as well: most of the time is herald's.
            let pause = (clock.now() - begun) * 4;
            let rest = clock.now() + pause;
            let (known, asked) = (file.ids().len(), self.questions());
            let few = &missing[..missing.len().min(3)];
            let what = format!("the repair goes on, {} are missing: {few:?}", missing.len());
            within(patience + pause, &what, || {
                file.read();
                let goes_on = file.ids().len() > known || self.questions() > asked;
                goes_on && clock.now() >= rest
            });
        }
    }

    /// How often the controller was asked for its history.
    fn questions(&self) -> u64 {
        let requests = self.simulator.stats().counts().requests;
        let histories = ["/system-log/all", "/stat/event"];
        let asked = |path: &str| histories.iter().any(|history| path.ends_with(history));
        requests
            .iter()
            .filter(|(path, _)| asked(path))
            .map(|(_, count)| count)
            .sum()
    }

    /// Wait until the file and the webhook have the ids of these.
    fn arrive(&self, wanted: &[Arc<Entry>]) {
        self.reach_file(wanted);
        self.reach_hook(wanted.iter().filter_map(|entry| entry.id.clone()).collect());
    }

    /// Wait until the file has these.
    fn reach_file(&self, wanted: &[Arc<Entry>]) {
        let wanted = wanted.iter().filter_map(|entry| entry.id.clone());
        let (mut missing, mut looked): (BTreeSet<String>, _) = (wanted.collect(), 0);
        self.catch_up(|file| {
            for id in &file.ids()[looked..] {
                missing.remove(id);
            }
            looked = file.ids().len();
            missing.iter().cloned().collect()
        });
    }

    /// Wait until the webhook has these.
    fn reach_hook(&self, mut missing: BTreeSet<String>) {
        let mut looked = 0;
        while !missing.is_empty() {
            eventually("the webhook catches up", || {
                let before = missing.len();
                self.hook.with_ids(|ids| {
                    for id in &ids[looked..] {
                        missing.remove(id);
                    }
                    looked = ids.len();
                });
                missing.len() < before || missing.is_empty()
            });
        }
    }

    /// Let herald end as it should, and demand what must be true whatever was done to it. `lives` is how often it was
    /// started. Returns its events, each once.
    fn end(self, mut herald: Herald, lives: usize) -> Vec<BufferedEvent> {
        assert!(herald.stop(), "{}", self.log());
        assert_eq!(self.simulator.ledger().forgotten(), 0);

        let events = self.rig.events("events.jsonl");
        let written = events.len();
        let once = once_each(events);
        assert!(
            once.windows(2).all(|pair| pair[0].seq < pair[1].seq),
            "in the order of seq"
        );
        let doubled = written - once.len();
        assert!(
            doubled <= BATCH * lives,
            "only batches in flight come again: {doubled}"
        );
        let mut hooked = Vec::new();
        let mut known = BTreeSet::new();
        for id in self.hook.ids() {
            if known.insert(id.clone()) {
                hooked.push(id);
            }
        }
        let ids: Vec<_> = once.iter().map(|event| event.id.to_string()).collect();
        assert_eq!(hooked, ids, "every sink has the same, in the same order");
        let counted = once.iter();
        let counted: Vec<u64> = counted
            .filter_map(|event| event.fields.get("n")?.as_u64())
            .collect();
        let expected: Vec<u64> = (1..=counted.len() as u64).collect();
        assert_eq!(
            counted, expected,
            "the script remembers as if it had never been killed"
        );
        self.simulator.stop();
        once
    }
}

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

/// The first line of each id; a later one must be the same event again.
fn once_each(events: Vec<BufferedEvent>) -> Vec<BufferedEvent> {
    let mut first = BTreeMap::new();
    let mut kept = Vec::new();
    for event in events {
        match first.get(&event.id) {
            None => {
                first.insert(event.id.clone(), event.seq);
                kept.push(event);
            }
            Some(seq) => assert_eq!(*seq, event.seq, "the same id is the same event"),
        }
    }
    kept
}
