//! One sink's pending events in memory: bounded, in order, with claimed events beside the queue.

use super::room::{ENOUGH, Room, Trust};
use super::{Books, DeadLetter, Settled};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use unifi_herald_plugin::{BufferedEvent, Timestamp};

/// A lane that settled something this recently is moving; the router may wait for it.
const MOVING: Duration = Duration::from_secs(1);

/// Pending events of one sink. Claimed events leave the queue but stay pending until they are settled, so that
/// making room never takes an event out of the hands of the lane that is delivering it.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<BufferedEvent>,
    /// In the hands of the lane, in order.
    claimed: VecDeque<BufferedEvent>,
    /// Those that were dead letters, by number.
    retried: HashMap<u64, Retried>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
    last_settled: Option<Instant>,
    trust: Trust,
    pub(super) books: Books,
}

/// What is known of a dead letter that is pending again.
#[derive(Clone, Copy, Debug)]
struct Retried {
    /// How often it was tried before.
    attempts: u32,
    /// Since when it is pending.
    at: Timestamp,
}

impl Queue {
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            claimed: VecDeque::new(),
            retried: HashMap::new(),
            bytes: 0,
            max_events: max_events.max(1),
            max_bytes,
            last_settled: None,
            trust: Trust::default(),
            books: Books::default(),
        }
    }

    /// Whether `events` fit without loss. An empty queue takes any batch, to be cut down as it is appended.
    pub(super) fn has_place_for(&self, events: &[BufferedEvent]) -> bool {
        self.is_at_most(self.max_events, events)
    }

    /// Whether what waits is no more than so many events, also together with `events`, or nothing at all.
    fn is_at_most(&self, max_events: usize, events: &[BufferedEvent]) -> bool {
        let bytes = || events.iter().map(|event| event.weight()).sum::<usize>();
        self.waiting.is_empty()
            || (self.waiting.len() + events.len() <= max_events
                && self.bytes + bytes() <= self.max_bytes)
    }

    /// Whether the lane settled something lately, so that waiting for room makes sense.
    pub(super) fn is_moving(&self, now: Instant) -> bool {
        self.last_settled
            .is_some_and(|settled| now.saturating_duration_since(settled) < MOVING)
    }

    /// Append `events`, pushing out the oldest unclaimed where there is no room; returns those, which are lost.
    pub(super) fn append(&mut self, events: Vec<BufferedEvent>) -> Vec<BufferedEvent> {
        let mut lost = Vec::new();
        for event in events {
            self.bytes += event.weight();
            self.waiting.push_back(event);
            while self.waiting.len() > self.max_events
                || (self.bytes > self.max_bytes && self.waiting.len() > 1)
            {
                if let Some(oldest) = self.waiting.pop_front() {
                    self.bytes -= oldest.weight();
                    self.retried.remove(&oldest.seq);
                    lost.push(oldest);
                }
            }
        }
        self.books.lose(lost.len() as u64);
        lost
    }

    /// Make a dead letter's event pending again `now`, in its old place as far as that is still waiting; false when there is
    /// no room.
    pub(super) fn put_back(&mut self, letter: &DeadLetter, now: Timestamp) -> bool {
        let event = &letter.event;
        if !self.has_place_for(std::slice::from_ref(event)) {
            return false;
        }
        let place = self.waiting.partition_point(|other| other.seq < event.seq);
        self.waiting.insert(place, event.clone());
        let retried = Retried {
            attempts: letter.attempts,
            at: now,
        };
        self.retried.insert(event.seq, retried);
        self.bytes += event.weight();
        self.books.dead_lettered = self.books.dead_lettered.saturating_sub(1);
        self.books.pending += 1;
        true
    }

    /// When an event became pending again, if it was a dead letter.
    pub(super) fn retried_at(&self, seq: u64) -> Option<Timestamp> {
        self.retried.get(&seq).map(|retried| retried.at)
    }

    /// Hand out the oldest, at most `max`.
    pub(super) fn claim(&mut self, max: usize) -> Vec<BufferedEvent> {
        let count = self.waiting.len().min(max);
        let claimed: Vec<_> = self.waiting.drain(..count).collect();
        self.bytes -= claimed.iter().map(|event| event.weight()).sum::<usize>();
        self.claimed.extend(claimed.iter().cloned());
        if self.waiting.is_empty() {
            self.trust.caught_up();
        }
        claimed
    }

    /// The lane is gone: what it had in its hands is to be claimed again.
    pub(super) fn release(&mut self) {
        for event in self.claimed.drain(..).rev() {
            self.bytes += event.weight();
            self.waiting.push_front(event);
        }
    }

    /// Hold no more than this from now on; what is there stays.
    pub(super) fn set_bounds(&mut self, max_events: usize, max_bytes: usize) {
        self.max_events = max_events.max(1);
        self.max_bytes = max_bytes;
    }

    /// Enter in the books what became of claimed events, and in the letters of those that were given up again all tries.
    pub(super) fn settle(&mut self, settled: &mut [Settled], now: Instant) {
        for settled in settled {
            self.books.settle(settled);
            let before = self.retried.remove(&settled.seq());
            if let (Settled::Dead(letter), Some(before)) = (&mut *settled, before) {
                letter.attempts = letter.attempts.saturating_add(before.attempts);
            }
            let is = |event: &BufferedEvent| event.seq == settled.seq();
            if let Some(place) = self.claimed.iter().position(is) {
                self.claimed.remove(place);
            }
        }
        self.last_settled = Some(now);
    }
}

impl Room for Queue {
    fn trust(&mut self) -> Option<&mut Trust> {
        Some(&mut self.trust)
    }

    fn has_room_for(&self, events: &[BufferedEvent]) -> bool {
        self.is_at_most(self.max_events.min(ENOUGH), events)
    }
}
