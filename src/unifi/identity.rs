//! The id of an item, the same wherever the item comes from.

use super::item::Item;
use super::value::Value;
use sha2::{Digest, Sha256};
use unifi_herald_plugin::{Text, Timestamp};

/// Longest id taken as it is, in bytes; the controller's own have 24 or 36.
const MAX_ID: usize = 64;

/// The id of an item: the controller's own, else a hash of what tells it from every other. In a `frame` that is an
/// event by itself an id is that of the subject, and may come again.
pub(super) fn id(item: &Item<'_>, frame: Option<&str>, time: Timestamp) -> Text {
    let own = [item.object_id, item.id]
        .into_iter()
        .flatten()
        .find_map(Value::text);
    if let (Some(own), None) = (&own, frame) {
        return if own.len() <= MAX_ID && own.bytes().all(|byte| byte.is_ascii_graphic()) {
            own.as_ref().into()
        } else {
            let mut parts = Parts::new();
            parts.add(own);
            parts.hash()
        };
    }
    let key = item.key.or(item.event).and_then(Value::text);
    let mut parts = Parts::new();
    parts.add(frame.or(key.as_deref()).unwrap_or_default());
    parts.add(own.as_deref().unwrap_or_default());
    parts
        .bytes
        .extend_from_slice(&time.as_millis().to_le_bytes());
    // Subjects first, then what keeps two events of one subject and millisecond apart. All of it is stored by the
    // controller, so that the socket and the history give the same.
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
    for (place, value) in (0_u8..).zip(told) {
        if let Some(text) = value.and_then(Value::text) {
            parts.bytes.push(place);
            parts.add(&text);
        }
    }
    for id in parameter_ids(item.parameters) {
        parts.add(&id);
    }
    parts.hash()
}

/// The ids in a system-log item's parameters, in alphabetical order of the parameters' names.
fn parameter_ids(parameters: Option<Value<'_>>) -> Vec<String> {
    let mut ids = Vec::new();
    if let Some(parameters) = parameters {
        parameters.members(|name, parameter| {
            let mut id = None;
            parameter.members(|key, value| {
                if key == "id" {
                    id = value.text();
                }
            });
            ids.extend(id.map(|id| format!("{name}={id}")));
        });
    }
    ids.sort_unstable();
    ids
}

/// What a hash is made of, in parts that cannot run into each other.
#[derive(Debug)]
struct Parts {
    bytes: Vec<u8>,
}

impl Parts {
    fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(512),
        }
    }

    fn add(&mut self, part: &str) {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(part.as_bytes());
    }

    /// `h` and the first 12 bytes of the SHA-256, in hexadecimal. The letter tells it from an id of the
    /// controller's database, which has as many digits.
    fn hash(&self) -> Text {
        let digest = Sha256::digest(&self.bytes);
        let mut id = [b'h'; 25];
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (place, digit) in id[1..].iter_mut().zip(digits) {
            *place = b"0123456789abcdef"[usize::from(digit)];
        }
        String::from_utf8_lossy(&id).into()
    }
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
