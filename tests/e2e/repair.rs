//! What the socket did not bring is fetched from the history, once, in order; what cannot be fetched is told.

use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use crate::support::{LIMIT, eventually};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::config::{FirstRun, Plan};
use unifi_herald::demo::{Ending, Entry, History, Simulator, SimulatorOptions};
use unifi_herald::host::Host;
use unifi_herald::store::Reader;
use unifi_herald_plugin::{BufferedEvent, Kind, Origin};

const MEMORY: &str = "\n[store]\nmode = \"memory\"\n";
const DISK: &str = "\n[store]\nmode = \"disk\"\n";

struct World {
    simulator: Simulator,
    rig: Rig,
}

impl World {
    fn new(history: History, more: &str) -> Self {
        let options = SimulatorOptions {
            history,
            // Things that happen in one moment to few clients look alike when they are told in several ways.
            alert_share: 0.0,
            missing_id_share: if history == History::LegacyOnly {
                0.0
            } else {
                0.1
            },
            ..SimulatorOptions::default()
        };
        let simulator = Simulator::start(options).unwrap();
        let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE + more));
        Self { simulator, rig }
    }

    /// A host whose second look at the history comes soon, and changed as `change` says.
    fn start(&self, change: impl FnOnce(&mut Plan)) -> Host {
        let mut plan = self.rig.plan();
        plan.controllers[0].backfill.settle = Duration::from_millis(200);
        change(&mut plan);
        let host = Host::start(plan, unifi_herald::builtin(), Clock::system()).unwrap();
        assert!(self.simulator.wait_for_sockets(1, LIMIT));
        host
    }

    fn events(&self) -> Vec<BufferedEvent> {
        self.rig.events("events.jsonl")
    }

    fn of_kind(&self, kind: Kind) -> Vec<BufferedEvent> {
        let mut events = self.events();
        events.retain(|event| event.kind == kind);
        events
    }

    /// How often the sinks got this event, in whichever form.
    fn times(&self, events: &[BufferedEvent], entry: &Entry) -> usize {
        let ledger = self.simulator.ledger();
        let is = |event: &&BufferedEvent| {
            let raw = event.raw.as_ref();
            raw.is_some_and(|raw| ledger.same(entry, raw.as_str()))
        };
        events.iter().filter(is).count()
    }

    /// Wait until the sinks have all of `made`, then look that they have none twice.
    fn all_arrive_once(&self, made: &[Arc<Entry>]) {
        assert!(!made.is_empty());
        eventually("every event is in the file", || {
            let events = self.events();
            made.iter().all(|entry| self.times(&events, entry) > 0)
        });
        let events = self.events();
        for entry in made {
            assert_eq!(self.times(&events, entry), 1, "{entry:?}");
        }
    }

    /// Let so much happen, well apart from what happened before.
    fn emit(&self, count: usize) -> Vec<Arc<Entry>> {
        let last = self.simulator.ledger().all().pop();
        if let Some(last) = last {
            let apart = last.time + Duration::from_secs(3);
            eventually("time passes", || self.simulator.time() > apart);
            // The time of the next event was drawn with the one before.
            self.simulator.emit("default", 1);
        }
        self.simulator.emit("default", count)
    }

    /// A socket that works, with events of its own.
    fn listening(&self) -> Vec<Arc<Entry>> {
        let made = self.emit(20);
        assert!(made.iter().all(|entry| entry.listeners == 1));
        self.all_arrive_once(&made);
        made
    }

    /// These events happen while nobody is connected.
    fn away(&self, count: usize) -> Vec<Arc<Entry>> {
        self.simulator.mischief().unplug(true);
        assert!(self.simulator.wait_for_sockets(0, LIMIT));
        let made = self.emit(count);
        self.simulator.mischief().unplug(false);
        assert!(self.simulator.wait_for_sockets(1, LIMIT));
        made
    }

    fn gaps(&self) -> Vec<String> {
        let gaps = self.of_kind(Kind::HERALD_GAP);
        gaps.iter()
            .map(|gap| gap.reason.as_deref().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Those that the histories of this sort have.
fn kept(history: History, made: Vec<Arc<Entry>>) -> Vec<Arc<Entry>> {
    let kept = |entry: &Arc<Entry>| match history {
        History::Both => true,
        History::SystemLogOnly => entry.in_system_log(),
        History::LegacyOnly => entry.in_legacy(),
        History::None => false,
    };
    made.into_iter().filter(kept).collect()
}

fn what_happened_while_away_arrives(history: History) {
    let world = World::new(history, MEMORY);
    let host = world.start(|_| {});
    let before = world.listening();
    let missed = kept(history, world.away(60));
    world.all_arrive_once(&missed);
    let after = world.listening();
    // The history has these behind all the others, which are in the overlap and come from it before them.
    let again = kept(history, world.away(20));
    world.all_arrive_once(&again);
    world.all_arrive_once(&[before, missed.clone(), after].concat());

    let ledger = world.simulator.ledger();
    // A little of what the socket told may have been fetched first, in the overlap.
    let is_missed = |event: &BufferedEvent| {
        let raw = event.raw.as_ref();
        raw.is_some_and(|raw| missed.iter().any(|entry| ledger.same(entry, raw.as_str())))
    };
    let mut backfilled = world.events();
    backfilled.retain(is_missed);
    assert!(
        backfilled
            .iter()
            .all(|event| event.origin == Origin::Backfill)
    );
    assert!(
        backfilled
            .windows(2)
            .all(|pair| pair[0].time <= pair[1].time),
        "in time order among themselves"
    );
    let times: BTreeSet<_> = missed.iter().map(|entry| entry.time.as_millis()).collect();
    for event in &backfilled {
        assert!(times.contains(&event.time.as_millis()), "its own time");
        assert!(event.received > event.time);
    }
    assert_eq!(ledger.forgotten(), 0);
    assert_eq!(world.gaps(), Vec::<String>::new());
    stop_clean(host);
}

#[test]
fn while_away_with_both_histories() {
    what_happened_while_away_arrives(History::Both);
}

#[test]
fn while_away_with_the_system_log_only() {
    what_happened_while_away_arrives(History::SystemLogOnly);
}

#[test]
fn while_away_with_the_legacy_history_only() {
    what_happened_while_away_arrives(History::LegacyOnly);
}

#[test]
fn what_was_lost_on_the_wire_before_the_connection_broke_is_fetched() {
    let world = World::new(History::Both, MEMORY);
    let host = world.start(|_| {});
    world.listening();
    world.simulator.mischief().swallow(16);
    let lost = world.emit(15);
    world.simulator.mischief().end_sockets(Ending::Abort);
    world.all_arrive_once(&lost);
    world.listening();
    stop_clean(host);
}

#[test]
fn what_the_history_writes_late_is_fetched_by_the_second_look() {
    let world = World::new(History::SystemLogOnly, MEMORY);
    let host = world.start(|plan| {
        plan.controllers[0].backfill.settle = Duration::from_secs(4);
    });
    world.listening();
    world
        .simulator
        .mischief()
        .history_lag(Duration::from_secs(2));
    let missed = kept(History::SystemLogOnly, world.away(30));
    world.all_arrive_once(&missed);
    stop_clean(host);
}

fn what_cannot_be_fetched_is_told_once(history: History, max_age: u64, reason: &str) {
    let world = World::new(history, MEMORY);
    let host = world.start(|plan| {
        plan.controllers[0].backfill.max_age = Duration::from_secs(max_age);
    });
    let first = world.emit(5);
    eventually("the socket works", || {
        world
            .events()
            .iter()
            .filter(|event| event.raw.is_some())
            .count()
            >= first.len()
    });
    let missed = world.away(10);
    eventually("the hole is told", || !world.gaps().is_empty());
    world.listening();
    assert_eq!(world.gaps(), [reason]);
    let gap = &world.of_kind(Kind::HERALD_GAP)[0];
    let hole = gap.gap.as_deref().unwrap();
    for entry in &missed {
        assert!(hole.from <= entry.time && entry.time <= hole.to, "{hole:?}");
    }
    assert_eq!((&*gap.controller, &*gap.site), ("home", "default"));
    assert!(gap.summary.contains("Home"), "{}", gap.summary);
    stop_clean(host);
}

#[test]
fn without_a_history_there_is_one_gap() {
    what_cannot_be_fetched_is_told_once(History::None, 7 * 24 * 3600, "history_unavailable");
}

#[test]
fn what_is_too_old_is_one_gap() {
    what_cannot_be_fetched_is_told_once(History::Both, 0, "too_old");
}

#[test]
fn what_happened_while_herald_was_stopped_arrives_after_its_start() {
    for history in [History::Both, History::SystemLogOnly, History::LegacyOnly] {
        let world = World::new(history, DISK);
        let host = world.start(|_| {});
        let before = world.listening();
        stop_clean(host);
        assert!(world.simulator.wait_for_sockets(0, LIMIT));
        let missed = kept(history, world.emit(60));
        let host = world.start(|_| {});
        world.all_arrive_once(&missed);
        let after = world.listening();
        // What the sinks had before is in the overlap, which is fetched first, and recognised in either form.
        world.all_arrive_once(&[before, missed, after].concat());
        assert_eq!(world.gaps(), Vec::<String>::new());
        stop_clean(host);
    }
}

#[test]
fn what_was_before_herald_is_for_the_journal_unless_told_otherwise() {
    for first_run in [FirstRun::Seed, FirstRun::Deliver] {
        let world = World::new(History::Both, DISK);
        let old = world.emit(40);
        let host = world.start(|plan| plan.controllers[0].backfill.first_run = first_run);
        let received = || host.books()[0].books.received;
        eventually("the history is read", || received() >= old.len() as u64);
        world.listening();
        let events = world.events();
        let given = old
            .iter()
            .filter(|entry| world.times(&events, entry) > 0)
            .count();
        match first_run {
            FirstRun::Seed => assert_eq!(given, 0),
            FirstRun::Deliver => assert_eq!(given, old.len()),
        }
        assert_eq!(world.gaps(), Vec::<String>::new());
        stop_clean(host);
    }
}

/// A herald that is stopped soon after it has a socket, which told it nothing, has met the site nevertheless.
#[test]
fn what_happens_after_a_first_run_without_any_event_arrives() {
    for history in [History::SystemLogOnly, History::LegacyOnly] {
        let world = World::new(history, DISK);
        let host = world.start(|_| {});
        let store = Reader::open(&world.rig.path("herald-data")).unwrap();
        eventually("the site is met", || {
            !store.watermarks().unwrap().is_empty()
        });
        stop_clean(host);
        // The time of the very first was drawn with the controller's start.
        world.emit(1);
        let missed = kept(history, world.emit(20));
        let host = world.start(|_| {});
        world.all_arrive_once(&missed);
        assert_eq!(world.gaps(), Vec::<String>::new());
        stop_clean(host);
    }
}

#[test]
fn what_the_ring_lost_is_fetched_again() {
    let small = "\n[buffer]\ncapacity = 8\nwhen_full = \"drop_oldest\"\n";
    // The store stays on disk, so that no lane is as small as the ring.
    let world = World::new(History::LegacyOnly, &(small.to_owned() + DISK));
    let host = world.start(|_| {});
    world.simulator.mischief().items_per_frame(50);
    world.emit(1);
    let made = world.emit(400);
    eventually("the ring overflows", || host.books()[0].books.lost > 0);
    world.all_arrive_once(&made);
    let gaps = world.gaps();
    assert!(
        gaps.iter().all(|reason| reason == "ring_overflow"),
        "{gaps:?}"
    );
    assert_eq!(host.stop(Duration::from_secs(30)).total(), 0);
}

#[test]
fn a_socket_that_is_mute_while_things_happen_is_blind() {
    let world = World::new(History::Both, MEMORY);
    let host = world.start(|plan| {
        plan.controllers[0].backfill.mute = Duration::from_millis(400);
    });
    world.listening();
    world.simulator.mischief().swallow(22);
    let unheard = [world.emit(10), {
        eventually("it is noticed", || {
            !world.of_kind(Kind::HERALD_BLIND).is_empty()
        });
        world.emit(10)
    }]
    .concat();
    world.all_arrive_once(&unheard);
    assert_eq!(world.of_kind(Kind::HERALD_BLIND).len(), 1, "once");
    world.listening();
    stop_clean(host);
}
