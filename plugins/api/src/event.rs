//! The event: what sinks write, scripts see and the API returns.

mod alert;
mod json;
mod kind;
mod mac;
mod raw;
mod severity;
mod subject;
mod timestamp;
mod wire;

pub use alert::{Alert, AlertState, Digest, DigestIncident, DigestTop, MAX_ALERT_EVENTS};
pub use kind::{Kind, UnknownKind};
pub use mac::{InvalidMac, Mac};
pub use raw::{MAX_RAW, Raw};
pub use severity::{Severity, UnknownSeverity};
pub use subject::{
    Admin, Band, Client, Device, Endpoint, Network, Place, Port, Threat, Uplink, Voucher, Vpn, Wan,
};
pub use timestamp::{InvalidTimestamp, Timestamp};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Shared text. Names and sites repeat from event to event, so a copy is a reference count.
pub type Text = Arc<str>;

/// What a user's scripts added to an event.
pub type Fields = serde_json::Map<String, serde_json::Value>;

/// The version written as `v`.
pub const EVENT_VERSION: u32 = 1;

/// One thing that happened, in herald's own words.
///
/// Fields that are `None` are absent in every output, never null. Text that came from the network
/// (host names, SSIDs) was chosen by strangers: a sink escapes it for its own format.
///
/// ```
/// use unifi_herald_plugin::{Event, Kind, Timestamp};
///
/// let mut event = Event::new(Kind::DEVICE_OFFLINE, "5ee9f7ca", Timestamp::from_millis(0));
/// event.summary = "Kitchen is offline".into();
/// assert_eq!(event.category(), "device");
/// assert_eq!(event.severity.level(), 4);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Unique within controller and site; the same on every try, after every restart, and whether the
    /// event came by the stream or by repair.
    pub id: Text,
    /// When it happened, by the controller's clock.
    pub time: Timestamp,
    /// When herald received or made it.
    pub received: Timestamp,
    /// Name of the controller in the configuration.
    pub controller: Text,
    /// Short name of the site: `default`.
    pub site: Text,
    /// The site's name for people: `Home`.
    pub site_name: Text,
    /// How it came to herald.
    pub origin: Origin,
    /// What happened.
    pub kind: Kind,
    /// The controller's own key: `EVT_WU_Roam`.
    pub key: Option<Text>,
    /// How much it matters.
    pub severity: Severity,
    /// One line for people, with names.
    pub summary: Text,
    /// The client it is about.
    pub client: Option<Client>,
    /// The device it is about, or where it happened.
    pub device: Option<Device>,
    /// Where a client or a radio was before.
    pub from: Option<Place>,
    /// Where a client or a radio is now.
    pub to: Option<Place>,
    /// Name of the wireless network.
    pub ssid: Option<Text>,
    /// The port it is about.
    pub port: Option<Port>,
    /// The internet connection it is about.
    pub wan: Option<Box<Wan>>,
    /// The network it is about.
    pub network: Option<Network>,
    /// The administrator who did it, or tried to.
    pub admin: Option<Admin>,
    /// What the intrusion detection saw.
    pub threat: Option<Box<Threat>>,
    /// Where a flow came from.
    pub src: Option<Box<Endpoint>>,
    /// Where a flow went to.
    pub dst: Option<Box<Endpoint>>,
    /// The VPN connection it is about.
    pub vpn: Option<Box<Vpn>>,
    /// The voucher it is about.
    pub voucher: Option<Voucher>,
    /// The incident, for events of alerts.
    pub alert: Option<Box<Alert>>,
    /// What a digest collected, for `digest.ready`.
    pub digest: Option<Box<Digest>>,
    /// The hole a `herald.gap` reports; written as `from`, `to` and `count`.
    pub gap: Option<Box<Gap>>,
    /// Why, for events of herald itself: `socket closed`.
    pub reason: Option<Text>,
    /// What the user's scripts added.
    pub fields: Fields,
    /// The item as received; absent when it was too large, redacted, or when herald made the event.
    pub raw: Option<Raw>,
    /// Whether `raw` is absent because the item was larger than [`MAX_RAW`].
    pub raw_truncated: bool,
}

/// How an event came to herald.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The controller's socket.
    Stream,
    /// The controller's history, fetched to fill a hole.
    Backfill,
    /// Herald itself, or a script.
    Derived,
}

impl Origin {
    /// `stream`, `backfill` or `derived`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Backfill => "backfill",
            Self::Derived => "derived",
        }
    }
}

/// A stretch of time from which events were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its beginning, by the controller's clock.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// How many events were lost, where that is known.
    pub count: Option<u64>,
}

impl Event {
    /// An event with the kind's default severity, no subjects, and empty controller and site.
    #[must_use]
    pub fn new(kind: Kind, id: impl Into<Text>, time: Timestamp) -> Self {
        let none = Text::default();
        Self {
            id: id.into(),
            time,
            received: time,
            controller: none.clone(),
            site: none.clone(),
            site_name: none.clone(),
            origin: Origin::Stream,
            kind,
            key: None,
            severity: kind.default_severity(),
            summary: none,
            client: None,
            device: None,
            from: None,
            to: None,
            ssid: None,
            port: None,
            wan: None,
            network: None,
            admin: None,
            threat: None,
            src: None,
            dst: None,
            vpn: None,
            voucher: None,
            alert: None,
            digest: None,
            gap: None,
            reason: None,
            fields: Fields::new(),
            raw: None,
            raw_truncated: false,
        }
    }

    /// The part of the kind before the dot.
    #[must_use]
    pub fn category(&self) -> &'static str {
        self.kind.category()
    }

    /// About how many bytes the event holds in memory, for bounds on queues. Never less than the fixed part.
    #[must_use]
    pub fn weight(&self) -> usize {
        let raw = self.raw.as_ref().map_or(0, |raw| raw.as_str().len());
        // Fields are rare and their keys short: a flat guess per entry is near enough for a bound.
        let alert = self.alert.as_ref().map_or(0, |alert| {
            size_of::<Alert>() + alert.title.len() + alert.body.len() + alert.events.len() * 48
        });
        size_of::<Self>() + self.summary.len() + raw + alert + self.fields.len() * 64
    }
}

/// An event with its place in the host's order, as chains and sinks get it.
#[derive(Clone, Debug, PartialEq)]
pub struct BufferedEvent {
    /// Position in the order of commit; grows, may skip, is never used twice.
    pub seq: u64,
    /// The event.
    pub event: Arc<Event>,
}

impl BufferedEvent {
    /// Append the event as one line of JSON, without the line feed.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        // Writing to a vector cannot fail, and neither do the field types: no maps with keys that are not text.
        let written = wire::append(self, out);
        debug_assert!(written.is_ok(), "{written:?}");
    }

    /// The event as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(1024);
        self.write_json(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl Deref for BufferedEvent {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}

impl fmt::Display for Event {
    /// The summary, else the kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.summary.is_empty() {
            f.write_str(self.kind.as_str())
        } else {
            f.write_str(&self.summary)
        }
    }
}
