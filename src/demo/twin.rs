//! The system-log entry of an EVT_ item: the same happening under another id, another key and other words, as the
//! v2 history shows it.

use super::fleet::Fleet;
use super::forms::{Form, THREAT_BLOCKED, THREAT_DETECTED, WAN_FAILED, WAN_RESTORED, plain_form};
use super::json::Object;
use super::rng::uuid;
use crate::config::ControllerKind;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the controller knows by address, for the parameters of system-log entries.
#[derive(Debug, Default)]
pub(super) struct Directory {
    known: BTreeMap<String, Known>,
    ssids: BTreeMap<String, String>,
    console: String,
}

#[derive(Debug)]
struct Known {
    name: String,
    hostname: Option<String>,
    ip: String,
    /// Model code, product name and firmware, for devices.
    device: Option<(&'static str, &'static str, String)>,
}

impl Directory {
    pub(super) fn new(fleets: &[Fleet], kind: ControllerKind) -> Self {
        let mut directory = Self::default();
        kind.as_str().clone_into(&mut directory.console);
        for fleet in fleets {
            if let Some(gateway) = fleet.devices.first() {
                directory.console.clone_from(&gateway.name);
            }
            for ssid in &fleet.ssids {
                directory
                    .ssids
                    .insert(ssid.name.to_owned(), ssid.id.clone());
            }
            for device in &fleet.devices {
                let about = Some((device.display, device.model, device.version.clone()));
                let known = Known {
                    name: device.name.clone(),
                    hostname: None,
                    ip: device.ip.clone(),
                    device: about,
                };
                directory.known.insert(device.mac.clone(), known);
            }
            for client in &fleet.clients {
                let name = client
                    .name
                    .as_ref()
                    .or(client.hostname.as_ref())
                    .unwrap_or(&client.mac)
                    .clone();
                let known = Known {
                    name,
                    hostname: client.hostname.clone(),
                    ip: client.ip.clone(),
                    device: None,
                };
                directory.known.insert(client.mac.clone(), known);
            }
        }
        directory
    }

    /// The `parameters` object of a client or device.
    fn party(&self, mac: &str) -> String {
        let mut party = Object::new();
        match self.known.get(mac) {
            Some(known) => {
                if known.device.is_none() {
                    party.int("device_fingerprint_id", 1);
                }
                party
                    .int("fingerprint_source", 0)
                    .text_if("hostname", known.hostname.as_deref());
                party.text("id", mac).text("ip", &known.ip);
                if let Some((display, model, _)) = &known.device {
                    party.text("model", display).text("model_name", model);
                }
                party.text("name", &known.name);
                if let Some((_, _, version)) = &known.device {
                    party.text("version", version);
                }
            }
            None => {
                party.text("id", mac).text("name", mac);
            }
        }
        party.finish()
    }

    fn ip(&self, mac: &str) -> &str {
        self.known.get(mac).map_or("", |known| &known.ip)
    }
}

/// Whether an item of this key has an entry in the system log.
pub(super) fn has_twin(key: &str) -> bool {
    !key.starts_with("EVT_")
        || key == "EVT_GW_WANTransition"
        || key == "EVT_IPS_IpsAlert"
        || plain_form(key).is_some()
}

/// The system-log entry of `item`, an EVT_ item as JSON. `finished` adds the finished text, as `alert` frames have it.
pub(super) fn twin(directory: &Directory, item: &str, id: &str, finished: bool) -> Option<String> {
    let item: Value = serde_json::from_str(item).ok()?;
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let key = text("key")?;
    let form = match key {
        "EVT_GW_WANTransition" if text("state") == Some("active") => &WAN_RESTORED,
        "EVT_GW_WANTransition" => &WAN_FAILED,
        "EVT_IPS_IpsAlert" if text("inner_alert_action") == Some("blocked") => &THREAT_BLOCKED,
        "EVT_IPS_IpsAlert" => &THREAT_DETECTED,
        key => plain_form(key)?,
    };
    let mut parameters = Vec::new();
    let mut add = |name: &'static str, value: String| parameters.push((name, value));
    if let Some(mac) = text("user")
        .or_else(|| text("guest"))
        .or_else(|| text("client"))
    {
        add("CLIENT", directory.party(mac));
        add("IP", named(directory.ip(mac)));
    }
    for (from, to) in [
        ("ap", "DEVICE"),
        ("sw", "DEVICE"),
        ("gw", "DEVICE"),
        ("ap_from", "DEVICE_FROM"),
        ("ap_to", "DEVICE_TO"),
    ] {
        if let Some(mac) = text(from) {
            add(to, directory.party(mac));
        }
    }
    if let Some(ssid) = text("ssid") {
        let mut wlan = Object::new();
        wlan.text("id", directory.ssids.get(ssid).map_or("", String::as_str))
            .text("name", ssid);
        add("WLAN", wlan.finish());
    }
    if let Some(network) = text("network") {
        add("NETWORK", named(network));
    }
    if let Some(channel) = text("channel") {
        let band = match text("radio") {
            Some("ng") => "2.4 GHz",
            Some("6e") => "6 GHz",
            _ => "5 GHz",
        };
        let width = text("channelWidth").unwrap_or("20");
        add(
            "WIFI_STATS",
            named(&format!(
                "Ch. {channel} ({band}, {width} MHz), -{} dBm",
                48 + channel.len() * 6
            )),
        );
    }
    for (from, to) in [
        ("channel_from", "PREVIOUS_CHANNEL"),
        ("channel_to", "CHANNEL"),
    ] {
        if let Some(channel) = text(from) {
            add(to, named(channel));
        }
    }
    if let Some(seconds) = item.get("duration").and_then(Value::as_i64) {
        add("DURATION", named(&super::item::duration(seconds)));
    }
    if let Some(admin) = text("admin") {
        let name = admin
            .strip_prefix("Admin[")
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(admin);
        let mut party = Object::new();
        party
            .text("id", &uuid(super::rng::hash(name), 1))
            .text("name", name);
        add("ADMIN", party.finish());
        if let Some(ip) = text("ip") {
            add("IP", named(ip));
        }
    }
    if let Some(interface) = text("iface") {
        let (id, name) = if interface == "eth9" {
            ("WAN2", "WAN2")
        } else {
            ("WAN", "WAN1")
        };
        let mut party = Object::new();
        party
            .text("id", id)
            .text("name", name)
            .bool("not_actionable", true);
        add("WAN_ID", party.finish());
    }
    if let (Some(from), Some(to)) = (text("src_mac"), text("dest_ip")) {
        add("SRC_CLIENT", directory.party(from));
        let mut party = Object::new();
        party
            .text("id", to)
            .text("name", to)
            .bool("not_actionable", true);
        add("DST_IP", party.finish());
        if let Some(signature) = text("inner_alert_signature") {
            add("TRIGGER", named(signature));
        }
    }
    add("CONSOLE_NAME", named(&directory.console));
    let time = item.get("time").and_then(Value::as_i64).unwrap_or_default();
    Some(entry(form, id, time, &parameters, finished))
}

/// A system-log entry made of its fixed part and its parameters.
pub(super) fn entry(
    form: &Form,
    id: &str,
    time: i64,
    parameters: &[(&'static str, String)],
    finished: bool,
) -> String {
    let mut object = Object::new();
    object
        .text("category", form.category)
        .text("event", form.event)
        .text("id", id)
        .text("key", form.key);
    if finished {
        object.text("message", &fill(form.message, parameters));
    }
    object.text("message_raw", form.message);
    let mut values = Object::new();
    for (name, value) in parameters {
        values.raw(name, value);
    }
    object
        .raw("parameters", &values.finish())
        .text("severity", form.severity)
        .bool("show_on_dashboard", false);
    object
        .text("status", "NEW")
        .text("subcategory", form.subcategory)
        .text("target", form.target);
    object
        .int("timestamp", time)
        .text("title_raw", form.title)
        .text("type", form.kind);
    object.finish()
}

/// `{"name": …}`.
pub(super) fn named(name: &str) -> String {
    let mut object = Object::new();
    object.text("name", name);
    object.finish()
}

/// The template with the names in.
fn fill(template: &str, parameters: &[(&'static str, String)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in parameters {
        let value: Value = serde_json::from_str(value).unwrap_or_default();
        if let Some(shown) = value.get("name").and_then(Value::as_str) {
            text = text.replace(&format!("{{{name}}}"), shown);
        }
    }
    text
}

impl Directory {
    /// The `parameters` object of a client, for entries that are made here and have no EVT_ form.
    pub(super) fn client(&self, mac: &str) -> String {
        self.party(mac)
    }
}
