//! The store on disk: SQLite in one file, one thread that writes, and a window in memory for each sink.

mod backlog;
mod backup;
mod change;
mod close;
mod commit;
mod degrade;
mod error;
mod forget;
mod held;
mod job;
mod journal;
mod letters;
mod lock;
mod maintain;
mod names;
mod omitted;
mod orders;
mod outbox;
mod reader;
mod reserve;
mod runs;
mod schema;
mod shared;
mod sinks;
mod start;
mod untold;
mod upkeep;
mod window;
mod writer;

pub use backup::backup;
pub use error::OpenError;
pub use journal::{JournalEvent, JournalQuery, Order};
pub use letters::{KeptLetter, LetterFilter};
pub use maintain::{
    MaintenanceError, change_state, check, compact, drop_letters, forget_state, retry_letters,
};
pub use omitted::Omission;
pub use reader::Reader;

use super::{
    Commit, Hole, Rejected, Settled, SinkBooks, StateEntry, Store, StoreError, StoreHealth,
    Stretch, Watermark,
};
use crate::buffer::{Loss, share_of_bytes};
use crate::clock::Clock;
use crate::config::{BufferPlan, StorePlan};
use crate::tasks;
use async_trait::async_trait;
use job::Job;
use lock::Lock;
use shared::{Lane, Shared};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use unifi_herald_plugin::{BufferedEvent, Text, Timestamp};
use window::Window;
use writer::Writer;

/// Jobs that may wait for the writer: the router's batch, an acknowledgement and a question of each lane, and room.
const JOBS: usize = 64;

/// Keeps batches in a database until every sink has them, and the journal for as long as the plan says.
///
/// A batch is one transaction: events, each sink's share, changed state, watermarks, holes, books. An event whose id
/// the journal has for the same controller and site is a duplicate: it is counted as one and no sink gets it, even
/// when the batch says otherwise. While the disk refuses, batches are held in memory, bounded, and written when it
/// takes them again.
///
/// Dropping it writes what is under way and ends the writer.
#[derive(Debug)]
pub struct DiskStore {
    shared: Arc<Shared>,
    clock: Clock,
    reader: Option<Arc<Mutex<Reader>>>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    dir: PathBuf,
}

impl DiskStore {
    /// Open or make the store of `plan` for these sinks, which share the bytes of `buffer` with the ring. What an
    /// earlier run left pending is pending. On a full disk it begins degraded.
    ///
    /// # Errors
    /// When the folder is in use, cannot be written, or holds a store that this version must not touch.
    pub fn open(
        plan: &StorePlan,
        sinks: &[Text],
        buffer: &BufferPlan,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let (lock, begun) = match Lock::take(&plan.dir) {
            Ok(lock) => (Some(lock), start::begin(plan, sinks, &clock)?),
            // No room for as much as the folder or a file in it; the writer takes the lock when there is.
            Err(error @ OpenError::Full { .. }) => {
                (None, start::in_memory(plan, sinks, &clock, error)?)
            }
            Err(error) => return Err(error),
        };
        let reader = Arc::new(Mutex::new(begun.reader));

        let bytes = share(buffer, sinks.len());
        let lane = |name: &Text| Lane::new(name.clone(), Window::new(buffer.capacity, bytes));
        let lanes = sinks.iter().map(lane).collect();
        let shared = Arc::new(Shared::new(lanes, begun.books, begun.next_seq));
        for loss in begun.untold {
            shared.losses().add(loss);
        }
        let mut writer = Writer::new(
            begun.connection,
            begun.pen,
            plan.clone(),
            clock.clone(),
            Arc::clone(&shared),
            begun.next_seq - 1,
            bytes,
        );
        writer.lock = lock;
        if let Some(error) = begun.in_memory {
            writer.begin_in_memory(&error, Arc::clone(&reader));
        }
        let (jobs, queue) = mpsc::channel(JOBS);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(OpenError::Thread)?;
        let writer = tasks::thread("herald-store", move || writer.run(&runtime, queue))
            .map_err(OpenError::Thread)?;
        Ok(Self {
            shared,
            clock,
            reader: Some(reader),
            jobs: Some(jobs),
            writer: Some(writer),
            dir: plan.dir.clone(),
        })
    }

    /// Ask the store, by way of a connection that only reads. Blocks while another question is answered.
    pub fn read<T>(&self, question: impl FnOnce(&Reader) -> T) -> Option<T> {
        self.reader().map(|reader| question(&reader))
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        match &self.jobs {
            Some(jobs) => jobs.send(job).await.map_err(|_| gone()),
            None => Err(gone()),
        }
    }

    fn reader(&self) -> Option<MutexGuard<'_, Reader>> {
        let reader = self.reader.as_ref()?;
        Some(reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ask<T>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read(question).unwrap_or_else(|| Err(gone()))
    }
}

#[async_trait]
impl Store for DiskStore {
    async fn commit(&self, commit: Commit) -> Result<(), Rejected> {
        self.shared.make_room(&commit.shares, &self.clock).await;
        let commit = Arc::new(commit);
        let (done, written) = oneshot::channel();
        let job = Job::Commit {
            commit: Arc::clone(&commit),
            done,
        };
        let answer = match self.send(job).await {
            Ok(()) => written.await.map_err(|_| gone()),
            Err(error) => Err(error),
        };
        answer.map_err(|error| Rejected {
            commit: Arc::unwrap_or_clone(commit),
            error,
        })
    }

    async fn claim(&self, sink: usize, max: usize) -> Vec<BufferedEvent> {
        let lane = self.shared.lane(sink);
        loop {
            let filled = lane.filled.notified();
            let (claimed, behind) = {
                let mut window = lane.window();
                (window.claim(max), window.is_behind())
            };
            if !claimed.is_empty() {
                lane.taken.notify_waiters();
                return claimed;
            }
            // The place in the queue comes first: a caller who gives up while waiting for it must not leave a
            // question behind that nobody hears.
            if behind
                && let Some(jobs) = &self.jobs
                && let Ok(permit) = jobs.reserve().await
                && lane.window().ask()
            {
                permit.send(Job::Refill { sink });
            }
            filled.await;
        }
    }

    async fn settle(&self, sink: usize, settled: Vec<Settled>) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        self.send(Job::Settle {
            sink,
            settled,
            done,
        })
        .await?;
        written.await.map_err(|_| gone())
    }

    async fn release(&self, sink: usize) {
        let (done, released) = oneshot::channel();
        if self.send(Job::Release { sink, done }).await.is_ok() {
            released.await.unwrap_or_default();
        }
    }

    async fn set_sinks(
        &self,
        names: &[Text],
        buffer: &BufferPlan,
    ) -> Result<Vec<usize>, StoreError> {
        let (done, answer) = oneshot::channel();
        let (names, buffer) = (names.to_vec(), *buffer);
        let job = Job::Sinks {
            names,
            buffer,
            done,
        };
        self.send(job).await?;
        answer.await.map_err(|_| gone())?
    }

    fn books(&self) -> Vec<SinkBooks> {
        let books = self.shared.books().clone();
        let lanes = self.shared.lanes();
        lanes
            .into_iter()
            .zip(books)
            .filter(|(lane, _)| !lane.is_gone())
            .map(|(lane, books)| SinkBooks {
                name: lane.name.clone(),
                books,
            })
            .collect()
    }

    fn former_sinks(&self) -> Result<Vec<SinkBooks>, StoreError> {
        let mut all = self.ask(Reader::books)?;
        let lanes = self.shared.lanes();
        let at_work = |name: &Text| {
            lanes
                .iter()
                .any(|lane| lane.name == *name && !lane.is_gone())
        };
        all.retain(|sink| sink.books.pending > 0 && !at_work(&sink.name));
        Ok(all)
    }

    fn next_seq(&self) -> u64 {
        self.shared.next_seq.load(Ordering::Relaxed)
    }

    fn outlives_the_process(&self) -> bool {
        self.health() == StoreHealth::Ok
    }

    fn unsaved(&self, sink: &str) -> u64 {
        let lanes = self.shared.lanes();
        let lane = lanes.iter().find(|lane| *lane.name == *sink);
        lane.map_or(0, |lane| lane.unsaved.load(Ordering::Relaxed))
    }

    async fn save(&self) {
        let (done, saved) = oneshot::channel();
        if self.send(Job::Save { done }).await.is_ok() {
            saved.await.unwrap_or_default();
        }
    }

    fn health(&self) -> StoreHealth {
        self.shared.health().clone()
    }

    fn take_losses(&self, all: bool) -> Vec<Loss> {
        self.shared.losses().take(self.clock.now(), all)
    }

    fn known(&self, controller: &str, site: &str, ids: &[Text]) -> Vec<bool> {
        self.ask(|reader| reader.known(controller, site, ids))
            .unwrap_or_else(|error| {
                // The commit looks again, and finds out what matters.
                tracing::warn!(error = %error, "store could not tell which events it has");
                vec![false; ids.len()]
            })
    }

    fn recent(
        &self,
        controller: &str,
        site: &str,
        stretch: &Stretch,
        max: usize,
    ) -> Vec<BufferedEvent> {
        self.ask(|reader| reader.recent(controller, site, stretch, max))
            .unwrap_or_else(|error| {
                // Then a thing that was told in another form may be told twice.
                tracing::warn!(%error, "store could not tell its recent events");
                Vec::new()
            })
    }

    fn load_state(&self, scope: &str) -> Result<Vec<StateEntry>, StoreError> {
        self.ask(|reader| reader.state(scope))
    }

    fn scopes(&self, prefix: &str) -> Result<Vec<Text>, StoreError> {
        self.ask(|reader| reader.scopes(prefix))
    }

    fn watermarks(&self) -> Result<Vec<Watermark>, StoreError> {
        self.ask(Reader::watermarks)
    }

    fn holes(&self) -> Result<Vec<Hole>, StoreError> {
        self.ask(Reader::holes)
    }

    fn wants_verdicts(&self) -> bool {
        true
    }

    fn journal(&self) -> Result<Option<Reader>, OpenError> {
        Reader::open(&self.dir)
            .map(Some)
            .map_err(|error| match error {
                // The one that is open is in memory still.
                OpenError::Missing { .. } => OpenError::Full {
                    dir: self.dir.clone(),
                },
                error => error,
            })
    }

    fn dead_letters(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<KeptLetter>, StoreError> {
        self.ask(|reader| reader.dead_letters(filter, after, limit))
    }

    async fn retry_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.move_letters(filter, true).await
    }

    fn retried_at(&self, sink: usize, seq: u64) -> Result<Option<Timestamp>, StoreError> {
        let lane = self.shared.lane(sink);
        self.ask(|reader| reader.retried_at(&lane.name, seq))
    }

    async fn drop_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.move_letters(filter, false).await
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        self.reader = None;
        self.jobs = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("store's writer ended in a panic");
        }
    }
}

/// What each of so many lanes may hold: besides them there are the ring, and what is held while the disk refuses.
fn share(buffer: &BufferPlan, sinks: usize) -> usize {
    share_of_bytes(buffer, sinks + 2)
}

fn gone() -> StoreError {
    StoreError {
        message: "the store's writer is gone; restart herald".to_owned(),
    }
}

/// A number as SQLite keeps it.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number as SQLite gave it; they are never negative.
fn as_seq(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests;
