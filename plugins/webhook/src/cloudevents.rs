//! The event as a CloudEvent 1.0 in structured mode.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::fmt;
use unifi_herald_plugin::{BufferedEvent, Event, Mac, Text};

/// Serialises as <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md> says.
pub(crate) struct CloudEvent<'a>(pub(crate) &'a BufferedEvent);

impl Serialize for CloudEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut object = serializer.serialize_struct("CloudEvent", 8)?;
        object.serialize_field("specversion", "1.0")?;
        object.serialize_field("id", &*event.id)?;
        object.serialize_field("source", &format_args!("{}", Source(event)))?;
        let kind = event.kind.as_str();
        object.serialize_field("type", &format_args!("io.unifi-herald.{kind}.v1"))?;
        if let Some(subject) = subject(event) {
            object.serialize_field("subject", &format_args!("{subject}"))?;
        }
        object.serialize_field("time", &event.time)?;
        object.serialize_field("datacontenttype", "application/json")?;
        object.serialize_field("data", event)?;
        object.end()
    }
}

/// `/unifi/home/default`: a URI reference, with which the id is unique.
struct Source<'a>(&'a Event);

impl fmt::Display for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/unifi")?;
        for part in [&self.0.controller, &self.0.site] {
            if !part.is_empty() {
                f.write_str("/")?;
                encode(part, f)?;
            }
        }
        Ok(())
    }
}

/// Percent-encode what a path segment cannot hold (RFC 3986, section 2.3).
fn encode(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                fmt::Write::write_char(f, char::from(byte))?;
            }
            _ => write!(f, "%{byte:02X}")?,
        }
    }
    Ok(())
}

/// Whom or what the event is about.
enum Subject<'a> {
    Mac(&'static str, Mac),
    Name(&'static str, &'a Text),
}

fn subject(event: &Event) -> Option<Subject<'_>> {
    let client = event.client.as_ref().and_then(|client| client.mac);
    let device = event.device.as_ref().and_then(|device| device.mac);
    let named = [
        ("wan", event.wan.as_ref().and_then(|wan| wan.name.as_ref())),
        ("vpn", event.vpn.as_ref().and_then(|vpn| vpn.name.as_ref())),
        (
            "admin",
            event.admin.as_ref().and_then(|admin| admin.name.as_ref()),
        ),
        (
            "network",
            event
                .network
                .as_ref()
                .and_then(|network| network.name.as_ref()),
        ),
    ];
    client
        .map(|mac| Subject::Mac("client", mac))
        .or_else(|| device.map(|mac| Subject::Mac("device", mac)))
        .or_else(|| {
            let (what, name) = named.into_iter().find(|(_, name)| name.is_some())?;
            Some(Subject::Name(what, name?))
        })
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(what, mac) => write!(f, "{what}/{mac}"),
            Self::Name(what, name) => write!(f, "{what}/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use unifi_herald_plugin::Kind;
    use unifi_herald_plugin::testing::EventBuilder;

    fn read(event: &BufferedEvent) -> Value {
        serde_json::to_value(CloudEvent(event)).unwrap()
    }

    #[test]
    fn has_the_attributes_in_order_and_the_event_as_data() {
        let event = EventBuilder::new(Kind::CLIENT_ROAMED)
            .id("5ee9")
            .buffered(7);
        let text = serde_json::to_string(&CloudEvent(&event)).unwrap();
        let expected = format!(
            concat!(
                r#"{{"specversion":"1.0","id":"5ee9","source":"/unifi/home/default","#,
                r#""type":"io.unifi-herald.client.roamed.v1","subject":"client/aa:bb:cc:00:00:01","#,
                r#""time":"2026-11-22T17:21:13.440Z","datacontenttype":"application/json","data":{}}}"#
            ),
            event.to_json()
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn the_subject_is_what_the_event_is_about() {
        let subject = |kind| read(&EventBuilder::new(kind).buffered(1))["subject"].take();
        assert_eq!(
            subject(Kind::DEVICE_OFFLINE),
            json!("device/f0:9f:c2:00:00:02")
        );
        assert_eq!(subject(Kind::WAN_DOWN), json!("wan/WAN"));
        assert_eq!(subject(Kind::ADMIN_LOGIN), json!("admin/anna"));
        assert_eq!(subject(Kind::SYSTEM_NOTICE), Value::Null);
    }

    #[test]
    fn the_source_is_a_uri_reference_whatever_the_site_is_called() {
        let event = EventBuilder::new(Kind::WAN_UP)
            .site("home", "a/b ü?", "")
            .buffered(1);
        assert_eq!(read(&event)["source"], "/unifi/home/a%2Fb%20%C3%BC%3F");
        let event = EventBuilder::new(Kind::WAN_UP).site("", "", "").buffered(1);
        assert_eq!(read(&event)["source"], "/unifi");
    }
}
