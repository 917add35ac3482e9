//! Makes the devices and clients of a site, each with an address and an id of its own.

use super::fleet::{Attach, Client, Device, DeviceType, Radio, Ssid, channels};
use super::rng::{Rng, hash, object_id};
use crate::config::ControllerKind;

pub(super) const TRIPLE: &[&str] = &["6e", "na", "ng"];
pub(super) const DUAL: &[&str] = &["na", "ng"];
/// What a fleet is made with: numbers that must not repeat.
pub(super) struct Maker {
    rng: Rng,
    family: u64,
    made: u64,
    /// First octet of the site's documentation MAC addresses (RFC 7042: 00-00-5E-00-53-00 to FF).
    macs: u8,
    network: &'static str,
    hosts: u16,
}

impl Maker {
    pub(super) fn new(seed: u64, site: &str, macs: u8, network: &'static str) -> Self {
        let family = seed ^ hash(site);
        Self {
            rng: Rng::new(family),
            family,
            made: 0,
            macs,
            network,
            hosts: 1,
        }
    }

    pub(super) fn id(&mut self) -> String {
        self.made += 1;
        object_id(self.family, self.made)
    }

    /// An address burnt in at the factory.
    fn mac(&mut self) -> String {
        let mac = format!("00:00:5e:00:53:{:02x}", self.macs);
        self.macs = self.macs.wrapping_add(1);
        mac
    }

    /// A locally administered address, as phones make them up.
    fn random_mac(&mut self) -> String {
        let n = self.rng.next();
        format!(
            "02:00:{:02x}:{:02x}:{:02x}:{:02x}",
            n & 0xff,
            n >> 8 & 0xff,
            n >> 16 & 0xff,
            n >> 24 & 0xff
        )
    }

    fn ip(&mut self) -> String {
        let ip = format!("{}.{}", self.network, self.hosts);
        self.hosts += 1;
        ip
    }

    pub(super) fn ssids(&mut self, names: &[&'static str]) -> Vec<Ssid> {
        names
            .iter()
            .map(|&name| Ssid {
                name,
                id: self.id(),
            })
            .collect()
    }

    pub(super) fn gateway(&mut self, kind: ControllerKind, name: &str) -> Device {
        let (model, display, wire, version) = match kind {
            ControllerKind::UnifiOs => ("UDMPRO", "UDM-Pro", "udm", "4.4.6.24104"),
            ControllerKind::SelfHosted => ("UXGPRO", "UXG-Pro", "uxg", "4.1.13.22109"),
        };
        self.device(
            name,
            (model, display, wire),
            DeviceType::Gateway,
            version,
            11,
        )
    }

    pub(super) fn switch(&mut self, name: &str, uplink: (usize, u16), ports: u16) -> Device {
        let model = if ports > 8 {
            ("USPM24P", "USW-Pro-Max-24-PoE", "usw")
        } else {
            ("USL8LP", "USW-Lite-8-PoE", "usw")
        };
        Device {
            uplink: Some(uplink),
            ..self.device(name, model, DeviceType::Switch, "7.1.26.15869", ports)
        }
    }

    pub(super) fn access_point(&mut self, name: &str, uplink: (usize, u16), six: bool) -> Device {
        let model = if six {
            ("U7PRO", "U7-Pro", "uap")
        } else {
            ("UAL6", "U6-Lite", "uap")
        };
        let mut radios = vec![self.radio("ng", 20), self.radio("na", 80)];
        if six {
            radios.push(self.radio("6e", 160));
        }
        let device = self.device(name, model, DeviceType::AccessPoint, "6.7.10.15642", 1);
        Device {
            uplink: Some(uplink),
            radios,
            ..device
        }
    }

    fn radio(&mut self, band: &'static str, width: u16) -> Radio {
        Radio {
            band,
            channel: self.rng.pick(channels(band)).unwrap_or(1),
            width,
        }
    }

    fn device(
        &mut self,
        name: &str,
        (model, display, wire): (&'static str, &'static str, &'static str),
        kind: DeviceType,
        version: &str,
        ports: u16,
    ) -> Device {
        Device {
            id: self.id(),
            mac: self.mac(),
            name: name.to_owned(),
            model,
            display,
            kind,
            wire,
            ip: self.ip(),
            version: version.to_owned(),
            uplink: None,
            ports,
            radios: Vec::new(),
        }
    }

    pub(super) fn client(
        &mut self,
        name: &str,
        hostname: &str,
        oui: &'static str,
        attach: Attach,
        random: bool,
    ) -> Client {
        Client {
            id: self.id(),
            mac: if random {
                self.random_mac()
            } else {
                self.mac()
            },
            name: (!name.is_empty()).then(|| name.to_owned()),
            hostname: (!hostname.is_empty()).then(|| hostname.to_owned()),
            oui,
            ip: self.ip(),
            guest: false,
            attach,
            stranger: false,
        }
    }

    pub(super) fn guest(&mut self, hostname: &str, ssid: usize) -> Client {
        Client {
            guest: true,
            ..self.client("", hostname, "", Attach::Air(ssid, TRIPLE), true)
        }
    }

    pub(super) fn stranger(&mut self, hostname: &str, oui: &'static str, random: bool) -> Client {
        Client {
            stranger: true,
            ..self.client("", hostname, oui, Attach::Air(0, DUAL), random)
        }
    }
}
