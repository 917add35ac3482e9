//! How many events were committed in each stretch of the last hour, by severity.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use unifi_herald_plugin::{Severity, Timestamp};

/// Length of a stretch.
pub const SLOT: Duration = Duration::from_secs(10);

/// Stretches that are kept: an hour.
const SLOTS: usize = 360;

/// Levels of severity, `debug` to `critical`.
pub const LEVELS: usize = 6;

/// The last hour.
#[derive(Debug, Default)]
pub struct Rates(Mutex<VecDeque<Slot>>);

/// One stretch in which there were events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it began.
    pub start: Timestamp,
    /// Events by level of severity.
    pub counts: [u32; LEVELS],
}

impl Rates {
    /// Note events that were committed at `now`, counted by [`by_level`].
    pub fn note(&self, now: Timestamp, counts: &[u32; LEVELS]) {
        let length = i64::try_from(SLOT.as_millis()).unwrap_or(i64::MAX);
        let ms = now.as_millis();
        let start = Timestamp::from_millis(ms - ms.rem_euclid(length));
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back counts where it was before: the order holds.
        if slots.back().is_none_or(|slot| slot.start < start) {
            slots.push_back(Slot {
                start,
                counts: [0; LEVELS],
            });
            if slots.len() > SLOTS {
                slots.pop_front();
            }
        }
        if let Some(slot) = slots.back_mut() {
            for (sum, count) in slot.counts.iter_mut().zip(counts) {
                *sum = sum.saturating_add(*count);
            }
        }
    }

    /// The stretches of the last hour in which there were events, oldest first.
    #[must_use]
    pub fn since(&self, start: Timestamp) -> Vec<Slot> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = slots.iter().filter(|slot| slot.start >= start);
        recent.copied().collect()
    }
}

/// How many there are of each level.
#[must_use]
pub fn by_level(severities: impl Iterator<Item = Severity>) -> [u32; LEVELS] {
    let mut counts = [0; LEVELS];
    for severity in severities {
        counts[usize::from(severity.level()).min(LEVELS - 1)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_where_they_fall_and_the_oldest_stretch_goes() {
        let rates = Rates::default();
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let note = |seconds, severities: &[Severity]| {
            rates.note(at(seconds), &by_level(severities.iter().copied()));
        };
        note(5, &[Severity::Info, Severity::Critical]);
        note(9, &[Severity::Info]);
        note(31, &[Severity::Warning]);
        // Set back: still the newest stretch.
        note(3, &[Severity::Warning]);
        let slots = rates.since(at(0));
        assert_eq!(slots.len(), 2);
        assert_eq!(
            (slots[0].start, slots[0].counts),
            (at(0), [0, 2, 0, 0, 0, 1])
        );
        assert_eq!((slots[1].start, slots[1].counts[3]), (at(30), 2));
        assert_eq!(rates.since(at(10)).len(), 1);
        for slot in 4..400 {
            note(slot * 10, &[]);
        }
        assert_eq!(rates.since(at(0)).len(), SLOTS);
    }
}
