//! What the chains decided about a batch: each sink's share, what scripts made, what was given up.

use super::shape::Shape;
use super::tally::ChainTally;
use super::verdict::{Deed, Recorder};
use crate::store::{DeadLetter, Share};
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Event, Text, Timestamp};

/// Collects the decisions about one batch; reused from batch to batch.
#[derive(Debug)]
pub struct Routing {
    next_seq: u64,
    /// The store's number of the sink at each position of the plan.
    numbers: Vec<usize>,
    /// What came in and what was made of it, in the order of `seq`.
    events: Vec<BufferedEvent>,
    shares: Vec<Vec<BufferedEvent>>,
    dead: Vec<Undelivered>,
    current: Current,
    /// Whether no sink gets what is routed.
    journal_only: bool,
    /// What the steps did, when somebody keeps it.
    pub(super) record: Recorder,
}

/// An event that a step gave up on, for one sink behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Undelivered {
    /// Position of the sink in the plan.
    pub sink: usize,
    /// The event.
    pub event: BufferedEvent,
    /// What the step said.
    pub reason: String,
}

/// The event being routed.
#[derive(Debug, Default)]
struct Current {
    /// Its place in `events`; what is made of it follows.
    first: usize,
    /// Where each share stood before it, to put its part of the share in order.
    marks: Vec<usize>,
}

impl Routing {
    /// Nothing decided yet, for this many sinks, whose numbers are their positions; `next_seq` is the first free number.
    #[must_use]
    pub fn new(sinks: usize, next_seq: u64) -> Self {
        Self::to((0..sinks).collect(), next_seq)
    }

    /// The same for sinks to which the store has given these numbers.
    #[must_use]
    pub fn to(numbers: Vec<usize>, next_seq: u64) -> Self {
        let sinks = numbers.len();
        Self {
            next_seq,
            numbers,
            events: Vec::new(),
            shares: vec![Vec::new(); sinks],
            dead: Vec::new(),
            current: Current {
                first: 0,
                marks: vec![0; sinks],
            },
            journal_only: false,
            record: Recorder::default(),
        }
    }

    /// Record from now on what chains of this shape do.
    pub fn record_verdicts(&mut self, shape: &Shape) {
        self.record.start(shape.key());
    }

    /// Count from now on what each chain does.
    pub fn count(&mut self, tallies: Vec<Arc<ChainTally>>) {
        self.record.count(tallies);
    }

    /// Record nothing from now on.
    pub fn stop_recording(&mut self) {
        self.record.stop();
    }

    /// Whether what the chains do is recorded.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.record.is_recording()
    }

    /// The records of the batch, one for each event; none when nothing is recorded.
    pub fn take_verdicts(&mut self) -> Vec<Vec<u8>> {
        self.record.take()
    }

    /// Whether what is routed from now on goes to the journal only, whatever the chains say.
    pub fn for_journal_only(&mut self, journal_only: bool) {
        self.journal_only = journal_only;
    }

    /// The first number that was not used yet.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// How many events were routed or made.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing was routed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What was decided, as the parts of a commit; the routing is then empty.
    pub fn take(&mut self, now: Timestamp) -> (Vec<BufferedEvent>, Vec<Share>, Vec<DeadLetter>) {
        let events = std::mem::take(&mut self.events);
        let shares = self.shares.iter_mut().zip(&self.numbers);
        let shares = shares.filter(|(events, _)| !events.is_empty());
        let mut shares: Vec<_> = shares
            .map(|(events, number)| Share {
                sink: *number,
                events: std::mem::take(events),
            })
            .collect();
        shares.sort_by_key(|share| share.sink);
        let numbers = &self.numbers;
        let dead = self.dead.drain(..).map(|undelivered| DeadLetter {
            sink: numbers[undelivered.sink],
            event: undelivered.event,
            reason: undelivered.reason,
            attempts: 0,
            first: now,
            last: now,
        });
        let dead = dead.collect();
        (events, shares, dead)
    }

    /// Whether no sink gets what is routed now.
    pub(super) fn is_for_journal_only(&self) -> bool {
        self.journal_only
    }

    /// Write `event` down, and give it to nobody.
    pub(super) fn journal(&mut self, event: &Arc<Event>) {
        self.begin(event);
        self.end();
    }

    /// Give `event` to `sink` and to no other, past every chain.
    pub fn give_alone(&mut self, sink: usize, event: &Arc<Event>) {
        self.begin(event);
        let event = self.numbered(event);
        self.shares[sink].push(event);
        self.end();
    }

    pub(super) fn begin(&mut self, event: &Arc<Event>) {
        self.current.first = self.events.len();
        for (mark, share) in self.current.marks.iter_mut().zip(&self.shares) {
            *mark = share.len();
        }
        self.number(event);
    }

    /// Give `event` to `sink`, unless the sink has one of that id already.
    pub(super) fn give(&mut self, sink: usize, event: &Arc<Event>) {
        if self.journal_only {
            self.record.step(Deed::Journaled, false);
            return;
        }
        if self.has(sink, &event.id) {
            self.record.step(Deed::Had, false);
            return;
        }
        let buffered = self.numbered(event);
        let first = self.events[self.current.first].seq;
        self.record
            .given(usize::try_from(buffered.seq - first).unwrap_or(usize::MAX));
        self.shares[sink].push(buffered);
    }

    /// Note that `event` does not reach `sink`, because a step before it failed.
    pub(super) fn bury(&mut self, sink: usize, event: &Arc<Event>, reason: &str) {
        if self.journal_only || self.has(sink, &event.id) {
            return;
        }
        let event = self.numbered(event);
        self.dead.push(Undelivered {
            sink,
            event,
            reason: reason.to_owned(),
        });
    }

    /// A chain may give a sink what an earlier one made before what an earlier one left alone: per sink, the order
    /// is the order of `seq`.
    pub(super) fn end(&mut self) {
        self.record.end(self.events.len());
        for (share, mark) in self.shares.iter_mut().zip(&self.current.marks) {
            let own = &mut share[*mark..];
            if own.len() > 1 {
                own.sort_by_key(|event| event.seq);
            }
        }
    }

    fn has(&self, sink: usize, id: &Text) -> bool {
        self.shares[sink][self.current.marks[sink]..]
            .iter()
            .any(|event| event.id == *id)
            || self
                .dead
                .iter()
                .any(|dead| dead.sink == sink && dead.event.id == *id)
    }

    /// `event` with its number: that of the event routed, or of the one made with this id, or a new one.
    fn numbered(&mut self, event: &Arc<Event>) -> BufferedEvent {
        let known = self.events[self.current.first..]
            .iter()
            .find(|known| known.id == event.id);
        let seq = known.map(|known| known.seq);
        BufferedEvent {
            seq: seq.unwrap_or_else(|| self.number(event)),
            event: Arc::clone(event),
        }
    }

    fn number(&mut self, event: &Arc<Event>) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.events.push(BufferedEvent {
            seq,
            event: Arc::clone(event),
        });
        seq
    }
}
