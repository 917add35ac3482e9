//! Times of the week as scripts write them: `"22:00-07:00"`, `"Mon-Fri 08:00-18:00"`.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use unifi_herald_plugin::Timestamp;

/// A stretch of the day on some days of the week, by the clock on the wall.
///
/// A stretch that ends before it begins spans midnight, and belongs to the day on which it begins: the early
/// Saturday is in `"Fri 22:00-06:00"`. The wall clock decides, so on the days when daylight saving begins or
/// ends the stretch is an hour shorter or longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Bit 0 is Monday.
    days: u8,
    /// Minutes since midnight; `to` is not part of it.
    from: u16,
    to: u16,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EVERY_DAY: u8 = 0b0111_1111;
const DAY: u16 = 24 * 60;

impl Hours {
    /// Reads `[days ]HH:MM-HH:MM`, where days are a list of names or ranges: `Sat,Sun`, `Mon-Fri`.
    ///
    /// # Errors
    /// When it is not of that form, or empty.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid =
            || format!("`{text}` is not a time such as \"22:00-07:00\" or \"Mon-Fri 08:00-18:00\"");
        let (days, times) = match text.trim().rsplit_once(char::is_whitespace) {
            Some((days, times)) => (parse_days(days).ok_or_else(invalid)?, times),
            None => (EVERY_DAY, text.trim()),
        };
        let (from, to) = times.split_once('-').ok_or_else(invalid)?;
        let (from, to) = (
            minute(from).ok_or_else(invalid)?,
            minute(to).ok_or_else(invalid)?,
        );
        if from == to || from == DAY {
            return Err(format!(
                "`{text}` is empty; the whole day is \"00:00-24:00\""
            ));
        }
        Ok(Self { days, from, to })
    }

    /// Whether `now` is within it, in `zone`.
    #[must_use]
    pub fn contains(self, now: Timestamp, zone: &TimeZone) -> bool {
        let Ok(moment) = jiff::Timestamp::from_millisecond(now.as_millis()) else {
            return false;
        };
        let local = zone.to_datetime(moment);
        let minute =
            u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
        let on = |day: Weekday| self.days & 1 << day.to_monday_zero_offset() != 0;
        let today = local.date().weekday();
        if self.from < self.to {
            on(today) && (self.from..self.to).contains(&minute)
        } else {
            (on(today) && minute >= self.from) || (on(today.previous()) && minute < self.to)
        }
    }

    /// The first full minute after `now` that is not within it, at most a week ahead.
    #[must_use]
    pub fn end_after(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        const MINUTE: i64 = 60_000;
        const WEEK: i64 = 7 * 24 * 60;
        let first = now.as_millis().div_euclid(MINUTE) + 1;
        let minute = |offset: i64| Timestamp::from_millis((first + offset) * MINUTE);
        let mut after = (0..WEEK).map(minute);
        let end = after.find(|time| !self.contains(*time, zone));
        end.unwrap_or_else(|| minute(WEEK))
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| -> Option<u16> {
        let digits =
            (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok())?
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY).then_some(total)
}

fn parse_days(text: &str) -> Option<u8> {
    let day = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        DAYS.iter().position(|day| *day == name)
    };
    let mut days = 0;
    for part in text.split(',') {
        let (from, to) = match part.split_once('-') {
            Some((from, to)) => (day(from)?, day(to)?),
            None => (day(part)?, day(part)?),
        };
        // A range may pass Sunday: `Sat-Mon`.
        for step in 0..=(to + 7 - from) % 7 {
            days |= 1 << ((from + step) % 7);
        }
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(hours: &str, now: &str) -> bool {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Hours::parse(hours)
            .unwrap()
            .contains(now.parse().unwrap(), &zone)
    }

    #[test]
    fn the_end_is_not_part_of_it_and_midnight_is_spanned() {
        for (hours, now, expected) in [
            ("08:00-18:00", "2026-06-01T06:00:00Z", true),
            ("08:00-18:00", "2026-06-01T05:59:59.999Z", false),
            ("08:00-18:00", "2026-06-01T15:59:59.999Z", true),
            ("08:00-18:00", "2026-06-01T16:00:00Z", false),
            ("22:00-07:00", "2026-06-01T20:00:00Z", true),
            ("22:00-07:00", "2026-06-01T02:00:00Z", true),
            ("22:00-07:00", "2026-06-01T05:00:00Z", false),
            ("22:00-07:00", "2026-06-01T12:00:00Z", false),
            ("00:00-24:00", "2026-06-01T21:59:59Z", true),
            ("22:00-24:00", "2026-06-01T21:59:59Z", true),
            ("22:00-24:00", "2026-06-01T22:00:00Z", false),
        ] {
            assert_eq!(within(hours, now), expected, "{hours} at {now}");
        }
    }

    #[test]
    fn days_are_those_on_which_it_begins() {
        // 2026-06-05 is a Friday.
        for (hours, now, expected) in [
            ("Fri 22:00-06:00", "2026-06-05T21:00:00Z", true),
            ("Fri 22:00-06:00", "2026-06-06T03:59:00Z", true),
            ("Fri 22:00-06:00", "2026-06-05T03:00:00Z", false),
            ("Fri 22:00-06:00", "2026-06-06T21:00:00Z", false),
            ("Mon-Fri 08:00-18:00", "2026-06-05T10:00:00Z", true),
            ("mon-fri 08:00-18:00", "2026-06-06T10:00:00Z", false),
            ("Sat-Mon 08:00-18:00", "2026-06-07T10:00:00Z", true),
            ("Sat-Mon 08:00-18:00", "2026-06-09T10:00:00Z", false),
            ("Tue, Fri 08:00-18:00", "2026-06-05T10:00:00Z", true),
        ] {
            assert_eq!(within(hours, now), expected, "{hours} at {now}");
        }
    }

    #[test]
    fn daylight_saving_follows_the_wall_clock() {
        for (hours, now, expected) in [
            // 2026-03-29: 01:59:59 is followed by 03:00:00.
            ("01:00-02:30", "2026-03-29T00:59:59Z", true),
            ("01:00-02:30", "2026-03-29T01:00:00Z", false),
            ("02:30-04:00", "2026-03-29T01:00:00Z", true),
            ("22:00-07:00", "2026-03-29T04:59:59Z", true),
            ("22:00-07:00", "2026-03-29T05:00:00Z", false),
            // 2026-10-25: 02:59:59 is followed by 02:00:00.
            ("02:00-02:30", "2026-10-25T00:10:00Z", true),
            ("02:00-02:30", "2026-10-25T00:40:00Z", false),
            ("02:00-02:30", "2026-10-25T01:10:00Z", true),
            ("22:00-07:00", "2026-10-25T05:59:59Z", true),
            ("22:00-07:00", "2026-10-25T06:00:00Z", false),
        ] {
            assert_eq!(within(hours, now), expected, "{hours} at {now}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for text in [
            "",
            "22-07",
            "25:00-26:00",
            "08:60-09:00",
            "08:00",
            "Xyz 08:00-09:00",
            "08:00-08:00",
            "24:00-01:00",
            "+8:00-09:00",
        ] {
            assert!(Hours::parse(text).is_err(), "{text}");
        }
    }
}
