//! The event as JSON: the order of its fields is part of the contract.

use super::json::Json;
use super::{
    Admin, Alert, BufferedEvent, Client, Device, Digest, EVENT_VERSION, Endpoint, Event, Fields,
    Gap, Kind, Network, Origin, Place, Port, Raw, Severity, Text, Threat, Timestamp, Voucher, Vpn,
    Wan,
};
use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

impl Serialize for BufferedEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(&self.event, Some(self.seq), self.raw.as_ref(), serializer)
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self, None, self.raw.as_ref(), serializer)
    }
}

/// Append the event as JSON, the item within it as the bytes that came.
pub(super) fn append(event: &BufferedEvent, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    write(event, Some(event.seq), None, Json(out))?;
    if let Some(raw) = &event.raw {
        let raw = raw.as_str();
        out.reserve(raw.len() + 8);
        out.pop();
        out.extend_from_slice(b",\"raw\":");
        out.extend_from_slice(raw.as_bytes());
        out.push(b'}');
    }
    Ok(())
}

/// Most fields that an event has.
const FIELDS: usize = 40;

fn write<S: Serializer>(
    event: &Event,
    seq: Option<u64>,
    raw: Option<&Raw>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_struct("Event", FIELDS)?;
    map.serialize_field("v", &EVENT_VERSION)?;
    map.serialize_field("id", &*event.id)?;
    optional(&mut map, "seq", seq.as_ref())?;
    map.serialize_field("time", &event.time)?;
    map.serialize_field("received", &event.received)?;
    // Events of herald itself may be about no controller: absent, not empty.
    for (name, text) in [
        ("controller", &event.controller),
        ("site", &event.site),
        ("site_name", &event.site_name),
    ] {
        optional(
            &mut map,
            name,
            Some(&**text).filter(|text| !text.is_empty()),
        )?;
    }
    map.serialize_field("origin", event.origin.as_str())?;
    map.serialize_field("kind", event.kind.as_str())?;
    optional(&mut map, "key", event.key.as_deref())?;
    map.serialize_field("category", event.category())?;
    map.serialize_field("severity", event.severity.as_str())?;
    map.serialize_field("level", &event.severity.level())?;
    map.serialize_field("summary", &*event.summary)?;
    optional(&mut map, "client", event.client.as_ref())?;
    optional(&mut map, "device", event.device.as_ref())?;
    if let Some(gap) = &event.gap {
        map.serialize_field("from", &gap.from)?;
        map.serialize_field("to", &gap.to)?;
        optional(&mut map, "count", gap.count.as_ref())?;
    } else {
        optional(&mut map, "from", event.from.as_ref())?;
        optional(&mut map, "to", event.to.as_ref())?;
    }
    optional(&mut map, "ssid", event.ssid.as_deref())?;
    optional(&mut map, "port", event.port.as_ref())?;
    optional(&mut map, "wan", event.wan.as_ref())?;
    optional(&mut map, "network", event.network.as_ref())?;
    optional(&mut map, "admin", event.admin.as_ref())?;
    optional(&mut map, "threat", event.threat.as_ref())?;
    optional(&mut map, "src", event.src.as_ref())?;
    optional(&mut map, "dst", event.dst.as_ref())?;
    optional(&mut map, "vpn", event.vpn.as_ref())?;
    optional(&mut map, "voucher", event.voucher.as_ref())?;
    optional(&mut map, "reason", event.reason.as_deref())?;
    optional(&mut map, "alert", event.alert.as_ref())?;
    optional(&mut map, "digest", event.digest.as_ref())?;
    if !event.fields.is_empty() {
        map.serialize_field("fields", &event.fields)?;
    }
    if event.raw_truncated {
        map.serialize_field("raw_truncated", &true)?;
    }
    optional(&mut map, "raw", raw)?;
    map.end()
}

fn optional<M: SerializeStruct, T: Serialize + ?Sized>(
    map: &mut M,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_field(name, value),
        None => Ok(()),
    }
}

/// What a reader accepts: the fields written above, in any order; unknown ones are skipped.
#[derive(Deserialize)]
struct Wire {
    id: Text,
    #[serde(default)]
    seq: u64,
    time: Timestamp,
    received: Option<Timestamp>,
    #[serde(default)]
    controller: Text,
    #[serde(default)]
    site: Text,
    #[serde(default)]
    site_name: Text,
    origin: Option<Origin>,
    kind: String,
    key: Option<Text>,
    severity: Option<Severity>,
    #[serde(default)]
    summary: Text,
    client: Option<Client>,
    device: Option<Device>,
    from: Option<End>,
    to: Option<End>,
    count: Option<u64>,
    ssid: Option<Text>,
    port: Option<Port>,
    wan: Option<Box<Wan>>,
    network: Option<Network>,
    admin: Option<Admin>,
    threat: Option<Box<Threat>>,
    src: Option<Box<Endpoint>>,
    dst: Option<Box<Endpoint>>,
    vpn: Option<Box<Vpn>>,
    voucher: Option<Voucher>,
    reason: Option<Text>,
    alert: Option<Box<Alert>>,
    digest: Option<Box<Digest>>,
    #[serde(default)]
    fields: Fields,
    #[serde(default)]
    raw_truncated: bool,
    raw: Option<Raw>,
}

/// `from` and `to` are places, or moments in a `herald.gap`.
#[derive(Deserialize)]
#[serde(untagged)]
enum End {
    Moment(Timestamp),
    Place(Place),
}

impl<'de> Deserialize<'de> for BufferedEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let kind: Kind = wire.kind.parse().map_err(D::Error::custom)?;
        let mut event = Event::new(kind, wire.id, wire.time);
        event.received = wire.received.unwrap_or(wire.time);
        event.controller = wire.controller;
        event.site = wire.site;
        event.site_name = wire.site_name;
        event.origin = wire.origin.unwrap_or(Origin::Stream);
        event.key = wire.key;
        event.severity = wire.severity.unwrap_or(event.severity);
        event.summary = wire.summary;
        event.client = wire.client;
        event.device = wire.device;
        match (wire.from, wire.to) {
            (Some(End::Moment(from)), Some(End::Moment(to))) => {
                event.gap = Some(Box::new(Gap {
                    from,
                    to,
                    count: wire.count,
                }));
            }
            (from, to) => {
                event.from = from.and_then(End::place);
                event.to = to.and_then(End::place);
            }
        }
        event.ssid = wire.ssid;
        event.port = wire.port;
        event.wan = wire.wan;
        event.network = wire.network;
        event.admin = wire.admin;
        event.threat = wire.threat;
        event.src = wire.src;
        event.dst = wire.dst;
        event.vpn = wire.vpn;
        event.voucher = wire.voucher;
        event.reason = wire.reason;
        event.alert = wire.alert;
        event.digest = wire.digest;
        event.fields = wire.fields;
        event.raw_truncated = wire.raw_truncated;
        event.raw = wire.raw;
        Ok(Self {
            seq: wire.seq,
            event: Arc::new(event),
        })
    }
}

impl End {
    fn place(self) -> Option<Place> {
        match self {
            Self::Place(place) => Some(place),
            Self::Moment(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mac;

    #[test]
    fn the_order_of_fields_is_fixed_and_reading_gives_the_same_event() {
        let mut event = Event::new(Kind::CLIENT_ROAMED, "5ee9", Timestamp::from_millis(1_000));
        event.received = Timestamp::from_millis(1_072);
        event.controller = "home".into();
        event.site = "default".into();
        event.site_name = "Home".into();
        event.key = Some("EVT_WU_Roam".into());
        event.summary = "Anna's \"iPhone\" roamed".into();
        event.client = Some(Client {
            mac: Some(Mac::new([2, 0, 0, 0, 0, 1])),
            random_mac: true,
            ..Client::default()
        });
        event.to = Some(Place {
            channel: Some(44),
            ..Place::default()
        });
        event.ssid = Some("Home".into());
        event.fields.insert("n".into(), 1.into());
        event.raw = Raw::parse(r#"{ "time":1e3 }"#).ok();
        let buffered = BufferedEvent {
            seq: 7,
            event: Arc::new(event),
        };
        let json = buffered.to_json();
        assert_eq!(
            json,
            concat!(
                r#"{"v":1,"id":"5ee9","seq":7,"time":"1970-01-01T00:00:01.000Z","received":"1970-01-01T00:00:01.072Z","#,
                r#""controller":"home","site":"default","site_name":"Home","origin":"stream","kind":"client.roamed","#,
                r#""key":"EVT_WU_Roam","category":"client","severity":"info","level":1,"summary":"Anna's \"iPhone\" roamed","#,
                r#""client":{"mac":"02:00:00:00:00:01","guest":false,"wired":false,"random_mac":true},"to":{"channel":44},"#,
                r#""ssid":"Home","fields":{"n":1},"raw":{ "time":1e3 }}"#
            )
        );
        assert_eq!(
            serde_json::from_str::<BufferedEvent>(&json).unwrap(),
            buffered
        );
    }

    #[test]
    fn an_incident_and_a_digest_are_read_as_they_are_written() {
        let at = Timestamp::from_millis;
        let mut alert = Alert::new("inc1", "device_down", at(0));
        alert.key = "f0:9f:c2:00:00:01".into();
        alert.state = crate::AlertState::Resolved;
        alert.until = Some(at(90_000));
        alert.duration_s = 90;
        alert.title = "Attic is back".into();
        alert.events = vec!["5ee9".into()];
        let mut digest = Digest {
            name: "daily".into(),
            until: at(90_000),
            incidents: vec![crate::DigestIncident::of(&alert)],
            top: vec![crate::DigestTop::new("device", "Attic", 2)],
            ..Digest::default()
        };
        digest.counts.insert("device.offline".into(), 2);
        let mut event = Event::new(Kind::ALERT_RESOLVED, "a", at(0));
        event.alert = Some(Box::new(alert));
        event.digest = Some(Box::new(digest));
        let buffered = BufferedEvent {
            seq: 1,
            event: Arc::new(event),
        };
        let json = buffered.to_json();
        let alert = concat!(
            r#""alert":{"id":"inc1","name":"device_down","key":"f0:9f:c2:00:00:01","state":"resolved","severity":"warning","#,
            r#""count":1,"since":"1970-01-01T00:00:00.000Z","until":"1970-01-01T00:01:30.000Z","duration_s":90,"#,
            r#""title":"Attic is back","body":"","events":["5ee9"]},"digest":{"#
        );
        assert!(json.contains(alert), "{json}");
        assert!(json.contains(r#""counts":{"device.offline":2}"#), "{json}");
        assert_eq!(
            serde_json::from_str::<BufferedEvent>(&json).unwrap(),
            buffered
        );
    }

    #[test]
    fn a_gap_has_moments_for_ends() {
        let mut event = Event::new(Kind::HERALD_GAP, "g", Timestamp::from_millis(0));
        event.gap = Some(Box::new(Gap {
            from: Timestamp::from_millis(0),
            to: Timestamp::from_millis(5),
            count: Some(3),
        }));
        event.reason = Some("ring_overflow".into());
        let buffered = BufferedEvent {
            seq: 1,
            event: Arc::new(event),
        };
        let json = buffered.to_json();
        assert!(
            json.contains(
                r#""from":"1970-01-01T00:00:00.000Z","to":"1970-01-01T00:00:00.005Z","count":3"#
            ),
            "{json}"
        );
        assert_eq!(
            serde_json::from_str::<BufferedEvent>(&json).unwrap(),
            buffered
        );
    }
}
