//! When a program that ended is started again: pure.

use std::time::{Duration, Instant};

/// The pause before the next start.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    pause: Duration,
    not_before: Option<Instant>,
}

/// Whoever lived for so long, or did something, had nothing wrong at its start.
const SETTLED: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// What a process did before it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Life {
    pub(crate) lived: Duration,
    /// Whether it has acknowledged an event: some take one and end.
    pub(crate) worked: bool,
    /// Whether it ended of its own accord and without an error.
    pub(crate) well: bool,
}

impl Restarts {
    /// A process ended now.
    pub(crate) fn ended(&mut self, now: Instant, life: Life) {
        self.pause = match life {
            Life { lived, .. } if lived >= SETTLED => Duration::ZERO,
            Life { worked, well, .. } if worked && well => Duration::ZERO,
            Life { worked: true, .. } => SHORTEST,
            _ => (self.pause * 2).clamp(SHORTEST, LONGEST),
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
            restarts.ended(now, Life::default());
            waits.push(restarts.wait(now).as_secs());
            now += restarts.wait(now);
            assert_eq!(restarts.wait(now), Duration::ZERO);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        let settled = Life {
            lived: SETTLED,
            ..Life::default()
        };
        restarts.ended(now, settled);
        assert_eq!(restarts.wait(now), Duration::ZERO);
        restarts.ended(now, Life::default());
        assert_eq!(restarts.wait(now), SHORTEST);
    }

    #[test]
    fn who_does_something_and_ends_is_not_taken_for_one_that_falls() {
        let now = TestContext::new().now();
        let mut restarts = Restarts::default();
        for _ in 0..3 {
            restarts.ended(now, Life::default());
        }
        let mut life = Life {
            worked: true,
            ..Life::default()
        };
        restarts.ended(now, life);
        assert_eq!(restarts.wait(now), SHORTEST, "it fell, and got on");
        restarts.ended(now, life);
        assert_eq!(restarts.wait(now), SHORTEST, "no longer each time");
        life.well = true;
        restarts.ended(now, life);
        assert_eq!(restarts.wait(now), Duration::ZERO, "one event, one process");
        life.worked = false;
        restarts.ended(now, life);
        assert_eq!(restarts.wait(now), SHORTEST, "it takes nothing");
    }
}
