//! Where batches are committed and what each sink still awaits: one trait, several implementations.

mod books;
mod changes;
mod disk;
mod losses;
mod memory;
mod queue;
mod room;

pub use books::{Books, SinkBooks};
pub use changes::{Hole, HoleChange, StateChange, StateEntry, Watermark};
pub use disk::{
    DiskStore, JournalEvent, JournalQuery, KeptLetter, LetterFilter, MaintenanceError, Omission,
    OpenError, Order, Reader, backup, change_state, check, compact, drop_letters, forget_state,
    retry_letters,
};
pub use memory::MemoryStore;

use crate::buffer::Loss;
use crate::config::BufferPlan;
use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Kind, Text, Timestamp};

/// Keeps what was committed until every sink has it.
///
/// One batch is one commit: before it nothing of the batch has happened, after it nothing of it can be lost, as
/// far as the implementation promises. A sink has a number, its place in the list the store was opened with or the one
/// that [`Store::set_sinks`] gave it: it keeps it for as long as the store is open, whatever becomes of the others.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Commit one batch. The router waits for it, and so does the source behind the router.
    ///
    /// # Errors
    /// When the batch was not committed; it is handed back, to be tried again.
    async fn commit(&self, commit: Commit) -> Result<(), Rejected>;

    /// Claim the next events of a sink, oldest first, at most `max`; waits until there is at least one.
    ///
    /// A claimed event stays pending until it is settled. Cancel-safe: nothing is claimed before the future is
    /// ready.
    async fn claim(&self, sink: usize, max: usize) -> Vec<BufferedEvent>;

    /// Say what became of claimed events.
    ///
    /// # Errors
    /// When it could not be written down; the caller tries again.
    async fn settle(&self, sink: usize, settled: Vec<Settled>) -> Result<(), StoreError>;

    /// Hand out again what a lane had claimed and not settled: the lane is gone, and another takes its place.
    async fn release(&self, sink: usize) {
        let _ = sink;
    }

    /// From the next commit on these are the sinks, which share the bytes of `buffer`; returns their numbers, in the
    /// order of `names`. A known name keeps its number, its books and what it awaits. One that is not among them keeps
    /// what it awaits for as long as the store keeps anything, and enters nothing in its books meanwhile.
    ///
    /// # Errors
    /// When the store cannot do that now; everything is then as before.
    async fn set_sinks(
        &self,
        names: &[Text],
        buffer: &BufferPlan,
    ) -> Result<Vec<usize>, StoreError> {
        let (_, _) = (names, buffer);
        Err(StoreError {
            message: "this store cannot change its sinks while it is open; restart herald"
                .to_owned(),
        })
    }

    /// The books of every sink that is configured.
    fn books(&self) -> Vec<SinkBooks>;

    /// The books of the sinks that left the configuration and for which something is pending still. May read the disk.
    ///
    /// # Errors
    /// When they cannot be read.
    fn former_sinks(&self) -> Result<Vec<SinkBooks>, StoreError> {
        Ok(Vec::new())
    }

    /// The first number for `seq` that was never used.
    fn next_seq(&self) -> u64;

    /// Whether the store keeps its promise.
    fn health(&self) -> StoreHealth {
        StoreHealth::Ok
    }

    /// Whether what is pending now would still be there after a restart.
    fn outlives_the_process(&self) -> bool {
        false
    }

    /// How many of the events that are pending for the sink of this name would not be there after a restart.
    fn unsaved(&self, sink: &str) -> u64 {
        if self.outlives_the_process() {
            return 0;
        }
        let books = self.books();
        let entry = books.iter().find(|entry| *entry.name == *sink);
        entry.map_or(0, |entry| entry.books.pending)
    }

    /// Write what is in memory only, as far as that can be done now: nothing more is committed, and the process ends.
    async fn save(&self) {}

    /// Pending events that were lost for want of room and are to be told now, one entry per controller and site, for one
    /// `herald.gap` each. They are in the books already. Where more and more is lost it is told from time to time;
    /// `all` that is not told yet, for whoever does not come again.
    fn take_losses(&self, all: bool) -> Vec<Loss> {
        let _ = all;
        Vec::new()
    }

    /// Which of `ids` were committed before, in their order. May read the disk: for the start and for repair, not
    /// for every batch.
    fn known(&self, controller: &str, site: &str, ids: &[Text]) -> Vec<bool> {
        let (_, _) = (controller, site);
        vec![false; ids.len()]
    }

    /// The newest events of a site that are in `stretch`, at most `max`, oldest first. May read the disk, as
    /// [`Store::known`].
    fn recent(
        &self,
        controller: &str,
        site: &str,
        stretch: &Stretch,
        max: usize,
    ) -> Vec<BufferedEvent> {
        let (_, _, _, _) = (controller, site, stretch, max);
        Vec::new()
    }

    /// What was kept under `scope` by earlier commits, by key.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load_state(&self, scope: &str) -> Result<Vec<StateEntry>, StoreError> {
        let _ = scope;
        Ok(Vec::new())
    }

    /// The scopes that begin with `prefix` and under which something is kept.
    ///
    /// # Errors
    /// When they cannot be read.
    fn scopes(&self, prefix: &str) -> Result<Vec<Text>, StoreError> {
        let _ = prefix;
        Ok(Vec::new())
    }

    /// How far each controller and site had come by the last commit.
    ///
    /// # Errors
    /// When it cannot be read.
    fn watermarks(&self) -> Result<Vec<Watermark>, StoreError> {
        Ok(Vec::new())
    }

    /// The holes that were open after the last commit, by id.
    ///
    /// # Errors
    /// When it cannot be read.
    fn holes(&self) -> Result<Vec<Hole>, StoreError> {
        Ok(Vec::new())
    }

    /// Whether [`Commit::verdicts`] are kept.
    fn wants_verdicts(&self) -> bool {
        false
    }

    /// A way of one's own to the journal, so that a long search keeps nobody waiting; none when there is no journal.
    ///
    /// # Errors
    /// When the disk refuses.
    fn journal(&self) -> Result<Option<Reader>, OpenError> {
        Ok(None)
    }

    /// Dead letters in the order they were given up, at most `limit`, behind the position `after`: 0 at first, then
    /// that of the last one got. May read the disk.
    ///
    /// # Errors
    /// When they cannot be read.
    fn dead_letters(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<KeptLetter>, StoreError> {
        let (_, _, _) = (filter, after, limit);
        Ok(Vec::new())
    }

    /// Make the dead letters that `filter` describes pending again, as far as there is room. Returns how many.
    ///
    /// # Errors
    /// When it could not be written down.
    async fn retry_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let _ = filter;
        Ok(0)
    }

    /// When the event of this number, which the sink awaits, became pending again; nothing when it was no dead letter. May
    /// read the disk.
    ///
    /// # Errors
    /// When it cannot be read.
    fn retried_at(&self, sink: usize, seq: u64) -> Result<Option<Timestamp>, StoreError> {
        let (_, _) = (sink, seq);
        Ok(None)
    }

    /// Forget the dead letters that `filter` describes; they stay counted. Returns how many there were.
    ///
    /// # Errors
    /// When it could not be written down.
    async fn drop_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let _ = filter;
        Ok(0)
    }
}

/// A store, shared by the router and the lanes.
pub type SharedStore = Arc<dyn Store>;

/// A stretch of a site's events, by their own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its beginning, inclusive.
    pub from: Timestamp,
    /// Its end, inclusive; none where it goes on to the newest.
    pub to: Option<Timestamp>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
}

/// Everything one batch changes.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// What came through the ring or was made by a chain, in the order of `seq`.
    pub events: Vec<BufferedEvent>,
    /// What each sink shall get, in the order of the sinks; a sink appears at most once, its events in the order of
    /// `seq`.
    pub shares: Vec<Share>,
    /// What a step gave up on, for the sinks behind it.
    pub dead: Vec<DeadLetter>,
    /// How many events came twice.
    pub duplicates: u64,
    /// How many events were lost before they reached a chain.
    pub lost: u64,
    /// What became of each event in the chains, in the order of `events`, in the form of whoever reads it; empty, or
    /// one for each.
    pub verdicts: Vec<Vec<u8>>,
    /// What scripts, alerts and digests remember.
    pub state: Vec<StateChange>,
    /// How far the controllers' sites have come.
    pub watermarks: Vec<Watermark>,
    /// Holes opened, narrowed and closed by this batch.
    pub holes: Vec<HoleChange>,
    /// What the store lost and events of this batch tell.
    pub told: Vec<Loss>,
}

impl Commit {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            events,
            shares,
            dead,
            duplicates,
            lost,
            verdicts,
            state,
            watermarks,
            holes,
            told,
        } = self;
        let nothing = [
            events.is_empty(),
            shares.is_empty(),
            dead.is_empty(),
            verdicts.is_empty(),
        ];
        let nothing = nothing.into_iter().all(|empty| empty);
        nothing
            && *duplicates == 0
            && *lost == 0
            && state.is_empty()
            && watermarks.is_empty()
            && holes.is_empty()
            && told.is_empty()
    }
}

/// One sink's part of a batch.
#[derive(Clone, Debug)]
pub struct Share {
    /// Number of the sink.
    pub sink: usize,
    /// Its events; never empty.
    pub events: Vec<BufferedEvent>,
}

/// An event that a sink will not get, kept with the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Number of the sink.
    pub sink: usize,
    /// The event.
    pub event: BufferedEvent,
    /// Why, for people.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried first, or given up without a try.
    pub first: Timestamp,
    /// When it was tried last.
    pub last: Timestamp,
}

/// What became of one claimed event.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// The sink has it.
    Delivered {
        /// Its `seq`.
        seq: u64,
    },
    /// It was older than the sink's `max_age` when its turn came.
    Expired {
        /// Its `seq`.
        seq: u64,
    },
    /// It told of an incident whose end, which tells more, was pending too.
    Merged {
        /// Its `seq`.
        seq: u64,
    },
    /// The sink will never take it.
    Dead(Box<DeadLetter>),
}

impl Settled {
    /// The number of the event.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match self {
            Self::Delivered { seq } | Self::Expired { seq } | Self::Merged { seq } => *seq,
            Self::Dead(letter) => letter.event.seq,
        }
    }
}

/// A batch that was not committed.
#[derive(Debug)]
pub struct Rejected {
    /// The batch, untouched.
    pub commit: Commit,
    /// Why.
    pub error: StoreError,
}

/// Whether the store keeps its promise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreHealth {
    /// It does.
    #[default]
    Ok,
    /// The disk does not take anything: batches are held in memory, bounded, until it does again.
    Degraded {
        /// Since when.
        since: Timestamp,
        /// What the disk said, and what helps.
        reason: String,
        /// How many events are in memory only.
        held: u64,
    },
    /// The cluster that the store is on cannot be used: what is to be done waits where it is.
    Away {
        /// Since when.
        since: Timestamp,
        /// What is in the way.
        reason: String,
    },
}

/// The store could not do it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What went wrong and what helps.
    pub message: String,
}
