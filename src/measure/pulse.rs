//! Whether a thread still does its work: it says so, others ask how long ago.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When a thread showed last that it is alive.
#[derive(Debug)]
pub struct Pulse {
    begun: Instant,
    beat_ms: AtomicU64,
}

impl Pulse {
    /// Of a thread that starts now.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            begun: now,
            beat_ms: AtomicU64::new(0),
        }
    }

    /// The thread is alive now.
    pub fn beat(&self, now: Instant) {
        let since = now.saturating_duration_since(self.begun).as_millis();
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        self.beat_ms.store(since, Ordering::Relaxed);
    }

    /// How long ago it showed itself.
    #[must_use]
    pub fn age(&self, now: Instant) -> Duration {
        let beat = Duration::from_millis(self.beat_ms.load(Ordering::Relaxed));
        now.saturating_duration_since(self.begun)
            .saturating_sub(beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn it_ages_from_beat_to_beat() {
        let start = Clock::system().now();
        let pulse = Pulse::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pulse.age(at(3)), Duration::from_secs(3));
        pulse.beat(at(3));
        assert_eq!(pulse.age(at(3)), Duration::ZERO);
        assert_eq!(pulse.age(at(10)), Duration::from_secs(7));
    }
}
