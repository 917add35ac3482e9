//! The part of a sink's pending events that is in memory, so that a healthy lane never reads the disk.

use super::outbox::Refill;
use super::runs::Runs;
use crate::store::room::{ENOUGH, Room, Trust};
use std::collections::VecDeque;
use unifi_herald_plugin::BufferedEvent;

/// The oldest unclaimed events of a sink, bounded, and what the lane has in its hands.
///
/// Everything up to `cursor` is in the window, claimed, or settled; what lies behind it is on the disk only.
#[derive(Debug)]
pub(super) struct Window {
    waiting: VecDeque<BufferedEvent>,
    bytes: usize,
    claimed: Runs,
    cursor: u64,
    complete: bool,
    asked: bool,
    trust: Trust,
    max_events: usize,
    max_bytes: usize,
}

impl Window {
    /// An empty window in front of a disk that may hold anything.
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            claimed: Runs::default(),
            cursor: 0,
            complete: false,
            asked: false,
            trust: Trust::default(),
            max_events: max_events.max(1),
            max_bytes,
        }
    }

    /// Hold no more than this from now on.
    pub(super) fn set_bounds(&mut self, max_events: usize, max_bytes: usize) {
        self.max_events = max_events.max(1);
        self.max_bytes = max_bytes;
    }

    /// Take in what was just committed, as long as the window reaches to the end and there is room.
    pub(super) fn append(&mut self, events: impl Iterator<Item = BufferedEvent>) {
        for event in events {
            if !self.complete {
                return;
            }
            let room = self.waiting.is_empty()
                || (self.waiting.len() < self.max_events
                    && self.bytes + event.weight() <= self.max_bytes);
            if room {
                self.push(event);
            } else {
                self.complete = false;
            }
        }
    }

    fn push(&mut self, event: BufferedEvent) {
        self.bytes += event.weight();
        self.cursor = event.seq;
        self.waiting.push_back(event);
    }

    /// Hand out the oldest, at most `max`.
    pub(super) fn claim(&mut self, max: usize) -> Vec<BufferedEvent> {
        let count = self.waiting.len().min(max);
        let claimed: Vec<_> = self.waiting.drain(..count).collect();
        for event in &claimed {
            self.bytes -= event.weight();
            self.claimed.insert(event.seq);
        }
        if self.complete && self.waiting.is_empty() {
            self.trust.caught_up();
        }
        claimed
    }

    /// Whether the disk should be read now; true once until [`Window::refill`].
    pub(super) fn ask(&mut self) -> bool {
        let ask = self.is_behind();
        self.asked |= ask;
        ask
    }

    /// Whether somebody waits for a refill.
    pub(super) fn is_asking(&self) -> bool {
        self.asked
    }

    /// Whether it is empty while the disk may have more, and nobody has asked yet.
    pub(super) fn is_behind(&self) -> bool {
        self.waiting.is_empty() && !self.complete && !self.asked
    }

    /// Where a refill begins, and the room for it.
    pub(super) fn wants(&self) -> (u64, usize, usize) {
        (
            self.cursor,
            self.max_events.saturating_sub(self.waiting.len()),
            self.max_bytes.saturating_sub(self.bytes).max(1),
        )
    }

    /// Take in what was read behind the cursor. Whether there is something to claim.
    pub(super) fn refill(&mut self, refill: Refill) -> bool {
        self.asked = false;
        self.complete = refill.complete;
        for event in refill.events {
            self.push(event);
        }
        !self.waiting.is_empty()
    }

    /// The disk has changed at another place than the end: read anew from its beginning.
    pub(super) fn reset(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
        self.cursor = 0;
        self.complete = false;
    }

    /// The lane is gone: what it had in its hands is to be claimed again.
    pub(super) fn release(&mut self) {
        self.claimed = Runs::default();
        self.asked = false;
        self.reset();
    }

    pub(super) fn settled(&mut self, seqs: impl Iterator<Item = u64>) {
        for seq in seqs {
            self.claimed.remove(seq);
        }
    }

    #[cfg(test)]
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn claimed(&self) -> &Runs {
        &self.claimed
    }

    /// Take an unclaimed event out because it is lost; false when the lane has it.
    pub(super) fn lose(&mut self, seq: u64) -> bool {
        if self.claimed.contains(seq) {
            return false;
        }
        if let Ok(index) = self.waiting.binary_search_by_key(&seq, |event| event.seq)
            && let Some(event) = self.waiting.remove(index)
        {
            self.bytes -= event.weight();
        }
        true
    }
}

impl Room for Window {
    fn trust(&mut self) -> Option<&mut Trust> {
        self.complete.then_some(&mut self.trust)
    }

    fn has_room_for(&self, events: &[BufferedEvent]) -> bool {
        let bytes = || events.iter().map(|event| event.weight()).sum::<usize>();
        self.waiting.is_empty()
            || (self.waiting.len() + events.len() <= self.max_events.min(ENOUGH)
                && self.bytes + bytes() <= self.max_bytes)
    }
}
