//! The moments at which something was counted.

use std::collections::VecDeque;

/// Up to this many moments are kept whatever their age: events of the past may come after those of the present.
const SLACK: usize = 64;

/// Most moments; beyond it those within the same part of the window are put together, and leave it with the last of
/// them.
pub(super) const MAX_MOMENTS: usize = 512;

/// Parts of a window: what is put together leaves it late by less than this part of it.
const PARTS: u64 = 256;

/// When calls were made, and how many at each moment; in order, every count at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Series {
    moments: VecDeque<(i64, u64)>,
    total: u64,
}

impl Series {
    pub(super) fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.moments.len()
    }

    pub(super) fn newest(&self) -> Option<i64> {
        self.moments.back().map(|(time, _)| *time)
    }

    pub(super) fn moments(&self) -> impl Iterator<Item = (i64, u64)> {
        self.moments.iter().copied()
    }

    /// Append `calls` at `time`, which must be later than all others; false when it is not.
    pub(super) fn append(&mut self, time: i64, calls: u64) -> bool {
        let fits = self.newest().is_none_or(|newest| newest < time)
            && calls > 0
            && self.moments.len() < MAX_MOMENTS;
        let Some(total) = self.total.checked_add(calls) else {
            return false;
        };
        if fits {
            self.moments.push_back((time, calls));
            self.total = total;
        }
        fits
    }

    pub(super) fn insert(&mut self, time: i64) {
        self.total += 1;
        match self.moments.back_mut() {
            Some((newest, calls)) if *newest == time => *calls += 1,
            Some((newest, _)) if *newest > time => {
                match self.moments.binary_search_by_key(&time, |(time, _)| *time) {
                    Ok(at) => self.moments[at].1 += 1,
                    Err(at) => self.moments.insert(at, (time, 1)),
                }
            }
            _ => self.moments.push_back((time, 1)),
        }
    }

    /// Take one call at `time` back.
    pub(super) fn remove(&mut self, time: i64) {
        let found = self.moments.binary_search_by_key(&time, |(time, _)| *time);
        if let Ok(at) = found {
            self.total -= 1;
            self.moments[at].1 -= 1;
            if self.moments[at].1 == 0 {
                self.moments.remove(at);
            }
        }
    }

    /// How many calls there were after `now - window`, until `now`.
    pub(super) fn within(&self, window: u64, now: i64) -> u64 {
        let before = now.saturating_sub_unsigned(window);
        let early = self.moments.iter().take_while(|(time, _)| *time <= before);
        let late = self
            .moments
            .iter()
            .rev()
            .take_while(|(time, _)| *time > now);
        let outside: u64 = early.chain(late).map(|(_, calls)| calls).sum();
        self.total - outside
    }

    /// Drop what no window reaches, and keep the bound.
    pub(super) fn tidy(&mut self, window: u64) {
        if self.moments.len() <= SLACK {
            return;
        }
        let Some(newest) = self.newest() else { return };
        let before = newest.saturating_sub_unsigned(window);
        while let Some((time, calls)) = self.moments.front()
            && *time <= before
        {
            self.total -= calls;
            self.moments.pop_front();
        }
        if self.moments.len() > MAX_MOMENTS {
            self.coarsen(window);
        }
    }

    /// Put together what was called within the same small part of the window.
    fn coarsen(&mut self, window: u64) {
        let part = i64::try_from(window / PARTS).unwrap_or(i64::MAX).max(1);
        let room = VecDeque::with_capacity(MAX_MOMENTS);
        for (time, calls) in std::mem::replace(&mut self.moments, room) {
            match self.moments.back_mut() {
                Some((last, sum)) if last.div_euclid(part) == time.div_euclid(part) => {
                    (*last, *sum) = (time, *sum + calls);
                }
                _ => self.moments.push_back((time, calls)),
            }
        }
    }
}
