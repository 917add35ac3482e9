//! What is going on, for whoever asks: shared between the threads that know and the commands that tell.

use crate::config::ControllerKind;
use crate::lane::health::Health;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use unifi_herald_plugin::{Text, Timestamp};

/// The state of one controller's connection. A copy speaks of the same controller.
#[derive(Clone, Debug, Default)]
pub struct ControllerStatus {
    facts: Arc<Mutex<ControllerFacts>>,
    counts: Arc<FrameCounts>,
}

/// What is known of a controller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControllerFacts {
    /// Whether each site's socket is up, by short name; `super` included.
    pub sites: BTreeMap<Text, bool>,
    /// When the last data frame came, on any socket.
    pub last_frame: Option<Timestamp>,
    /// Version of the Network application.
    pub version: Option<String>,
    /// What it is.
    pub kind: Option<ControllerKind>,
    /// Why it is not connected, in one sentence with the fix.
    pub trouble: Option<String>,
    /// Whether it refused the credentials beyond doubt.
    pub refused: bool,
}

/// What came over a controller's sockets since the start.
#[derive(Debug, Default)]
pub struct FrameCounts {
    /// All data frames.
    pub frames: AtomicU64,
    /// Frames that could not be understood.
    pub bad: AtomicU64,
    /// Events decoded.
    pub events: AtomicU64,
    /// Events with a key the catalog does not know.
    pub unknown: AtomicU64,
    /// Connections that came to life.
    pub connects: AtomicU64,
    /// Logins tried.
    pub logins: AtomicU64,
}

impl ControllerFacts {
    /// Whether every site's socket is up.
    #[must_use]
    pub fn connected(&self) -> bool {
        !self.sites.is_empty() && self.sites.values().all(|up| *up)
    }
}

impl ControllerStatus {
    /// A copy of what is known.
    #[must_use]
    pub fn facts(&self) -> ControllerFacts {
        self.lock().clone()
    }

    /// Change what is known.
    pub fn update(&self, change: impl FnOnce(&mut ControllerFacts)) {
        change(&mut self.lock());
    }

    /// The counters.
    #[must_use]
    pub fn counts(&self) -> &FrameCounts {
        &self.counts
    }

    fn lock(&self) -> MutexGuard<'_, ControllerFacts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FrameCounts {
    /// Add one to a counter.
    pub fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The state of one sink's lane. A copy speaks of the same lane.
#[derive(Clone, Debug, Default)]
pub struct LaneStatus(Arc<Mutex<LaneFacts>>);

/// What is known of a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneFacts {
    /// `ok`, `retrying`, `parked` or `gone`.
    pub state: &'static str,
    /// What the sink said last when it failed.
    pub last_error: Option<String>,
    /// How often a call into the plugin kept its thread for a second or more.
    pub stalls: u64,
}

/// A plugin that keeps its thread for this long hinders others.
const STALL: Duration = Duration::from_secs(1);

impl LaneStatus {
    /// A copy of what is known.
    #[must_use]
    pub fn facts(&self) -> LaneFacts {
        self.lock().clone()
    }

    /// Show the state of the lane's health.
    pub fn show(&self, health: &Health) {
        let mut facts = self.lock();
        facts.state = health.state();
        if facts.last_error.as_deref() != health.last_error() {
            facts.last_error = health.last_error().map(str::to_owned);
        }
    }

    /// Note that a call kept its thread for `longest` without yielding; counted, and true, when that is a second or
    /// more.
    #[must_use]
    pub fn note_stall(&self, longest: Duration) -> bool {
        let stalled = longest >= STALL;
        if stalled {
            self.lock().stalls += 1;
        }
        stalled
    }

    fn lock(&self) -> MutexGuard<'_, LaneFacts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
