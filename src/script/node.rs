//! The event as a script holds it: a shared draft, copied when first written, and references to its parts.

use super::convert;
use super::names::Property;
use super::raw;
use super::read::{Found, read};
use rhai::{Dynamic, ImmutableString};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unifi_herald_plugin::Event;

/// An event, or a part of one, as a value in a script. Copies are the same event: what a function changes, its
/// caller sees.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) cell: Arc<Cell>,
    pub(super) at: At,
}

/// The event under a script's hands.
#[derive(Debug)]
pub(super) struct Cell(Mutex<Draft>);

#[derive(Debug)]
pub(super) struct Draft {
    /// The very event that came in until something is written.
    pub(super) event: Arc<Event>,
    /// Copies made of it so far.
    pub(super) copies: u32,
}

/// Which part of the event a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Event,
    Client,
    Device,
    Uplink,
    From,
    FromDevice,
    To,
    ToDevice,
    Port,
    Wan,
    Network,
    Admin,
    Threat,
    Src,
    Dst,
    Vpn,
    Voucher,
    Alert,
    Digest,
    Fields,
    /// An object or array within `raw`, by its place in the text.
    Raw(Range<usize>),
}

impl Node {
    pub(super) fn new(event: Arc<Event>) -> Self {
        let cell = Arc::new(Cell(Mutex::new(Draft { event, copies: 0 })));
        Self {
            cell,
            at: At::Event,
        }
    }

    pub(super) fn draft(&self) -> MutexGuard<'_, Draft> {
        self.cell.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event as it is now.
    pub(super) fn event(&self) -> Arc<Event> {
        Arc::clone(&self.draft().event)
    }

    /// Whether `other` is this part of this very event.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell) && self.at == other.at
    }

    /// The field `name`, `()` when it is absent.
    pub(super) fn get(&self, name: Property) -> Dynamic {
        let draft = self.draft();
        let found = match &self.at {
            At::Fields | At::Raw(_) => self.by_text(&draft.event, name.as_str()),
            _ => read(&draft.event, &self.at, name),
        };
        drop(draft);
        self.value(found)
    }

    /// The field `name`, which may be any text.
    pub(super) fn get_text(&self, name: &str) -> Dynamic {
        if let Some(name) = Property::parse(name) {
            return self.get(name);
        }
        let draft = self.draft();
        let found = self.by_text(&draft.event, name);
        drop(draft);
        self.value(found)
    }

    /// The element at `index` of an array in `raw`; negative counts from the end.
    pub(super) fn get_index(&self, index: i64) -> Dynamic {
        let At::Raw(range) = &self.at else {
            return Dynamic::UNIT;
        };
        let draft = self.draft();
        let found = raw_text(&draft.event, range).and_then(|text| {
            let index = if index < 0 {
                let len = i64::try_from(raw::len(text)?).ok()?;
                len + index
            } else {
                index
            };
            let element = raw::element(text, usize::try_from(index).ok()?)?;
            Some(raw_value(range.start, text, element))
        });
        drop(draft);
        self.value(found)
    }

    /// The elements of an array in `raw`, at most `limit`.
    pub(super) fn elements(&self, limit: usize) -> Vec<Dynamic> {
        let At::Raw(range) = &self.at else {
            return Vec::new();
        };
        let event = self.event();
        let text = raw_text(&event, range).unwrap_or_default();
        let elements = raw::elements(text, limit).into_iter();
        elements
            .map(|element| self.value(Some(raw_value(range.start, text, element))))
            .collect()
    }

    /// How many fields or elements the part has, where that is a question.
    pub(super) fn len(&self) -> Option<usize> {
        let draft = self.draft();
        match &self.at {
            At::Fields => Some(draft.event.fields.len()),
            At::Raw(range) => raw::len(raw_text(&draft.event, range)?),
            _ => None,
        }
    }

    /// The names of what the part holds, where they are not fixed.
    pub(super) fn keys(&self, limit: usize) -> Vec<ImmutableString> {
        let draft = self.draft();
        match &self.at {
            At::Fields => draft
                .event
                .fields
                .keys()
                .take(limit)
                .map(Into::into)
                .collect(),
            At::Raw(range) => raw_text(&draft.event, range)
                .map(|text| raw::keys(text, limit).into_iter().map(Into::into).collect())
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// The part as JSON.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let draft = self.draft();
        let event = &*draft.event;
        let json = match &self.at {
            At::Event => serde_json::to_value(event),
            At::Client => serde_json::to_value(&event.client),
            At::Device => serde_json::to_value(&event.device),
            At::Uplink => serde_json::to_value(
                event
                    .device
                    .as_ref()
                    .and_then(|device| device.uplink.as_ref()),
            ),
            At::From => serde_json::to_value(&event.from),
            At::FromDevice => {
                serde_json::to_value(event.from.as_ref().and_then(|place| place.device.as_ref()))
            }
            At::To => serde_json::to_value(&event.to),
            At::ToDevice => {
                serde_json::to_value(event.to.as_ref().and_then(|place| place.device.as_ref()))
            }
            At::Port => serde_json::to_value(&event.port),
            At::Wan => serde_json::to_value(&event.wan),
            At::Network => serde_json::to_value(&event.network),
            At::Admin => serde_json::to_value(&event.admin),
            At::Threat => serde_json::to_value(&event.threat),
            At::Src => serde_json::to_value(&event.src),
            At::Dst => serde_json::to_value(&event.dst),
            At::Vpn => serde_json::to_value(&event.vpn),
            At::Voucher => serde_json::to_value(&event.voucher),
            At::Alert => serde_json::to_value(&event.alert),
            At::Digest => serde_json::to_value(&event.digest),
            At::Fields => serde_json::to_value(&event.fields),
            At::Raw(range) => {
                raw_text(event, range).map_or(Ok(serde_json::Value::Null), serde_json::from_str)
            }
        };
        json.unwrap_or(serde_json::Value::Null)
    }

    fn by_text(&self, event: &Event, name: &str) -> Option<Found> {
        match &self.at {
            At::Fields => event
                .fields
                .get(name)
                .map(|value| Found::Value(convert::from_json(value))),
            At::Raw(range) => {
                let text = raw_text(event, range)?;
                let value = raw::field(text, name)?;
                Some(raw_value(range.start, text, value))
            }
            _ => None,
        }
    }

    fn value(&self, found: Option<Found>) -> Dynamic {
        match found {
            None => Dynamic::UNIT,
            Some(Found::Value(value)) => value,
            Some(Found::Part(at)) => Dynamic::from(Self {
                cell: Arc::clone(&self.cell),
                at,
            }),
        }
    }
}

/// The text at `range` of `raw`; `None` once it was redacted.
fn raw_text<'e>(event: &'e Event, range: &Range<usize>) -> Option<&'e str> {
    event.raw.as_ref()?.as_str().get(range.clone())
}

/// The value of `json`, which lies within `outer`, which begins at `start` of `raw`.
pub(super) fn raw_value(start: usize, outer: &str, json: &str) -> Found {
    if json.starts_with(['{', '[']) {
        let from = start + (json.as_ptr().addr() - outer.as_ptr().addr());
        Found::Part(At::Raw(from..from + json.len()))
    } else {
        Found::Value(convert::from_scalar(json))
    }
}
