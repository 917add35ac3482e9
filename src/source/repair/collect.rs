//! The events of one slice, oldest first, in bounded memory: when there are too many, the newest have to wait.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Kind, Timestamp};

/// Most bytes held, by [`Event::weight`].
const MAX_BYTES: usize = 16 << 20;

/// Gathers what pages bring, newest first.
#[derive(Debug, Default)]
pub(super) struct Collector {
    /// Of one moment, what was brought later is older.
    events: BTreeMap<(Timestamp, Reverse<usize>), Arc<Event>>,
    brought: usize,
    bytes: usize,
    cut: Option<Timestamp>,
    /// Of which kinds the first history told something, held or not.
    kinds: HashSet<Kind>,
}

impl Collector {
    /// Most events held.
    pub(super) const MAX_EVENTS: usize = 5_000;

    /// Take in an event.
    pub(super) fn add(&mut self, event: Arc<Event>) {
        if self.cut.is_some_and(|cut| event.time >= cut) {
            return;
        }
        self.bytes += event.weight();
        self.events
            .insert((event.time, Reverse(self.brought)), event);
        self.brought += 1;
        while self.events.len() > Self::MAX_EVENTS
            || (self.bytes > MAX_BYTES && self.events.len() > 1)
        {
            let Some((_, newest)) = self.events.pop_last() else {
                break;
            };
            self.bytes -= newest.weight();
            self.cut = Some(newest.time);
        }
    }

    /// From this time on not all was brought: leave it out.
    pub(super) fn leave_out_from(&mut self, time: Timestamp) {
        self.cut = Some(self.cut.map_or(time, |cut| cut.min(time)));
        // Of this moment, what was brought last is the first.
        let left_out = self.events.split_off(&(time, Reverse(usize::MAX)));
        let weights = left_out.values().map(|event| event.weight());
        self.bytes -= weights.sum::<usize>();
    }

    /// In how many parts so many are held.
    pub(super) fn parts(total: u64) -> u32 {
        u32::try_from(total.div_ceil(Self::MAX_EVENTS as u64)).unwrap_or(u32::MAX)
    }

    /// Take in what the system log, which is asked first, tells.
    pub(super) fn add_first(&mut self, event: Arc<Event>) {
        self.kinds.insert(event.kind);
        self.add(event);
    }

    /// Take in what `stat/event` tells beside the system log: only the kinds that it does not know or was told not to keep.
    pub(super) fn add_second(&mut self, event: Arc<Event>) {
        if !self.kinds.contains(&event.kind) {
            self.add(event);
        }
    }

    /// The events in the order of their time; and from which time on some are left out.
    pub(super) fn finish(self) -> (Vec<Arc<Event>>, Option<Timestamp>) {
        (self.events.into_values().collect(), self.cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: usize, time: i64) -> Arc<Event> {
        let time = Timestamp::from_millis(time);
        Arc::new(Event::new(Kind::WAN_UP, id.to_string(), time))
    }

    #[test]
    fn pages_that_bring_the_newest_first_come_out_oldest_first() {
        let mut collector = Collector::default();
        for (id, time) in [(5, 9), (4, 7), (3, 7), (2, 7), (1, 2)] {
            collector.add(event(id, time));
        }
        let (events, cut) = collector.finish();
        let ids: Vec<_> = events.iter().map(|event| &*event.id).collect();
        assert_eq!((ids, cut), (vec!["1", "2", "3", "4", "5"], None));
    }

    #[test]
    fn of_too_many_the_oldest_are_held() {
        let mut collector = Collector::default();
        let many = Collector::MAX_EVENTS + 700;
        for id in (0..many).rev() {
            collector.add(event(id, i64::try_from(id).unwrap()));
        }
        let (events, cut) = collector.finish();
        assert_eq!(events.len(), Collector::MAX_EVENTS);
        assert_eq!(&*events[0].id, "0");
        assert_eq!(cut, Some(Timestamp::from_millis(5000)));
        let parts = [0, 1, Collector::MAX_EVENTS, many].map(|total| Collector::parts(total as u64));
        assert_eq!(parts, [0, 1, 1, 2]);
    }

    #[test]
    fn the_second_history_adds_the_kinds_that_the_first_does_not_tell_of() {
        let mut collector = Collector::default();
        let of_kind = |kind, time| {
            let time = Timestamp::from_millis(time);
            Arc::new(Event::new(kind, format!("{kind:?} {time}"), time))
        };
        for time in [10, 9] {
            collector.add_first(of_kind(Kind::WAN_UP, time));
        }
        for time in [10, 9, 8] {
            collector.add_second(of_kind(Kind::WAN_UP, time));
            collector.add_second(of_kind(Kind::CLIENT_CONNECTED, time));
        }
        let (events, _) = collector.finish();
        let of = |kind| events.iter().filter(|event| event.kind == kind).count();
        assert_eq!((of(Kind::WAN_UP), of(Kind::CLIENT_CONNECTED)), (2, 3));
    }

    #[test]
    fn what_was_not_read_as_a_whole_is_left_out() {
        let mut collector = Collector::default();
        for (id, time) in [(5, 9), (4, 7), (3, 7), (2, 6), (1, 2)] {
            collector.add(event(id, time));
        }
        collector.leave_out_from(Timestamp::from_millis(7));
        collector.leave_out_from(Timestamp::from_millis(8));
        collector.add(event(6, 7));
        collector.add(event(0, 1));
        assert_eq!(collector.bytes, event(0, 1).weight() * 3);
        let (events, cut) = collector.finish();
        let ids: Vec<_> = events.iter().map(|event| &*event.id).collect();
        assert_eq!(ids, ["0", "1", "2"]);
        assert_eq!(cut, Some(Timestamp::from_millis(7)));
    }

    #[test]
    fn bytes_are_a_bound_too() {
        let mut collector = Collector::default();
        for id in 0..40 {
            let mut large = Event::clone(&event(id, i64::try_from(id).unwrap()));
            large.summary = "x".repeat(1 << 20).into();
            collector.add(Arc::new(large));
        }
        let (events, cut) = collector.finish();
        assert!((14..=16).contains(&events.len()));
        let first_left_out = i64::try_from(events.len()).unwrap();
        assert_eq!(cut, Some(Timestamp::from_millis(first_left_out)));
    }
}
