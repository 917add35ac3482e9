//! Who and what an item is about, with names.

mod legacy;
mod system_log;

use super::item::Item;
use super::names::Names;
use super::text::Texts;
use super::value::Value;
use std::borrow::Cow;
use std::net::IpAddr;
use unifi_herald_plugin::{
    Band, Client, Device, Endpoint, Event, Mac, Network, Port, Text, Uplink,
};

/// Fills an event's subjects from an item.
#[derive(Debug)]
pub(super) struct Subjects<'d> {
    /// Who is behind an address.
    pub(super) names: &'d mut Names,
    /// Shares what repeats.
    pub(super) texts: &'d mut Texts,
}

/// What the summary tells beyond the subjects.
#[derive(Clone, Debug, Default)]
pub(super) struct Details<'a> {
    /// How long it lasted or shall last, ready to be read.
    pub(super) duration: Option<Cow<'a, str>>,
    /// Version before.
    pub(super) version_from: Option<Cow<'a, str>>,
    /// Version after.
    pub(super) version_to: Option<Cow<'a, str>>,
    /// The policy that blocked.
    pub(super) policy: Option<Cow<'a, str>>,
    /// The internet connection that took over.
    pub(super) failover: Option<Cow<'a, str>>,
}

impl Subjects<'_> {
    /// Fill the subjects of `event`, whose `kind` and `key` are set.
    pub(super) fn fill<'a>(&mut self, event: &mut Event, item: &Item<'a>) -> Details<'a> {
        if item.parameters.is_some_and(Value::is_object) {
            self.system_log(event, item)
        } else {
            self.legacy(event, item)
        }
    }

    fn name(&mut self, value: Option<Value<'_>>) -> Option<Text> {
        self.texts.name(&value?.text()?)
    }

    /// The client behind `mac`, with what is known of it besides what the item says.
    fn client(
        &mut self,
        mac: Mac,
        name: Option<Text>,
        hostname: Option<Text>,
        ip: Option<Text>,
    ) -> Client {
        let known = self.names.client(mac);
        let alias = known.and_then(|known| known.alias.clone());
        let hostname = hostname.or_else(|| known.and_then(|known| known.hostname.clone()));
        Client {
            mac: Some(mac),
            name: alias.or(name).or_else(|| hostname.clone()),
            hostname,
            ip: ip.or_else(|| known.and_then(|known| known.ip.clone())),
            guest: known.is_some_and(|known| known.guest),
            wired: known.is_some_and(|known| known.wired),
            random_mac: mac.is_random(),
        }
    }

    /// The device behind `mac`, with what is known of it besides what the item says.
    fn device(
        &mut self,
        mac: Mac,
        name: Option<Text>,
        model: Option<Text>,
        kind: Option<&str>,
    ) -> Device {
        let mut device = Device {
            mac: Some(mac),
            name,
            model,
            kind: None,
            uplink: None,
        };
        let mut known_kind = None;
        let mut uplink = None;
        if let Some(known) = self.names.device(mac) {
            device.name = known.name.clone().or(device.name);
            device.model = known.model.clone().or(device.model);
            known_kind = known.kind;
            uplink = known.uplink;
        }
        device.kind = known_kind.or(kind).map(|kind| self.texts.share(kind));
        device.uplink = uplink.map(|(mac, port)| {
            let name = self
                .names
                .device(mac)
                .and_then(|device| device.name.clone());
            Box::new(Uplink {
                mac: Some(mac),
                name,
                port,
            })
        });
        device
    }

    /// The device at one end of a move: address and name only.
    fn end(&mut self, mac: Mac, name: Option<Text>) -> Device {
        let known = self.names.device(mac);
        Device {
            mac: Some(mac),
            name: known.and_then(|known| known.name.clone()).or(name),
            ..Device::default()
        }
    }

    /// A port, with its name on `device`.
    fn port(
        &mut self,
        number: Option<u32>,
        name: Option<Text>,
        device: Option<&Device>,
    ) -> Option<Port> {
        let known = device
            .and_then(|device| device.mac)
            .zip(number)
            .and_then(|(mac, number)| self.names.device(mac)?.port(number).cloned());
        let name = known.or(name);
        (number.is_some() || name.is_some()).then_some(Port { number, name })
    }

    /// One end of a flow; nothing when nothing is known of it.
    fn endpoint(&mut self, mut end: Endpoint) -> Option<Box<Endpoint>> {
        end.name = match end.mac {
            Some(mac) => self.names.name(mac).or(end.name),
            None => end.name,
        };
        (end != Endpoint::default()).then(|| Box::new(end))
    }
}

/// A network; nothing when neither is known.
fn network(name: Option<Text>, vlan: Option<u32>) -> Option<Network> {
    (name.is_some() || vlan.is_some()).then_some(Network { name, vlan })
}

/// A band from the controller's name of a radio (`ng`, `na`, `6e`) or from text (`5 GHz`).
fn band(text: &str) -> Option<Band> {
    let text = text.trim();
    match text {
        "ng" => Some(Band::Ghz2),
        "na" => Some(Band::Ghz5),
        "6e" => Some(Band::Ghz6),
        _ => {
            let number = text.strip_suffix("GHz").or(text.strip_suffix('G'))?.trim();
            match number {
                "2" | "2.4" => Some(Band::Ghz2),
                "5" => Some(Band::Ghz5),
                "6" => Some(Band::Ghz6),
                _ => None,
            }
        }
    }
}

/// `incoming`, `outgoing` or `internal`; nothing when an end is unknown or both are outside.
fn direction(src: Option<bool>, dst: Option<bool>) -> Option<&'static str> {
    match (src?, dst?) {
        (true, true) => Some("internal"),
        (true, false) => Some("outgoing"),
        (false, true) => Some("incoming"),
        (false, false) => None,
    }
}

/// Whether an address belongs to the inside of a network; nothing when it is no address.
fn is_inside(ip: &str) -> Option<bool> {
    Some(match ip.trim().parse().ok()? {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && b & 0b1100_0000 == 64;
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    })
}
