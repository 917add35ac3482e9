//! Compares what a controller made with what a file has, in whichever way it was told.

use super::tail::Tail;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::demo::{Entry, Ledger};

/// How far apart two reports of one thing may be.
const WINDOW: Duration = Duration::from_secs(2);

/// An event, and how often the file has it.
type Told = (Arc<Entry>, usize);

/// Which events of the ledger are not in the file.
///
/// Of like events within two seconds, some of them lost by the socket, nobody can tell whose twin the history tells: one may
/// stand there in both forms, in the place of another. How many there are must be right all the same.
///
/// # Panics
/// When one is there twice and in nobody's place.
pub fn missing_of(ledger: &Ledger, file: &Tail) -> Vec<Arc<Entry>> {
    let mut alike: BTreeMap<_, Vec<Told>> = BTreeMap::new();
    for entry in ledger.all() {
        let ways = BTreeSet::from([
            Some(entry.raw.as_str()),
            entry.legacy(),
            ledger.system_log(&entry),
        ]);
        let times = ways.iter().flatten().map(|raw| file.times(raw)).sum();
        let about = (entry.site.clone(), entry.key.clone(), subject(&entry.raw));
        alike.entry(about).or_default().push((entry, times));
    }
    let mut missing = Vec::new();
    for mut told in alike.into_values() {
        told.sort_by_key(|(entry, _)| entry.time);
        for run in told.chunk_by(|(one, _), (next, _)| one.time.distance(next.time) <= WINDOW) {
            missing.extend(missing_of_run(run));
        }
    }
    missing.sort_by_key(|entry| entry.number);
    missing
}

/// Of like events, each at most the window after the one before: those that stand there in no place.
fn missing_of_run(run: &[Told]) -> Vec<Arc<Entry>> {
    let is_missing = |(_, times): &&Told| *times == 0;
    let mut missing: Vec<_> = run.iter().filter(is_missing).map(|(one, _)| one).collect();
    for (entry, times) in run {
        for _ in 1..*times {
            let nearest =
                (0..missing.len()).min_by_key(|at| missing[*at].time.distance(entry.time));
            let Some(nearest) = nearest else {
                let told = run.iter().map(|(one, times)| (one.time.as_millis(), times));
                let told: Vec<_> = told.collect();
                panic!("{times} times: {}\namong {told:?}", entry.raw);
            };
            missing.remove(nearest);
        }
    }
    missing.into_iter().map(Arc::clone).collect()
}

/// Whom or what an item is about.
fn subject(raw: &str) -> Option<String> {
    let item: Value = serde_json::from_str(raw).unwrap_or_default();
    let fields = ["user", "guest", "client", "ap", "sw", "gw", "admin"];
    let parties = ["CLIENT", "DEVICE", "ADMIN"];
    let of_fields = fields.iter().map(|name| &item[*name]);
    let of_parties = parties.iter().map(|name| &item["parameters"][*name]["id"]);
    let mut named = of_fields.chain(of_parties).filter_map(Value::as_str);
    named.next().map(str::to_owned)
}
