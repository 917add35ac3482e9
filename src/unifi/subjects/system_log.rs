//! Subjects of system-log items: what the placeholders of their message stand for.

use super::{Details, Subjects, band, direction, is_inside, network};
use crate::unifi::item::{Item, Parameter};
use crate::unifi::value::Value;
use std::borrow::Cow;
use unifi_herald_plugin::{
    Admin, Band, Client, Device, Endpoint, Event, Kind, Network, Place, Text, Threat, Vpn, Wan,
};

impl Subjects<'_> {
    pub(super) fn system_log<'a>(&mut self, event: &mut Event, item: &Item<'a>) -> Details<'a> {
        let given = item.parameters();
        let ip = self.shown(given.ip);
        let medium = Medium::of(item);
        event.client = self.logged_client(given.client, ip.clone(), medium);
        let device = given
            .device
            .or(given.ap)
            .or(given.device_to)
            .or(given.device_with_port);
        let wireless = medium == Some(Medium::Air) || event.kind.category() == "wifi";
        let kind = (wireless || given.ap.is_some()).then_some("ap");
        event.device = self.logged_device(device, kind);
        event.ssid = self.shown(given.wlan);
        event.network = self.logged_network(given.network, given.vlan);
        if let Some(port) = Parameter::of(given.port) {
            let number = port.id.or(port.name).and_then(Value::number);
            let name = self.name(port.name.filter(|name| name.int().is_none()));
            event.port = self.port(number, name, event.device.as_ref());
        }
        event.from = place(
            self.logged_end(given.device_from),
            number(given.channel_from.or(given.previous_channel)),
            band_of(given.previous_band),
            given.previous_wifi_stats,
        );
        event.to = place(
            self.logged_end(given.device_to),
            number(given.channel_to.or(given.channel)),
            band_of(given.band),
            given.wifi_stats,
        );
        if given.wan.or(given.isp).is_some() {
            event.wan = Some(Box::new(Wan {
                name: self.shown(given.wan),
                interface: None,
                isp: self.shown(given.isp),
            }));
        }
        if let Some(admin) = given.admin {
            event.admin = Some(Admin {
                name: self.shown(Some(admin)),
                ip,
            });
        }
        if matches!(event.kind.category(), "threat" | "traffic") {
            event.src = self.logged_flow_end(given.src_client, given.src_ip);
            event.dst = self.logged_flow_end(given.dst_client, given.dst_ip);
        }
        if event.kind.category() == "threat" {
            let inside = |end: &Option<Box<Endpoint>>, client: Option<Value<'_>>| {
                let by_ip = end.as_ref().and_then(|end| is_inside(end.ip.as_deref()?));
                by_ip.or(client.map(|_| true))
            };
            let direction = direction(
                inside(&event.src, given.src_client),
                inside(&event.dst, given.dst_client),
            );
            let action = (event.kind == Kind::THREAT_BLOCKED).then_some("blocked");
            let threat = Threat {
                signature: self.shown(given.signature),
                category: self.shown(given.threat_category.or(given.threat_type)),
                action: action.map(|action| self.texts.share(action)),
                direction: direction.map(|direction| self.texts.share(direction)),
            };
            event.threat = (threat != Threat::default()).then(|| Box::new(threat));
        }
        if event.kind.category() == "vpn" {
            self.logged_vpn(event, given.vpn, given.vpn_type);
        }
        Details {
            duration: said(given.duration),
            version_from: said(given.version_from),
            version_to: said(given.version),
            policy: said(given.trigger),
            failover: failover(given.failover_wan, given.failover_isp),
        }
    }

    /// What a parameter shows, as a name.
    fn shown(&mut self, value: Option<Value<'_>>) -> Option<Text> {
        self.texts.name(&said(value)?)
    }

    fn logged_client(
        &mut self,
        client: Option<Value<'_>>,
        ip: Option<Text>,
        medium: Option<Medium>,
    ) -> Option<Client> {
        let given = Parameter::of(client)?;
        let name = self.name(given.name.filter(|name| name.mac().is_none()));
        let hostname = self.name(given.hostname);
        let ip = self.name(given.ip).or(ip);
        let mut client = match given.id.and_then(Value::mac) {
            Some(mac) => self.client(mac, name, hostname, ip),
            // `vpn:…`: somebody without a hardware address.
            None => Client {
                name: name.or_else(|| hostname.clone()),
                hostname,
                ip,
                ..Client::default()
            },
        };
        if let Some(medium) = medium {
            client.wired = medium == Medium::Cable;
        }
        Some(client)
    }

    fn logged_device(&mut self, device: Option<Value<'_>>, kind: Option<&str>) -> Option<Device> {
        let given = Parameter::of(device)?;
        let name = self.name(given.name.filter(|name| name.mac().is_none()));
        let model = self.name(given.model.or(given.model_name));
        match given.id.and_then(Value::mac) {
            Some(mac) => Some(self.device(mac, name, model, kind)),
            None => {
                let kind = kind.map(|kind| self.texts.share(kind));
                name.is_some().then_some(Device {
                    name,
                    model,
                    kind,
                    ..Device::default()
                })
            }
        }
    }

    fn logged_end(&mut self, device: Option<Value<'_>>) -> Option<Device> {
        let given = Parameter::of(device)?;
        let name = self.name(given.name.filter(|name| name.mac().is_none()));
        match given.id.and_then(Value::mac) {
            Some(mac) => Some(self.end(mac, name)),
            None => name.map(|name| Device {
                name: Some(name),
                ..Device::default()
            }),
        }
    }

    fn logged_network(
        &mut self,
        value: Option<Value<'_>>,
        vlan: Option<Value<'_>>,
    ) -> Option<Network> {
        let given = Parameter::of(value);
        let vlan = given
            .as_ref()
            .and_then(|given| given.vlan)
            .and_then(Value::number)
            .or(number(vlan));
        network(self.shown(value), vlan)
    }

    fn logged_flow_end(
        &mut self,
        client: Option<Value<'_>>,
        ip: Option<Value<'_>>,
    ) -> Option<Box<Endpoint>> {
        let client = Parameter::of(client).unwrap_or_default();
        let address = Parameter::of(ip).unwrap_or_default();
        let mac = client.id.and_then(Value::mac);
        let ip = client.ip.or(address.id).or(address.ip).or(address.name);
        let mut end = Endpoint {
            ip: self.name(ip),
            port: None,
            mac,
            name: self.name(client.name.or(client.hostname)),
        };
        if let Some(known) = mac
            .filter(|_| end.ip.is_none())
            .and_then(|mac| self.names.client(mac))
        {
            end.ip = known.ip.clone();
        }
        self.endpoint(end)
    }

    fn logged_vpn(&mut self, event: &mut Event, vpn: Option<Value<'_>>, kind: Option<Value<'_>>) {
        let teleport = event
            .key
            .as_deref()
            .is_some_and(|key| key.starts_with("TELEPORT"));
        let kind = match self.shown(kind) {
            None if teleport => Some(self.texts.share("teleport")),
            kind => kind,
        };
        let client = event.client.as_ref();
        let vpn = Vpn {
            name: self
                .shown(vpn)
                .or_else(|| client.and_then(|client| client.name.clone())),
            kind,
            ip: event.client.as_ref().and_then(|client| client.ip.clone()),
        };
        event.vpn = (vpn != Vpn::default()).then(|| Box::new(vpn));
    }
}

/// What a client is connected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Medium {
    Cable,
    Air,
}

impl Medium {
    /// As the words of the item's key tell.
    fn of(item: &Item<'_>) -> Option<Self> {
        [item.event, item.key]
            .into_iter()
            .flatten()
            .find_map(|key| {
                key.text()?.split('_').find_map(|word| match word {
                    "WIRED" => Some(Self::Cable),
                    "WIRELESS" | "ROAMED" => Some(Self::Air),
                    _ => None,
                })
            })
    }
}

/// A parameter's `name`, else its `id`.
fn said<'a>(value: Option<Value<'a>>) -> Option<Cow<'a, str>> {
    let given = Parameter::of(value)?;
    given
        .name
        .and_then(Value::text)
        .or_else(|| given.id?.text())
}

fn number(value: Option<Value<'_>>) -> Option<u32> {
    let given = Parameter::of(value)?;
    given
        .name
        .and_then(Value::number)
        .or_else(|| given.id?.number())
}

fn band_of(value: Option<Value<'_>>) -> Option<Band> {
    let given = Parameter::of(value)?;
    [given.id, given.name]
        .into_iter()
        .flatten()
        .find_map(|value| band(&value.text()?))
}

/// The connection that took over, with its provider.
fn failover<'a>(wan: Option<Value<'a>>, isp: Option<Value<'a>>) -> Option<Cow<'a, str>> {
    match (said(wan)?, said(isp)) {
        (wan, Some(isp)) => Some(Cow::Owned(format!("{wan} ({isp})"))),
        (wan, None) => Some(wan),
    }
}

/// A place from what was given apart and from statistics in one text, `Ch. 37 (6 GHz, 160 MHz), -60 dBm`.
fn place(
    device: Option<Device>,
    channel: Option<u32>,
    band: Option<Band>,
    stats: Option<Value<'_>>,
) -> Option<Place> {
    let stats = said(stats);
    let stats = stats.as_deref().map(read_stats).unwrap_or_default();
    let place = Place {
        device,
        channel: channel.or(stats.0),
        band: band.or(stats.1),
    };
    (place != Place::default()).then_some(place)
}

fn read_stats(stats: &str) -> (Option<u32>, Option<Band>) {
    let channel = stats.strip_prefix("Ch.").and_then(|rest| {
        let rest = rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..end].parse().ok()
    });
    let inside = stats.split_once('(').map_or("", |(_, rest)| rest);
    let band = inside.split([',', ')']).find_map(band);
    (channel, band)
}
