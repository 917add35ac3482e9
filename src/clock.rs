//! The only place that reads a clock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use unifi_herald_plugin::Timestamp;

/// Monotonic and wall-clock time; a copy reads the same clock.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Virtual { begun: Instant, wall: Timestamp },
    Manual(Arc<Mutex<(Instant, Timestamp)>>),
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The runtime's clock, with a wall clock that reads `wall` now: under paused tokio time both jump with it.
    #[must_use]
    pub fn of_runtime(wall: Timestamp) -> Self {
        Self(Source::Virtual {
            begun: Self::system().now(),
            wall,
        })
    }

    /// A clock that stands still at `wall` until it is advanced, for tests and virtual time.
    #[must_use]
    pub fn manual(wall: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new((
            Self::system().now(),
            wall,
        )))))
    }

    /// Monotonic time.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one home of the monotonic clock"
    )]
    pub fn now(&self) -> Instant {
        match &self.0 {
            // Tokio's, which is the machine's unless a test paused it: timers and decisions must agree.
            Source::System | Source::Virtual { .. } => tokio::time::Instant::now().into_std(),
            Source::Manual(clock) => clock.lock().unwrap_or_else(PoisonError::into_inner).0,
        }
    }

    /// Wall-clock time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one home of the wall clock")]
    pub fn wall(&self) -> Timestamp {
        match &self.0 {
            Source::System => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                // Before 1970 there were no UniFi controllers: a clock that far off reads as the epoch.
                let ms = since.map_or(0, |since| since.as_millis());
                Timestamp::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
            }
            Source::Virtual { begun, wall } => *wall + self.now().saturating_duration_since(*begun),
            Source::Manual(clock) => clock.lock().unwrap_or_else(PoisonError::into_inner).1,
        }
    }

    /// Move a manual clock forward; the machine's clocks do not listen.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(clock) = &self.0 {
            let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
            clock.0 += by;
            clock.1 = clock.1 + by;
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::System => f.write_str("Clock(system)"),
            Source::Virtual { .. } | Source::Manual(_) => write!(f, "Clock({})", self.wall()),
        }
    }
}
