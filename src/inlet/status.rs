//! How a source is, for whoever asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unifi_herald_plugin::Timestamp;

/// The state of one source. A copy speaks of the same source.
#[derive(Clone, Debug, Default)]
pub struct SourceStatus(Arc<Mutex<SourceFacts>>);

/// What is known of a source; its counts are since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFacts {
    /// Whether it can receive.
    pub connected: bool,
    /// Why not, in one sentence.
    pub trouble: Option<String>,
    /// When the last event came.
    pub last_event: Option<Timestamp>,
    /// Events given to the chains, those that came again included.
    pub received: u64,
    /// What was no event.
    pub refused: u64,
    /// Events of controllers that this herald listens to itself.
    pub own: u64,
    /// Messages that came faster than they were received, at least.
    pub lost: u64,
}

impl SourceStatus {
    /// A copy of what is known.
    #[must_use]
    pub fn facts(&self) -> SourceFacts {
        self.lock().clone()
    }

    /// Change what is known.
    pub fn update(&self, change: impl FnOnce(&mut SourceFacts)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, SourceFacts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
