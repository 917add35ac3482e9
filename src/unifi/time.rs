//! When an item happened, by the controller's clock.

use super::item::Item;
use super::value::Value;
use unifi_herald_plugin::Timestamp;

/// 2000-01-01 and 2100-01-01 in seconds: what is outside is no time of an event.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// The controller's time of an item, when it has a plausible one: `time`, else `datetime`, else `timestamp`.
///
/// `time` and the system log's `timestamp` are milliseconds, the `timestamp` of intrusion alerts is seconds; the two
/// cannot be confused, since a number of seconds read as milliseconds is a day in early 1970.
pub(super) fn time(item: &Item<'_>) -> Option<Timestamp> {
    [item.time, item.datetime, item.timestamp]
        .into_iter()
        .flatten()
        .find_map(moment)
}

fn moment(value: Value<'_>) -> Option<Timestamp> {
    let Some(number) = value.int() else {
        let parsed: Timestamp = value.text()?.trim().parse().ok()?;
        return PLAUSIBLE.contains(&parsed.as_secs()).then_some(parsed);
    };
    if PLAUSIBLE.contains(&number) {
        Some(Timestamp::from_millis(number * 1000))
    } else {
        let plausible = PLAUSIBLE.contains(&number.div_euclid(1000));
        plausible.then(|| Timestamp::from_millis(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(json: &str) -> Option<i64> {
        let item = Item::of(serde_json::from_str(json).unwrap(), None).unwrap();
        time(&item).map(Timestamp::as_millis)
    }

    #[test]
    fn time_comes_in_many_forms() {
        for fields in [
            r#""time":1579546533000"#,
            r#""time":"1579546533000""#,
            r#""time":1579546533000.0"#,
            r#""time":1579546533"#,
            r#""datetime":"2020-01-20T18:55:33Z""#,
            r#""time":"2020-01-20T18:55:33Z""#,
            r#""timestamp":1579546533000"#,
            r#""timestamp":1579546533"#,
            r#""timestamp":1579546533,"time":1579546533000"#,
            r#""time":null,"datetime":"2020-01-20T18:55:33Z""#,
            r#""time":1e400,"datetime":"2020-01-20T18:55:33Z""#,
            r#""time":-5,"datetime":"2020-01-20T18:55:33Z""#,
        ] {
            let json = format!(r#"{{"key":"A",{fields}}}"#);
            assert_eq!(at(&json), Some(1_579_546_533_000), "{json}");
        }
    }

    #[test]
    fn an_outlandish_time_is_none() {
        for fields in [
            r#""x":1"#,
            r#""time":0"#,
            r#""time":17"#,
            r#""time":99999999999999999"#,
            r#""time":9223372036854775807"#,
            r#""time":"soon""#,
            r#""datetime":"9999-12-31T23:59:59Z""#,
            r#""time":[1579546533000]"#,
        ] {
            let json = format!(r#"{{"key":"A",{fields}}}"#);
            assert_eq!(at(&json), None, "{json}");
        }
    }
}
