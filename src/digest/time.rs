//! When the clock on the wall shows a time of the day next.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// The next moment after `now` at which the clock on the wall shows `at`. On a day that has no such time, the next
/// minute that it has; on one that has it twice, the first.
#[must_use]
pub(super) fn next(at: Time, now: Timestamp, zone: &TimeZone) -> Timestamp {
    let fallback = now + Duration::from_hours(24);
    let Ok(moment) = jiff::Timestamp::from_millisecond(now.as_millis()) else {
        return fallback;
    };
    let today = zone.to_datetime(moment).date();
    // A time that is skipped at midnight belongs to the day before as well as to its own.
    let days = [today.yesterday().ok(), Some(today), today.tomorrow().ok()];
    let times = days
        .into_iter()
        .flatten()
        .filter_map(|day| on(day, at, zone));
    times.filter(|time| *time > now).min().unwrap_or(fallback)
}

/// When the clock shows `at` on this day, or would.
fn on(day: Date, at: Time, zone: &TimeZone) -> Option<Timestamp> {
    let wanted = day.to_datetime(at);
    let ambiguous = zone.to_ambiguous_timestamp(wanted);
    let time = match ambiguous.offset() {
        // Skipped: by the clock as it was before, the moment lies behind the change, and that is what is wanted.
        AmbiguousOffset::Gap { before, .. } => {
            let behind = before.to_timestamp(wanted).ok()?;
            let behind = behind
                .checked_add(jiff::SignedDuration::from_secs(1))
                .ok()?;
            zone.preceding(behind).next()?.timestamp()
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            ambiguous.earlier().ok()?
        }
    };
    Some(Timestamp::from_millis(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(zone: &str, time: (i8, i8), now: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let at = Time::constant(time.0, time.1, 0, 0);
        next(at, now.parse().unwrap(), &zone).to_string()
    }

    #[test]
    fn an_ordinary_day() {
        let berlin = |now| shown("Europe/Berlin", (7, 30), now);
        assert_eq!(berlin("2026-11-25T00:00:00Z"), "2026-11-25T06:30:00.000Z");
        assert_eq!(
            berlin("2026-11-25T06:29:59.999Z"),
            "2026-11-25T06:30:00.000Z"
        );
        assert_eq!(berlin("2026-11-25T06:30:00Z"), "2026-11-26T06:30:00.000Z");
    }

    #[test]
    fn a_time_that_is_skipped_is_the_next_minute_there_is() {
        // On the 29th of March the clock goes from 2:00 to 3:00.
        let berlin = |now| shown("Europe/Berlin", (2, 30), now);
        assert_eq!(berlin("2026-03-28T23:30:00Z"), "2026-03-29T01:00:00.000Z");
        assert_eq!(berlin("2026-03-29T01:00:00Z"), "2026-03-30T00:30:00.000Z");
        // In Cairo the night of the 24th of April has no first hour.
        let cairo = |now| shown("Africa/Cairo", (0, 30), now);
        assert_eq!(cairo("2026-04-23T12:00:00Z"), "2026-04-23T22:00:00.000Z");
        assert_eq!(cairo("2026-04-23T22:00:00Z"), "2026-04-24T21:30:00.000Z");
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first() {
        // On the 25th of October half past two comes twice.
        let berlin = |now| shown("Europe/Berlin", (2, 30), now);
        assert_eq!(berlin("2026-10-24T23:00:00Z"), "2026-10-25T00:30:00.000Z");
        assert_eq!(berlin("2026-10-25T00:30:00Z"), "2026-10-26T01:30:00.000Z");
    }

    proptest! {
        /// It is always ahead, at most a day and what a change of the clock adds, and the same until it comes.
        #[test]
        fn it_comes_once_a_day(
            now in 1_700_000_000_000i64..1_900_000_000_000,
            later in 0.0f64..1.0,
            minute in 0i16..1440,
            zone in proptest::sample::select(vec!["Europe/Berlin", "America/New_York", "Africa/Cairo", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let at = Time::constant((minute / 60) as i8, (minute % 60) as i8, 0, 0);
            let now = Timestamp::from_millis(now);
            let due = next(at, now, &zone);
            prop_assert!(due > now && due <= now + Duration::from_hours(26), "{now} {due}");
            let until = due.since(now).as_millis() as f64 * later;
            let between = now + Duration::from_millis((until as u64).min(due.since(now).as_millis() as u64 - 1));
            prop_assert_eq!(next(at, between, &zone), due);
        }
    }
}
