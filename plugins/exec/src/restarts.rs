//! When a program that ended is started again: pure.

use std::time::{Duration, Instant};

/// The pause before the next start.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    pause: Duration,
    not_before: Option<Instant>,
}

/// Whoever lived for so long had nothing wrong at its start.
const SETTLED: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

impl Restarts {
    /// A process that lived for `lived` ended now.
    pub(crate) fn ended(&mut self, now: Instant, lived: Duration) {
        self.pause = if lived >= SETTLED {
            Duration::ZERO
        } else {
            (self.pause * 2).clamp(SHORTEST, LONGEST)
        };
        self.not_before = Some(now + self.pause);
    }

    /// How long the next start still has to wait.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.not_before
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::TestContext;

    #[test]
    fn who_falls_at_once_waits_longer_each_time_and_who_worked_does_not() {
        let mut now = TestContext::new().now();
        let mut restarts = Restarts::default();
        assert_eq!(restarts.wait(now), Duration::ZERO);
        let mut waits = Vec::new();
        for _ in 0..7 {
            restarts.ended(now, Duration::ZERO);
            waits.push(restarts.wait(now).as_secs());
            now += restarts.wait(now);
            assert_eq!(restarts.wait(now), Duration::ZERO);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        restarts.ended(now, SETTLED);
        assert_eq!(restarts.wait(now), Duration::ZERO);
        restarts.ended(now, Duration::ZERO);
        assert_eq!(restarts.wait(now), SHORTEST);
    }
}
