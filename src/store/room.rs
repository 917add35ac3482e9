//! Whether a batch waits for a lane: one that keeps up is given a moment, so that what waits for it stays little and in
//! memory. One that does not is soon waited for no more, until it has caught up.

use std::time::{Duration, Instant};
use unifi_herald_plugin::BufferedEvent;

/// How long a batch may wait for all its lanes together.
const PATIENCE: Duration = Duration::from_millis(50);

/// How many waits a lane may let pass in vain: a machine that has much else to do may stop a good one for a while.
const CREDIT: u8 = 10;

/// So many events are enough for a lane to have something to do until the next batch: more would only take up memory.
pub(super) const ENOUGH: usize = 1_024;

/// What waits for a lane.
pub(super) trait Room {
    /// How far the lane is trusted; nothing when waiting for it makes no sense.
    fn trust(&mut self) -> Option<&mut Trust>;

    /// Whether what waits is little, also together with `events`.
    fn has_room_for(&self, events: &[BufferedEvent]) -> bool;
}

/// How often a lane may still be waited for in vain. A new one is not waited for.
#[derive(Debug, Default)]
pub(super) struct Trust(u8);

impl Trust {
    /// The lane has nothing left to do.
    pub(super) fn caught_up(&mut self) {
        self.0 = CREDIT;
    }

    fn kept_waiting(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }

    fn made_room(&mut self) {
        self.0 = CREDIT.min(self.0 + 1);
    }
}

/// The wait of one batch.
#[derive(Debug)]
pub(super) struct Hold {
    until: Instant,
}

impl Hold {
    /// Begin to wait.
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            until: now + PATIENCE,
        }
    }

    /// Until when to wait for the lane of `room` at most; `None` when the batch, of which it gets `events`, need not wait
    /// for it, or not any more since it has `waited` already.
    pub(super) fn look(
        &self,
        room: &mut impl Room,
        events: &[BufferedEvent],
        waited: bool,
        now: Instant,
    ) -> Option<Instant> {
        let has_room = room.has_room_for(events);
        let trust = room.trust().filter(|trust| trust.0 > 0)?;
        if has_room {
            if waited {
                trust.made_room();
            }
            return None;
        }
        if now >= self.until {
            trust.kept_waiting();
            return None;
        }
        Some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::super::queue::Queue;
    use super::*;
    use crate::clock::Clock;
    use std::sync::Arc;
    use unifi_herald_plugin::{Event, Kind, Timestamp};

    const LATE: Duration = Duration::from_millis(50);

    fn events(seqs: std::ops::Range<u64>) -> Vec<BufferedEvent> {
        let time = Timestamp::from_millis(0);
        let event = |seq| BufferedEvent {
            seq,
            event: Arc::new(Event::new(Kind::CLIENT_CONNECTED, "id", time)),
        };
        seqs.map(event).collect()
    }

    /// What waits for a lane that has had everything there was, with room for four.
    fn kept_up() -> Queue {
        let mut queue = Queue::new(4, usize::MAX);
        queue.append(events(1..2));
        assert_eq!(queue.claim(9).len(), 1);
        queue
    }

    fn now() -> Instant {
        Clock::system().now()
    }

    /// How often in a row it is waited for in vain.
    fn waits_in_vain(queue: &mut Queue, now: Instant) -> u8 {
        let next = events(100..103);
        let hold = Hold::begin(now);
        let mut waits = 0;
        while hold.look(queue, &next, false, now).is_some() {
            assert_eq!(hold.look(queue, &next, true, now + LATE), None);
            waits += 1;
        }
        waits
    }

    #[test]
    fn a_lane_that_keeps_up_is_waited_for_until_it_makes_room() {
        let (mut queue, now) = (kept_up(), now());
        let hold = Hold::begin(now);
        let first = events(2..6);
        assert_eq!(hold.look(&mut queue, &first, false, now), None);
        queue.append(first);
        let next = events(6..9);
        let until = Some(now + LATE);
        assert_eq!(hold.look(&mut queue, &next, false, now), until);
        queue.claim(2);
        let last = now + LATE - Duration::from_nanos(1);
        assert_eq!(hold.look(&mut queue, &next, true, last), until);
        queue.claim(1);
        assert_eq!(hold.look(&mut queue, &next, true, last), None);
    }

    #[test]
    fn a_lane_that_makes_no_room_is_not_waited_for_before_it_has_caught_up() {
        let (mut queue, now) = (kept_up(), now());
        queue.append(events(2..6));
        assert_eq!(waits_in_vain(&mut queue, now), CREDIT);
        // Something to do still.
        queue.claim(2);
        queue.append(events(6..8));
        assert_eq!(waits_in_vain(&mut queue, now), 0);
        queue.claim(9);
        queue.append(events(8..12));
        assert_eq!(waits_in_vain(&mut queue, now), CREDIT);
    }

    #[test]
    fn a_lane_that_makes_room_after_all_may_be_late_as_often_again() {
        let (mut queue, now) = (kept_up(), now());
        let hold = Hold::begin(now);
        queue.append(events(2..6));
        for start in (6..306).step_by(3) {
            let next = events(start..start + 3);
            assert!(hold.look(&mut queue, &next, false, now).is_some());
            assert_eq!(hold.look(&mut queue, &next, true, now + LATE), None);
            queue.claim(3);
            assert_eq!(hold.look(&mut queue, &next, true, now), None);
            // A batch that found room at once says nothing about the lane.
            assert_eq!(hold.look(&mut queue, &next, false, now), None);
            queue.append(next);
        }
        assert_eq!(waits_in_vain(&mut queue, now), CREDIT);
    }

    #[test]
    fn a_lane_that_never_caught_up_is_not_waited_for() {
        let mut queue = Queue::new(4, usize::MAX);
        queue.append(events(1..5));
        assert_eq!(waits_in_vain(&mut queue, now()), 0);
    }

    #[test]
    fn a_large_batch_waits_until_nothing_else_waits() {
        let (mut queue, now) = (kept_up(), now());
        let hold = Hold::begin(now);
        queue.append(events(2..4));
        let next = events(4..20);
        assert!(hold.look(&mut queue, &next, false, now).is_some());
        queue.claim(2);
        assert_eq!(hold.look(&mut queue, &next, true, now), None);
    }

    #[test]
    fn enough_is_less_than_what_fits() {
        let mut queue = Queue::new(100_000, usize::MAX);
        queue.append(events(1..ENOUGH as u64));
        assert!(queue.has_room_for(&events(0..1)));
        assert!(!queue.has_room_for(&events(0..2)));
    }
}
