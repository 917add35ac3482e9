//! What the host measures about itself: cheap to note, read by whoever asks.

mod histogram;
mod pulse;
mod rates;

pub use histogram::{Histogram, Snapshot};
pub use pulse::Pulse;
pub use rates::{LEVELS, Rates, SLOT, Slot, by_level};

use crate::clock::Clock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// How often a thread shows that it is alive while it has nothing to do.
pub const BEAT: Duration = Duration::from_secs(5);

/// A thread that has not shown itself for this long is stuck.
pub const STUCK: Duration = Duration::from_secs(60);

/// The measures of one host.
#[derive(Debug)]
pub struct Measures {
    /// When the host started.
    pub started: Timestamp,
    /// Events in one batch of the router.
    pub batch_events: Histogram,
    /// Seconds that the chains took for one batch.
    pub batch_seconds: Histogram,
    /// Seconds until the store had a batch.
    pub commit_seconds: Histogram,
    /// Events that were committed lately, by severity.
    pub rates: Rates,
    /// Events that the ring lost because it was full.
    pub ring_lost: AtomicU64,
    /// Clients that were forgotten for want of room, and would be new again.
    pub clients_forgotten: AtomicU64,
    /// The thread that reads the sockets.
    pub source: Pulse,
    /// The thread that routes and commits.
    pub router: Pulse,
}

impl Measures {
    /// Nothing measured yet.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        let now = clock.now();
        Self {
            started: clock.wall(),
            batch_events: Histogram::new(&[1.0, 4.0, 16.0, 64.0, 256.0, 512.0]),
            batch_seconds: Histogram::new(&[0.0001, 0.0005, 0.0025, 0.01, 0.05, 0.25, 1.0]),
            commit_seconds: Histogram::new(&[0.0005, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0]),
            rates: Rates::default(),
            ring_lost: AtomicU64::new(0),
            clients_forgotten: AtomicU64::new(0),
            source: Pulse::new(now),
            router: Pulse::new(now),
        }
    }
}
