//! What Home Assistant is told about devices and watched clients: device discovery as of its release 2024.11, see
//! <https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload>.

use crate::config::HomeAssistant;
use crate::state::{ClientState, DeviceState};
use crate::topic::{Topics, plain};
use serde_json::{Value, json};
use unifi_herald_plugin::{Event, Kind, Mac};

/// Categories whose events are about a device where they name one.
const ABOUT_DEVICES: [&str; 4] = ["device", "wifi", "port", "power"];

/// The topic that announces the device or client with this id.
pub(crate) fn topic(home_assistant: &HomeAssistant, id: &str) -> String {
    format!("{}/device/{id}/config", home_assistant.prefix)
}

/// All announcements, ours and others'.
pub(crate) fn all(home_assistant: &HomeAssistant) -> String {
    format!("{}/device/+/config", home_assistant.prefix)
}

/// Where Home Assistant says that it has started.
pub(crate) fn birth(home_assistant: &HomeAssistant) -> String {
    format!("{}/status", home_assistant.prefix)
}

pub(crate) fn device_id(topics: &Topics, mac: Mac) -> String {
    format!("{}_{}", topics.slug(), plain(mac))
}

pub(crate) fn client_id(topics: &Topics, mac: Mac) -> String {
    format!("{}_client_{}", topics.slug(), plain(mac))
}

/// Whether an announcement with this text is ours: it hangs on our status.
pub(crate) fn is_ours(topics: &Topics, payload: &[u8]) -> bool {
    let config: Value = serde_json::from_slice(payload).unwrap_or_default();
    config["avty"][0]["t"] == topics.status().as_str()
}

/// Announces a device: whether it is online, and what happens to it. `site` is the beginning of its topics.
pub(crate) fn device(topics: &Topics, site: &str, state: &DeviceState) -> Value {
    let (id, mac) = (device_id(topics, state.mac), plain(state.mac));
    let mut types: Vec<String> = Kind::ALL
        .iter()
        .filter(|kind| ABOUT_DEVICES.contains(&kind.category()))
        .map(|kind| event_type(*kind))
        .collect();
    types.sort_unstable();
    let name = state.name.as_ref();
    let mut about = json!({
        "ids": [id],
        "cns": [["mac", state.mac]],
        "name": name.map_or_else(|| state.mac.to_string(), ToString::to_string),
        "mf": "Ubiquiti",
    });
    if let Some(model) = &state.model {
        about["mdl"] = json!(model);
    }
    announcement(
        topics,
        &about,
        &json!({
            "online": {
                "p": "binary_sensor",
                "dev_cla": "connectivity",
                "uniq_id": format!("{id}_online"),
                "stat_t": format!("{site}/state/device/{mac}"),
                "val_tpl": "{{ 'ON' if value_json.online else 'OFF' }}",
            },
            "event": {
                "p": "event",
                "name": "Event",
                "uniq_id": format!("{id}_event"),
                "event_types": types,
                "stat_t": format!("{site}/event/device/{mac}"),
            },
        }),
    )
}

/// Announces a client: whether it is here.
pub(crate) fn client(topics: &Topics, site: &str, state: &ClientState) -> Value {
    let (id, mac) = (client_id(topics, state.mac), plain(state.mac));
    let about = json!({"ids": [id], "cns": [["mac", state.mac]], "name": state.title()});
    announcement(
        topics,
        &about,
        &json!({
            "presence": {
                "p": "device_tracker",
                "name": "Presence",
                "uniq_id": format!("{id}_presence"),
                "src_type": "router",
                "stat_t": format!("{site}/state/client/{mac}"),
                "val_tpl": "{{ 'home' if value_json.home else 'not_home' }}",
            },
        }),
    )
}

fn announcement(topics: &Topics, device: &Value, components: &Value) -> Value {
    json!({
        "dev": device,
        "o": {
            "name": "unifi-herald",
            "sw": env!("CARGO_PKG_VERSION"),
            "url": env!("CARGO_PKG_REPOSITORY"),
        },
        "avty": [{"t": topics.status()}],
        "cmps": components,
    })
}

/// What an event entity is told, when `event` is about its device.
pub(crate) fn device_event(event: &Event) -> Option<Value> {
    if !ABOUT_DEVICES.contains(&event.category()) {
        return None;
    }
    Some(json!({
        "event_type": event_type(event.kind),
        "kind": event.kind.as_str(),
        "summary": event.summary,
        "severity": event.severity,
        "time": event.time,
        "id": event.id,
    }))
}

/// `device.upgrade_failed` is `upgrade_failed`, and `wifi.radar` is `wifi_radar`.
fn event_type(kind: Kind) -> String {
    let name = kind.as_str();
    name.strip_prefix("device.")
        .unwrap_or(name)
        .replace('.', "_")
}
