//! Stops running a script that keeps hitting its limits: pure, takes `now`.

use std::time::{Duration, Instant};

/// How often a script may hit a limit in a row before it is bypassed.
pub const LIMITS_IN_A_ROW: u32 = 20;
/// How long a bypassed script rests before one event tries it again.
pub const REST: Duration = Duration::from_secs(10);

/// Whether a script is run or bypassed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    in_a_row: u32,
    /// When a bypassed script is tried again.
    retry_at: Option<Instant>,
}

impl Breaker {
    /// Whether the script may run at `now`.
    #[must_use]
    pub fn admits(&self, now: Instant) -> bool {
        self.retry_at.is_none_or(|retry_at| now >= retry_at)
    }

    /// Whether the script is bypassed, trials apart.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.retry_at.is_some()
    }

    /// A run ended within its limits: true when that ends a bypass.
    pub fn within_limits(&mut self) -> bool {
        let was_open = self.is_open();
        *self = Self::default();
        was_open
    }

    /// A run was stopped by a limit: true when that begins a bypass.
    pub fn limit_hit(&mut self, now: Instant) -> bool {
        let was_open = self.is_open();
        self.in_a_row = self.in_a_row.saturating_add(1);
        if self.in_a_row >= LIMITS_IN_A_ROW {
            self.retry_at = Some(now + REST);
        }
        self.is_open() && !was_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn opens_after_so_many_in_a_row_and_tries_again_every_ten_seconds() {
        let start = Clock::system().now();
        let mut breaker = Breaker::default();
        for _ in 1..LIMITS_IN_A_ROW {
            assert!(!breaker.limit_hit(start));
        }
        assert!(breaker.admits(start));
        assert!(breaker.limit_hit(start));
        assert!(!breaker.admits(start));
        assert!(!breaker.admits(start + Duration::from_millis(9_999)));
        assert!(breaker.admits(start + REST));
        // The trial fails: another rest, and it is not a new bypass.
        assert!(!breaker.limit_hit(start + REST));
        assert!(!breaker.admits(start + REST));
        assert!(breaker.admits(start + REST * 2));
        assert!(breaker.within_limits());
        assert!(!breaker.is_open());
        assert!(breaker.admits(start));
    }

    #[test]
    fn a_good_run_starts_the_count_again() {
        let start = Clock::system().now();
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 1..LIMITS_IN_A_ROW {
                assert!(!breaker.limit_hit(start));
            }
            assert!(!breaker.within_limits());
        }
        assert!(!breaker.is_open());
    }
}
