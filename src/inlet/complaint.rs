//! When to say that something that comes again and again has begun: once for each stretch of it.

use std::time::{Duration, Instant};

/// After so long without it, it has ended.
const QUIET: Duration = Duration::from_mins(1);

/// When it was met last.
#[derive(Debug, Default)]
pub(super) struct Complaint(Option<Instant>);

impl Complaint {
    /// It is met `now`: whether that is worth a line.
    pub(super) fn is_new(&mut self, now: Instant) -> bool {
        let last = self.0.replace(now);
        last.is_none_or(|last| now.saturating_duration_since(last) >= QUIET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_stretch_is_told_once_however_long_it_is() {
        let start = Clock::system().now();
        let mut complaint = Complaint::default();
        let told = (0..10).filter(|minute| {
            // Once a half minute, with a pause of a minute and a half in between.
            let at = Duration::from_secs(30) * if *minute < 5 { *minute } else { minute + 2 };
            complaint.is_new(start + at)
        });
        assert_eq!(told.collect::<Vec<_>>(), [0, 5]);
    }
}
