//! Tests of what both ways of writing share.

use super::*;

#[test]
fn durations_have_at_most_two_units() {
    for (seconds, text) in [
        (0, "0s"),
        (45, "45s"),
        (60, "1m"),
        (201, "3m 21s"),
        (3600, "1h"),
        (3601, "1h"),
        (7500, "2h 5m"),
        (86_400 * 4, "4d"),
        (u64::MAX, "213503982334601d 7h"),
    ] {
        assert_eq!(duration(seconds), text);
    }
}
