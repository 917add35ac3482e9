//! One device or client as lists and sync frames describe it.

use crate::unifi::text::{MAX_NAME, clean};
use crate::unifi::value::{Fields as _, Value, fields};
use unifi_herald_plugin::{Mac, Text};

/// Most ports of a device whose names are kept.
const MAX_PORTS: usize = 128;

/// What is known of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceNames {
    /// The name people gave it.
    pub name: Option<Text>,
    /// Its model as the controller writes it.
    pub model: Option<Text>,
    /// `ap`, `switch`, `gateway`, `bridge`, `lte`, `power`.
    pub kind: Option<&'static str>,
    /// The device it hangs on and the port there.
    pub uplink: Option<(Mac, Option<u32>)>,
    /// Names of its ports, by number.
    ports: Vec<(u32, Text)>,
}

/// What is known of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientNames {
    /// The name people gave it.
    pub alias: Option<Text>,
    /// The name it announced itself.
    pub hostname: Option<Text>,
    /// Its last known address.
    pub ip: Option<Text>,
    /// Whether it is on a guest network.
    pub guest: bool,
    /// Whether it is connected by cable.
    pub wired: bool,
}

impl DeviceNames {
    /// The name of a port.
    #[must_use]
    pub fn port(&self, number: u32) -> Option<&Text> {
        let port = self.ports.iter().find(|(port, _)| *port == number);
        port.map(|(_, name)| name)
    }
}

impl ClientNames {
    /// The alias, else the host name.
    #[must_use]
    pub fn name(&self) -> Option<Text> {
        self.alias.clone().or_else(|| self.hostname.clone())
    }
}

fields! {
    /// The fields of a device that are of use.
    Device {
        mac b"mac",
        name b"name",
        model b"model",
        kind b"type",
        uplink b"uplink",
        last_uplink b"last_uplink",
        port_table b"port_table",
    }
}

fields! {
    /// The fields of a device's uplink.
    Uplink {
        mac b"uplink_mac",
        port b"uplink_remote_port",
    }
}

fields! {
    /// The fields of a device's port.
    Port {
        number b"port_idx",
        name b"name",
    }
}

fields! {
    /// The fields of a client, in all its versions.
    Client {
        mac b"mac",
        name b"name",
        hostname b"hostname",
        ip b"ip",
        last_ip b"last_ip",
        guest b"is_guest",
        wired b"is_wired",
    }
}

/// A device with its address; nothing when it is no object or has no address.
pub(super) fn device(item: Value<'_>) -> Option<(Mac, Device<'_>)> {
    let device = Device::read(item.json())?;
    Some((device.mac?.mac()?, device))
}

/// A client with its address; nothing when it is no object or has no address.
pub(super) fn client(item: Value<'_>) -> Option<(Mac, Client<'_>)> {
    let client = Client::read(item.json())?;
    Some((client.mac?.mac()?, client))
}

impl Device<'_> {
    /// Overwrite what this record tells and keep what it does not.
    pub(super) fn merge_into(self, known: &mut DeviceNames) {
        set(&mut known.name, self.name);
        set(&mut known.model, self.model);
        if let Some(kind) = self.kind.and_then(|kind| kind_of(&kind.text()?)) {
            known.kind = Some(kind);
        }
        if let Some(uplink) = uplink(self.uplink).or_else(|| uplink(self.last_uplink)) {
            known.uplink = Some(uplink);
        }
        if let Some(ports) = self.port_table {
            merge_ports(ports, &mut known.ports);
        }
    }
}

impl Client<'_> {
    /// Overwrite what this record tells and keep what it does not; an empty name tells nothing.
    pub(super) fn merge_into(self, known: &mut ClientNames) {
        set(&mut known.alias, self.name);
        set(&mut known.hostname, self.hostname);
        set(&mut known.ip, self.ip.or(self.last_ip));
        if let Some(guest) = self.guest.and_then(Value::flag) {
            known.guest = guest;
        }
        if let Some(wired) = self.wired.and_then(Value::flag) {
            known.wired = wired;
        }
    }
}

fn set(known: &mut Option<Text>, value: Option<Value<'_>>) {
    let Some(text) = value.and_then(Value::text) else {
        return;
    };
    let text = clean(&text, MAX_NAME);
    // Sync frames mostly repeat what is known: no copy then.
    if !text.is_empty() && known.as_deref() != Some(&*text) {
        *known = Some(text.as_ref().into());
    }
}

/// herald's word for the controller's type of a device.
fn kind_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "uap" => "ap",
        "usw" => "switch",
        "ugw" | "udm" | "uxg" | "ucg" | "udr" => "gateway",
        "ubb" => "bridge",
        "ulte" | "umbb" => "lte",
        "usp" | "rps" | "pdu" => "power",
        _ => return None,
    })
}

fn uplink(value: Option<Value<'_>>) -> Option<(Mac, Option<u32>)> {
    let uplink = Uplink::read(value?.json())?;
    let port = uplink.port.and_then(Value::number);
    Some((uplink.mac?.mac()?, port))
}

fn merge_ports(table: Value<'_>, known: &mut Vec<(u32, Text)>) {
    // A table that is not a list tells nothing, and neither does a port that is not an object.
    table.elements(|port| {
        let Some(port) = Port::read(port.json()) else {
            return;
        };
        let Some(number) = port.number.and_then(Value::number) else {
            return;
        };
        if let Some((_, name)) = known.iter_mut().find(|(known, _)| *known == number) {
            let mut slot = Some(name.clone());
            set(&mut slot, port.name);
            if let Some(changed) = slot {
                *name = changed;
            }
        } else if known.len() < MAX_PORTS {
            let mut slot = None;
            set(&mut slot, port.name);
            known.extend(slot.map(|name| (number, name)));
        }
    });
}
