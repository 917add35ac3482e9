//! The simulated networks: who is there, what it is called, and what hangs on what.

use super::rng::{Rng, hash, object_id, uuid};
use crate::config::ControllerKind;

/// A network to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// A family home: gateway, switch, three access points, some fifteen clients; site `default`, "Home".
    House,
    /// A company floor: gateway, three switches, twelve access points, 150 clients; site `k3x9q2ab`, "Office".
    Office,
}

/// One site with everything in it.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    /// Short name, as in paths.
    pub(super) name: &'static str,
    /// Display name.
    pub(super) desc: &'static str,
    /// Id in the controller's database.
    pub(super) id: String,
    /// Name of the wired network.
    pub(super) lan: &'static str,
    /// Wireless networks; the last one is for guests.
    pub(super) ssids: Vec<Ssid>,
    /// Gateway first, then switches, then access points.
    pub(super) devices: Vec<Device>,
    pub(super) clients: Vec<Client>,
    pub(super) admins: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Debug)]
pub(super) struct Ssid {
    pub(super) name: &'static str,
    pub(super) id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeviceType {
    Gateway,
    Switch,
    AccessPoint,
}

#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) mac: String,
    pub(super) name: String,
    /// As in `stat/device`.
    pub(super) model: &'static str,
    /// As sold.
    pub(super) display: &'static str,
    pub(super) kind: DeviceType,
    /// `type` of `stat/device`.
    pub(super) wire: &'static str,
    pub(super) ip: String,
    pub(super) version: String,
    /// Position of the parent in `devices`, and the port there.
    pub(super) uplink: Option<(usize, u16)>,
    pub(super) ports: u16,
    pub(super) radios: Vec<Radio>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Radio {
    /// `ng`, `na` or `6e`.
    pub(super) band: &'static str,
    pub(super) channel: u16,
    /// In MHz.
    pub(super) width: u16,
}

#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) mac: String,
    /// The alias given by the user.
    pub(super) name: Option<String>,
    pub(super) hostname: Option<String>,
    pub(super) oui: &'static str,
    pub(super) ip: String,
    pub(super) guest: bool,
    pub(super) attach: Attach,
    /// Not in the controller's list until it first connects.
    pub(super) stranger: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attach {
    /// Position of the switch and the port.
    Port(usize, u16),
    /// Position in `ssids`; the bands it can use, best first.
    Air(usize, &'static [&'static str]),
}

const DUAL: &[&str] = &["na", "ng"];
const TRIPLE: &[&str] = &["6e", "na", "ng"];
const OLD: &[&str] = &["ng"];
const CHANNELS_NG: &[u16] = &[1, 6, 11];
const CHANNELS_NA: &[u16] = &[36, 44, 52, 100, 116, 149, 157];
const CHANNELS_6E: &[u16] = &[5, 37, 69, 101];
const PHONE: (&[&str], &str) = (TRIPLE, "Apple, Inc.");
const ANDROID: (&[&str], &str) = (TRIPLE, "Google, Inc.");
const LAPTOP: (&[&str], &str) = (DUAL, "Intel Corporate");
const GADGET: (&[&str], &str) = (OLD, "Espressif Inc.");

impl Network {
    /// The short name of its site.
    #[must_use]
    pub fn site(self) -> &'static str {
        match self {
            Self::House => "default",
            Self::Office => "k3x9q2ab",
        }
    }

    pub(super) fn build(self, seed: u64, kind: ControllerKind) -> Fleet {
        match self {
            Self::House => house(seed, kind),
            Self::Office => office(seed, kind),
        }
    }
}

/// The channels a radio of this band may use.
pub(super) fn channels(band: &str) -> &'static [u16] {
    match band {
        "ng" => CHANNELS_NG,
        "6e" => CHANNELS_6E,
        _ => CHANNELS_NA,
    }
}

impl Fleet {
    pub(super) fn access_points(&self) -> impl Iterator<Item = usize> + '_ {
        self.of(DeviceType::AccessPoint)
    }

    pub(super) fn switches(&self) -> impl Iterator<Item = usize> + '_ {
        self.of(DeviceType::Switch)
    }

    fn of(&self, kind: DeviceType) -> impl Iterator<Item = usize> + '_ {
        (0..self.devices.len()).filter(move |&at| self.devices[at].kind == kind)
    }

    /// A UUID that belongs to this site.
    pub(super) fn uuid(&self, what: &str) -> String {
        uuid(hash(&self.id), hash(what))
    }
}

/// What a fleet is made with: numbers that must not repeat.
struct Maker {
    rng: Rng,
    family: u64,
    made: u64,
    /// First octet of the site's documentation MAC addresses (RFC 7042: 00-00-5E-00-53-00 to FF).
    macs: u8,
    network: &'static str,
    hosts: u16,
}

impl Maker {
    fn new(seed: u64, site: &str, macs: u8, network: &'static str) -> Self {
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

    fn id(&mut self) -> String {
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

    fn ssids(&mut self, names: &[&'static str]) -> Vec<Ssid> {
        names
            .iter()
            .map(|&name| Ssid {
                name,
                id: self.id(),
            })
            .collect()
    }

    fn gateway(&mut self, kind: ControllerKind, name: &str) -> Device {
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

    fn switch(&mut self, name: &str, uplink: (usize, u16), ports: u16) -> Device {
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

    fn access_point(&mut self, name: &str, uplink: (usize, u16), six: bool) -> Device {
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

    fn client(
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

    fn guest(&mut self, hostname: &str, ssid: usize) -> Client {
        Client {
            guest: true,
            ..self.client("", hostname, "", Attach::Air(ssid, TRIPLE), true)
        }
    }

    fn stranger(&mut self, hostname: &str, oui: &'static str, random: bool) -> Client {
        Client {
            stranger: true,
            ..self.client("", hostname, oui, Attach::Air(0, DUAL), random)
        }
    }
}

fn house(seed: u64, kind: ControllerKind) -> Fleet {
    let mut make = Maker::new(seed, "default", 0x00, "192.0.2");
    let id = make.id();
    let ssids = make.ssids(&["Home", "Home-Guest"]);
    let devices = vec![
        make.gateway(kind, "Gateway"),
        make.switch("SW-Core", (0, 1), 8),
        make.access_point("Living Room", (1, 5), true),
        make.access_point("Kitchen", (1, 6), false),
        make.access_point("Attic", (1, 7), false),
    ];
    let air = |bands| Attach::Air(0, bands);
    let port = |port| Attach::Port(1, port);
    let clients = vec![
        make.client("Anna's iPhone", "Annas-iPhone", PHONE.1, air(PHONE.0), true),
        make.client("Tom's Pixel", "Pixel-9", ANDROID.1, air(ANDROID.0), true),
        make.client("Lena's iPad", "iPad", PHONE.1, air(DUAL), true),
        make.client(
            "Anna's MacBook",
            "annas-mbp",
            "Apple, Inc.",
            air(TRIPLE),
            false,
        ),
        make.client(
            "Tom's ThinkPad",
            "thinkpad-t14",
            LAPTOP.1,
            air(LAPTOP.0),
            false,
        ),
        make.client(
            "Living Room TV",
            "LG-WebOS",
            "LG Electronics",
            air(DUAL),
            false,
        ),
        make.client(
            "Kitchen Speaker",
            "sonos-kitchen",
            "Sonos, Inc.",
            air(DUAL),
            false,
        ),
        make.client(
            "Vacuum \"Robbie\"",
            "roborock-s8",
            GADGET.1,
            air(GADGET.0),
            false,
        ),
        make.client("Heat Pump", "", GADGET.1, air(GADGET.0), false),
        make.client(
            "Front Door Camera",
            "cam-front",
            "Ubiquiti Inc",
            air(DUAL),
            false,
        ),
        make.client("", "ESP-3C71BF", GADGET.1, air(GADGET.0), false),
        make.client(
            "NAS",
            "diskstation",
            "Synology Incorporated",
            port(2),
            false,
        ),
        make.client("Printer", "HPI4F2A1C", "HP Inc.", port(3), false),
        make.client("Tom's Desktop", "desktop-tom", LAPTOP.1, port(4), false),
        make.guest("Galaxy-S24", 1),
        make.guest("", 1),
        make.stranger("OnePlus-12", "OnePlus Technology", true),
        make.stranger("raspberrypi", "Raspberry Pi (Trading) Ltd", false),
    ];
    Fleet {
        name: "default",
        desc: "Home",
        id,
        lan: "Default",
        ssids,
        devices,
        clients,
        admins: &[("anna", "192.0.2.101"), ("tom", "192.0.2.104")],
    }
}

const PEOPLE: [&str; 40] = [
    "Amara", "Ben", "Carlos", "Dana", "Elif", "Fatima", "George", "Hana", "Ines", "Jonas", "Kofi",
    "Lucía", "Maja", "Nils", "Olga", "Priya", "Quentin", "Rosa", "Sven", "Tariq", "Ulla", "Viktor",
    "Wei", "Xenia", "Yusuf", "Zoë", "Aoife", "Bilal", "Chiara", "Dmitri", "Emre", "Freya", "Goran",
    "Helga", "Ivo", "Jana", "Kira", "Leif", "Mei", "Noor",
];

const ROOMS: [&str; 12] = [
    "Reception",
    "Lobby",
    "Open Space North",
    "Open Space South",
    "Meeting Room 1",
    "Meeting Room 2",
    "Boardroom",
    "Canteen",
    "Workshop",
    "Warehouse",
    "Lab",
    "Roof Terrace",
];

fn office(seed: u64, kind: ControllerKind) -> Fleet {
    let mut make = Maker::new(seed, "k3x9q2ab", 0x20, "198.51.100");
    let id = make.id();
    let ssids = make.ssids(&["Office", "Office-IoT", "Office-Voice", "Office-Guest"]);
    let mut devices = vec![
        make.gateway(kind, "HQ Gateway"),
        make.switch("HQ-Core", (0, 10), 24),
        make.switch("HQ-Floor-1", (1, 23), 24),
        make.switch("HQ-Floor-2", (1, 24), 24),
    ];
    for (at, room) in (1u16..).zip(ROOMS) {
        let floor = if at <= 6 { 2 } else { 3 };
        devices.push(make.access_point(room, (floor, (at - 1) % 6 + 1), at % 3 != 0));
    }
    let mut clients = Vec::new();
    for person in PEOPLE {
        let lower = person.to_lowercase().replace(|c: char| !c.is_ascii(), "x");
        let (phone, laptop) = (format!("{person}'s Phone"), format!("{person}'s Laptop"));
        clients.push(make.client(
            &laptop,
            &format!("{lower}-lt"),
            LAPTOP.1,
            Attach::Air(0, LAPTOP.0),
            false,
        ));
        clients.push(make.client(
            &phone,
            &format!("{lower}s-phone"),
            PHONE.1,
            Attach::Air(0, PHONE.0),
            true,
        ));
    }
    for n in 1..=20u16 {
        let name = format!("Sensor {n:02}");
        clients.push(make.client(
            &name,
            &format!("sensor-{n:02}"),
            GADGET.1,
            Attach::Air(1, GADGET.0),
            false,
        ));
    }
    for n in 1..=12u16 {
        let name = format!("Handset {n:02}");
        clients.push(make.client(
            &name,
            &format!("voip-{n:02}"),
            "Yealink",
            Attach::Air(2, DUAL),
            false,
        ));
    }
    for n in 1..=18u16 {
        let (switch, port) = if n <= 9 { (2, 6 + n) } else { (3, n - 3) };
        let (name, host) = if n % 6 == 0 {
            ("Printer", "prn")
        } else {
            ("Workstation", "ws")
        };
        let attach = Attach::Port(switch, port);
        clients.push(make.client(
            &format!("{name} {n:02}"),
            &format!("{host}-{n:02}"),
            "Dell Inc.",
            attach,
            false,
        ));
    }
    for n in 1..=20u16 {
        let hostname = if n % 3 == 0 {
            String::new()
        } else {
            format!("guest-{n:02}")
        };
        clients.push(make.guest(&hostname, 3));
    }
    clients.push(make.stranger("unknown-laptop", "Shenzhen Bilian", true));
    clients.push(make.stranger("", "Raspberry Pi (Trading) Ltd", false));
    Fleet {
        name: "k3x9q2ab",
        desc: "Office",
        id,
        lan: "Corporate",
        ssids,
        devices,
        clients,
        admins: &[
            ("it-admin", "198.51.100.20"),
            ("priya", "198.51.100.47"),
            ("msp-support", "203.0.113.40"),
        ],
    }
}
