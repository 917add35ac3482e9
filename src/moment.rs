//! Moments as people write them: `2h`, `today`, `2026-11-22`, `2026-11-22 17:00`, RFC 3339.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use unifi_herald_plugin::{Span, Timestamp};

/// What a moment may look like, for help and errors.
pub(crate) const FORMS: &str =
    "a time ago (2h), `today`, `yesterday`, a day (2026-11-22), or a time (2026-11-22T17:21:13Z)";

/// The moment `text` means, seen from `now` in `zone`.
pub(crate) fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    let here = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
    let today = || zone.to_datetime(here).date();
    let found = match text {
        "now" => return Ok(now),
        "today" => midnight(today(), zone),
        "yesterday" => today().yesterday().ok().and_then(|day| midnight(day, zone)),
        _ => moment(text, now, zone),
    };
    found.ok_or_else(|| format!("`{text}` is not a moment: write {FORMS}"))
}

fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(span) = text.parse::<Span>() {
        return Some(now - span.0);
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from_millis(moment.as_millisecond()));
    }
    if text.len() == "2026-11-22".len() {
        return text
            .parse::<Date>()
            .ok()
            .and_then(|day| midnight(day, zone));
    }
    local(text.parse::<DateTime>().ok()?, zone)
}

fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    local(day.to_datetime(jiff::civil::Time::midnight()), zone)
}

fn local(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let moment = zone.to_timestamp(time).ok()?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<String, String> {
        let now = "2026-11-22T23:30:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        parse(text, now, &zone).map(|moment| moment.to_string())
    }

    #[test]
    fn every_form_is_read_in_the_zone_of_the_configuration() {
        for (text, moment) in [
            ("now", "2026-11-22T23:30:00.000Z"),
            ("2h", "2026-11-22T21:30:00.000Z"),
            ("1d12h", "2026-11-21T11:30:00.000Z"),
            // Past midnight already, an hour east.
            ("today", "2026-11-22T23:00:00.000Z"),
            ("yesterday", "2026-11-21T23:00:00.000Z"),
            ("2026-11-20", "2026-11-19T23:00:00.000Z"),
            ("2026-11-20 17:00", "2026-11-20T16:00:00.000Z"),
            ("2026-11-20T17:00:01.5", "2026-11-20T16:00:01.500Z"),
            ("2026-11-20T17:00:00Z", "2026-11-20T17:00:00.000Z"),
            ("2026-11-20T17:00:00+05:00", "2026-11-20T12:00:00.000Z"),
        ] {
            assert_eq!(told(text).as_deref(), Ok(moment), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "soon", "2026-13-01", "2026-11-20 25:00", "-2h", "17:00"] {
            let error = told(text).unwrap_err();
            assert!(
                error.contains("is not a moment: write a time ago (2h)"),
                "{error}"
            );
        }
    }
}
