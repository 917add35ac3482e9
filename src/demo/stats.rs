//! What was asked of the simulated controller, counted, and a way to wait until it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Counters of a simulated controller. A copy reads the same counters.
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    counts: Mutex<Counts>,
    changed: Condvar,
    notify: Notify,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Logins that succeeded.
    pub logins: u64,
    /// Logins that were refused, throttled or asked for a second factor.
    pub refused_logins: u64,
    /// Logouts.
    pub logouts: u64,
    /// Socket handshakes that were answered with 101.
    pub connects: u64,
    /// Socket handshakes that were refused.
    pub refused_connects: u64,
    /// Sockets open now; one that was frozen stays open until its reader gives up.
    pub sockets: usize,
    /// Frames written to sockets.
    pub frames: u64,
    /// Pings that were answered.
    pub pings: u64,
    /// Requests by path, without the query.
    pub requests: BTreeMap<String, u64>,
}

/// Paths beyond this many are not told apart.
const MOST_PATHS: usize = 1_000;

impl Stats {
    /// The counters now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Requests for this path.
    #[must_use]
    pub fn requests(&self, path: &str) -> u64 {
        self.0
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests
            .get(path)
            .copied()
            .unwrap_or(0)
    }

    /// Block until the counters satisfy `condition`; false when that took longer than `limit`.
    #[must_use]
    pub fn wait(&self, limit: Duration, mut condition: impl FnMut(&Counts) -> bool) -> bool {
        let counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .0
            .changed
            .wait_timeout_while(counts, limit, |counts| !condition(counts));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Resolves when the counters satisfy `condition`; put a timeout around it.
    pub async fn reached(&self, mut condition: impl FnMut(&Counts) -> bool) {
        loop {
            let changed = self.0.notify.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if condition(&self.counts()) {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.counts.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.changed.notify_all();
        self.0.notify.notify_waiters();
    }

    pub(super) fn request(&self, path: &str) {
        self.update(|counts| {
            if let Some(count) = counts.requests.get_mut(path) {
                *count += 1;
            } else if counts.requests.len() < MOST_PATHS {
                counts.requests.insert(path.to_owned(), 1);
            }
        });
    }
}
