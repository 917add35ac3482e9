//! Silences: what is not told for a while because somebody said so.

use crate::glob;
use serde::{Deserialize, Serialize};
use unifi_herald_plugin::{Event, Mac, Timestamp};

/// Most silences at a time.
pub const MAX_SILENCES: usize = 1000;

/// Something that is not told for a while. What is absent does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Names it.
    pub id: String,
    /// Name of the alert; takes `*` and `?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// Name or MAC address of the device an incident is about, or happened at; takes `*` and `?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// When it was made.
    pub since: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Why, for people.
    #[serde(default)]
    pub reason: String,
}

impl Silence {
    /// Whether it lasts at `now` and is about an incident of `alert` that `event` opened.
    #[must_use]
    pub fn covers(&self, alert: &str, event: &Event, now: Timestamp) -> bool {
        now < self.until
            && self
                .alert
                .as_ref()
                .is_none_or(|pattern| glob::matches(pattern, alert))
            && self
                .device
                .as_ref()
                .is_none_or(|pattern| is_device(pattern, event))
    }
}

fn is_device(pattern: &str, event: &Event) -> bool {
    let Some(device) = &event.device else {
        return false;
    };
    let name = device.name.as_deref();
    name.is_some_and(|name| glob::matches(pattern, name))
        || device.mac.is_some_and(|mac| match pattern.parse::<Mac>() {
            Ok(wanted) => wanted == mac,
            Err(_) => pattern.contains(':') && glob::matches(pattern, &mac.to_string()),
        })
}
