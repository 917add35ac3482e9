//! Blanking normalised fields, and their text in the summary.

use unifi_herald_plugin::{Event, Mac, Text};

/// What stands in the summary where blanked text was.
const BLANK: &str = "[redacted]";

/// Blank the field or the subject at `path` (`client.name`, `client`), drop `raw`, and take the blanked text out of
/// the summary. A path that is absent in this event is fine, since not every event has every field.
///
/// # Errors
/// When no event has such a field, or it is one that cannot be blanked.
pub(super) fn redact(event: &mut Event, path: &str) -> Result<(), String> {
    let mut blanked = Vec::new();
    if !blank(event, path, &mut blanked) {
        return Err(format!("`{path}` is not a field that can be redacted"));
    }
    event.raw = None;
    // Longest first: a host name may be part of a name.
    blanked.sort_by_key(|text| std::cmp::Reverse(text.len()));
    for text in &blanked {
        if let Some(summary) = without(&event.summary, text) {
            event.summary = summary.into();
        }
    }
    Ok(())
}

/// Whether `path` can be blanked; what was there goes to `out`.
fn blank(event: &mut Event, path: &str, out: &mut Vec<String>) -> bool {
    let Some((subject, field)) = path.split_once('.') else {
        return blank_whole(event, path, out);
    };
    macro_rules! fields {
        ($of:expr, $subject:expr; $($name:literal $field:ident $take:ident,)*) => {
            match $of {
                $($name => {
                    if let Some(subject) = $subject { $take(&mut subject.$field, out); }
                    true
                })*
                _ => false,
            }
        };
    }
    macro_rules! device {
        ($of:expr, $subject:expr) => {
            fields!($of, $subject; "mac" mac mac, "name" name text, "model" model text, "type" kind text,)
        };
    }
    macro_rules! endpoint {
        ($of:expr, $subject:expr) => {
            fields!($of, $subject; "ip" ip text, "port" port number, "mac" mac mac, "name" name text,)
        };
    }
    match subject {
        "client" => fields!(field, event.client.as_mut();
            "mac" mac mac, "name" name text, "hostname" hostname text, "ip" ip text,),
        "device" => match field.strip_prefix("uplink.") {
            Some(field) => {
                fields!(field, event.device.as_mut().and_then(|device| device.uplink.as_mut());
                "mac" mac mac, "name" name text, "port" port number,)
            }
            None if field == "uplink" => {
                take_whole(
                    &mut event
                        .device
                        .as_mut()
                        .and_then(|device| device.uplink.take()),
                    out,
                );
                true
            }
            None => device!(field, event.device.as_mut()),
        },
        "from" | "to" => {
            let place = if subject == "from" {
                event.from.as_mut()
            } else {
                event.to.as_mut()
            };
            match field.strip_prefix("device.") {
                Some(field) => device!(field, place.and_then(|place| place.device.as_mut())),
                None if field == "device" => {
                    take_whole(&mut place.and_then(|place| place.device.take()), out);
                    true
                }
                None => fields!(field, place; "channel" channel number,),
            }
        }
        "port" => fields!(field, event.port.as_mut(); "number" number number, "name" name text,),
        "wan" => {
            fields!(field, event.wan.as_mut(); "name" name text, "interface" interface text, "isp" isp text,)
        }
        "network" => fields!(field, event.network.as_mut(); "name" name text, "vlan" vlan number,),
        "admin" => fields!(field, event.admin.as_mut(); "name" name text, "ip" ip text,),
        "src" => endpoint!(field, event.src.as_mut()),
        "dst" => endpoint!(field, event.dst.as_mut()),
        "vpn" => {
            fields!(field, event.vpn.as_mut(); "name" name text, "type" kind text, "ip" ip text,)
        }
        "voucher" => {
            fields!(field, event.voucher.as_mut(); "code" code text, "count" count number,)
        }
        "threat" => {
            fields!(field, event.threat.as_mut(); "signature" signature text, "category" category text,)
        }
        "fields" => {
            take_whole(&mut event.fields.remove(field), out);
            true
        }
        _ => false,
    }
}

fn blank_whole(event: &mut Event, path: &str, out: &mut Vec<String>) -> bool {
    match path {
        "client" => take_whole(&mut event.client, out),
        "device" => take_whole(&mut event.device, out),
        "from" => take_whole(&mut event.from, out),
        "to" => take_whole(&mut event.to, out),
        "port" => take_whole(&mut event.port, out),
        "wan" => take_whole(&mut event.wan, out),
        "network" => take_whole(&mut event.network, out),
        "admin" => take_whole(&mut event.admin, out),
        "threat" => take_whole(&mut event.threat, out),
        "src" => take_whole(&mut event.src, out),
        "dst" => take_whole(&mut event.dst, out),
        "vpn" => take_whole(&mut event.vpn, out),
        "voucher" => take_whole(&mut event.voucher, out),
        "ssid" => text(&mut event.ssid, out),
        "reason" => text(&mut event.reason, out),
        "raw" => {}
        _ => return false,
    }
    true
}

fn text(field: &mut Option<Text>, out: &mut Vec<String>) {
    out.extend(field.take().map(|text| text.to_string()));
}

fn mac(field: &mut Option<Mac>, out: &mut Vec<String>) {
    out.extend(field.take().map(|mac| mac.to_string()));
}

fn number<N: ToString>(field: &mut Option<N>, out: &mut Vec<String>) {
    out.extend(field.take().map(|number| number.to_string()));
}

/// Take a whole subject; every text and number in it counts as blanked.
fn take_whole<T: serde::Serialize>(subject: &mut Option<T>, out: &mut Vec<String>) {
    fn leaves(json: serde_json::Value, out: &mut Vec<String>) {
        match json {
            serde_json::Value::String(text) => out.push(text),
            serde_json::Value::Number(number) => out.push(number.to_string()),
            serde_json::Value::Array(array) => {
                array.into_iter().for_each(|json| leaves(json, out));
            }
            serde_json::Value::Object(map) => {
                map.into_iter().for_each(|(_, json)| leaves(json, out));
            }
            serde_json::Value::Null | serde_json::Value::Bool(_) => {}
        }
    }

    if let Some(json) = subject
        .take()
        .and_then(|subject| serde_json::to_value(subject).ok())
    {
        leaves(json, out);
    }
}

/// `summary` with every occurrence of `text` blanked, whatever its case; `None` when there is none.
///
/// Very short texts, such as a channel's number, are blanked only where they stand alone: anywhere else they are
/// most likely part of something unrelated.
fn without(summary: &str, text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    // ASCII case folding keeps every byte offset.
    let (folded, wanted) = (summary.to_ascii_lowercase(), text.to_ascii_lowercase());
    let alone = text.chars().count() < 4;
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut out = String::new();
    let mut kept = 0;
    let mut from = 0;
    while let Some(at) = folded[from..].find(&wanted).map(|at| from + at) {
        let end = at + wanted.len();
        let part_of_a_word =
            is_word(summary[..at].chars().next_back()) || is_word(summary[end..].chars().next());
        if alone && part_of_a_word {
            from = at + summary[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        out.push_str(&summary[kept..at]);
        out.push_str(BLANK);
        kept = end;
        from = end;
    }
    (kept > 0).then(|| out + &summary[kept..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::{Client, Kind, Place, Raw, Timestamp};

    fn event() -> Event {
        let mut event = Event::new(Kind::CLIENT_ROAMED, "1", Timestamp::from_millis(0));
        event.summary =
            "Anna's iPhone (02:00:00:00:00:01) roamed to Kitchen, channel 36 → 136".into();
        event.client = Some(Client {
            mac: Some(Mac::new([2, 0, 0, 0, 0, 1])),
            name: Some("Anna's iPhone".into()),
            hostname: Some("iphone".into()),
            ..Client::default()
        });
        event.to = Some(Place {
            channel: Some(36),
            ..Place::default()
        });
        event.raw = Raw::parse(r#"{"hostname":"iphone"}"#).ok();
        event
    }

    #[test]
    fn blanks_the_field_the_raw_item_and_the_text() {
        let mut event = event();
        redact(&mut event, "client.name").unwrap();
        assert_eq!(event.client.as_ref().unwrap().name, None);
        assert_eq!(
            event.client.as_ref().unwrap().hostname.as_deref(),
            Some("iphone")
        );
        assert_eq!(event.raw, None);
        assert_eq!(
            &*event.summary,
            "[redacted] (02:00:00:00:00:01) roamed to Kitchen, channel 36 → 136"
        );
        redact(&mut event, "client.mac").unwrap();
        assert_eq!(
            &*event.summary,
            "[redacted] ([redacted]) roamed to Kitchen, channel 36 → 136"
        );
    }

    #[test]
    fn a_whole_subject_takes_all_its_text_along() {
        let mut event = event();
        redact(&mut event, "client").unwrap();
        assert_eq!(event.client, None);
        assert_eq!(
            &*event.summary,
            "[redacted] ([redacted]) roamed to Kitchen, channel 36 → 136"
        );
        redact(&mut event, "to").unwrap();
        assert_eq!(
            &*event.summary,
            "[redacted] ([redacted]) roamed to Kitchen, channel [redacted] → 136"
        );
    }

    #[test]
    fn a_host_name_is_found_whatever_its_case() {
        let mut event = event();
        redact(&mut event, "client.hostname").unwrap();
        assert!(
            event.summary.starts_with("Anna's [redacted] ("),
            "{}",
            event.summary
        );
    }

    #[test]
    fn an_absent_field_is_fine_and_an_unknown_one_is_not() {
        let mut event = event();
        let before = event.summary.clone();
        for path in [
            "vpn.name",
            "voucher",
            "client.ip",
            "device.uplink.name",
            "from.device",
            "fields.x",
            "ssid",
        ] {
            redact(&mut event, path).unwrap();
        }
        assert_eq!(event.summary, before);
        for path in [
            "",
            "client.nmae",
            "kind",
            "client.",
            "id",
            "client.guest",
            "from.channel.x",
            "device.uplink.x",
        ] {
            assert_eq!(
                redact(&mut event, path),
                Err(format!("`{path}` is not a field that can be redacted"))
            );
        }
    }
}
