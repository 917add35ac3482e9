//! The event as a script holds it: a shared draft, copied when first written, and references to its parts.

use super::convert;
use super::names::{self, Property};
use super::raw;
use rhai::{Dynamic, ImmutableString};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unifi_herald_plugin::{
    Admin, Client, Device, Endpoint, Event, Mac, Network, Place, Port, Threat, Timestamp, Uplink,
    Voucher, Vpn, Wan,
};

/// An event, or a part of one, as a value in a script. Copies are the same event: what a function changes, its
/// caller sees.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) cell: Arc<Cell>,
    pub(super) at: At,
}

/// The event under a script's hands.
#[derive(Debug)]
pub(super) struct Cell(Mutex<Draft>);

#[derive(Debug)]
pub(super) struct Draft {
    /// The very event that came in until something is written.
    pub(super) event: Arc<Event>,
    /// Copies made of it so far.
    pub(super) copies: u32,
}

/// Which part of the event a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Event,
    Client,
    Device,
    Uplink,
    From,
    FromDevice,
    To,
    ToDevice,
    Port,
    Wan,
    Network,
    Admin,
    Threat,
    Src,
    Dst,
    Vpn,
    Voucher,
    Fields,
    /// An object or array within `raw`, by its place in the text.
    Raw(Range<usize>),
}

/// What reading gives: a value, or a part to read on in.
enum Found {
    Value(Dynamic),
    Part(At),
}

impl Node {
    pub(super) fn new(event: Arc<Event>) -> Self {
        let cell = Arc::new(Cell(Mutex::new(Draft { event, copies: 0 })));
        Self {
            cell,
            at: At::Event,
        }
    }

    pub(super) fn draft(&self) -> MutexGuard<'_, Draft> {
        self.cell.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event as it is now.
    pub(super) fn event(&self) -> Arc<Event> {
        Arc::clone(&self.draft().event)
    }

    /// Whether `other` is this part of this very event.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell) && self.at == other.at
    }

    /// The field `name`, `()` when it is absent.
    pub(super) fn get(&self, name: Property) -> Dynamic {
        let draft = self.draft();
        let found = match &self.at {
            At::Fields | At::Raw(_) => self.by_text(&draft.event, name.as_str()),
            _ => read(&draft.event, &self.at, name),
        };
        drop(draft);
        self.value(found)
    }

    /// The field `name`, which may be any text.
    pub(super) fn get_text(&self, name: &str) -> Dynamic {
        if let Some(name) = Property::parse(name) {
            return self.get(name);
        }
        let draft = self.draft();
        let found = self.by_text(&draft.event, name);
        drop(draft);
        self.value(found)
    }

    /// The element at `index` of an array in `raw`; negative counts from the end.
    pub(super) fn get_index(&self, index: i64) -> Dynamic {
        let At::Raw(range) = &self.at else {
            return Dynamic::UNIT;
        };
        let draft = self.draft();
        let found = raw_text(&draft.event, range).and_then(|text| {
            let index = if index < 0 {
                let len = i64::try_from(raw::len(text)?).ok()?;
                len + index
            } else {
                index
            };
            let element = raw::element(text, usize::try_from(index).ok()?)?;
            Some(raw_value(range.start, text, element))
        });
        drop(draft);
        self.value(found)
    }

    /// The elements of an array in `raw`, at most `limit`.
    pub(super) fn elements(&self, limit: usize) -> Vec<Dynamic> {
        let At::Raw(range) = &self.at else {
            return Vec::new();
        };
        let event = self.event();
        let text = raw_text(&event, range).unwrap_or_default();
        let elements = raw::elements(text, limit).into_iter();
        elements
            .map(|element| self.value(Some(raw_value(range.start, text, element))))
            .collect()
    }

    /// How many fields or elements the part has, where that is a question.
    pub(super) fn len(&self) -> Option<usize> {
        let draft = self.draft();
        match &self.at {
            At::Fields => Some(draft.event.fields.len()),
            At::Raw(range) => raw::len(raw_text(&draft.event, range)?),
            _ => None,
        }
    }

    /// The names of what the part holds, where they are not fixed.
    pub(super) fn keys(&self, limit: usize) -> Vec<ImmutableString> {
        let draft = self.draft();
        match &self.at {
            At::Fields => draft
                .event
                .fields
                .keys()
                .take(limit)
                .map(Into::into)
                .collect(),
            At::Raw(range) => raw_text(&draft.event, range)
                .map(|text| raw::keys(text, limit).into_iter().map(Into::into).collect())
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// The part as JSON.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let draft = self.draft();
        let event = &*draft.event;
        let json = match &self.at {
            At::Event => serde_json::to_value(event),
            At::Client => serde_json::to_value(&event.client),
            At::Device => serde_json::to_value(&event.device),
            At::Uplink => serde_json::to_value(
                event
                    .device
                    .as_ref()
                    .and_then(|device| device.uplink.as_ref()),
            ),
            At::From => serde_json::to_value(&event.from),
            At::FromDevice => {
                serde_json::to_value(event.from.as_ref().and_then(|place| place.device.as_ref()))
            }
            At::To => serde_json::to_value(&event.to),
            At::ToDevice => {
                serde_json::to_value(event.to.as_ref().and_then(|place| place.device.as_ref()))
            }
            At::Port => serde_json::to_value(&event.port),
            At::Wan => serde_json::to_value(&event.wan),
            At::Network => serde_json::to_value(&event.network),
            At::Admin => serde_json::to_value(&event.admin),
            At::Threat => serde_json::to_value(&event.threat),
            At::Src => serde_json::to_value(&event.src),
            At::Dst => serde_json::to_value(&event.dst),
            At::Vpn => serde_json::to_value(&event.vpn),
            At::Voucher => serde_json::to_value(&event.voucher),
            At::Fields => serde_json::to_value(&event.fields),
            At::Raw(range) => {
                raw_text(event, range).map_or(Ok(serde_json::Value::Null), serde_json::from_str)
            }
        };
        json.unwrap_or(serde_json::Value::Null)
    }

    fn by_text(&self, event: &Event, name: &str) -> Option<Found> {
        match &self.at {
            At::Fields => event
                .fields
                .get(name)
                .map(|value| Found::Value(convert::from_json(value))),
            At::Raw(range) => {
                let text = raw_text(event, range)?;
                let value = raw::field(text, name)?;
                Some(raw_value(range.start, text, value))
            }
            _ => None,
        }
    }

    fn value(&self, found: Option<Found>) -> Dynamic {
        match found {
            None => Dynamic::UNIT,
            Some(Found::Value(value)) => value,
            Some(Found::Part(at)) => Dynamic::from(Self {
                cell: Arc::clone(&self.cell),
                at,
            }),
        }
    }
}

/// The text at `range` of `raw`; `None` once it was redacted.
fn raw_text<'e>(event: &'e Event, range: &Range<usize>) -> Option<&'e str> {
    event.raw.as_ref()?.as_str().get(range.clone())
}

/// The value of `json`, which lies within `outer`, which begins at `start` of `raw`.
fn raw_value(start: usize, outer: &str, json: &str) -> Found {
    if json.starts_with(['{', '[']) {
        let from = start + (json.as_ptr().addr() - outer.as_ptr().addr());
        Found::Part(At::Raw(from..from + json.len()))
    } else {
        Found::Value(convert::from_scalar(json))
    }
}

/// The field `name` of the part `at`. The one table of what scripts can read.
fn read(event: &Event, at: &At, name: Property) -> Option<Found> {
    match at {
        At::Event => read_event(event, name),
        At::Client => read_client(event.client.as_ref()?, name),
        At::Device => read_device(event.device.as_ref()?, name, Some(At::Uplink)),
        At::Uplink => read_uplink(event.device.as_ref()?.uplink.as_ref()?, name),
        At::From => read_place(event.from.as_ref()?, name, At::FromDevice),
        At::FromDevice => read_device(event.from.as_ref()?.device.as_ref()?, name, None),
        At::To => read_place(event.to.as_ref()?, name, At::ToDevice),
        At::ToDevice => read_device(event.to.as_ref()?.device.as_ref()?, name, None),
        At::Port => read_port(event.port.as_ref()?, name),
        At::Wan => read_wan(event.wan.as_ref()?, name),
        At::Network => read_network(event.network.as_ref()?, name),
        At::Admin => read_admin(event.admin.as_ref()?, name),
        At::Threat => read_threat(event.threat.as_ref()?, name),
        At::Src => read_endpoint(event.src.as_ref()?, name),
        At::Dst => read_endpoint(event.dst.as_ref()?, name),
        At::Vpn => read_vpn(event.vpn.as_ref()?, name),
        At::Voucher => read_voucher(event.voucher.as_ref()?, name),
        At::Fields | At::Raw(_) => None,
    }
}

fn read_event(event: &Event, name: Property) -> Option<Found> {
    if let Some(gap) = &event.gap {
        match name {
            Property::From => return time(gap.from),
            Property::To => return time(gap.to),
            Property::Count => {
                return number(
                    gap.count
                        .map(|count| i64::try_from(count).unwrap_or(i64::MAX)),
                );
            }
            _ => {}
        }
    }
    match name {
        Property::V => number(Some(unifi_herald_plugin::EVENT_VERSION)),
        Property::Id => text(Some(&event.id)),
        Property::Time => time(event.time),
        Property::TimeMs => number(Some(event.time.as_millis())),
        Property::Received => time(event.received),
        Property::ReceivedMs => number(Some(event.received.as_millis())),
        Property::Controller => text(Some(&event.controller)),
        Property::Site => text(Some(&event.site)),
        Property::SiteName => text(Some(&event.site_name)),
        Property::Origin => text(Some(event.origin.as_str())),
        Property::Kind => shared(names::kind(event.kind)),
        Property::Key => text(event.key.as_deref()),
        Property::Category => shared(names::category(event.kind)),
        Property::Severity => shared(names::severity(event.severity)),
        Property::Level => number(Some(event.severity.level())),
        Property::Summary => text(Some(&event.summary)),
        Property::Client => part(&event.client, At::Client),
        Property::Device => part(&event.device, At::Device),
        Property::From => part(&event.from, At::From),
        Property::To => part(&event.to, At::To),
        Property::Ssid => text(event.ssid.as_deref()),
        Property::Port => part(&event.port, At::Port),
        Property::Wan => part(&event.wan, At::Wan),
        Property::Network => part(&event.network, At::Network),
        Property::Admin => part(&event.admin, At::Admin),
        Property::Threat => part(&event.threat, At::Threat),
        Property::Src => part(&event.src, At::Src),
        Property::Dst => part(&event.dst, At::Dst),
        Property::Vpn => part(&event.vpn, At::Vpn),
        Property::Voucher => part(&event.voucher, At::Voucher),
        Property::Reason => text(event.reason.as_deref()),
        Property::Fields => Some(Found::Part(At::Fields)),
        Property::RawTruncated => event.raw_truncated.then(|| Found::Value(true.into())),
        Property::Raw => {
            let raw = event.raw.as_ref()?.as_str();
            Some(raw_value(0, raw, raw))
        }
        _ => None,
    }
}

fn read_client(client: &Client, name: Property) -> Option<Found> {
    match name {
        Property::Mac => mac(client.mac),
        Property::Name => text(client.name.as_deref()),
        Property::Hostname => text(client.hostname.as_deref()),
        Property::Ip => text(client.ip.as_deref()),
        Property::Guest => flag(client.guest),
        Property::Wired => flag(client.wired),
        Property::RandomMac => flag(client.random_mac),
        _ => None,
    }
}

fn read_device(device: &Device, name: Property, uplink: Option<At>) -> Option<Found> {
    match name {
        Property::Mac => mac(device.mac),
        Property::Name => text(device.name.as_deref()),
        Property::Model => text(device.model.as_deref()),
        Property::Type => text(device.kind.as_deref()),
        Property::Uplink => part(&device.uplink, uplink?),
        _ => None,
    }
}

fn read_uplink(uplink: &Uplink, name: Property) -> Option<Found> {
    match name {
        Property::Mac => mac(uplink.mac),
        Property::Name => text(uplink.name.as_deref()),
        Property::Port => number(uplink.port),
        _ => None,
    }
}

fn read_place(place: &Place, name: Property, device: At) -> Option<Found> {
    match name {
        Property::Device => part(&place.device, device),
        Property::Channel => number(place.channel),
        Property::Band => text(place.band.map(|band| band.as_str())),
        _ => None,
    }
}

fn read_port(port: &Port, name: Property) -> Option<Found> {
    match name {
        Property::Number => number(port.number),
        Property::Name => text(port.name.as_deref()),
        _ => None,
    }
}

fn read_wan(wan: &Wan, name: Property) -> Option<Found> {
    match name {
        Property::Name => text(wan.name.as_deref()),
        Property::Interface => text(wan.interface.as_deref()),
        Property::Isp => text(wan.isp.as_deref()),
        _ => None,
    }
}

fn read_network(network: &Network, name: Property) -> Option<Found> {
    match name {
        Property::Name => text(network.name.as_deref()),
        Property::Vlan => number(network.vlan),
        _ => None,
    }
}

fn read_admin(admin: &Admin, name: Property) -> Option<Found> {
    match name {
        Property::Name => text(admin.name.as_deref()),
        Property::Ip => text(admin.ip.as_deref()),
        _ => None,
    }
}

fn read_threat(threat: &Threat, name: Property) -> Option<Found> {
    match name {
        Property::Signature => text(threat.signature.as_deref()),
        Property::Category => text(threat.category.as_deref()),
        Property::Action => text(threat.action.as_deref()),
        Property::Direction => text(threat.direction.as_deref()),
        _ => None,
    }
}

fn read_endpoint(end: &Endpoint, name: Property) -> Option<Found> {
    match name {
        Property::Ip => text(end.ip.as_deref()),
        Property::Port => number(end.port),
        Property::Mac => mac(end.mac),
        Property::Name => text(end.name.as_deref()),
        _ => None,
    }
}

fn read_vpn(vpn: &Vpn, name: Property) -> Option<Found> {
    match name {
        Property::Name => text(vpn.name.as_deref()),
        Property::Type => text(vpn.kind.as_deref()),
        Property::Ip => text(vpn.ip.as_deref()),
        _ => None,
    }
}

fn read_voucher(voucher: &Voucher, name: Property) -> Option<Found> {
    match name {
        Property::Code => text(voucher.code.as_deref()),
        Property::Count => number(voucher.count),
        _ => None,
    }
}

fn part<T>(part: &Option<T>, at: At) -> Option<Found> {
    part.as_ref().map(|_| Found::Part(at))
}

fn text(text: Option<&str>) -> Option<Found> {
    text.and_then(|text| shared(text.into()))
}

fn shared(text: ImmutableString) -> Option<Found> {
    Some(Found::Value(text.into()))
}

fn number(number: Option<impl Into<i64>>) -> Option<Found> {
    number.map(|number| Found::Value(number.into().into()))
}

fn flag(flag: bool) -> Option<Found> {
    Some(Found::Value(flag.into()))
}

fn mac(mac: Option<Mac>) -> Option<Found> {
    let digits = mac?.to_text();
    text(std::str::from_utf8(&digits).ok())
}

fn time(time: Timestamp) -> Option<Found> {
    let digits = time.to_rfc3339();
    text(std::str::from_utf8(&digits).ok())
}
