//! The ids that a partition has seen lately: what a second collector brings late comes once.

use crate::store::StateChange;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashSet};

/// Ids in one value of the state.
const PER_CHUNK: usize = 256;

/// Values; the oldest is written over when all are full.
const CHUNKS: usize = 64;

/// Whose memory it is.
pub(super) const SCOPE: &str = "cluster/seen";

/// The last ids of a partition: about 16,000.
#[derive(Debug, Default)]
pub(super) struct Seen {
    chunks: Vec<Vec<u64>>,
    known: HashSet<u64>,
    /// The chunk that is being filled.
    current: usize,
    changed: BTreeSet<usize>,
}

impl Seen {
    /// Remember what was written down; the first number of each chunk says when it was begun.
    pub(super) fn load(values: impl Iterator<Item = (String, Vec<u8>)>) -> Self {
        let mut seen = Self::default();
        let mut latest = 0;
        for (key, value) in values {
            let Some(place) = key.parse().ok().filter(|place| *place < CHUNKS) else {
                continue;
            };
            let mut numbers = value.chunks_exact(8).map(|bytes| {
                let mut number = [0; 8];
                number.copy_from_slice(bytes);
                u64::from_le_bytes(number)
            });
            let begun = numbers.next().unwrap_or_default();
            if begun >= latest {
                latest = begun;
                seen.current = place;
            }
            if seen.chunks.len() <= place {
                seen.chunks.resize(place + 1, Vec::new());
            }
            seen.chunks[place] = std::iter::once(begun).chain(numbers).collect();
        }
        let ids = seen.chunks.iter().flat_map(|chunk| chunk.iter().skip(1));
        seen.known = ids.copied().collect();
        seen
    }

    /// Whether `id` is new; it is known from now on.
    pub(super) fn admit(&mut self, id: &str) -> bool {
        let number = number_of(id);
        if !self.known.insert(number) {
            return false;
        }
        if self.chunks.is_empty() {
            self.chunks.push(vec![1]);
        }
        if self.chunks[self.current].len() > PER_CHUNK {
            let begun = self.chunks[self.current][0] + 1;
            self.current = (self.current + 1) % CHUNKS;
            if self.chunks.len() <= self.current {
                self.chunks.resize(self.current + 1, Vec::new());
            }
            for forgotten in self.chunks[self.current].iter().skip(1) {
                self.known.remove(forgotten);
            }
            self.chunks[self.current] = vec![begun];
        }
        self.chunks[self.current].push(number);
        self.changed.insert(self.current);
        true
    }

    /// What has changed since the last call.
    pub(super) fn take_changes(&mut self) -> impl Iterator<Item = StateChange> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|place| StateChange::Set {
            scope: SCOPE.into(),
            key: place.to_string().into(),
            value: self.chunks[place]
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect(),
            expires: None,
        })
    }
}

fn number_of(id: &str) -> u64 {
    let hash = Sha256::digest(id);
    let mut number = [0; 8];
    number.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// What a store has after some changes.
    fn keep(kept: &mut BTreeMap<String, Vec<u8>>, seen: &mut Seen) {
        for change in seen.take_changes() {
            let StateChange::Set { key, value, .. } = change else {
                panic!("{change:?}");
            };
            kept.insert(key.to_string(), value);
        }
    }

    #[test]
    fn an_id_is_new_once_also_after_a_restart() {
        let (mut kept, mut seen) = (BTreeMap::new(), Seen::default());
        assert!(seen.admit("a") && seen.admit("b") && !seen.admit("a"));
        keep(&mut kept, &mut seen);
        assert_eq!(seen.take_changes().count(), 0);
        let mut again = Seen::load(kept.into_iter());
        assert!(!again.admit("b") && again.admit("c"));
    }

    #[test]
    fn the_oldest_are_forgotten_and_a_restart_goes_on_where_it_stopped() {
        let (mut kept, mut seen) = (BTreeMap::new(), Seen::default());
        let all = PER_CHUNK * CHUNKS;
        for number in 0..all + 300 {
            assert!(seen.admit(&number.to_string()));
            if number % 100 == 99 {
                keep(&mut kept, &mut seen);
                if number % 1000 == 999 {
                    seen = Seen::load(std::mem::take(&mut kept).into_iter());
                    for place in 0..seen.chunks.len() {
                        seen.changed.insert(place);
                    }
                    keep(&mut kept, &mut seen);
                }
            }
        }
        assert!(!seen.admit(&(all + 299).to_string()) && !seen.admit("600"));
        assert!(seen.admit("3"));
        assert!(seen.known.len() <= all && kept.len() <= CHUNKS);
    }
}
