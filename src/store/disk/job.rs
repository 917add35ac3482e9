//! What the writer is asked to do, and what it answers.

use super::commit::Pen;
use super::letters::{self, LetterFilter};
use super::runs::Runs;
#[cfg(test)]
use super::writer::Writer;
use crate::config::BufferPlan;
use crate::store::{Books, Commit, Settled, StoreError};
use rusqlite::Connection;
use std::sync::Arc;
use tokio::sync::oneshot;
use unifi_herald_plugin::{Text, Timestamp};

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

impl Job {
    /// Whether it changes what is on disk, and so needs a transaction.
    pub(super) fn writes(&self) -> bool {
        matches!(
            self,
            Self::Commit { .. } | Self::Settle { .. } | Self::Letters { .. }
        )
    }
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
    pub(super) now: Timestamp,
}

impl LetterOrder {
    /// Do it, and note the sinks whose outbox this changes; how many letters it was.
    pub(super) fn run(
        &self,
        connection: &Connection,
        pen: &Pen,
        books: &mut [Books],
        changed: &mut Vec<usize>,
    ) -> rusqlite::Result<u64> {
        if !self.retry {
            return letters::drop_matching(connection, &self.filter, self.newest, self.limit);
        }
        let moved = letters::retry(connection, &self.filter, self.newest, self.limit, self.now)?;
        for one in &moved {
            if let Some(sink) = pen.sinks.iter().position(|id| *id == one.sink) {
                books[sink].dead_lettered = books[sink].dead_lettered.saturating_sub(one.count);
                books[sink].pending += one.count;
                changed.push(sink);
            }
        }
        Ok(moved.iter().map(|one| one.count).sum())
    }
}

/// What a transaction did, for those who have to know.
#[derive(Default)]
pub(super) struct Done {
    /// For each batch of the group, what the journal had already.
    pub(super) duplicates: Vec<Runs>,
    /// For each order, how many letters.
    pub(super) letters: Vec<u64>,
    /// Sinks whose outbox changed at another place than the end.
    pub(super) changed: Vec<usize>,
}
