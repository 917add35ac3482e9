//! The store without a disk: bounded queues, forgotten when the process ends.

mod letters;

use super::queue::Queue;
use super::{Commit, KeptLetter, LetterFilter, Rejected, Settled, SinkBooks, Store, StoreError};
use crate::buffer::share_of_bytes;
use crate::clock::Clock;
use crate::config::BufferPlan;
use async_trait::async_trait;
use letters::DeadLetters;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use unifi_herald_plugin::{BufferedEvent, Text};

/// How long a commit may wait for full lanes that are moving.
const MAX_HOLD: Duration = Duration::from_secs(1);

/// Pending events in memory. A full lane that is moving holds the router for at most a second; one that is not
/// loses its oldest, counted as lost.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Clock,
    lanes: Vec<Lane>,
    next_seq: AtomicU64,
    /// Position of the dead letter given up last.
    letters: AtomicI64,
}

#[derive(Debug)]
struct Lane {
    name: Text,
    state: Mutex<State>,
    filled: Notify,
    settled: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    dead: DeadLetters,
}

impl MemoryStore {
    /// Empty queues for these sinks, which share the bytes of `buffer` with the ring.
    #[must_use]
    pub fn new(sinks: &[Text], buffer: &BufferPlan, clock: Clock) -> Self {
        let bytes = share_of_bytes(buffer, sinks.len() + 1);
        let lane = |name: &Text| Lane {
            name: name.clone(),
            state: Mutex::new(State {
                queue: Queue::new(buffer.capacity, bytes),
                dead: DeadLetters::default(),
            }),
            filled: Notify::new(),
            settled: Notify::new(),
        };
        Self {
            clock,
            lanes: sinks.iter().map(lane).collect(),
            next_seq: AtomicU64::new(1),
            letters: AtomicI64::new(0),
        }
    }

    fn lanes_of<'a>(&'a self, filter: &'a LetterFilter) -> impl Iterator<Item = &'a Lane> {
        let wanted = |lane: &&Lane| filter.sink.as_ref().is_none_or(|name| *name == lane.name);
        self.lanes.iter().filter(wanted)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, commit: Commit) -> Result<(), Rejected> {
        let Commit {
            events,
            shares,
            dead,
            duplicates,
            lost,
            ..
        } = commit;
        let deadline = self.clock.now() + MAX_HOLD;
        for share in &shares {
            self.lanes[share.sink]
                .wait_for_room(&share.events, &self.clock, deadline)
                .await;
        }
        if let Some(last) = events.last() {
            self.next_seq.fetch_max(last.seq + 1, Ordering::Relaxed);
        }
        let mut shares = shares.into_iter().peekable();
        for (sink, lane) in self.lanes.iter().enumerate() {
            let share = shares
                .next_if(|share| share.sink == sink)
                .map(|share| share.events)
                .unwrap_or_default();
            let given = share.len() as u64;
            let mut state = lane.lock();
            let letters = dead.iter().filter(|letter| letter.sink == sink).cloned();
            let buried = state.dead.add(letters, &self.letters);
            state
                .queue
                .books
                .enter_batch(events.len() as u64, duplicates, lost, given, buried);
            let pushed_out = state.queue.append(share);
            drop(state);
            if given > 0 {
                lane.filled.notify_one();
            }
            if pushed_out > 0 {
                tracing::warn!(sink = %lane.name, lost = pushed_out, "lane is full and not moving, its oldest events are lost");
            }
        }
        Ok(())
    }

    async fn claim(&self, sink: usize, max: usize) -> Vec<BufferedEvent> {
        let lane = &self.lanes[sink];
        loop {
            let filled = lane.filled.notified();
            let claimed = lane.lock().queue.claim(max);
            if !claimed.is_empty() {
                return claimed;
            }
            filled.await;
        }
    }

    async fn settle(&self, sink: usize, settled: Vec<Settled>) -> Result<(), StoreError> {
        let lane = &self.lanes[sink];
        let mut state = lane.lock();
        state.queue.settle(&settled, self.clock.now());
        let letters = settled.into_iter().filter_map(|settled| match settled {
            Settled::Dead(letter) => Some(*letter),
            Settled::Delivered { .. } | Settled::Expired { .. } => None,
        });
        state.dead.add(letters, &self.letters);
        drop(state);
        lane.settled.notify_waiters();
        Ok(())
    }

    fn books(&self) -> Vec<SinkBooks> {
        let books = |lane: &Lane| SinkBooks {
            name: lane.name.clone(),
            books: lane.lock().queue.books,
        };
        self.lanes.iter().map(books).collect()
    }

    fn next_seq(&self) -> u64 {
        self.next_seq.load(Ordering::Relaxed)
    }

    fn dead_letters(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<KeptLetter>, StoreError> {
        let mut found: Vec<_> = self
            .lanes_of(filter)
            .flat_map(|lane| lane.lock().dead.matching(filter, after, &lane.name))
            .collect();
        found.sort_by_key(|letter| letter.position);
        found.truncate(limit);
        Ok(found)
    }

    async fn retry_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let mut total = 0;
        for lane in self.lanes_of(filter) {
            let mut state = lane.lock();
            let State { queue, dead } = &mut *state;
            let count = dead.take(filter, |event| queue.put_back(event));
            drop(state);
            if count > 0 {
                lane.filled.notify_one();
            }
            total += count;
        }
        Ok(total)
    }

    async fn drop_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let dropped = self
            .lanes_of(filter)
            .map(|lane| lane.lock().dead.take(filter, |_event| true));
        Ok(dropped.sum())
    }
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait while the lane is full and moving, until `deadline` at the latest.
    async fn wait_for_room(&self, events: &[BufferedEvent], clock: &Clock, deadline: Instant) {
        loop {
            let settled = self.settled.notified();
            let now = clock.now();
            {
                let state = self.lock();
                if state.queue.has_room_for(events)
                    || !state.queue.is_moving(now)
                    || now >= deadline
                {
                    return;
                }
            }
            tokio::select! {
                () = settled => {}
                () = tokio::time::sleep_until(deadline.into()) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;
