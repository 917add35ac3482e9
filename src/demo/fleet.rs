//! A simulated site: its devices and clients, what they are called, and what hangs on what.

use super::rng::{hash, uuid};

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

const CHANNELS_NG: &[u16] = &[1, 6, 11];
const CHANNELS_NA: &[u16] = &[36, 44, 52, 100, 116, 149, 157];
const CHANNELS_6E: &[u16] = &[5, 37, 69, 101];

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
