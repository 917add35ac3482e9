//! The networks there are to simulate: a family home and an office.

use super::fleet::{Attach, Fleet};
use super::maker::{DUAL, Maker, TRIPLE};
use crate::config::ControllerKind;

/// A network to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// A family home: gateway, switch, three access points, some fifteen clients; site `default`, "Home".
    House,
    /// A company floor: gateway, three switches, twelve access points, 150 clients; site `k3x9q2ab`, "Office".
    Office,
}

const OLD: &[&str] = &["ng"];
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
