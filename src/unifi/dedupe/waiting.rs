//! The events under one key that wait for a twin, in the order of their time.

use std::cmp::Ordering;
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// When an event happened, and its number.
type Waiter = (Timestamp, u64);

/// Never empty, and mostly one.
#[derive(Debug)]
pub(super) enum Waiting {
    One(Waiter),
    Several(Vec<Waiter>),
}

impl Waiting {
    pub(super) fn add(&mut self, waiter: Waiter) {
        match self {
            Self::One(first) => {
                let mut both = vec![*first, waiter];
                both.sort_unstable();
                *self = Self::Several(both);
            }
            Self::Several(waiters) => {
                // Events come nearly in order, so that it is near the end.
                let at = waiters.partition_point(|other| *other < waiter);
                waiters.insert(at, waiter);
            }
        }
    }

    /// Take one out; whether none is left.
    pub(super) fn remove(&mut self, waiter: Waiter) -> bool {
        match self {
            Self::One(only) => *only == waiter,
            Self::Several(waiters) => {
                if let Ok(at) = waiters.binary_search(&waiter) {
                    waiters.remove(at);
                }
                waiters.is_empty()
            }
        }
    }

    /// How far from `time` they are, and their numbers; the nearest first, and of those equally near the earlier.
    pub(super) fn nearest(&self, time: Timestamp) -> impl Iterator<Item = (Duration, u64)> {
        let waiters = match self {
            Self::One(only) => std::slice::from_ref(only),
            Self::Several(waiters) => waiters,
        };
        let (before, behind) = waiters.split_at(waiters.partition_point(|(at, _)| *at < time));
        let apart = move |(at, number): &Waiter| (time.distance(*at), *number);
        let mut before = before.iter().rev().map(apart).peekable();
        let mut behind = behind.iter().map(apart).peekable();
        std::iter::from_fn(move || match (before.peek(), behind.peek()) {
            (Some((earlier, _)), Some((later, _))) if earlier.cmp(later) == Ordering::Greater => {
                behind.next()
            }
            (Some(_), _) => before.next(),
            (None, _) => behind.next(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn the_nearest_come_first_however_they_came_in() {
        let mut waiting = Waiting::One((at(50), 1));
        for (number, ms) in [(2, 90), (3, 10), (4, 50), (5, 70)] {
            waiting.add((at(ms), number));
        }
        let numbers = |waiting: &Waiting, ms| -> Vec<u64> {
            waiting.nearest(at(ms)).map(|(_, number)| number).collect()
        };
        assert_eq!(numbers(&waiting, 60), [4, 1, 5, 2, 3]);
        assert_eq!(numbers(&waiting, 50), [1, 4, 5, 3, 2]);
        assert_eq!(numbers(&waiting, 0), [3, 1, 4, 5, 2]);
        assert!(!waiting.remove((at(50), 1)));
        assert!(!waiting.remove((at(50), 7)), "it is not there");
        assert_eq!(numbers(&waiting, 100), [2, 5, 4, 3]);
    }

    #[test]
    fn it_says_when_the_last_is_gone() {
        let mut waiting = Waiting::One((at(1), 1));
        waiting.add((at(2), 2));
        assert!(!waiting.remove((at(2), 2)));
        assert!(waiting.remove((at(1), 1)));
        assert!(Waiting::One((at(1), 1)).remove((at(1), 1)));
    }
}
