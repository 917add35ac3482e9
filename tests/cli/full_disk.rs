//! `herald run` on a full disk: what it says at its end is lost is lost, what it says is safe is safe, and it can be asked.

use super::{Herald, nobody_home};
use crate::support::herald::Running;
use crate::support::receiver::Receiver;
use crate::support::rig::{ARCHIVE, controller};
use crate::support::small_disk::SmallDisk;
use crate::support::{LIMIT, eventually};
use std::collections::BTreeSet;
use unifi_herald::demo::{History, Simulator, SimulatorOptions};

/// What is pending before the disk is full, and after.
const EVENTS: usize = 40;

/// A herald with a full disk. Its file, which is elsewhere, has all that happened; its webhook is away and has nothing.
struct Full {
    simulator: Simulator,
    hook: Receiver,
    disk: SmallDisk,
    herald: Herald,
}

impl Full {
    fn start() -> Option<(Self, Running)> {
        let options = SimulatorOptions {
            // Which has the ids of the stream.
            history: History::LegacyOnly,
            missing_id_share: 0.0,
            alert_share: 0.0,
            ..SimulatorOptions::default()
        };
        let simulator = Simulator::start(options).unwrap();
        let hook = Receiver::start();
        hook.down(true);
        let config = controller("home", &simulator, r#"["default"]"#);
        let config = config + "backfill = { first_run = \"deliver\" }\n" + ARCHIVE;
        let sink = format!(
            "[sinks.hook]\nplugin = \"webhook\"\nretry = {{ min = \"50ms\", max = \"200ms\" }}\noptions = {{ url = \"{}\", format = \"json\" }}\n[chains.hook]\nsteps = [{{ sink = \"hook\" }}]\n",
            hook.url()
        );
        let herald = Herald::with(&(config + &*sink));
        let disk = SmallDisk::at(herald.path("herald-data"), 16)?;
        let mut running = herald.start(&["run"]);
        assert!(simulator.wait_for_sockets(1, LIMIT));
        let full = Self {
            simulator,
            hook,
            disk,
            herald,
        };
        full.happen(EVENTS);
        running.says("sink fails, its events wait");
        full.disk.fill();
        // Until what is left of the log is full as well.
        while !running.stderr().contains("store is degraded") {
            full.happen(500);
        }
        full.happen(EVENTS);
        Some((full, running))
    }

    /// Let so much happen, and wait until the file has it.
    fn happen(&self, count: usize) {
        let made = self.simulator.emit("default", count);
        let made: BTreeSet<_> = made.iter().filter_map(|entry| entry.id.clone()).collect();
        eventually("the file has it", || {
            made.is_subset(&self.ids().into_iter().collect())
        });
    }

    /// The ids in the file, of what the controller told.
    fn ids(&self) -> Vec<String> {
        let events = self.herald.events("events.jsonl").into_iter();
        events
            .filter(|event| {
                event["kind"]
                    .as_str()
                    .is_some_and(|kind| !kind.starts_with("herald."))
            })
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// With room again, a next start gives the webhook all there ever was.
    fn goes_on(self) {
        self.disk.free();
        self.hook.down(false);
        let mut running = self.herald.start(&["run"]);
        // From then on a signal finds somebody.
        running.says("will listen");
        let wanted: BTreeSet<_> = self.ids().into_iter().collect();
        eventually("the webhook has everything", || {
            wanted.is_subset(&self.hook.ids().into_iter().collect())
        });
        running.stopped().with_code(0);
    }
}

/// The numbers in a sentence.
fn numbers(text: &str) -> Vec<usize> {
    text.split(' ')
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[test]
fn what_was_in_memory_only_is_counted_and_comes_again_with_the_history() {
    let Some((full, running)) = Full::start() else {
        return;
    };
    let status = full.herald.run(&["status"]).with_code(0).stdout;
    assert!(status.contains("events are in memory only"), "{status}");
    for command in [&["events"][..], &["dead-letters", "list"]] {
        let asked = full.herald.run(command).with_code(0);
        assert!(asked.stderr.contains("are not among these"), "{asked:?}");
    }

    let ended = running.stopped().with_code(1);
    let last = ended.stderr.lines().last().unwrap();
    let said = "events could not be delivered in time and are lost, for the store's disk takes nothing; \
                what the controllers' histories still have comes again at the next start; ";
    assert!(last.contains(said), "{last}");
    let [lost, kept] = numbers(last)[..] else {
        panic!("{last}");
    };
    assert!(lost >= EVENTS && kept >= EVENTS, "{last}");
    let by_sink = format!("sink=hook count={lost}");
    assert!(ended.stderr.contains(&by_sink), "{}", ended.stderr);
    assert!(!ended.stderr.contains("sink=archive count"), "it has all");

    // What the store says now is what it has.
    let status = full.herald.run(&["status", "--json"]).with_code(0).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["sinks"]["hook"]["pending"], kept);
    full.goes_on();
}

#[test]
fn a_second_signal_says_what_was_in_memory_only() {
    let Some((full, mut running)) = Full::start() else {
        return;
    };
    running.signal("INT");
    running.says("stopping, delivering what is pending");
    let ended = running.signalled_until_it_ends("INT").with_code(1);
    let last = ended.stderr.lines().last().unwrap();
    let said = "events were pending in memory only and are lost";
    assert!(last.contains(said), "{}", ended.stderr);
    let [lost, kept] = numbers(last)[..] else {
        panic!("{last}");
    };
    assert!(lost >= EVENTS && kept >= EVENTS, "{last}");
    full.goes_on();
}

#[test]
fn what_no_sink_awaits_is_no_loss_and_said_to_be_missing_in_the_journal() {
    let Some((full, running)) = Full::start() else {
        return;
    };
    full.hook.down(false);
    let ids = full.ids().len();
    eventually("the webhook has everything", || {
        full.hook.ids().len() >= ids
    });
    let ended = running.stopped().with_code(0);
    assert!(
        ended
            .stderr
            .contains("events are not in the journal, for the store's disk takes nothing"),
        "{}",
        ended.stderr
    );
    full.goes_on();
}

#[test]
fn a_herald_that_found_no_room_for_a_folder_can_be_asked_as_soon_as_there_is() {
    let config = "[store]\ndir = \"disk/herald-data\"\n".to_owned() + ARCHIVE;
    let herald = Herald::with(&nobody_home(&config));
    let Some(disk) = SmallDisk::at(herald.path("disk"), 16) else {
        return;
    };
    assert!(disk.mount("remount,nr_inodes=1"));
    let mut running = herald.start(&["run"]);
    running.says("commands such as `herald status` cannot ask this herald");
    herald.run(&["status"]).with_code(1);
    assert!(disk.mount("remount,nr_inodes=1000"));
    running.says("can ask this herald now");
    let status = herald.run(&["status"]).with_code(0).stdout;
    assert!(status.contains("is running"), "{status}");
    running.says("store is on disk again");
    running.stopped().with_code(0);
    assert!(!herald.path("disk/herald-data/herald.sock").exists());
}
