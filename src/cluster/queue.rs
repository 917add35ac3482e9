//! What a sink's lane has before it: events of all partitions that this worker holds, as far as there is room.

use super::names::Partition;
use crate::store::{Books, DeadLetter, Settled};
use async_nats::jetstream::AckKind;
use async_nats::jetstream::message::Acker;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use unifi_herald_plugin::{BufferedEvent, Text, Timestamp};

/// How many settled events are remembered, in case the server has not heard of it and delivers them again.
const SETTLED: usize = 4096;

/// The events of one sink.
#[derive(Debug)]
pub(super) struct SinkQueue {
    pub(super) name: Text,
    inner: Mutex<Inner>,
    filled: Notify,
    /// A place for each event that is here or about to come.
    pub(super) room: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By stream sequence: those that no lane has claimed.
    ready: VecDeque<u64>,
    held: BTreeMap<u64, Held>,
    settled: VecDeque<u64>,
    /// When the stream was made that these are numbers of.
    stream: i64,
    /// Since this process began; pending is counted by the cluster.
    books: Books,
    /// What waits in the cluster, by the partitions that this worker holds.
    waiting: HashMap<Partition, u64>,
}

/// An event in this worker's hands.
pub(super) struct Held {
    pub(super) event: BufferedEvent,
    pub(super) partition: Partition,
    /// Which time the partition was taken.
    pub(super) tenure: u64,
    pub(super) acker: Arc<Acker>,
    /// What is known of it from before, if it was a dead letter.
    pub(super) retried: Option<Retried>,
    /// Free again when the event leaves.
    pub(super) _place: OwnedSemaphorePermit,
}

/// What is known of a dead letter that is pending again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retried {
    /// How often it was tried before.
    pub(super) attempts: u32,
    /// Since when it is pending.
    pub(super) at: Timestamp,
}

/// What a batch means to one sink.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Events that were routed or made.
    pub(super) events: u64,
    /// Came twice.
    pub(super) duplicates: u64,
    /// Were no events.
    pub(super) lost: u64,
    /// Events that the sink gets.
    pub(super) given: u64,
    /// Events that a step gave up, or that are too large for it.
    pub(super) dead: u64,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("seq", &self.event.seq)
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}

impl SinkQueue {
    pub(super) fn new(name: Text, room: usize) -> Self {
        Self {
            name,
            inner: Mutex::default(),
            filled: Notify::new(),
            room: Arc::new(Semaphore::new(room)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Put an event at the end. One that is here already was delivered again, and so is one that was settled: whose
    /// acknowledgement is to be said once more is given back.
    pub(super) fn push(&self, held: Held) -> Option<Arc<Acker>> {
        let mut inner = self.lock();
        let seq = held.event.seq;
        if inner.settled.contains(&seq) {
            return Some(held.acker);
        }
        if let Some(known) = inner.held.get_mut(&seq) {
            known.acker = held.acker;
            known.tenure = held.tenure;
            return None;
        }
        inner.held.insert(seq, held);
        inner.ready.push_back(seq);
        drop(inner);
        self.filled.notify_one();
        None
    }

    /// Events come from the stream that was made then: numbers of another mean other events.
    pub(super) fn read_from(&self, made: i64) {
        let mut inner = self.lock();
        if inner.stream != made {
            inner.stream = made;
            inner.settled.clear();
        }
    }

    /// The next events, at most `max`; waits for the first.
    pub(super) async fn claim(&self, max: usize) -> Vec<BufferedEvent> {
        loop {
            let filled = self.filled.notified();
            let claimed = self.claim_now(max);
            if !claimed.is_empty() {
                return claimed;
            }
            filled.await;
        }
    }

    fn claim_now(&self, max: usize) -> Vec<BufferedEvent> {
        let mut inner = self.lock();
        let count = max.min(inner.ready.len());
        let Inner { ready, held, .. } = &mut *inner;
        let claimed = ready.drain(..count).filter_map(|seq| held.get(&seq));
        claimed.map(|held| held.event.clone()).collect()
    }

    /// What a lane had claimed and not settled is to be claimed again, before the rest.
    pub(super) fn release(&self) {
        let mut inner = self.lock();
        let Inner { ready, held, .. } = &mut *inner;
        *ready = held.keys().copied().collect();
        drop(inner);
        self.filled.notify_one();
    }

    /// The partition of a claimed event, and how often it was tried before it became pending again, if it was a letter.
    pub(super) fn origin_of(&self, letter: &DeadLetter) -> Option<(Partition, Option<u32>)> {
        let inner = self.lock();
        let held = inner.held.get(&letter.event.seq)?;
        let tried = held.retried.map(|retried| retried.attempts);
        Some((held.partition.clone(), tried))
    }

    /// When an event became pending again, if it was a letter.
    pub(super) fn retried_at(&self, seq: u64) -> Option<Timestamp> {
        let retried = self.lock().held.get(&seq)?.retried?;
        Some(retried.at)
    }

    /// Enter what became of claimed events; who is to be told that it is done.
    pub(super) fn settle(&self, settled: &[Settled]) -> Vec<Arc<Acker>> {
        let mut inner = self.lock();
        let mut ackers = Vec::with_capacity(settled.len());
        for one in settled {
            let Some(held) = inner.held.remove(&one.seq()) else {
                continue;
            };
            inner.settled.push_back(one.seq());
            match one {
                Settled::Delivered { .. } => inner.books.delivered += 1,
                Settled::Expired { .. } | Settled::Merged { .. } => inner.books.filtered += 1,
                Settled::Dead(_) => inner.books.dead_lettered += 1,
            }
            if let Some(waiting) = inner.waiting.get_mut(&held.partition) {
                *waiting = waiting.saturating_sub(1);
            }
            ackers.push(held.acker);
        }
        let surplus = inner.settled.len().saturating_sub(SETTLED);
        inner.settled.drain(..surplus);
        ackers
    }

    /// Somebody else delivers what this tenure brought and no lane has claimed.
    pub(super) fn leave(&self, partition: &Partition, tenure: u64) {
        let mut inner = self.lock();
        let Inner {
            ready,
            held,
            waiting,
            ..
        } = &mut *inner;
        waiting.remove(partition);
        ready.retain(|seq| {
            let stays = held.get(seq).is_some_and(|held| held.tenure != tenure);
            if !stays {
                held.remove(seq);
            }
            stays
        });
    }

    /// A batch was routed.
    pub(super) fn enter(&self, entry: Entry) {
        let mut inner = self.lock();
        inner.books.duplicate += entry.duplicates;
        inner.books.lost += entry.lost;
        inner.books.dead_lettered += entry.dead;
        inner.books.filtered += entry.events.saturating_sub(entry.given + entry.dead);
    }

    /// What waited for the sink could not be read.
    pub(super) fn lose(&self) {
        self.lock().books.lost += 1;
    }

    /// So many events of a partition wait in the cluster.
    pub(super) fn waits(&self, partition: &Partition, count: u64) {
        self.lock().waiting.insert(partition.clone(), count);
    }

    /// The balance: what this process did since it began, and what waits in the cluster.
    pub(super) fn books(&self) -> Books {
        let inner = self.lock();
        let mut books = inner.books;
        books.pending = inner
            .waiting
            .values()
            .sum::<u64>()
            .max(inner.held.len() as u64);
        books.received = books.duplicate
            + books.filtered
            + books.delivered
            + books.dead_lettered
            + books.pending
            + books.lost;
        books
    }

    /// Tell the servers that what is here is being worked on.
    pub(super) async fn in_progress(&self) {
        let subjects: Vec<Arc<Acker>> = self
            .lock()
            .held
            .values()
            .map(|held| Arc::clone(&held.acker))
            .collect();
        for acker in subjects {
            if let Err(error) = acker.ack_with(AckKind::Progress).await {
                tracing::debug!(%error, "cluster did not hear that an event is in progress");
                return;
            }
        }
    }
}
