//! How long to wait before the next attempt, at a controller or a destination: doubling, bounded, spread by a draw.

use std::time::Duration;

/// A growing delay between two checked bounds. It takes its randomness as an argument and reads no clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

/// The bounds do not make a back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a back-off needs 0 < min <= max")]
pub struct InvalidBackoff;

impl Backoff {
    /// # Errors
    /// When `min` is zero or above `max`.
    pub const fn new(min: Duration, max: Duration) -> Result<Self, InvalidBackoff> {
        if min.is_zero() || min.as_nanos() > max.as_nanos() {
            return Err(InvalidBackoff);
        }
        Ok(Self {
            min,
            max,
            failures: 0,
        })
    }

    /// Between bounds that somebody else has chosen: a `min` of zero counts as a millisecond, a `max` below `min` as
    /// `min`.
    #[must_use]
    pub fn between(min: Duration, max: Duration) -> Self {
        let min = min.max(Duration::from_millis(1));
        Self {
            min,
            max: max.max(min),
            failures: 0,
        }
    }

    /// The delay after one more failure. `draw` in `[0, 1)` spreads it over the upper half of the step, so that
    /// those that failed together do not come back together; a draw outside is taken as the nearest inside.
    pub fn fail(&mut self, draw: f64) -> Duration {
        let step = self.step();
        self.failures = self.failures.saturating_add(1);
        let low = self.min.max(step / 2);
        let draw = if draw.is_finite() {
            draw.clamp(0.0, 1.0)
        } else {
            1.0
        };
        low + (step - low).mul_f64(draw)
    }

    /// Begin again at `min`. For sockets only a data frame is reason enough: being accepted is not, since stale
    /// sessions are accepted too.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the start or the last reset.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn step(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.min.saturating_mul(factor).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_are_checked() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::new(Duration::ZERO, second), Err(InvalidBackoff));
        assert_eq!(Backoff::new(second * 2, second), Err(InvalidBackoff));
        assert!(Backoff::new(second, second).is_ok());
        let mended = Backoff::between(Duration::ZERO, Duration::ZERO);
        let millisecond = Duration::from_millis(1);
        assert_eq!(Backoff::new(millisecond, millisecond), Ok(mended));
        assert_eq!(
            Backoff::new(second, second),
            Ok(Backoff::between(second, millisecond))
        );
    }

    #[test]
    fn doubles_to_the_limit_and_begins_again() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60)).unwrap();
        let seconds: Vec<u64> = (0..9).map(|_| backoff.fail(1.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.failures(), 9);
        backoff.reset();
        assert_eq!(backoff.fail(0.0), Duration::from_secs(1));
        assert_eq!(backoff.fail(0.0), Duration::from_secs(1));
        assert_eq!(backoff.fail(0.0), Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn every_delay_is_within_bounds_and_no_step_is_shorter_than_half_the_one_before(
            min in 1_u64..10_000,
            extra in 0_u64..10_000_000,
            draws in proptest::collection::vec(prop_oneof![0.0..1.0_f64, Just(f64::NAN), Just(f64::INFINITY), Just(-1.0)], 1..80),
        ) {
            let (min, max) = (Duration::from_millis(min), Duration::from_millis(min + extra));
            let mut backoff = Backoff::new(min, max).unwrap();
            let mut before = Duration::ZERO;
            for draw in draws {
                let delay = backoff.fail(draw);
                prop_assert!(min <= delay && delay <= max);
                prop_assert!(delay * 2 + Duration::from_nanos(2) >= before);
                before = delay;
            }
        }
    }
}
