//! What is retained about a device or a client: enough to go on after a restart.

use serde::{Deserialize, Serialize};
use unifi_herald_plugin::{Event, Kind, Mac, Text, Timestamp};

/// The payload of `state/device/<mac>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceState {
    pub(crate) mac: Mac,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<Text>,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Text>,
    pub(crate) online: bool,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// The payload of `state/client/<mac>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClientState {
    pub(crate) mac: Mac,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hostname: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ip: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ssid: Option<Text>,
    /// Name of the device it is connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<Text>,
    pub(crate) connected: bool,
    /// When the last event about it happened.
    pub(crate) time: Timestamp,
    /// Whether it counts as present; only for those that are watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) home: Option<bool>,
    /// When it will no longer, unless it comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) leaves: Option<Timestamp>,
}

impl DeviceState {
    /// What `event` says about its device, given what was known.
    pub(crate) fn after(before: Option<&Self>, mac: Mac, event: &Event) -> Self {
        let seen = event.device.as_ref();
        let seen_name = seen.and_then(|device| device.name.clone());
        let seen_model = seen.and_then(|device| device.model.clone());
        let seen_kind = seen.and_then(|device| device.kind.clone());
        let says = match event.kind {
            Kind::DEVICE_OFFLINE => Some(false),
            Kind::DEVICE_ONLINE
            | Kind::DEVICE_ADOPTED
            | Kind::DEVICE_READOPTED
            | Kind::DEVICE_UPGRADED => Some(true),
            _ => None,
        };
        let Some(before) = before else {
            return Self {
                mac,
                name: seen_name,
                model: seen_model,
                kind: seen_kind,
                // Whoever has something to tell is there.
                online: says.unwrap_or(true),
                since: event.time,
            };
        };
        let mut state = Self {
            name: seen_name.or_else(|| before.name.clone()),
            model: seen_model.or_else(|| before.model.clone()),
            kind: seen_kind.or_else(|| before.kind.clone()),
            ..before.clone()
        };
        if let Some(online) = says
            && event.time >= before.since
            && online != before.online
        {
            state.online = online;
            state.since = event.time;
        }
        state
    }
}

impl ClientState {
    /// Whether `event` says that its client is connected; `None` when it tells nothing of it.
    pub(crate) fn says(event: &Event) -> Option<bool> {
        match event.kind {
            Kind::CLIENT_CONNECTED
            | Kind::CLIENT_ROAMED
            | Kind::CLIENT_ROAMED_RADIO
            | Kind::CLIENT_FIRST_SEEN
            | Kind::GUEST_AUTHORIZED => Some(true),
            Kind::CLIENT_DISCONNECTED => Some(false),
            _ => None,
        }
    }

    /// What `event` says about its client.
    pub(crate) fn of(event: &Event, mac: Mac, connected: bool) -> Self {
        let client = event.client.as_ref();
        let at = event.to.as_ref().and_then(|to| to.device.as_ref());
        let device = at.or(event.device.as_ref());
        Self {
            mac,
            name: client.and_then(|client| client.name.clone()),
            hostname: client.and_then(|client| client.hostname.clone()),
            ip: client.and_then(|client| client.ip.clone()),
            ssid: event.ssid.clone(),
            device: device.and_then(|device| device.name.clone()),
            connected,
            time: event.time,
            home: None,
            leaves: None,
        }
    }

    /// What it is called for people.
    pub(crate) fn title(&self) -> String {
        let name = self.name.as_ref().or(self.hostname.as_ref());
        name.map_or_else(|| self.mac.to_string(), ToString::to_string)
    }

    pub(crate) fn names(&self) -> [Option<&str>; 2] {
        [self.name.as_deref(), self.hostname.as_deref()]
    }
}
