//! The store without a disk: bounded queues, forgotten when the process ends.

mod letters;
mod progress;

use super::losses::Losses;
use super::queue::Queue;
use super::room::Hold;
use super::{
    Commit, Hole, KeptLetter, LetterFilter, Rejected, Settled, Share, SinkBooks, Store, StoreError,
    Watermark,
};
use crate::buffer::{Loss, share_of_bytes};
use crate::clock::Clock;
use crate::config::BufferPlan;
use crate::own_event::Scope;
use async_trait::async_trait;
use letters::DeadLetters;
use progress::Progress;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use unifi_herald_plugin::{BufferedEvent, Text, Timestamp};

/// How long a commit may wait for full lanes that are moving.
const MAX_HOLD: Duration = Duration::from_secs(1);

/// Pending events in memory. A full lane that is moving holds the router for at most a second; one that is not
/// loses its oldest, counted as lost.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Clock,
    /// By number; they only ever become more.
    lanes: RwLock<Vec<Arc<Lane>>>,
    progress: Mutex<Progress>,
    losses: Mutex<Losses>,
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
    /// Whether the sink has left the configuration.
    gone: AtomicBool,
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
        let bytes = share(buffer, sinks.len());
        let lane = |name: &Text| Arc::new(Lane::new(name, Queue::new(buffer.capacity, bytes)));
        Self {
            clock,
            lanes: RwLock::new(sinks.iter().map(lane).collect()),
            progress: Mutex::default(),
            losses: Mutex::default(),
            next_seq: AtomicU64::new(1),
            letters: AtomicI64::new(0),
        }
    }

    fn lanes(&self) -> Vec<Arc<Lane>> {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        lanes.clone()
    }

    /// Whoever names a number got it from here.
    fn lane(&self, sink: usize) -> Arc<Lane> {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&lanes[sink])
    }

    fn lanes_of(&self, filter: &LetterFilter) -> impl Iterator<Item = Arc<Lane>> {
        let wanted = |lane: &Arc<Lane>| filter.sink.as_ref().is_none_or(|name| *name == lane.name);
        self.lanes().into_iter().filter(wanted)
    }

    /// Note that these are lost to a sink; whether that is news.
    fn note(&self, events: &[BufferedEvent]) -> bool {
        let mut losses = self.losses();
        let news = losses.is_empty();
        for event in events {
            losses.note(&Scope::of(event), event.time);
        }
        news
    }

    fn losses(&self) -> MutexGuard<'_, Losses> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
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
            watermarks,
            holes,
            told: _,
            verdicts: _,
            state: _,
        } = commit;
        self.progress().enter(watermarks, holes);
        let lanes = self.lanes();
        let begun = self.clock.now();
        let (hold, deadline) = (Hold::begin(begun), begun + MAX_HOLD);
        for Share { sink, events } in &shares {
            let lane = &lanes[*sink];
            lane.wait(&self.clock, |queue, waited, now| {
                hold.look(queue, events, waited, now)
            })
            .await;
            lane.wait(&self.clock, |queue, _, now| {
                let wait = !queue.has_place_for(events) && queue.is_moving(now) && now < deadline;
                wait.then_some(deadline)
            })
            .await;
        }
        if let Some(last) = events.last() {
            self.next_seq.fetch_max(last.seq + 1, Ordering::Relaxed);
        }
        let mut shares = shares.into_iter().peekable();
        for (sink, lane) in lanes.iter().enumerate() {
            if lane.is_gone() {
                continue;
            }
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
            if !pushed_out.is_empty() && self.note(&pushed_out) {
                tracing::warn!(sink = %lane.name, lost = pushed_out.len(), "lane is full and not moving, its oldest events are lost");
            }
        }
        Ok(())
    }

    async fn claim(&self, sink: usize, max: usize) -> Vec<BufferedEvent> {
        let lane = self.lane(sink);
        loop {
            let filled = lane.filled.notified();
            let claimed = lane.lock().queue.claim(max);
            if !claimed.is_empty() {
                return claimed;
            }
            filled.await;
        }
    }

    async fn settle(&self, sink: usize, mut settled: Vec<Settled>) -> Result<(), StoreError> {
        let lane = self.lane(sink);
        let mut state = lane.lock();
        state.queue.settle(&mut settled, self.clock.now());
        let letters = settled.into_iter().filter_map(|settled| match settled {
            Settled::Dead(letter) => Some(*letter),
            Settled::Delivered { .. } | Settled::Expired { .. } | Settled::Merged { .. } => None,
        });
        state.dead.add(letters, &self.letters);
        drop(state);
        lane.settled.notify_waiters();
        Ok(())
    }

    async fn release(&self, sink: usize) {
        let lane = self.lane(sink);
        lane.lock().queue.release();
        lane.filled.notify_one();
    }

    async fn set_sinks(
        &self,
        names: &[Text],
        buffer: &BufferPlan,
    ) -> Result<Vec<usize>, StoreError> {
        let bytes = share(buffer, names.len());
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if !lanes.iter().any(|lane| lane.name == *name) {
                lanes.push(Arc::new(Lane::new(
                    name,
                    Queue::new(buffer.capacity, bytes),
                )));
            }
        }
        for lane in &*lanes {
            lane.lock().queue.set_bounds(buffer.capacity, bytes);
            lane.gone
                .store(!names.contains(&lane.name), Ordering::Relaxed);
        }
        let number = |name: &Text| lanes.iter().position(|lane| lane.name == *name);
        Ok(names.iter().filter_map(number).collect())
    }

    fn watermarks(&self) -> Result<Vec<Watermark>, StoreError> {
        Ok(self.progress().watermarks())
    }

    fn holes(&self) -> Result<Vec<Hole>, StoreError> {
        Ok(self.progress().holes())
    }

    fn books(&self) -> Vec<SinkBooks> {
        let lanes = self.lanes();
        let configured = lanes.iter().filter(|lane| !lane.is_gone());
        configured.map(|lane| lane.books()).collect()
    }

    fn former_sinks(&self) -> Result<Vec<SinkBooks>, StoreError> {
        let lanes = self.lanes();
        let gone = lanes.iter().filter(|lane| lane.is_gone());
        let books = gone.map(|lane| lane.books());
        Ok(books.filter(|sink| sink.books.pending > 0).collect())
    }

    fn take_losses(&self, all: bool) -> Vec<Loss> {
        self.losses().take(self.clock.now(), all)
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
        let now = self.clock.wall();
        let mut total = 0;
        for lane in self.lanes_of(filter) {
            let mut state = lane.lock();
            let State { queue, dead } = &mut *state;
            let count = dead.take(filter, |letter| queue.put_back(letter, now));
            drop(state);
            if count > 0 {
                lane.filled.notify_one();
            }
            total += count;
        }
        Ok(total)
    }

    fn retried_at(&self, sink: usize, seq: u64) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.lane(sink).lock().queue.retried_at(seq))
    }

    async fn drop_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let dropped = self
            .lanes_of(filter)
            .map(|lane| lane.lock().dead.take(filter, |_letter| true));
        Ok(dropped.sum())
    }
}

/// What each of so many lanes may hold: besides them there is the ring.
fn share(buffer: &BufferPlan, sinks: usize) -> usize {
    share_of_bytes(buffer, sinks + 1)
}

impl Lane {
    fn new(name: &Text, queue: Queue) -> Self {
        Self {
            name: name.clone(),
            state: Mutex::new(State {
                queue,
                dead: DeadLetters::default(),
            }),
            filled: Notify::new(),
            settled: Notify::new(),
            gone: AtomicBool::new(false),
        }
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    fn books(&self) -> SinkBooks {
        SinkBooks {
            name: self.name.clone(),
            books: self.lock().queue.books,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait as long as `until` says, which is asked again when the lane has settled something, with whether it waited.
    async fn wait(
        &self,
        clock: &Clock,
        until: impl Fn(&mut Queue, bool, Instant) -> Option<Instant>,
    ) {
        let (mut now, mut waited) = (clock.now(), false);
        loop {
            let settled = self.settled.notified();
            let Some(until) = until(&mut self.lock().queue, waited, now) else {
                return;
            };
            waited = true;
            now = tokio::select! {
                () = settled => clock.now(),
                () = tokio::time::sleep_until(until.into()) => until,
            };
        }
    }
}

#[cfg(test)]
mod tests;
