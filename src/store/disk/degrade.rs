//! What the writer does while the disk takes nothing: hold, and try again.

use super::commit::Pen;
use super::held::Held;
use super::job::{Done, Job};
use super::lock::Lock;
use super::shared::Lane;
use super::writer::Writer;
use super::{OpenError, Reader, reserve, schema, sinks};
use crate::own_event::Scope;
use crate::store::StoreHealth;
use rusqlite::{Connection, ErrorCode};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a disk that refused is left alone.
const RETRY: Duration = Duration::from_secs(3);

impl Writer {
    /// In memory from the beginning, until there is room for a store, which `reader` then reads.
    pub(super) fn begin_in_memory(&mut self, error: &OpenError, reader: Arc<Mutex<Reader>>) {
        self.stand_in = Some(reader);
        self.reopen = true;
        self.begin_to_hold(error.to_string());
    }

    /// From now on in memory, until the disk takes something again.
    pub(super) fn degrade(&mut self, error: &rusqlite::Error) {
        self.reopen |= error.sqlite_error_code() != Some(ErrorCode::DiskFull);
        self.begin_to_hold(trouble(error));
    }

    fn begin_to_hold(&mut self, reason: String) {
        tracing::error!(reason = %reason, "store is degraded, batches are held in memory");
        self.retry_at = self.clock.now() + RETRY;
        let sinks = self.books.len();
        self.held = Some(Held::new(sinks, self.committed, self.max_held));
        *self.shared.health() = StoreHealth::Degraded {
            since: self.clock.wall(),
            reason,
            held: 0,
        };
    }

    /// Take the group into memory.
    pub(super) fn hold(&mut self, group: &[Job]) {
        let Some(held) = &mut self.held else { return };
        let mut lost = 0;
        for job in group {
            match job {
                Job::Commit { commit, .. } => {
                    held.commit(commit, &self.pen.gone, &mut self.books);
                }
                Job::Settle { sink, settled, .. } => {
                    let lane = self.shared.lane(*sink);
                    let window = lane.window();
                    held.settle(*sink, settled, &window, &mut self.books[*sink]);
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
        self.publish(group, &Done::default());
        let Some(held) = &mut self.held else { return };
        let lanes = self.shared.lanes();
        let news = self.shared.losses().is_empty();
        while let Some(event) = held.excess() {
            let mut missed = false;
            for (sink, lane) in lanes.iter().enumerate() {
                // What the lane has in its hands it may still deliver.
                if lane.window().lose(event.seq) && held.lose(sink, event.seq) {
                    self.books[sink].lose(1);
                    missed = true;
                }
            }
            if missed {
                self.shared.losses().note(&Scope::of(&event), event.time);
                lost += 1;
            }
        }
        if lost > 0 && news {
            tracing::warn!(
                lost,
                "store is degraded and its memory is full, the oldest events are lost"
            );
        }
        if let StoreHealth::Degraded { held: count, .. } = &mut *self.shared.health() {
            *count = held.len();
        }
        for (lane, pending) in lanes.iter().zip(held.pending()) {
            lane.unsaved.store(pending, Ordering::Relaxed);
        }
        self.shared.books().clone_from(&self.books);
    }

    pub(super) fn recover_if_due(&mut self) {
        if self.held.is_some() && !self.saved && self.clock.now() >= self.retry_at {
            self.recover();
        }
    }

    /// Write everything that is held, if the disk takes it.
    pub(super) fn recover(&mut self) {
        let begun = self.clock.now();
        self.try_to_recover();
        // Much may be held, and all of it is written in vain while there is too little room: most of the time is the
        // stream's.
        let now = self.clock.now();
        self.retry_at = now + RETRY.max(now.duration_since(begun) * 4);
    }

    fn try_to_recover(&mut self) {
        if self.reopen && !self.reconnect() {
            return;
        }
        let Some(held) = self.held.take() else { return };
        // The log holds pages many times over: folded into the database, it makes room for what comes.
        let folded = schema::fold_log(&self.connection);
        if let Err(error) = folded {
            tracing::debug!(%error, "store could not fold its log");
        }
        let written = self.transact(self.plan.sync, |connection, pen, books| {
            held.write(connection, pen, books)
        });
        match written {
            Ok(()) => {
                tracing::info!(events = held.len(), "store is on disk again");
                self.committed = self.shared.next_seq.load(Ordering::Relaxed) - 1;
                *self.shared.health() = StoreHealth::Ok;
                for lane in self.shared.lanes() {
                    lane.unsaved.store(0, Ordering::Relaxed);
                }
                reserve::keep(&self.plan.dir);
            }
            Err(error) => {
                self.reopen |= error.sqlite_error_code() != Some(ErrorCode::DiskFull);
                self.held = Some(held);
            }
        }
    }

    fn reconnect(&mut self) -> bool {
        let lanes = self.shared.lanes();
        let name = |lane: &Arc<Lane>| (lane.name.clone(), lane.is_gone());
        let names: Vec<_> = lanes.iter().map(name).collect();
        let names: Vec<_> = names.iter().map(|(name, gone)| (&**name, *gone)).collect();
        let opened = self.open_again(&names);
        match opened {
            Ok((connection, pen)) => {
                self.connection = connection;
                self.pen = pen;
                self.sync = self.plan.sync;
                self.reopen = false;
                true
            }
            Err(error) => {
                tracing::debug!(error = %error, "store cannot be opened again yet");
                false
            }
        }
    }

    fn open_again(&mut self, names: &[(&str, bool)]) -> Result<(Connection, Pen), OpenError> {
        let dir = &self.plan.dir;
        let failed = |error| OpenError::database(dir, error);
        if self.lock.is_none() {
            self.lock = Some(Lock::take(dir)?);
        }
        let connection = schema::open(dir, self.plan.sync)?;
        schema::limit_log(&connection, self.plan.max_size).map_err(failed)?;
        let (pen, _) = sinks::pen(&connection, names, self.clock.wall()).map_err(failed)?;
        if let Some(stand_in) = &self.stand_in {
            sinks::begin_run(&connection).map_err(failed)?;
            *stand_in.lock().unwrap_or_else(PoisonError::into_inner) = Reader::open(dir)?;
            self.stand_in = None;
        }
        Ok((connection, pen))
    }
}

/// What the disk said, and what helps.
fn trouble(error: &rusqlite::Error) -> String {
    let help = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "free space, or lower `store.max_size`",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "make the store's folder writable"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged: see `herald store check`"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program is writing to the store"
        }
        _ => "check the disk",
    };
    format!("{error}; {help}")
}
