//! What the user wrote about alerts and digests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use unifi_herald_plugin::{Severity, Span};

/// `[alerts.NAME]`
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AlertTable {
    /// Kinds of events that open an incident: `device.offline`, `wan.*`. Required.
    pub(crate) on: Vec<String>,
    /// Kinds of events that end it.
    pub(crate) resolve_on: Vec<String>,
    /// Of the events of `on`, only those for which this script in one line is true.
    #[serde(rename = "where")]
    pub(crate) condition: Option<String>,
    /// Template of what an incident is about: `{{ event.device.mac }}`. Without it there is one incident for each site.
    pub(crate) key: Option<String>,
    /// How long it must last before it is told; what ends it earlier cancels it.
    pub(crate) hold: Option<Span>,
    /// Fields of events, or templates: incidents that agree in all of them are told as one.
    pub(crate) group_by: Option<OneOrMany>,
    /// How long the first of a group waits for others before they are told.
    pub(crate) group_wait: Option<Span>,
    /// How often an open incident is told again.
    pub(crate) repeat: Option<Span>,
    /// How many incidents of one key are told in a stretch of time: `1/10m`.
    pub(crate) limit: Option<String>,
    /// When a key opens more often than `max` times `within` a stretch of time, that is told once, and its end when it
    /// has been calm for as long.
    pub(crate) flap: Option<FlapTable>,
    /// When nobody is told.
    pub(crate) quiet: Option<QuietTable>,
    /// After how long without another event of `on` it is over.
    pub(crate) resolve_after: Option<Span>,
    /// What explains it, so that it is not told: `uplink`, a device on the way to it; `alert:NAME`, another alert.
    pub(crate) inhibit_by: Vec<String>,
    /// Work during which it is not told.
    pub(crate) mute_while: Option<MuteTable>,
    /// A field worth waiting for before it is told.
    pub(crate) wait_for: Option<WaitTable>,
    /// How much it matters; without it, as much as the event that opened it.
    pub(crate) severity: Option<Severity>,
    /// Template of the title.
    pub(crate) title: Option<String>,
    /// Template of the text.
    pub(crate) body: Option<String>,
    /// Template of the title when it is over.
    pub(crate) title_resolved: Option<String>,
    /// Template of the text when it is over.
    pub(crate) body_resolved: Option<String>,
    /// Whether the events it counts go on to the next step as well.
    pub(crate) pass: bool,
}

/// `flap` of an alert
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FlapTable {
    /// How often a key may open. Required.
    pub(crate) max: Option<usize>,
    /// In how long. Required.
    pub(crate) within: Option<Span>,
}

/// `quiet` of an alert
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct QuietTable {
    /// The hours: `22:00-07:00`, `Sat,Sun 00:00-24:00`. Required.
    pub(crate) hours: Option<String>,
    /// What becomes of a message: `drop`, or the name of a digest under `[digests]` that has it instead.
    pub(crate) then: Option<String>,
}

/// `mute_while` of an alert
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MuteTable {
    /// Kinds of events that begin the work. Required.
    pub(crate) from: Vec<String>,
    /// Kinds of events that end it.
    pub(crate) until: Vec<String>,
    /// How long it may take. Required.
    pub(crate) max: Option<Span>,
}

/// `wait_for` of an alert
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WaitTable {
    /// The field of the event: `client.ip`. Required.
    pub(crate) field: Option<String>,
    /// How long it is waited for.
    pub(crate) max: Span,
}

/// `[digests.NAME]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DigestTable {
    /// The time of the day: `07:30`. Required.
    pub(crate) at: Option<String>,
    /// Whether nothing is told when nothing was collected.
    pub(crate) skip_empty: bool,
}

/// One text, or a list of texts.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    /// One.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::Many(_))
    }

    pub(crate) fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl Default for WaitTable {
    fn default() -> Self {
        Self {
            field: None,
            max: Span(Duration::from_secs(30)),
        }
    }
}

impl Default for DigestTable {
    fn default() -> Self {
        Self {
            at: None,
            skip_empty: true,
        }
    }
}
