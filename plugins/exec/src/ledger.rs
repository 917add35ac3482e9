//! What a program has been given and what it answered, over cancelled deliveries and new batches: pure.

use crate::answer::Answer;
use std::collections::VecDeque;
use unifi_herald_plugin::{BufferedEvent, Text};

/// The books of one sink.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Given and not answered, in the order of giving.
    open: VecDeque<Entry>,
    /// Answered, and the host does not know yet.
    answered: VecDeque<(Entry, Answer)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    seq: u64,
    id: Text,
}

/// Beyond this the oldest answers are forgotten, and what they spoke of may come twice.
const MOST_ANSWERED: usize = 10_000;

impl Entry {
    fn is(&self, event: &BufferedEvent) -> bool {
        self.seq == event.seq && self.id == event.id
    }
}

impl Ledger {
    /// Whether the program has, or had, this event.
    pub(crate) fn knows(&self, event: &BufferedEvent) -> bool {
        self.open.iter().any(|entry| entry.is(event))
            || self.answered.iter().any(|(entry, _)| entry.is(event))
    }

    /// The program is given this event.
    pub(crate) fn give(&mut self, event: &BufferedEvent) {
        self.open.push_back(Entry {
            seq: event.seq,
            id: event.id.clone(),
        });
    }

    /// An answer for everything open up to `id`; false when that is not open.
    pub(crate) fn answer(&mut self, id: &str, answer: &Answer) -> bool {
        let Some(last) = self.open.iter().position(|entry| *entry.id == *id) else {
            return false;
        };
        for entry in self.open.drain(..=last) {
            self.answered.push_back((entry, answer.clone()));
        }
        self.shorten();
        true
    }

    /// The oldest `count` open ones are acknowledged.
    pub(crate) fn acknowledge(&mut self, count: usize) {
        let count = count.min(self.open.len());
        for entry in self.open.drain(..count) {
            self.answered.push_back((entry, Answer::Ack));
        }
        self.shorten();
    }

    /// Whether something is open.
    pub(crate) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether something of `batch` is open.
    pub(crate) fn awaits(&self, batch: &[BufferedEvent]) -> bool {
        self.open
            .iter()
            .any(|entry| batch.iter().any(|event| entry.is(event)))
    }

    /// The program is gone: what it did not answer it never had.
    pub(crate) fn forget_open(&mut self) {
        self.open.clear();
    }

    /// Tell the host about `batch`: how many of it from the front are acknowledged, and the answer to the next one. What
    /// is told is forgotten, and so is whatever has to be tried again in any case.
    pub(crate) fn report(&mut self, batch: &[BufferedEvent]) -> (usize, Option<Answer>) {
        let mut accepted = 0;
        let mut other = None;
        for event in batch {
            let found = self.answered.iter().position(|(entry, _)| entry.is(event));
            match found.and_then(|at| self.answered.remove(at)) {
                Some((_, Answer::Ack)) => accepted += 1,
                Some((_, answer)) => {
                    other = Some(answer);
                    break;
                }
                None => break,
            }
        }
        self.answered.retain(|(_, answer)| *answer == Answer::Ack);
        (accepted, other)
    }

    fn shorten(&mut self) {
        let excess = self.answered.len().saturating_sub(MOST_ANSWERED);
        drop(self.answered.drain(..excess));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::batch;

    fn given(count: usize) -> (Ledger, Vec<BufferedEvent>) {
        let (mut ledger, events) = (Ledger::default(), batch(count));
        for event in &events {
            assert!(!ledger.knows(event));
            ledger.give(event);
            assert!(ledger.knows(event));
        }
        (ledger, events)
    }

    fn reject() -> Answer {
        Answer::Reject { reason: None }
    }

    #[test]
    fn an_answer_covers_everything_up_to_its_id() {
        let (mut ledger, events) = given(4);
        assert!(ledger.answer("test-3", &Answer::Ack));
        assert!(ledger.awaits(&events) && !ledger.awaits(&events[..3]));
        assert!(!ledger.answer("test-2", &reject()), "it has its answer");
        assert!(
            !ledger.answer("test-9", &Answer::Ack),
            "nobody gave it that"
        );
        assert!(ledger.answer("test-4", &reject()));
        assert_eq!(ledger.report(&events), (3, Some(reject())));
        assert!(!events.iter().any(|event| ledger.knows(event)));
    }

    #[test]
    fn what_was_acknowledged_behind_a_failure_is_not_given_again() {
        let (mut ledger, events) = given(3);
        ledger.answer("test-1", &reject());
        ledger.answer("test-3", &Answer::Ack);
        assert_eq!(ledger.report(&events), (0, Some(reject())));
        assert!(!ledger.knows(&events[0]));
        assert!(ledger.knows(&events[1]));
        assert_eq!(ledger.report(&events[1..]), (2, None));
    }

    #[test]
    fn a_program_that_is_gone_keeps_nothing_but_what_it_acknowledged() {
        let (mut ledger, events) = given(3);
        ledger.answer("test-1", &Answer::Ack);
        ledger.forget_open();
        assert!(!ledger.is_open());
        assert_eq!(ledger.report(&events), (1, None));
        assert!(!ledger.knows(&events[1]));
    }

    #[test]
    fn answers_nobody_asks_for_do_not_pile_up() {
        let mut ledger = Ledger::default();
        for event in batch(MOST_ANSWERED + 5) {
            ledger.give(&event);
            ledger.acknowledge(1);
        }
        assert_eq!(ledger.answered.len(), MOST_ANSWERED);
    }
}
