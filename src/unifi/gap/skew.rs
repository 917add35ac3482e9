//! How the times of events differ from the clock of the connection that brings them.

use std::time::Duration;
use unifi_herald_plugin::{Event, Timestamp};

/// More is no clock that is wrong but an event that is old.
const MOST: Duration = Duration::from_hours(24);

/// The difference, as far as a run can tell. What comes late makes a clock look slower than it is, so that the fastest
/// event of a connection counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Skew {
    /// In milliseconds; negative where events go by a slower clock.
    ms: i64,
    measured: bool,
}

impl Skew {
    /// The last event of an earlier run is of `last`: until one comes, their clock may be as slow as that.
    #[must_use]
    pub fn suspected(last: Timestamp, now: Timestamp) -> Self {
        Self {
            ms: last.as_millis().saturating_sub(now.as_millis()).min(0),
            measured: false,
        }
    }

    /// There is a new connection, whose first event counts whatever was before.
    pub fn begin(&mut self) {
        self.measured = false;
    }

    /// These came when the clock of the connection said `now`. Those without a time of their own tell nothing.
    pub fn measure<'e>(&mut self, events: impl IntoIterator<Item = &'e Event>, now: Timestamp) {
        let timed = events
            .into_iter()
            .filter(|event| event.time != event.received);
        let Some(newest) = timed.map(|event| event.time).max() else {
            return;
        };
        let ms = newest.as_millis().saturating_sub(now.as_millis());
        self.ms = if self.measured { self.ms.max(ms) } else { ms };
        self.measured = true;
    }

    /// By how much the events' clock is slower.
    #[must_use]
    pub fn behind(&self) -> Duration {
        bounded(self.ms.saturating_neg())
    }

    /// By how much it is faster.
    #[must_use]
    pub fn ahead(&self) -> Duration {
        bounded(self.ms)
    }
}

fn bounded(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::Kind;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn told(time: i64, received: i64) -> Event {
        let mut event = Event::new(Kind::WAN_DOWN, "a", at(time));
        event.received = at(received);
        event
    }

    #[test]
    fn the_fastest_event_of_a_connection_counts() {
        let mut skew = Skew::default();
        assert_eq!((skew.behind(), skew.ahead()), Default::default());
        skew.measure([&told(100, 900)], at(900));
        skew.measure([&told(400, 1000), &told(390, 1000)], at(1000));
        skew.measure([&told(100, 1001), &told(1001, 1001)], at(1001));
        assert_eq!(skew.behind(), Duration::from_secs(600));
        skew.begin();
        assert_eq!(skew.behind(), Duration::from_secs(600));
        skew.measure([&told(0, 2000)], at(2000));
        assert_eq!(skew.behind(), Duration::from_secs(2000));
        skew.measure([&told(2030, 2010)], at(2010));
        assert_eq!(
            (skew.behind(), skew.ahead()),
            (Duration::ZERO, Duration::from_secs(20))
        );
        let mut skew = Skew::suspected(at(100), at(800));
        assert_eq!(skew.behind(), Duration::from_secs(700));
        skew.measure([&told(899, 900)], at(900));
        assert_eq!(skew.behind(), Duration::from_secs(1));
        assert_eq!(Skew::suspected(at(800), at(100)).ahead(), Duration::ZERO);
        skew.begin();
        skew.measure([&told(i64::MIN / 1_000, 3000)], at(3000));
        assert_eq!(skew.behind(), MOST);
    }
}
