//! Delays between tries: doubling, jittered, bounded.

use std::time::Duration;

/// A sequence of delays from `min` to `max`. Half of each is fixed and half is drawn, so that many lanes that
/// failed together do not come back together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delay {
    min: Duration,
    max: Duration,
    tries: u32,
}

impl Delay {
    /// From `min` to `max`; a `min` of zero counts as a millisecond, a `max` below `min` as `min`.
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        let min = min.max(Duration::from_millis(1));
        Self {
            min,
            max: max.max(min),
            tries: 0,
        }
    }

    /// The next delay, for a random `draw` in `[0, 1)`; never below half of `min`, never above `max`.
    pub(super) fn next(&mut self, draw: f64) -> Duration {
        let factor = 1_u32.checked_shl(self.tries).unwrap_or(u32::MAX);
        let full = self.min.saturating_mul(factor).min(self.max);
        self.tries = self.tries.saturating_add(1).min(31);
        let draw = if draw.is_finite() {
            draw.clamp(0.0, 1.0)
        } else {
            0.0
        };
        full / 2 + (full / 2).mul_f64(draw)
    }

    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_up_to_the_maximum_and_starts_over() {
        let second = Duration::from_secs(1);
        let mut delay = Delay::new(second, 30 * second);
        let full: Vec<_> = (0..7).map(|_| delay.next(1.0).as_secs()).collect();
        assert_eq!(full, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(delay.next(0.0), 15 * second);
        delay.reset();
        assert_eq!(delay.next(0.0), second / 2);
    }

    proptest! {
        #[test]
        fn stays_within_bounds(min in 0_u64..100_000, max in 0_u64..100_000, draws in prop::collection::vec(any::<f64>(), 1..50)) {
            let (min, max) = (Duration::from_millis(min), Duration::from_millis(max));
            let mut delay = Delay::new(min, max);
            for draw in draws {
                let next = delay.next(draw);
                prop_assert!(next >= min / 2 && next <= max.max(min).max(Duration::from_millis(1)));
                prop_assert!(next > Duration::ZERO);
            }
        }
    }
}
