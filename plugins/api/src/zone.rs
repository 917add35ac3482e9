//! The time zone of the configuration, as a plugin sees it.

use crate::Timestamp;
use std::fmt;
use std::sync::Arc;

/// How far local time is ahead of UTC at a moment; cheap to clone.
///
/// It is a function rather than a name, so that a plugin needs no database of time zones.
#[derive(Clone)]
pub struct Zone(Arc<dyn Fn(Timestamp) -> i32 + Send + Sync>);

impl Zone {
    /// For hosts and tests: `offset` gives the seconds that local time is ahead of UTC (`3600` in Berlin in winter,
    /// negative west of Greenwich).
    pub fn new(offset: impl Fn(Timestamp) -> i32 + Send + Sync + 'static) -> Self {
        Self(Arc::new(offset))
    }

    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self::new(|_| 0)
    }

    /// Seconds that local time is ahead of UTC at `at`; always less than a day either way.
    #[must_use]
    pub fn offset(&self, at: Timestamp) -> i32 {
        const DAY: i32 = 86_400;
        (self.0)(at).clamp(1 - DAY, DAY - 1)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zone")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_less_than_a_day() {
        let at = Timestamp::from_millis(0);
        assert_eq!(Zone::default().offset(at), 0);
        assert_eq!(Zone::new(|_| -3600).offset(at), -3600);
        assert_eq!(Zone::new(|_| i32::MAX).offset(at), 86_399);
        assert_eq!(Zone::new(|_| i32::MIN).offset(at), -86_399);
    }
}
