//! The one thread that writes: takes what waits, puts it into one transaction, and tells everybody.

use super::Reader;
use super::commit::Pen;
use super::held::Held;
use super::job::{Done, Job};
use super::letters;
use super::lock::Lock;
use super::runs::Runs;
use super::schema::set_sync;
use super::shared::Shared;
use super::upkeep::Upkeep;
use crate::clock::Clock;
use crate::config::{StorePlan, SyncMode};
use crate::store::{Books, Commit, Settled, StoreError};
use rusqlite::Connection;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Most jobs in one transaction. The router has one batch under way and each lane one acknowledgement.
const MAX_GROUP: usize = 64;

/// How often an idle writer looks after retention and a disk that refused.
const TICK: Duration = Duration::from_secs(1);

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
        self.count_all_tries(group);
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

    /// Whatever becomes of the group, on disk or in memory: its dead letters tell of all the tries.
    fn count_all_tries(&self, group: &mut [Job]) {
        for job in group {
            if let Job::Settle { sink, settled, .. } = job
                && let Err(error) =
                    letters::count_all_tries(&self.connection, self.pen.sinks[*sink], settled)
            {
                tracing::warn!(error = %error, "store does not know how often a dead letter was tried before");
            }
        }
    }

    fn write(&mut self, group: &[Job]) -> rusqlite::Result<Done> {
        if !group.iter().any(Job::writes) {
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
                        let moved = order.run(connection, pen, books, &mut done.changed)?;
                        done.letters.push(moved);
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

    fn tick(&mut self) {
        self.recover_if_due();
        for (sink, lane) in self.shared.lanes().iter().enumerate() {
            if lane.window().is_asking() {
                self.refill(sink);
            }
        }
    }
}
