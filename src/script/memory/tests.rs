//! The memory against naive lists, against crashes, and at its bounds.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SMALL: MemoryLimits = MemoryLimits {
    keys: 5,
    bytes: 1 << 20,
};

fn memory(limits: MemoryLimits) -> Memory {
    Memory::new("script/s/c".into(), limits)
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_780_000_000_000 + ms)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What the store has: changes are applied, and everything can be read back.
#[derive(Clone, Default)]
struct Disk(BTreeMap<Text, Vec<u8>>);

impl Disk {
    fn commit(&mut self, memory: &mut Memory) {
        let mut changes = Vec::new();
        memory.take_changes(&mut changes);
        for change in changes {
            match change {
                StateChange::Set {
                    scope, key, value, ..
                } => {
                    assert_eq!(&*scope, "script/s/c");
                    self.0.insert(key, value);
                }
                StateChange::Forget { key, .. } => {
                    self.0.remove(&key);
                }
                StateChange::Clear { .. } => self.0.clear(),
            }
        }
    }

    fn restart(&self, limits: MemoryLimits) -> Memory {
        let entries = self.0.iter().map(|(key, value)| StateEntry {
            key: key.clone(),
            value: value.clone(),
            expires: None,
        });
        let mut memory = memory(limits);
        assert_eq!(memory.load(entries.collect()), 0);
        memory
    }
}

#[derive(Clone, Debug)]
enum Op {
    FirstSeen(u8),
    Count(u8, u64),
    Throttle(u8, u64),
    Get(u8),
    Set(u8, Option<u8>, Option<u64>),
    Forget(u8),
}

fn op(keys: u8) -> impl Strategy<Value = Op> {
    let window = prop_oneof![Just(1), Just(50), Just(1000), Just(7_200_000)];
    let ttl = proptest::option::of(1..100_u64);
    prop_oneof![
        (0..keys).prop_map(Op::FirstSeen),
        (0..keys, window.clone()).prop_map(|(key, window)| Op::Count(key, window)),
        (0..keys, window).prop_map(|(key, window)| Op::Throttle(key, window)),
        (0..keys).prop_map(Op::Get),
        (0..keys, proptest::option::of(any::<u8>()), ttl).prop_map(|(k, v, t)| Op::Set(k, v, t)),
        (0..keys).prop_map(Op::Forget),
    ]
}

/// One event: how far time moves, mostly on, at times back; what the script does; whether the run succeeds.
#[derive(Clone, Debug)]
struct Run {
    moves: i64,
    ops: Vec<Op>,
    keep: bool,
}

fn run(keys: u8) -> impl Strategy<Value = Run> {
    let moves = prop_oneof![4 => 0..40_i64, 1 => -200..0_i64, 1 => 0..4_000_000_i64];
    let ops = proptest::collection::vec(op(keys), 1..5);
    (moves, ops, proptest::bool::weighted(0.8)).prop_map(|(moves, ops, keep)| Run {
        moves,
        ops,
        keep,
    })
}

fn batches(keys: u8) -> impl Strategy<Value = Vec<(Vec<Run>, bool)>> {
    let batch = (proptest::collection::vec(run(keys), 0..6), any::<bool>());
    proptest::collection::vec(batch, 0..25)
}

fn apply(memory: &mut Memory, op: &Op, now: Timestamp) -> String {
    let name = |key: &u8| format!("k{key}");
    match op {
        Op::FirstSeen(key) => format!("{:?}", memory.first_seen(&name(key), now)),
        Op::Count(key, window) => format!("{:?}", memory.count(&name(key), ms(*window), now)),
        Op::Throttle(key, window) => format!("{:?}", memory.throttle(&name(key), ms(*window), now)),
        Op::Get(key) => format!("{:?}", memory.get(&name(key), now)),
        Op::Set(key, value, ttl) => {
            let json = value.map(|value| value.to_string());
            format!(
                "{:?}",
                memory.set(&name(key), json.as_deref(), ttl.map(ms), now)
            )
        }
        Op::Forget(key) => {
            memory.forget(&name(key)).unwrap();
            String::new()
        }
    }
}

/// The same as lists that never forget.
#[derive(Clone, Default)]
struct Naive {
    seen: Vec<u8>,
    calls: Vec<(u8, u64, Timestamp)>,
    passes: Vec<(u8, u64, Timestamp)>,
    values: BTreeMap<u8, (u8, Option<Timestamp>)>,
}

impl Naive {
    fn apply(&mut self, op: &Op, now: Timestamp) -> String {
        match op {
            Op::FirstSeen(key) => {
                let first = !self.seen.contains(key);
                self.seen.push(*key);
                format!("Ok({first})")
            }
            Op::Count(key, window) => {
                self.calls.push((*key, *window, now));
                let within = |(k, w, time): &&(u8, u64, Timestamp)| {
                    k == key && w == window && *time <= now && now.since(*time) < ms(*window)
                };
                format!("Ok({})", self.calls.iter().filter(within).count())
            }
            Op::Throttle(key, window) => {
                let same = |(k, w, _): &&(u8, u64, Timestamp)| k == key && w == window;
                let last = self.passes.iter().rev().find(same);
                let passes = last.is_none_or(|(_, _, time)| time.distance(now) >= ms(*window));
                if passes {
                    self.passes.push((*key, *window, now));
                }
                format!("Ok({passes})")
            }
            Op::Get(key) => {
                let value = self.values.get(key);
                let value = value.filter(|(_, until)| until.is_none_or(|until| now < until));
                format!("{:?}", value.map(|(value, _)| value.to_string()))
            }
            Op::Set(key, value, ttl) => {
                match value {
                    Some(value) => {
                        self.values
                            .insert(*key, (*value, ttl.map(|ttl| now + ms(ttl))));
                    }
                    None => {
                        self.values.remove(key);
                    }
                }
                "Ok(())".to_owned()
            }
            Op::Forget(key) => {
                self.seen.retain(|k| k != key);
                self.calls.retain(|(k, ..)| k != key);
                self.passes.retain(|(k, ..)| k != key);
                self.values.remove(key);
                String::new()
            }
        }
    }
}

/// What is remembered, whatever the bookkeeping around it.
fn records(memory: &Memory) -> BTreeMap<Text, Record> {
    let record = |record: &Record| Record {
        ordered: record.at,
        changed: false,
        ..record.clone()
    };
    let records = memory.records.iter();
    records.map(|(key, of)| (key.clone(), record(of))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// With room enough every answer is that of naive lists, failed runs and crashes after a commit included.
    #[test]
    fn the_answers_are_those_of_naive_lists(batches in batches(4)) {
        let (mut memory, mut naive) = (memory(MemoryLimits::default()), Naive::default());
        let (mut disk, mut time) = (Disk::default(), 0);
        for (runs, crash) in batches {
            for Run { moves, ops, keep } in runs {
                time += moves;
                let before = naive.clone();
                for op in &ops {
                    prop_assert_eq!(apply(&mut memory, op, at(time)), naive.apply(op, at(time)));
                }
                memory.end_run(keep);
                if !keep {
                    naive = before;
                }
            }
            disk.commit(&mut memory);
            if crash {
                memory = disk.restart(MemoryLimits::default());
            }
        }
    }

    /// Where there is no room what is forgotten is the same, whether there was a crash or not: also one that loses a
    /// batch, which then comes again.
    #[test]
    fn a_crash_changes_nothing(batches in batches(12)) {
        let (mut steady, mut crashing) = (memory(SMALL), memory(SMALL));
        let (mut disk, mut time) = (Disk::default(), 0);
        for (runs, crash) in batches {
            let route = |memory: &mut Memory, mut time: i64| {
                let mut answers = Vec::new();
                for Run { moves, ops, keep } in &runs {
                    time += moves;
                    answers.extend(ops.iter().map(|op| apply(memory, op, at(time))));
                    memory.end_run(*keep);
                }
                answers
            };
            if crash {
                route(&mut crashing, time);
                crashing = disk.restart(SMALL);
            }
            prop_assert_eq!(route(&mut steady, time), route(&mut crashing, time));
            time += runs.iter().map(|run| run.moves).sum::<i64>();
            disk.commit(&mut crashing);
            prop_assert_eq!(steady.len(), crashing.len());
            prop_assert!(steady.len() <= SMALL.keys);
            prop_assert_eq!(disk.0.len(), crashing.len());
            prop_assert_eq!(records(&disk.restart(SMALL)), records(&steady));
        }
    }

    /// Whatever is in the store, reading it neither fails nor allocates without bound.
    #[test]
    fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..64), versioned: bool) {
        let mut bytes = bytes;
        if versioned {
            bytes.insert(0, 1);
        }
        if let Some(record) = form::decode(&bytes) {
            prop_assert_eq!(form::decode(&form::encode(&record)), Some(record));
        }
    }
}

#[test]
fn many_calls_are_counted_in_bounded_room() {
    let mut memory = memory(MemoryLimits::default());
    for call in 0..100_000_u64 {
        let now = at(i64::try_from(call).unwrap());
        let count = memory.count("k", ms(50_000), now).unwrap();
        memory.end_run(true);
        let exact = (call + 1).min(50_000);
        // Never less, and off by no more than what was put together at the far end of the window.
        assert!(count >= exact, "{call}: {count}");
        assert!(count <= exact + exact / 256 + 1, "{call}: {count}");
    }
    assert!(memory.bytes < 16 * series::MAX_MOMENTS + 1000);
    let mut disk = Disk::default();
    disk.commit(&mut memory);
    assert!(disk.0["k"].len() < 8 * series::MAX_MOMENTS);
}

#[test]
fn one_commit_has_each_key_once() {
    let mut memory = memory(MemoryLimits::default());
    for time in 0..10 {
        memory.count("a", ms(1000), at(time)).unwrap();
        memory.first_seen("b", at(time)).unwrap();
        memory.end_run(true);
    }
    memory.count("c", ms(1000), at(10)).unwrap();
    memory.end_run(false);
    let mut changes = Vec::new();
    memory.take_changes(&mut changes);
    let keys: Vec<_> = changes
        .iter()
        .map(|change| match change {
            StateChange::Set { key, expires, .. } => (&**key, expires.is_some()),
            other => panic!("{other:?}"),
        })
        .collect();
    // What was seen is for good.
    assert_eq!(keys, [("a", true), ("b", false)]);
    changes.clear();
    memory.take_changes(&mut changes);
    assert_eq!(changes, []);
}

#[test]
fn the_oldest_is_forgotten_and_counted_and_use_keeps_fresh() {
    let mut memory = memory(SMALL);
    let hour = REFRESH_MS;
    for (time, key) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        memory
            .first_seen(key, at(i64::try_from(time).unwrap()))
            .unwrap();
        memory.end_run(true);
    }
    assert!(!memory.first_seen("a", at(hour)).unwrap());
    memory.end_run(true);
    memory.first_seen("f", at(hour + 1)).unwrap();
    memory.end_run(true);
    assert_eq!((memory.len(), memory.forgotten()), (5, 1));
    for (key, first) in [("a", false), ("b", true)] {
        assert_eq!(
            memory.first_seen(key, at(hour + 2)).unwrap(),
            first,
            "{key}"
        );
        memory.end_run(false);
    }
    // A run that fails forgets nobody.
    for key in ["x", "y", "z"] {
        memory.first_seen(key, at(hour + 3)).unwrap();
    }
    memory.end_run(false);
    assert_eq!((memory.len(), memory.forgotten()), (5, 1));
}

#[test]
fn every_bound_is_kept() {
    let limits = MemoryLimits {
        keys: 1000,
        bytes: 20_000,
    };
    let mut memory = memory(limits);
    let now = at(0);
    let long = "k".repeat(MAX_KEY + 1);
    assert_eq!(memory.first_seen(&long, now), Err(MemoryError::Key));
    let large = "1".repeat(MAX_VALUE + 1);
    assert_eq!(
        memory.set("k", Some(&large), None, now),
        Err(MemoryError::Value)
    );
    for window in 1..=MAX_WINDOWS as u64 {
        memory.count("k", ms(window), now).unwrap();
        memory.throttle("k", ms(window), now).unwrap();
    }
    assert_eq!(memory.count("k", ms(99), now), Err(MemoryError::Windows));
    assert_eq!(memory.throttle("k", ms(99), now), Err(MemoryError::Windows));
    memory.end_run(false);
    assert!(memory.is_empty() && memory.bytes == 0 && memory.order.is_empty());
    let refused = (0..2000).find_map(|n| memory.first_seen(&n.to_string(), now).err());
    assert_eq!(refused, Some(MemoryError::Changes));
    assert_eq!(memory.forget("1"), Err(MemoryError::Changes));
    memory.end_run(false);
    for n in 0..20 {
        let value = "1".repeat(MAX_VALUE);
        memory
            .set(&n.to_string(), Some(&value), None, at(n))
            .unwrap();
        memory.end_run(true);
        assert!(memory.bytes <= limits.bytes);
    }
    assert_eq!(memory.get("19", at(20)).map(str::len), Some(MAX_VALUE));
    assert_eq!(memory.get("1", at(20)), None);
    assert_eq!(memory.order.len(), memory.len());
}

#[test]
fn memories_are_shared_by_scope_inherited_and_reset() {
    let mut old = Memories::default();
    let first = old.of_script("s", "c");
    let same = old.of_script("s", "c");
    let other = old.of_script("s", "d");
    first.lock().first_seen("k", at(0)).unwrap();
    first.lock().end_run(true);
    assert_eq!(same.lock().len(), 1);
    assert!(other.lock().is_empty());
    old.of_script("t", "c")
        .lock()
        .first_seen("k", at(0))
        .unwrap();

    let mut new = Memories::default();
    let kept = new.of_script("s", "c");
    new.of_script("u", "c");
    new.inherit(&old);
    assert!(!kept.lock().first_seen("k", at(1)).unwrap());
    assert_eq!(new.take_changes().len(), 1, "not committed before the swap");

    assert_eq!((new.reset("s"), new.reset("u")), (1, 0));
    let scope = "script/s/c".into();
    assert_eq!(new.take_changes()[0], StateChange::Clear { scope });
    assert!(kept.lock().first_seen("k", at(2)).unwrap());
}
