//! Who and what an event is about.

use super::{Mac, Text};
use serde::{Deserialize, Serialize};

/// A client of the network: a phone, a printer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// Its hardware address; absent for VPN users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// The name people gave it, else its host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// The name it announced itself; chosen by a stranger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<Text>,
    /// Its address on the network, as the controller wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Text>,
    /// Whether it is on a guest network.
    pub guest: bool,
    /// Whether it is connected by cable.
    pub wired: bool,
    /// Whether its address is made up: see [`Mac::is_random`].
    pub random_mac: bool,
}

/// A UniFi device: access point, switch, gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// Its hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Its name in the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Its model as the controller writes it: `U6-Lite`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Text>,
    /// What it is: `ap`, `switch`, `gateway`, `bridge`, `lte`, `power`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// What it hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uplink: Option<Box<Uplink>>,
}

/// The upstream end of a device's uplink.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Uplink {
    /// Address of the device upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Name of the device upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Port on the device upstream, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u32>,
}

/// One end of a move: where a client roamed from or to, or a channel before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The device there; only `mac` and `name` are filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// Radio channel number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<u32>,
    /// Radio band.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
}

/// A Wi-Fi band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Band {
    /// 2.4 GHz.
    #[serde(rename = "2.4")]
    Ghz2,
    /// 5 GHz.
    #[serde(rename = "5")]
    Ghz5,
    /// 6 GHz.
    #[serde(rename = "6")]
    Ghz6,
}

impl Band {
    /// `2.4`, `5` or `6`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ghz2 => "2.4",
            Self::Ghz5 => "5",
            Self::Ghz6 => "6",
        }
    }
}

/// A port of a switch, gateway or power distributor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Port {
    /// Number on the device, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Name in the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
}

/// An internet connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wan {
    /// `WAN`, `WAN2`, or the name people gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Interface of the gateway: `eth8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<Text>,
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isp: Option<Text>,
}

/// A network of the site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Its VLAN number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u32>,
}

/// An administrator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Admin {
    /// Account name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Where they came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Text>,
}

/// What the intrusion detection saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Threat {
    /// The rule that matched: `ET MALWARE Suspicious User Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Text>,
    /// Class of threat: `A Network Trojan was Detected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Text>,
    /// What was done: `allowed`, `blocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Text>,
    /// `incoming`, `outgoing` or `internal`, where both ends tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Text>,
}

/// One end of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoint {
    /// Address as the controller wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Text>,
    /// TCP or UDP port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Name of the client or device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
}

/// A VPN connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vpn {
    /// Name of the VPN or of its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Kind of VPN: `teleport`, `wireguard`, where it is known.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// Address at the far end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Text>,
}

/// A hotspot voucher.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Voucher {
    /// Its code, which lets whoever knows it into the guest network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Text>,
    /// How many vouchers the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}
