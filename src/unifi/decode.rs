//! Frames and history items in, events out.

mod alone;
mod seen;

use super::catalog;
use super::envelope::{Envelope, value_at};
use super::identity;
use super::item::{BadItem, Item};
use super::names::{About, Names};
use super::subjects::Subjects;
use super::summary::summary;
use super::text::{Texts, cut};
use super::time;
use super::value::Value;
use seen::Seen;
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;
use unifi_herald_plugin::{Event, MAX_RAW, Origin, Raw, Text, Timestamp};

/// The site whose frames a decoder reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Short name, as the API wants it: `default`.
    pub name: Text,
    /// The name for people: `Home`.
    pub display: Text,
}

/// Turns what one controller sends about one site into events.
///
/// It never fails and never panics: what cannot be understood is classified and counted. It keeps the names of
/// devices and clients, which the sync frames keep fresh.
#[derive(Debug)]
pub struct Decoder {
    controller: Text,
    site: Site,
    names: Names,
    texts: Texts,
    /// The summary being written.
    line: String,
    counts: DecodeCounts,
    unknown_keys: Seen,
    unknown_kinds: Seen,
}

/// What a frame was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Events, even if none of them could be read.
    Events,
    /// The state of devices or clients.
    State,
    /// Any other message of the controller.
    Other,
    /// Nothing was said: an empty frame, or the text `pong` of old controllers.
    Silent,
    /// Not a message.
    Bad(BadFrame),
}

/// Why a frame is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFrame {
    /// It is not a JSON object.
    NotAnObject,
    /// It does not say what it is in `meta.message`.
    NoMessage,
}

/// What a decoder has seen since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeCounts {
    /// Frames of every sort.
    pub frames: u64,
    /// Events made from frames and from history.
    pub events: u64,
    /// Frames with the state of devices or clients.
    pub state_frames: u64,
    /// Frames that were no messages.
    pub bad_frames: u64,
    /// Frames of a kind that herald has never heard of.
    pub unknown_kinds: u64,
    /// Items that were no events.
    pub bad_items: u64,
    /// Events with a key that the catalog does not know.
    pub unknown_keys: u64,
    /// Events too large to keep their `raw`.
    pub truncated: u64,
}

impl Decoder {
    /// A decoder that knows no names yet.
    #[must_use]
    pub fn new(controller: Text, site: Site) -> Self {
        Self {
            controller,
            site,
            names: Names::new(),
            texts: Texts::new(),
            line: String::new(),
            counts: DecodeCounts::default(),
            unknown_keys: Seen::default(),
            unknown_kinds: Seen::default(),
        }
    }

    /// Decode one text frame; its events are appended to `events`.
    pub fn decode(
        &mut self,
        frame: &str,
        received: Timestamp,
        events: &mut Vec<Arc<Event>>,
    ) -> Frame {
        self.counts.frames += 1;
        let text = frame.trim_ascii();
        if text.is_empty() || matches!(text, "pong" | "\"pong\"") {
            return Frame::Silent;
        }
        let Some(envelope) = Envelope::read(text) else {
            return self.bad(BadFrame::NotAnObject);
        };
        let Some(kind) = envelope.kind.as_deref() else {
            return self.bad(BadFrame::NoMessage);
        };
        match Class::of(kind) {
            Class::Events { key } => {
                envelope.items(|text| self.item_at(text, key, received, events));
                Frame::Events
            }
            Class::VpnState => {
                let key = Some(kind);
                envelope.items(|text| {
                    let item = value_at(text)?;
                    if is_vpn(item) {
                        let event = self.read(item, key, received, Origin::Stream);
                        events.extend(self.counted(event));
                    }
                    Some(item.get().len())
                });
                self.counts.state_frames += 1;
                Frame::State
            }
            Class::Names(about) => {
                envelope.unchecked_items(|item| self.names.sync(about, item));
                self.counts.state_frames += 1;
                Frame::State
            }
            Class::State => {
                self.counts.state_frames += 1;
                Frame::State
            }
            Class::Known => Frame::Other,
            Class::Unknown => {
                self.counts.unknown_kinds += 1;
                if let Some(kind) = self.unknown_kinds.first(kind) {
                    tracing::warn!(controller = %self.controller, site = %self.site.name, kind, "unknown kind of frame");
                }
                Frame::Other
            }
        }
    }

    /// One item of a history API: of `stat/event`, or an entry of the v2 system log. Nothing when it is no event.
    pub fn history_item(&mut self, item: &str, received: Timestamp) -> Option<Arc<Event>> {
        let event = serde_json::from_str::<&RawValue>(item)
            .map_err(|_| BadItem::Shape)
            .and_then(|item| self.read(item, None, received, Origin::Backfill));
        self.counted(event)
    }

    /// The names of devices and clients.
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// What was seen so far.
    #[must_use]
    pub fn counts(&self) -> &DecodeCounts {
        &self.counts
    }

    fn bad(&mut self, why: BadFrame) -> Frame {
        self.counts.bad_frames += 1;
        Frame::Bad(why)
    }

    fn counted(&mut self, event: Result<Arc<Event>, BadItem>) -> Option<Arc<Event>> {
        match event {
            Ok(event) => {
                self.counts.events += 1;
                Some(event)
            }
            Err(_) => {
                self.counts.bad_items += 1;
                None
            }
        }
    }

    /// Read the item at the start of `text`; its length, or nothing when what stands there is not JSON.
    fn item_at(
        &mut self,
        text: &str,
        frame: Option<&str>,
        received: Timestamp,
        events: &mut Vec<Arc<Event>>,
    ) -> Option<usize> {
        let mut item = Item::default();
        let (length, event) = match item.take_checked(text, frame) {
            Some((length, good)) => {
                let raw = &text[..length];
                let event = good.map(|()| self.event(raw, &item, frame, received, Origin::Stream));
                (Some(length), event)
            }
            None => {
                let raw = value_at(text);
                let event = raw
                    .ok_or(BadItem::Shape)
                    .and_then(|raw| self.read(raw, frame, received, Origin::Stream));
                (raw.map(|raw| raw.get().len()), event)
            }
        };
        events.extend(self.counted(event));
        length
    }

    /// The event of an item that was checked.
    fn read(
        &mut self,
        raw: &RawValue,
        frame: Option<&str>,
        received: Timestamp,
        origin: Origin,
    ) -> Result<Arc<Event>, BadItem> {
        let mut item = Item::default();
        item.take(raw, frame)?;
        Ok(self.event(raw.get(), &item, frame, received, origin))
    }

    /// The event of one item, whose text is `raw`. `frame` is the key its frame gives it, where items have none of their own.
    fn event(
        &mut self,
        raw: &str,
        item: &Item<'_>,
        frame: Option<&str>,
        received: Timestamp,
        origin: Origin,
    ) -> Arc<Event> {
        let (key, entry) = self.key(item, frame);
        let (kind, severity) = catalog::meaning(entry, item);
        let happened = time::time(item).unwrap_or(received);
        let id = identity::id(item, frame, happened);
        let mut event = Event::new(kind, id, happened);
        event.received = received;
        event.controller = self.controller.clone();
        event.site = self.site.name.clone();
        event.site_name = self.site.display.clone();
        event.origin = origin;
        event.severity = severity;
        event.key = key;
        let mut subjects = Subjects {
            names: &mut self.names,
            texts: &mut self.texts,
        };
        let details = subjects.fill(&mut event, item);
        event.summary = summary(&mut self.line, &event, item, &details, &mut self.names);
        if raw.len() > MAX_RAW {
            event.raw_truncated = true;
            self.counts.truncated += 1;
        } else {
            event.raw = Some(Raw::trusted(raw));
        }
        Arc::new(event)
    }

    /// The item's key as the controller wrote it, and what the catalog knows about it: matched on `event`, which
    /// newer controllers send beside the key, then on the key.
    fn key(
        &mut self,
        item: &Item<'_>,
        frame: Option<&str>,
    ) -> (Option<Text>, Option<&'static catalog::Entry>) {
        if let Some(entry) = frame.and_then(catalog::exact) {
            return (Some(entry.key.clone()), Some(entry));
        }
        let event = item.event.and_then(Value::text);
        let key = item.key.and_then(Value::text);
        let entry = event
            .as_deref()
            .and_then(catalog::system)
            .or_else(|| key.as_deref().and_then(catalog::system));
        let shown = key.or(event);
        if entry.is_none() {
            self.counts.unknown_keys += 1;
            let key = shown.as_deref().unwrap_or("(none)");
            if let Some(key) = self.unknown_keys.first(key) {
                tracing::warn!(controller = %self.controller, site = %self.site.name, key, "unknown event key");
            }
        }
        let text = shown.and_then(|shown| match entry {
            Some(entry) if *entry.key == *shown => Some(entry.key.clone()),
            _ => self.texts.name(&shown),
        });
        (text, entry)
    }
}

/// What is to be done with a kind of frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Its items are events; those of some frames have the frame's kind for a key.
    Events { key: Option<&'static str> },
    /// Its items tell names.
    Names(About),
    /// Its items are the state of clients; those that use a VPN have no other sign of leaving.
    VpnState,
    /// State that is of no use here.
    State,
    /// Known, and of no use here.
    Known,
    /// Never heard of.
    Unknown,
}

impl Class {
    fn of(kind: &str) -> Self {
        if let Some(about) = About::of(kind) {
            return Self::Names(about);
        }
        match kind {
            "events" | "alert" => Self::Events { key: None },
            "vpn:connect" => Self::Events {
                key: Some("vpn:connect"),
            },
            "vpn:disconnect" => Self::Events {
                key: Some("vpn:disconnect"),
            },
            "client:disconnected" => Self::VpnState,
            "vpn-connection:sync" | "vpn-users:sync" | "session-metadata:sync" => Self::State,
            "critical-notifications:sync"
            | "notification-toast"
            | "speed-test:update"
            | "ping-test:update"
            | "radio-ai:plan" => Self::Known,
            _ if is_setting(kind) => Self::Known,
            _ => Self::Unknown,
        }
    }
}

/// Whether a frame tells about a change of settings, whose many kinds share their first words.
fn is_setting(kind: &str) -> bool {
    let area = kind.split_once(':').map_or("", |(area, _)| area);
    matches!(
        area,
        "setting"
            | "setup"
            | "wlanconf"
            | "networkconf"
            | "portforward"
            | "firewallgroup"
            | "firewallrule"
            | "dpiapp"
            | "dpigroup"
            | "scheduletask"
            | "usergroup"
    )
}

/// Whether an item of `client:disconnected` is about a VPN user.
fn is_vpn(item: &RawValue) -> bool {
    let mut kind = None;
    Value::new(item).members(|key, value| {
        if key == "type" {
            kind = value.text();
        }
    });
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("vpn"))
}

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnObject => "not a JSON object",
            Self::NoMessage => "no `meta.message`",
        })
    }
}

/// A key or kind as it may stand in a log line.
fn loggable(text: &str) -> String {
    cut(text, 64)
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests;
