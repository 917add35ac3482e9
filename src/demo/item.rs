//! Event items as the controller words them: the fields every EVT_ item has, and its finished English text.

use super::fleet::{Device, DeviceType, Fleet};
use super::json::Object;
use unifi_herald_plugin::Timestamp;

/// Something that happened, ready for the wire.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// `EVT_…`, or a system-log key.
    pub(super) key: String,
    /// Event time, milliseconds.
    pub(super) time: i64,
    /// The item as JSON; without an id, unless it has one of its own.
    pub(super) text: String,
    /// The id that is part of `text`.
    pub(super) id: Option<String>,
    /// A system-log entry that has no EVT_ form; it travels as `alert`.
    pub(super) alert: bool,
    /// Happened to the controller, not to a site: the `super` socket carries it where there is one.
    pub(super) siteless: bool,
}

/// An EVT_ item being written.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    site_id: &'a str,
    key: &'static str,
    subsystem: &'static str,
    time: i64,
    negative: bool,
    fields: Object,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        fleet: &'a Fleet,
        key: &'static str,
        subsystem: &'static str,
        time: i64,
    ) -> Self {
        Self {
            site_id: &fleet.id,
            key,
            subsystem,
            time,
            negative: false,
            fields: Object::new(),
        }
    }

    pub(super) fn negative(mut self) -> Self {
        self.negative = true;
        self
    }

    pub(super) fn text(mut self, key: &str, value: &str) -> Self {
        self.fields.text(key, value);
        self
    }

    pub(super) fn text_if(mut self, key: &str, value: Option<&str>) -> Self {
        self.fields.text_if(key, value);
        self
    }

    pub(super) fn int(mut self, key: &str, value: i64) -> Self {
        self.fields.int(key, value);
        self
    }

    pub(super) fn raw(mut self, key: &str, value: &str) -> Self {
        self.fields.raw(key, value);
        self
    }

    /// `admin` and `is_admin`.
    pub(super) fn admin(self, name: &str) -> Self {
        self.text("admin", &format!("Admin[{name}]"))
            .raw("is_admin", "true")
    }

    /// The device's fields under the prefix of its kind: `ap`, `ap_name`, `ap_model`, `ap_displayName`.
    pub(super) fn device(mut self, device: &Device) -> Self {
        let prefix = prefix(device);
        self.fields.text(prefix, &device.mac);
        self.fields.text(&format!("{prefix}_name"), &device.name);
        self.fields.text(&format!("{prefix}_model"), device.model);
        self.fields
            .text(&format!("{prefix}_displayName"), &device.name);
        self
    }

    /// The finished item.
    pub(super) fn says(mut self, message: &str) -> Item {
        self.fields.text("key", self.key);
        self.fields.text("subsystem", self.subsystem);
        self.fields.text("site_id", self.site_id);
        self.fields.bool("is_negative", self.negative);
        self.fields.int("time", self.time);
        self.fields.text("datetime", &datetime(self.time));
        self.fields.text("msg", message);
        Item {
            key: self.key.to_owned(),
            time: self.time,
            text: self.fields.finish(),
            id: None,
            alert: false,
            siteless: false,
        }
    }
}

/// `text`, a JSON object, with one more text field at its end.
pub(super) fn with_field(text: &str, key: &str, value: &str) -> String {
    let body = text.strip_suffix('}').unwrap_or(text);
    let comma = if body.len() > 1 { "," } else { "" };
    format!("{body}{comma}\"{key}\":\"{value}\"}}")
}

/// `ap`, `sw` or `gw`.
pub(super) fn prefix(device: &Device) -> &'static str {
    match device.kind {
        DeviceType::Gateway => "gw",
        DeviceType::Switch => "sw",
        DeviceType::AccessPoint => "ap",
    }
}

/// `AP[mac]`, `Switch[mac]` or `Gateway[mac]`.
pub(super) fn label(device: &Device) -> String {
    let noun = match device.kind {
        DeviceType::Gateway => "Gateway",
        DeviceType::Switch => "Switch",
        DeviceType::AccessPoint => "AP",
    };
    format!("{noun}[{}]", device.mac)
}

/// `2026-11-22T17:21:13Z`: UTC without milliseconds.
pub(super) fn datetime(ms: i64) -> String {
    let text = Timestamp::from_millis(ms).to_string();
    format!("{}Z", text.get(..19).unwrap_or_default())
}

/// `1h 3m 20s`, as in the texts of the controller.
pub(super) fn duration(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m {seconds}s"),
        (hours, minutes) => format!("{hours}h {minutes}m {seconds}s"),
    }
}

/// `42.00 bytes`, `448.28K bytes`, `1.74M bytes`.
pub(super) fn size(bytes: i64) -> String {
    let mut value = bytes as f64;
    let mut unit = "";
    for next in ["K", "M", "G", "T"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit.is_empty() {
        format!("{value:.2} bytes")
    } else {
        format!("{value:.2}{unit} bytes")
    }
}
