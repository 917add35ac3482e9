//! What alert and digest steps say: an incident as one message sees it, and the summary of a stretch of time.

use super::{Kind, Severity, Text, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most ids in [`Alert::events`].
pub const MAX_ALERT_EVENTS: usize = 100;

/// An incident, as of one of its events: `alert.firing`, `alert.repeated`, `alert.resolved` or `alert.folded`.
///
/// The event that carries it copies controller, site and subjects of the event that opened the incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alert {
    /// Names the incident; the same from firing to resolved and after every restart. What a sink updates or closes, it
    /// finds by this.
    pub id: Text,
    /// Name of the alert in the configuration.
    #[serde(default)]
    pub name: Text,
    /// What the incident is about, as the alert's `key` made it; unique within alert, controller and site.
    #[serde(default)]
    pub key: Text,
    /// What became of it.
    pub state: AlertState,
    /// How much it matters.
    pub severity: Severity,
    /// How many events it has counted.
    #[serde(default)]
    pub count: u64,
    /// When it began, by the controller's clock.
    pub since: Timestamp,
    /// When it ended; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Seconds from its beginning to its end, or to this message.
    #[serde(default)]
    pub duration_s: u64,
    /// One line for people; plain text.
    #[serde(default)]
    pub title: Text,
    /// More for people; plain text, may have several lines, may be empty.
    #[serde(default)]
    pub body: Text,
    /// Ids of the events behind it, oldest first: the newest [`MAX_ALERT_EVENTS`].
    #[serde(default)]
    pub events: Vec<Text>,
}

/// What became of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// It has begun.
    Firing,
    /// It still lasts.
    Repeated,
    /// It is over.
    Resolved,
    /// Others were folded into it, since it explains them.
    Folded,
}

impl AlertState {
    /// `firing`, `repeated`, `resolved` or `folded`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Repeated => "repeated",
            Self::Resolved => "resolved",
            Self::Folded => "folded",
        }
    }

    /// The kind of the event that says so.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Firing => Kind::ALERT_FIRING,
            Self::Repeated => Kind::ALERT_REPEATED,
            Self::Resolved => Kind::ALERT_RESOLVED,
            Self::Folded => Kind::ALERT_FOLDED,
        }
    }
}

impl Alert {
    /// An incident that has just begun: count 1, no text, no events.
    #[must_use]
    pub fn new(id: impl Into<Text>, name: impl Into<Text>, since: Timestamp) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            key: Text::default(),
            state: AlertState::Firing,
            severity: Severity::Warning,
            count: 1,
            since,
            until: None,
            duration_s: 0,
            title: Text::default(),
            body: Text::default(),
            events: Vec::new(),
        }
    }
}

/// What a digest step collected: the subject of `digest.ready`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Digest {
    /// Name of the digest in the configuration.
    pub name: Text,
    /// Beginning of the time it speaks of.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// How many events of each kind.
    pub counts: BTreeMap<Text, u64>,
    /// Incidents that began, ended or lasted within it, in the order of their beginning.
    pub incidents: Vec<DigestIncident>,
    /// Who was named most, most first.
    pub top: Vec<DigestTop>,
}

/// An incident in a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DigestIncident {
    /// As [`Alert::id`].
    pub id: Text,
    /// As [`Alert::name`].
    pub name: Text,
    /// As [`Alert::title`].
    pub title: Text,
    /// As [`Alert::severity`].
    pub severity: Severity,
    /// As [`Alert::since`].
    pub since: Timestamp,
    /// As [`Alert::until`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl DigestIncident {
    /// What a digest says of `alert`.
    #[must_use]
    pub fn of(alert: &Alert) -> Self {
        Self {
            id: alert.id.clone(),
            name: alert.name.clone(),
            title: alert.title.clone(),
            severity: alert.severity,
            since: alert.since,
            until: alert.until,
        }
    }
}

/// One of those who were named most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DigestTop {
    /// What it is: `client`, `device`, `ssid`, `admin`, `threat`.
    pub what: Text,
    /// Its name, else its address.
    pub name: Text,
    /// In how many events.
    pub count: u64,
}

impl DigestTop {
    /// `name`, a `what`, named in `count` events.
    #[must_use]
    pub fn new(what: impl Into<Text>, name: impl Into<Text>, count: u64) -> Self {
        Self {
            what: what.into(),
            name: name.into(),
            count,
        }
    }
}
