//! The one thread that writes: takes what waits, puts it into one transaction, and tells everybody.

use super::Reader;
use super::commit::Pen;
use super::held::Held;
use super::letters::{self, LetterFilter};
use super::lock::Lock;
use super::outbox;
use super::runs::Runs;
use super::schema::set_sync;
use super::shared::Shared;
use super::upkeep::Upkeep;
use crate::clock::Clock;
use crate::config::{BufferPlan, StorePlan, SyncMode};
use crate::store::{Books, Commit, Settled, StoreError};
use rusqlite::Connection;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use unifi_herald_plugin::Text;

/// Most jobs in one transaction. The router has one batch under way and each lane one acknowledgement.
const MAX_GROUP: usize = 64;

/// How often an idle writer looks after retention and a disk that refused.
const TICK: Duration = Duration::from_secs(1);

/// Most events read from the disk in one go, so that no commit waits long for a backlog.
const REFILL: usize = 256;

/// What the writer is asked to do.
pub(super) enum Job {
    Commit {
        commit: Arc<Commit>,
        done: oneshot::Sender<()>,
    },
    Settle {
        sink: usize,
        settled: Vec<Settled>,
        done: oneshot::Sender<()>,
    },
    Refill {
        sink: usize,
    },
    Release {
        sink: usize,
        done: oneshot::Sender<()>,
    },
    /// The last that is asked before the end.
    Save {
        done: oneshot::Sender<()>,
    },
    Letters {
        order: LetterOrder,
        done: oneshot::Sender<Result<u64, StoreError>>,
    },
    Sinks {
        names: Vec<Text>,
        buffer: BufferPlan,
        done: oneshot::Sender<Result<Vec<usize>, StoreError>>,
    },
    #[cfg(test)]
    Inspect(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// What to do with some dead letters.
#[derive(Clone, Debug)]
pub(super) struct LetterOrder {
    pub(super) filter: LetterFilter,
    /// Make them pending again; otherwise forget them.
    pub(super) retry: bool,
    /// Position of the newest that is meant.
    pub(super) newest: i64,
    pub(super) limit: usize,
}

/// What a transaction did, for those who have to know.
#[derive(Default)]
pub(super) struct Done {
    /// For each batch of the group, what the journal had already.
    duplicates: Vec<Runs>,
    /// For each order, how many letters.
    letters: Vec<u64>,
    /// Sinks whose outbox changed at another place than the end.
    changed: Vec<usize>,
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) plan: StorePlan,
    pub(super) clock: Clock,
    pub(super) shared: Arc<Shared>,
    pub(super) pen: Pen,
    pub(super) upkeep: Upkeep,
    pub(super) books: Vec<Books>,
    /// What the connection waits for at a commit.
    pub(super) sync: SyncMode,
    /// The last number that is on disk.
    pub(super) committed: u64,
    /// What the disk does not have, while it refuses.
    pub(super) held: Option<Held>,
    pub(super) max_held: usize,
    pub(super) retry_at: Instant,
    /// Whether the connection itself is in doubt.
    pub(super) reopen: bool,
    /// What reads from memory until there is a store on disk.
    pub(super) stand_in: Option<Arc<Mutex<Reader>>>,
    /// Whether the last try to write what is held was made.
    pub(super) saved: bool,
    /// The folder is this run's; nothing while there is no room to say so.
    pub(super) lock: Option<Lock>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        pen: Pen,
        plan: StorePlan,
        clock: Clock,
        shared: Arc<Shared>,
        committed: u64,
        max_held: usize,
    ) -> Self {
        let books = shared.books().clone();
        Self {
            connection,
            sync: plan.sync,
            upkeep: Upkeep::new(clock.now()),
            retry_at: clock.now(),
            plan,
            clock,
            shared,
            pen,
            books,
            committed,
            held: None,
            max_held,
            reopen: false,
            stand_in: None,
            saved: false,
            lock: None,
        }
    }

    /// Work until nobody can ask for anything any more.
    pub(super) fn run(mut self, runtime: &tokio::runtime::Runtime, mut jobs: mpsc::Receiver<Job>) {
        let mut group = Vec::with_capacity(MAX_GROUP);
        loop {
            // `recv_many` is cancel-safe. It takes what waits, so that a transaction has it all, and waits for nothing
            // that does not.
            let patience = if self.upkeep.is_busy() {
                Duration::ZERO
            } else {
                TICK
            };
            let received = runtime.block_on(async {
                tokio::time::timeout(patience, jobs.recv_many(&mut group, MAX_GROUP)).await
            });
            match received {
                Ok(0) => break,
                Ok(_) => self.work(&mut group),
                Err(_) => self.tick(),
            }
            if self.held.is_none() {
                self.look_after();
            }
        }
        self.close();
    }

    fn work(&mut self, group: &mut Vec<Job>) {
        self.recover_if_due();
        let done = if self.held.is_none() {
            self.write(group).map_err(|error| self.degrade(&error)).ok()
        } else {
            None
        };
        match &done {
            Some(done) => self.publish(group, done),
            None => self.hold(group),
        }
        let mut letters = done
            .map(|done| done.letters)
            .unwrap_or_default()
            .into_iter();
        for job in group.drain(..) {
            match job {
                Job::Commit { done, .. } | Job::Settle { done, .. } => {
                    done.send(()).unwrap_or_default();
                }
                Job::Refill { sink } => self.refill(sink),
                Job::Release { sink, done } => {
                    let lane = self.shared.lane(sink);
                    lane.window().release();
                    lane.filled.notify_one();
                    done.send(()).unwrap_or_default();
                }
                Job::Save { done } => {
                    self.save();
                    done.send(()).unwrap_or_default();
                }
                Job::Letters { done, .. } => {
                    let answer = letters.next().ok_or_else(|| StoreError {
                        message: "the store's disk takes nothing; try again when it does"
                            .to_owned(),
                    });
                    drop(done.send(answer));
                }
                Job::Sinks {
                    names,
                    buffer,
                    done,
                } => drop(done.send(self.set_sinks(&names, &buffer))),
                #[cfg(test)]
                Job::Inspect(look) => look(self),
            }
        }
    }

    fn write(&mut self, group: &[Job]) -> rusqlite::Result<Done> {
        let writes = |job: &&Job| {
            matches!(
                job,
                Job::Commit { .. } | Job::Settle { .. } | Job::Letters { .. }
            )
        };
        if !group.iter().any(|job| writes(&job)) {
            return Ok(Done::default());
        }
        // An acknowledgement that a power cut takes back brings the event again; only a batch must be on disk.
        let commits = group.iter().any(|job| matches!(job, Job::Commit { .. }));
        let sync = if commits {
            self.plan.sync
        } else {
            SyncMode::Normal
        };
        self.transact(sync, |connection, pen, books| {
            let mut done = Done::default();
            for job in group {
                match job {
                    Job::Commit { commit, .. } => {
                        done.duplicates.push(pen.commit(connection, commit, books)?);
                    }
                    Job::Settle { sink, settled, .. } => {
                        pen.settle(connection, *sink, settled, &mut books[*sink])?;
                    }
                    Job::Letters { order, .. } => {
                        done.letters.push(run_order(
                            connection,
                            pen,
                            books,
                            order,
                            &mut done.changed,
                        )?);
                    }
                    Job::Refill { .. }
                    | Job::Release { .. }
                    | Job::Save { .. }
                    | Job::Sinks { .. } => {}
                    #[cfg(test)]
                    Job::Inspect(_) => {}
                }
            }
            Ok(done)
        })
    }

    /// Run `work` in a transaction together with the books it changes; all of it happens, or nothing.
    pub(super) fn transact<T>(
        &mut self,
        sync: SyncMode,
        work: impl FnOnce(&Connection, &mut Pen, &mut [Books]) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        if self.sync != sync {
            set_sync(&self.connection, sync)?;
            self.sync = sync;
        }
        let mut books = self.books.clone();
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let written = work(&self.connection, &mut self.pen, &mut books).and_then(|value| {
            self.pen.books(&self.connection, &self.books, &books)?;
            self.connection.execute_batch("COMMIT")?;
            Ok(value)
        });
        if written.is_ok() {
            self.books = books;
            self.shared.books().clone_from(&self.books);
        } else {
            self.pen.names.rolled_back();
            if !self.connection.is_autocommit()
                && let Err(error) = self.connection.execute_batch("ROLLBACK")
            {
                tracing::error!(error = %error, "store could not undo a transaction");
                self.reopen = true;
            }
        }
        written
    }

    /// Hand what was committed to the lanes.
    pub(super) fn publish(&mut self, group: &[Job], done: &Done) {
        let mut duplicates = done.duplicates.iter();
        for job in group {
            match job {
                Job::Commit { commit, .. } => {
                    let none = Runs::default();
                    self.give(commit, duplicates.next().unwrap_or(&none));
                }
                Job::Settle { sink, settled, .. } => {
                    let lane = self.shared.lane(*sink);
                    lane.window().settled(settled.iter().map(Settled::seq));
                }
                Job::Refill { .. }
                | Job::Release { .. }
                | Job::Save { .. }
                | Job::Letters { .. }
                | Job::Sinks { .. } => {}
                #[cfg(test)]
                Job::Inspect(_) => {}
            }
        }
        if self.held.is_none() {
            self.committed = self.shared.next_seq.load(Ordering::Relaxed) - 1;
        }
        for sink in &done.changed {
            let lane = self.shared.lane(*sink);
            lane.window().reset();
            lane.filled.notify_one();
        }
    }

    fn give(&mut self, commit: &Commit, duplicates: &Runs) {
        if let Some(last) = commit.events.last() {
            self.shared
                .next_seq
                .fetch_max(last.seq + 1, Ordering::Relaxed);
            self.upkeep.note(commit.events.len());
        }
        for share in &commit.shares {
            let lane = self.shared.lane(share.sink);
            let fresh = share.events.iter();
            let fresh = fresh.filter(|event| !duplicates.contains(event.seq));
            lane.window().append(fresh.cloned());
            lane.filled.notify_one();
        }
    }

    /// Read on for a lane whose window is empty.
    fn refill(&mut self, sink: usize) {
        let lane = self.shared.lane(sink);
        let (wants, claimed) = {
            let window = lane.window();
            (window.wants(), window.claimed().clone())
        };
        let (cursor, events, bytes) = wants;
        let events = events.min(REFILL);
        let held = self.held.as_ref();
        let read = outbox::read(
            &self.connection,
            self.pen.sinks[sink],
            cursor,
            events,
            bytes,
            |seq| {
                let elsewhere =
                    held.is_some_and(|held| seq > self.committed || held.is_settled(sink, seq));
                elsewhere || claimed.contains(seq)
            },
        );
        match read {
            Ok(mut refill) => {
                if let Some(held) = held.filter(|_| refill.complete) {
                    held.refill(sink, cursor, events, &claimed, &mut refill);
                }
                let unreadable = std::mem::take(&mut refill.unreadable);
                lane.window().refill(refill);
                lane.filled.notify_one();
                if !unreadable.is_empty() {
                    self.lose_unreadable(sink, &unreadable.into_iter().collect());
                }
            }
            // The lane keeps asking, and the next tick hears it.
            Err(error) => {
                tracing::warn!(sink = %lane.name, error = %error, "store could not read a backlog");
            }
        }
    }

    fn lose_unreadable(&mut self, sink: usize, seqs: &Runs) {
        let name = &self.shared.lane(sink).name.clone();
        tracing::error!(sink = %name, lost = seqs.len(), "store has pending events that cannot be read, they are lost; run `herald store check`");
        if self.held.is_some() {
            return;
        }
        let written = self.transact(SyncMode::Normal, |connection, pen, books| {
            let removed = outbox::remove(connection, pen.sinks[sink], seqs)?;
            books[sink].lose(removed.len());
            Ok(())
        });
        if let Err(error) = written {
            self.degrade(&error);
        }
    }

    fn tick(&mut self) {
        self.recover_if_due();
        for (sink, lane) in self.shared.lanes().iter().enumerate() {
            if lane.window().is_asking() {
                self.refill(sink);
            }
        }
    }
}

fn run_order(
    connection: &Connection,
    pen: &Pen,
    books: &mut [Books],
    order: &LetterOrder,
    changed: &mut Vec<usize>,
) -> rusqlite::Result<u64> {
    if !order.retry {
        return letters::drop_matching(connection, &order.filter, order.newest, order.limit);
    }
    let moved = letters::retry(connection, &order.filter, order.newest, order.limit)?;
    for one in &moved {
        if let Some(sink) = pen.sinks.iter().position(|id| *id == one.sink) {
            books[sink].dead_lettered = books[sink].dead_lettered.saturating_sub(one.count);
            books[sink].pending += one.count;
            changed.push(sink);
        }
    }
    Ok(moved.iter().map(|one| one.count).sum())
}
