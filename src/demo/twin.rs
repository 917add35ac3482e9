//! The system-log entry of an EVT_ item: the same happening under another id, another key and other words, as the
//! v2 history shows it.

use super::fleet::Fleet;
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

/// The fixed part of a kind of entry.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) event: &'static str,
    pub(super) key: &'static str,
    pub(super) category: &'static str,
    pub(super) subcategory: &'static str,
    pub(super) kind: &'static str,
    pub(super) severity: &'static str,
    pub(super) target: &'static str,
    pub(super) title: &'static str,
    pub(super) message: &'static str,
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

fn plain_form(key: &str) -> Option<&'static Form> {
    Some(match key {
        "EVT_WU_Connected" | "EVT_WG_Connected" => &CONNECTED_WIRELESS,
        "EVT_WU_Disconnected" | "EVT_WG_Disconnected" => &DISCONNECTED_WIRELESS,
        "EVT_WU_Roam" | "EVT_WG_Roam" => &ROAMED,
        "EVT_LU_Connected" | "EVT_LG_Connected" => &CONNECTED_WIRED,
        "EVT_LU_Disconnected" | "EVT_LG_Disconnected" => &DISCONNECTED_WIRED,
        "EVT_AP_ChannelChanged" => &CHANGED_CHANNELS,
        "EVT_AP_Lost_Contact" | "EVT_SW_Lost_Contact" | "EVT_GW_Lost_Contact" => &UNREACHABLE,
        "EVT_AP_Connected" | "EVT_SW_Connected" | "EVT_GW_Connected" => &RECONNECTED,
        "EVT_AD_Login" => &ADMIN_ACCESS,
        _ => return None,
    })
}

/// A client's form: they differ in little.
const fn client(
    event: &'static str,
    key: &'static str,
    sub: &'static str,
    title: &'static str,
    message: &'static str,
) -> Form {
    Form {
        event,
        key,
        category: "CLIENT_DEVICES",
        subcategory: sub,
        kind: "CLIENT_CONNECTION",
        severity: "LOW",
        target: "CLIENT",
        title,
        message,
    }
}

const CONNECTED_WIRELESS: Form = client(
    "CLIENT_CONNECTED_WIRELESS",
    "CLIENT_CONNECTED_WIRELESS_2",
    "MONITORING_WIFI",
    "WiFi Client Connected",
    "{CLIENT} connected to {WLAN} on {DEVICE}. Connection Info: {WIFI_STATS}. IP: {IP}",
);
const DISCONNECTED_WIRELESS: Form = client(
    "CLIENT_DISCONNECTED_WIRELESS",
    "CLIENT_DISCONNECTED_WIRELESS_2",
    "MONITORING_WIFI",
    "WiFi Client Disconnected",
    "{CLIENT} disconnected from {WLAN}. Time Connected: {DURATION}. Last Connected To: {DEVICE}",
);
const ROAMED: Form = client(
    "CLIENT_ROAMED",
    "CLIENT_ROAMED_2",
    "MONITORING_WIFI",
    "WiFi Client Roamed",
    "{CLIENT} roamed from {DEVICE_FROM} to {DEVICE_TO} on {WLAN}. Connection Info: {WIFI_STATS}",
);
const CONNECTED_WIRED: Form = client(
    "CLIENT_CONNECTED_WIRED",
    "CLIENT_CONNECTED_WIRED_2",
    "MONITORING_WIRED",
    "Wired Client Connected",
    "{CLIENT} connected to {NETWORK}. IP: {IP}",
);
const DISCONNECTED_WIRED: Form = client(
    "CLIENT_DISCONNECTED_WIRED",
    "CLIENT_DISCONNECTED_WIRED_2",
    "MONITORING_WIRED",
    "Wired Client Disconnected",
    "{CLIENT} disconnected from {NETWORK}. Time Connected: {DURATION}",
);

/// A device's form.
const fn device(
    event: &'static str,
    severity: &'static str,
    title: &'static str,
    message: &'static str,
) -> Form {
    Form {
        event,
        key: event,
        category: "UNIFI_DEVICES",
        subcategory: "DEVICE_STATUS",
        kind: "DEVICE_STATE",
        severity,
        target: "DEVICE",
        title,
        message,
    }
}

const CHANGED_CHANNELS: Form = device(
    "AP_CHANGED_CHANNELS",
    "LOW",
    "AP Changed Channels",
    "{DEVICE} changed its channel from {PREVIOUS_CHANNEL} to {CHANNEL}.",
);
const UNREACHABLE: Form = device(
    "DEVICE_UNREACHABLE",
    "HIGH",
    "Device Unreachable",
    "{DEVICE} is unreachable.",
);
const RECONNECTED: Form = device(
    "DEVICE_RECONNECTED",
    "LOW",
    "Device Reconnected",
    "{DEVICE} has reconnected.",
);

/// A form about an internet connection.
const fn wan(
    event: &'static str,
    key: &'static str,
    severity: &'static str,
    title: &'static str,
    message: &'static str,
) -> Form {
    Form {
        event,
        key,
        category: "INTERNET_AND_WAN",
        subcategory: "INTERNET_OUTAGE_AND_FAILOVER",
        kind: "INTERNET_STATUS",
        severity,
        target: "SITE",
        title,
        message,
    }
}

const WAN_FAILED: Form = wan(
    "NETWORK_WAN_FAILED",
    "NETWORK_WAN_FAILED_2",
    "HIGH",
    "Internet Disconnected",
    "Internet connection {WAN_ID} is down.",
);
const WAN_RESTORED: Form = wan(
    "NETWORK_WAN_RESTORED",
    "NETWORK_WAN_RESTORED_2",
    "LOW",
    "Internet Restored",
    "Internet connection {WAN_ID} is up again.",
);
/// The backup connection took over.
pub(super) const FAILED_OVER: Form = wan(
    "NETWORK_FAILED_OVER_TO_BACKUP_WAN",
    "NETWORK_FAILED_OVER_TO_BACKUP_WAN_2",
    "HIGH",
    "{FAILOVER_WAN_ID} Internet Failover Active",
    "Internet connection {WAN_ID} on port {PORT} is down and {FAILOVER_WAN_ID} {FAILOVER_ISP_NAME} is now active.",
);
/// The provider loses packets.
pub(super) const PACKET_LOSS: Form = wan(
    "ISP_PACKET_LOSS",
    "ISP_PACKET_LOSS_2",
    "MEDIUM",
    "High Packet Loss",
    "Internet connection {WAN_ID} is losing packets.",
);

/// A form about an attack.
const fn security(
    event: &'static str,
    key: &'static str,
    sub: &'static str,
    severity: &'static str,
    title: &'static str,
    message: &'static str,
) -> Form {
    Form {
        event,
        key,
        category: "SECURITY",
        subcategory: sub,
        kind: "THREAT_DETECTION_AND_PREVENTION",
        severity,
        target: "DEVICE",
        title,
        message,
    }
}

const THREAT_DETECTED: Form = security(
    "THREAT_DETECTED",
    "THREAT_DETECTED_KNOWN_SOURCE_CLIENT",
    "SECURITY_INTRUSION_PREVENTION",
    "HIGH",
    "Threat Detected",
    "A network intrusion attempt from {SRC_CLIENT} to {DST_IP} has been detected.",
);
const THREAT_BLOCKED: Form = security(
    "THREAT_BLOCKED",
    "THREAT_BLOCKED_KNOWN_SOURCE_CLIENT",
    "SECURITY_INTRUSION_PREVENTION",
    "VERY_HIGH",
    "Threat Detected and Blocked",
    "A network intrusion attempt from {SRC_CLIENT} to {DST_IP} has been detected and blocked.",
);
/// Somebody knocked at the honeypot.
pub(super) const HONEYPOT: Form = security(
    "HONEYPOT_HIT_DETECTED",
    "HONEYPOT_HIT_DETECTED_KNOWN_CLIENT",
    "SECURITY_HONEYPOT",
    "HIGH",
    "Honeypot Triggered",
    "{SRC_CLIENT} has accessed the honeypot {DST_IP}.",
);
/// A firewall policy stopped a client.
pub(super) const BLOCKED_BY_FIREWALL: Form = security(
    "BLOCKED_BY_FIREWALL",
    "TRAFFIC_BLOCKED_KNOWN_SOURCE_CLIENT",
    "SECURITY_FIREWALL",
    "MEDIUM",
    "Blocked by Firewall",
    "{SRC_CLIENT} was blocked from accessing {DST_IP} by the {TRIGGER} Firewall Policy.",
);

const ADMIN_ACCESS: Form = Form {
    event: "ADMIN_ACCESS",
    key: "ADMIN_ACCESS",
    category: "AUDIT",
    subcategory: "SYSTEM_ADMIN",
    kind: "ADMIN_ACCESS",
    severity: "MEDIUM",
    target: "ADMIN",
    title: "Network Accessed",
    message: "{ADMIN} accessed the Network application from {IP}.",
};

impl Directory {
    /// The `parameters` object of a client, for entries that are made here and have no EVT_ form.
    pub(super) fn client(&self, mac: &str) -> String {
        self.party(mac)
    }
}
