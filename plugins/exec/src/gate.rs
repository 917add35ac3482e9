//! How often something may be logged: a few at once, then one every few seconds, the rest counted. Pure.

use std::time::{Duration, Instant};

/// Lets through what is rare and counts what is a flood.
#[derive(Debug)]
pub(crate) struct Gate {
    left: u32,
    /// When `left` was brought up to date.
    since: Option<Instant>,
    suppressed: u64,
}

/// As many may come at once.
const BURST: u32 = 20;
/// And one more after each such time.
const EVERY: Duration = Duration::from_secs(3);

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            left: BURST,
            since: None,
            suppressed: 0,
        }
    }

    /// Whether one may pass now; with how many did not since the last that did.
    pub(crate) fn admit(&mut self, now: Instant) -> Option<u64> {
        let since = *self.since.get_or_insert(now);
        let earned = now.saturating_duration_since(since).as_secs() / EVERY.as_secs();
        let earned = u32::try_from(earned).unwrap_or(BURST).min(BURST);
        if earned > 0 {
            self.left = BURST.min(self.left + earned);
            self.since = Some(now);
        }
        if self.left == 0 {
            self.suppressed += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.suppressed))
    }

    /// How many did not pass since the last that did.
    pub(crate) fn suppressed(&self) -> u64 {
        self.suppressed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::TestContext;

    #[test]
    fn a_flood_is_counted_and_a_trickle_passes() {
        let start = TestContext::new().now();
        let mut gate = Gate::new();
        let passed = (0..1000).filter(|_| gate.admit(start).is_some()).count();
        assert_eq!((passed, gate.suppressed()), (20, 980));
        assert_eq!(gate.admit(start + Duration::from_secs(2)), None);
        assert_eq!(gate.admit(start + EVERY), Some(981));
        assert_eq!(gate.admit(start + EVERY), None);
        let later = start + Duration::from_secs(3600);
        assert_eq!(gate.admit(later), Some(1));
        let passed = (0..1000).filter(|_| gate.admit(later).is_some()).count();
        assert_eq!(passed, 19, "never more than a burst");
    }
}
