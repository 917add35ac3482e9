//! The one table of what scripts can read: each part of an event, field by field.

use super::convert;
use super::names::{self, Property};
use super::node::{At, raw_value};
use rhai::{Dynamic, ImmutableString};
use unifi_herald_plugin::{
    Admin, Alert, Client, Device, Digest, EVENT_VERSION, Endpoint, Event, Mac, Network, Place,
    Port, Threat, Timestamp, Uplink, Voucher, Vpn, Wan,
};

/// What reading gives: a value, or a part to read on in.
pub(super) enum Found {
    Value(Dynamic),
    Part(At),
}

/// The field `name` of the part `at`.
pub(super) fn read(event: &Event, at: &At, name: Property) -> Option<Found> {
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
        At::Alert => read_alert(event.alert.as_ref()?, name),
        At::Digest => read_digest(event.digest.as_ref()?, name),
        At::Fields | At::Raw(_) => None,
    }
}

fn read_event(event: &Event, name: Property) -> Option<Found> {
    if let Some(gap) = &event.gap {
        match name {
            Property::From => return time(gap.from),
            Property::To => return time(gap.to),
            Property::Count => {
                return gap.count.and_then(count);
            }
            _ => {}
        }
    }
    match name {
        Property::V => number(Some(EVENT_VERSION)),
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
        Property::Alert => part(&event.alert, At::Alert),
        Property::Digest => part(&event.digest, At::Digest),
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

fn read_alert(alert: &Alert, name: Property) -> Option<Found> {
    match name {
        Property::Id => text(Some(&alert.id)),
        Property::Name => text(Some(&alert.name)),
        Property::Key => text(Some(&alert.key)),
        Property::State => text(Some(alert.state.as_str())),
        Property::Severity => shared(names::severity(alert.severity)),
        Property::Count => count(alert.count),
        Property::Since => time(alert.since),
        Property::Until => time(alert.until?),
        Property::DurationS => count(alert.duration_s),
        Property::Title => text(Some(&alert.title)),
        Property::Body => text(Some(&alert.body)),
        Property::Events => list(&alert.events),
        _ => None,
    }
}

fn read_digest(digest: &Digest, name: Property) -> Option<Found> {
    match name {
        Property::Name => text(Some(&digest.name)),
        Property::Since => time(digest.since),
        Property::Until => time(digest.until),
        Property::Counts => list(&digest.counts),
        Property::Incidents => list(&digest.incidents),
        Property::Top => list(&digest.top),
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

fn count(count: u64) -> Option<Found> {
    number(Some(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// A list or a map, copied: these are rare and short.
fn list(value: &impl serde::Serialize) -> Option<Found> {
    let json = serde_json::to_value(value).ok()?;
    Some(Found::Value(convert::from_json(&json)))
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
