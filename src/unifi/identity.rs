//! When an item happened, and the id it has wherever it comes from.

use super::item::Item;
use super::value::Value;
use sha2::{Digest, Sha256};
use unifi_herald_plugin::{Text, Timestamp};

/// Longest id taken as it is, in bytes; the controller's own have 24 or 36.
const MAX_ID: usize = 64;

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

/// The id of an item: the controller's own, else a hash of what tells it from every other. In a `frame` that is an
/// event by itself an id is that of the subject, and may come again.
pub(super) fn id(item: &Item<'_>, frame: Option<&str>, time: Timestamp) -> Text {
    let own = [item.object_id, item.id]
        .into_iter()
        .flatten()
        .find_map(Value::text);
    let subject = own
        .as_deref()
        .filter(|_| frame.is_some())
        .unwrap_or_default()
        .to_owned();
    let own = own.filter(|_| frame.is_none());
    match own {
        Some(own) if own.len() <= MAX_ID && own.bytes().all(|byte| byte.is_ascii_graphic()) => {
            own.as_ref().into()
        }
        Some(own) => hash(|add| add(&own)),
        None => hash(|add| {
            let key = item.event.filter(|_| item.key.is_none()).or(item.key);
            let key = key.and_then(Value::text);
            add(frame.or(key.as_deref()).unwrap_or_default());
            add(&subject);
            add(&time.as_millis().to_string());
            // Subjects first, then what keeps two events of one subject and millisecond apart. All of it is
            // stored by the controller, so that the socket and the history give the same; absent is empty.
            let told = [
                item.user,
                item.client,
                item.guest,
                item.ap,
                item.sw,
                item.gw,
                item.dm,
                item.xg,
                item.bb,
                item.lte,
                item.usp,
                item.dev,
                item.mac,
                item.name,
                item.ip,
                item.ap_from,
                item.ap_to,
                item.channel_from,
                item.channel_to,
                item.radio_from,
                item.radio_to,
                item.ssid,
                item.network,
                item.port,
                item.outlet,
                item.iface,
                item.state,
                item.admin,
                item.code,
                item.flow_id,
                item.alert_id,
                item.src_ip,
                item.src_port,
                item.dest_ip,
                item.dest_port,
            ];
            for value in told {
                add(&value.and_then(Value::text).unwrap_or_default());
            }
            subjects_of(item.parameters, add);
        }),
    }
}

/// The ids in a system-log item's parameters, in alphabetical order of the parameters' names.
fn subjects_of(parameters: Option<Value<'_>>, add: &mut dyn FnMut(&str)) {
    let mut ids: Vec<String> = Vec::new();
    let Some(parameters) = parameters.filter(|value| value.is_object()) else {
        return;
    };
    let walked = parameters.members(|name, parameter| {
        if !parameter.is_object() {
            return;
        }
        let mut id = None;
        let walked = parameter.members(|key, value| {
            if key == "id" {
                id = value.text();
            }
        });
        debug_assert!(walked.is_ok(), "a checked object has members");
        if let Some(id) = id {
            ids.push(format!("{name}={id}"));
        }
    });
    debug_assert!(walked.is_ok(), "a checked object has members");
    ids.sort_unstable();
    ids.iter().for_each(|id| add(id));
}

/// `h` and the first 12 bytes of a SHA-256 over parts that cannot run into each other, in hexadecimal. The letter
/// tells it from an id of the controller's database, which has as many digits.
fn hash(parts: impl FnOnce(&mut dyn FnMut(&str))) -> Text {
    let mut state = Sha256::new();
    parts(&mut |part| {
        state.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        state.update(part);
    });
    let digest = state.finalize();
    let digits = digest
        .iter()
        .take(12)
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16));
    let id: String = std::iter::once('h').chain(digits).collect();
    id.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(json: &str) -> Item<'_> {
        Item::of(serde_json::from_str(json).unwrap(), None).unwrap()
    }

    fn id_of(json: &str, time: Timestamp) -> Text {
        id(&item(json), None, time)
    }

    fn at(json: &str) -> Option<i64> {
        time(&item(json)).map(Timestamp::as_millis)
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

    #[test]
    fn an_own_id_is_kept_unless_it_is_unfit() {
        let moment = Timestamp::from_millis(0);
        assert_eq!(
            &*id_of(r#"{"key":"A","_id":"5ee9","id":"x"}"#, moment),
            "5ee9"
        );
        assert_eq!(&*id_of(r#"{"key":"A","_id":"","id":7}"#, moment), "7");
        let long = format!(r#"{{"key":"A","_id":"{}"}}"#, "x".repeat(65));
        let odd = r#"{"key":"A","_id":"a b\n"}"#;
        for json in [&long, odd] {
            assert_eq!(id_of(json, moment).len(), 25, "{json}");
        }
    }

    #[test]
    fn without_an_own_id_what_is_told_decides() {
        let moment = Timestamp::from_millis(1);
        let base = r#"{"key":"EVT_SW_PoeDisconnect","sw":"02:00:00:00:00:01","port":3,"time":1}"#;
        let same = r#"{"time":"1","port":"3","msg":"x","sw":"02:00:00:00:00:01","key":"EVT_SW_PoeDisconnect"}"#;
        assert_eq!(id_of(base, moment), id_of(same, moment));
        for other in [
            r#"{"key":"EVT_SW_PoeOverload","sw":"02:00:00:00:00:01","port":3}"#,
            r#"{"key":"EVT_SW_PoeDisconnect","sw":"02:00:00:00:00:02","port":3}"#,
            r#"{"key":"EVT_SW_PoeDisconnect","sw":"02:00:00:00:00:01","port":4}"#,
            r#"{"key":"EVT_SW_PoeDisconnect","ap":"02:00:00:00:00:01","port":3}"#,
        ] {
            assert_ne!(id_of(base, moment), id_of(other, moment), "{other}");
        }
        assert_ne!(id_of(base, moment), id_of(base, Timestamp::from_millis(2)));
        let one = r#"{"event":"A","parameters":{"B":{"id":"1"},"C":{"id":"2","name":"x"}}}"#;
        let two = r#"{"event":"A","parameters":{"C":{"id":"2","name":"y"},"B":{"id":"1"}}}"#;
        let three = r#"{"event":"A","parameters":{"C":{"id":"3"},"B":{"id":"1"}}}"#;
        assert_eq!(id_of(one, moment), id_of(two, moment));
        assert_ne!(id_of(one, moment), id_of(three, moment));
    }
}
