//! Times and lengths of time as people read them.

use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// `2026-11-22 17:21:13 UTC`
pub(super) fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    // The form is fixed: 2026-11-22T17:21:13.440Z.
    format!("{} {} UTC", &text[..10], &text[11..19])
}

/// `5 s`, `12 min`, `3 h 5 min`, `2 d 4 h`
pub(super) fn length(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: u64, unit: &str, small: u64, below: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {below}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => two(hours, "h", minutes % 60, "min"),
        (days, hours, _) => two(days, "d", hours % 24, "h"),
    }
}

/// When it happened, and how long ago that is.
pub(super) fn late(at: Timestamp, now: Timestamp) -> String {
    format!(
        "happened {}, {} before this message",
        moment(at),
        length(now.since(at))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_to_what_matters() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (11_130, "3 h 5 min"),
            (86_400, "1 d"),
            (187_200, "2 d 4 h"),
        ] {
            assert_eq!(length(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_late_message_says_when_it_was() {
        let at = Timestamp::from_millis(1_795_368_073_440);
        let said = late(at, at + Duration::from_secs(600));
        assert_eq!(
            said,
            "happened 2026-11-22 17:21:13 UTC, 10 min before this message"
        );
    }
}
