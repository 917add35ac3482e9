//! One sink's dead letters in memory: so many, the oldest forgotten first.

use crate::store::{DeadLetter, KeptLetter, LetterFilter};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use unifi_herald_plugin::Text;

/// Most dead letters kept per sink.
const MAX: usize = 1000;

/// Dead letters with their positions, oldest first.
#[derive(Debug, Default)]
pub(super) struct DeadLetters(VecDeque<(i64, DeadLetter)>);

impl DeadLetters {
    /// Keep `letters`, numbered on from `last`; returns how many there were.
    pub(super) fn add(
        &mut self,
        letters: impl Iterator<Item = DeadLetter>,
        last: &AtomicI64,
    ) -> u64 {
        let mut count = 0;
        for letter in letters {
            let position = last.fetch_add(1, Ordering::Relaxed) + 1;
            self.0.push_back((position, letter));
            count += 1;
        }
        let excess = self.0.len().saturating_sub(MAX);
        self.0.drain(..excess);
        count
    }

    /// Those behind the position `after` that `filter` describes, for the sink of this name.
    pub(super) fn matching(
        &self,
        filter: &LetterFilter,
        after: i64,
        sink: &Text,
    ) -> Vec<KeptLetter> {
        let behind = self.0.iter().filter(|(position, _)| *position > after);
        behind
            .filter(|(_, letter)| is_meant(filter, letter))
            .map(|(position, letter)| KeptLetter {
                sink: sink.clone(),
                event: letter.event.clone(),
                reason: letter.reason.clone(),
                attempts: letter.attempts,
                first: letter.first,
                last: letter.last,
                position: *position,
            })
            .collect()
    }

    /// Take out those that `filter` describes and `taker` takes; returns how many.
    pub(super) fn take(
        &mut self,
        filter: &LetterFilter,
        mut taker: impl FnMut(&DeadLetter) -> bool,
    ) -> u64 {
        let before = self.0.len();
        self.0
            .retain(|(_, letter)| !(is_meant(filter, letter) && taker(letter)));
        (before - self.0.len()) as u64
    }
}

fn is_meant(filter: &LetterFilter, letter: &DeadLetter) -> bool {
    filter.id.as_ref().is_none_or(|id| *id == letter.event.id)
}
