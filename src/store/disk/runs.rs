//! A sorted set of sequence numbers as stretches: what a batch gives a sink, in a few bytes.

/// Sequence numbers, rising, kept as stretches of consecutive ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs(Vec<Run>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: u64,
    last: u64,
}

impl Runs {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers.
    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|run| run.last - run.first + 1).sum()
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.0.first().map(|run| run.first)
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.0.last().map(|run| run.last)
    }

    /// Every number, rising.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flat_map(|run| run.first..=run.last)
    }

    pub(super) fn contains(&self, seq: u64) -> bool {
        let after = self.0.partition_point(|run| run.first <= seq);
        after > 0 && self.0[after - 1].last >= seq
    }

    /// Add `seq`; cheap at the end. False when it was there.
    pub(super) fn insert(&mut self, seq: u64) -> bool {
        match self.0.last_mut() {
            Some(last) if last.last.checked_add(1) == Some(seq) => last.last = seq,
            Some(last) if last.last >= seq => return self.insert_within(seq),
            _ => self.0.push(Run {
                first: seq,
                last: seq,
            }),
        }
        true
    }

    fn insert_within(&mut self, seq: u64) -> bool {
        if self.contains(seq) {
            return false;
        }
        let after = self.0.partition_point(|run| run.first < seq);
        let joins_before = after > 0 && self.0[after - 1].last + 1 == seq;
        let joins_after = self.0.get(after).is_some_and(|run| run.first == seq + 1);
        match (joins_before, joins_after) {
            (true, true) => {
                self.0[after - 1].last = self.0[after].last;
                self.0.remove(after);
            }
            (true, false) => self.0[after - 1].last = seq,
            (false, true) => self.0[after].first = seq,
            (false, false) => self.0.insert(
                after,
                Run {
                    first: seq,
                    last: seq,
                },
            ),
        }
        true
    }

    /// Take `seq` out; cheap at the front. False when it was not there.
    pub(super) fn remove(&mut self, seq: u64) -> bool {
        let after = self.0.partition_point(|run| run.first <= seq);
        if after == 0 || self.0[after - 1].last < seq {
            return false;
        }
        let index = after - 1;
        let run = self.0[index];
        match (run.first == seq, run.last == seq) {
            (true, true) => {
                self.0.remove(index);
            }
            (true, false) => self.0[index].first += 1,
            (false, true) => self.0[index].last -= 1,
            (false, false) => {
                self.0[index].last = seq - 1;
                self.0.insert(
                    after,
                    Run {
                        first: seq + 1,
                        last: run.last,
                    },
                );
            }
        }
        true
    }

    /// The set as bytes: for each stretch the distance from the one before and its length, as LEB128.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * 4 + 8);
        let mut next = 0;
        for run in &self.0 {
            write_number(&mut out, run.first - next);
            write_number(&mut out, run.last - run.first);
            next = run.last.saturating_add(1);
        }
        out
    }

    /// The set that [`Runs::encode`] wrote; `None` when the bytes are not its work.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut runs = Vec::new();
        let mut next = 0_u64;
        while !bytes.is_empty() {
            let first = next.checked_add(read_number(&mut bytes)?)?;
            let last = first.checked_add(read_number(&mut bytes)?)?;
            runs.push(Run { first, last });
            next = last.checked_add(1)?;
        }
        Some(Self(runs))
    }
}

impl FromIterator<u64> for Runs {
    fn from_iter<I: IntoIterator<Item = u64>>(seqs: I) -> Self {
        let mut runs = Self::default();
        for seq in seqs {
            runs.insert(seq);
        }
        runs
    }
}

fn write_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_like_a_set_and_survives_encoding(steps in proptest::collection::vec((any::<bool>(), 1_u64..40), 0..200)) {
            let mut runs = Runs::default();
            let mut model = BTreeSet::new();
            for (add, seq) in steps {
                if add {
                    prop_assert_eq!(runs.insert(seq), model.insert(seq));
                } else {
                    prop_assert_eq!(runs.remove(seq), model.remove(&seq));
                }
                prop_assert_eq!(runs.contains(seq), model.contains(&seq));
            }
            prop_assert_eq!(runs.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(runs.len(), model.len() as u64);
            prop_assert_eq!(Runs::decode(&runs.encode()), Some(runs));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Runs::decode(&bytes);
        }
    }

    #[test]
    fn a_batch_takes_a_few_bytes() {
        assert!((1_000_000..1_000_512).collect::<Runs>().encode().len() <= 5);
    }
}
