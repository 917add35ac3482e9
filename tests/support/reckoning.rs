//! Compares what a controller made with what a file has, in whichever way it was told.

use super::tail::Tail;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::demo::{Entry, Ledger};

/// Which events of the ledger are not in the file.
///
/// Of two like events within two seconds, one of them lost by the socket, nobody can tell whose twin the history tells: one
/// may stand there in both forms, in the place of the other.
///
/// # Panics
/// When one is there twice and in nobody's place.
pub fn missing_of(ledger: &Ledger, file: &Tail) -> Vec<Arc<Entry>> {
    let (mut doubled, mut missing) = (Vec::new(), Vec::new());
    for entry in ledger.all() {
        let ways = BTreeSet::from([
            Some(entry.raw.as_str()),
            entry.legacy(),
            ledger.system_log(&entry),
        ]);
        let times: usize = ways.iter().flatten().map(|raw| file.times(raw)).sum();
        match times {
            0 => missing.push(entry),
            1 => {}
            _ => doubled.push((times, entry)),
        }
    }
    for (times, entry) in doubled {
        let other = missing.iter().position(|other| {
            (&other.site, &other.key) == (&entry.site, &entry.key)
                && other.time.distance(entry.time) <= Duration::from_secs(2)
        });
        match other {
            Some(other) if times == 2 => drop(missing.swap_remove(other)),
            _ => panic!("{times} times: {}", entry.raw),
        }
    }
    missing
}
