//! What sources bring: the JSON of other programs' events, hostile until it is read.

mod complaint;
mod owners;
mod status;
pub mod worker;

pub use owners::Owners;
pub use status::{SourceFacts, SourceStatus};

use crate::unifi::is_deeper_than;
use serde_json::error::Category;
use std::collections::HashSet;
use std::time::Duration;
use unifi_herald_plugin::{BufferedEvent, Event, MAX_RAW, Text, Timestamp};

/// The largest payload that is looked at: an event with the largest item, and room.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// Levels of nesting: those of an item as received, and those of the event around it.
const MAX_DEPTH: usize = 72;

/// Longest id, and longest name of a controller or site, in bytes.
const MAX_NAME: usize = 256;

/// How far ahead of ours somebody's clock may be. The journal is tidied in the order of time.
const MAX_AHEAD: Duration = Duration::from_hours(24);

/// Most pairs of controller and site in the life of a source: some of what is remembered is remembered for each.
const MAX_PLACES: usize = 1024;

/// Reads payloads of one source, one after the other.
#[derive(Debug, Default)]
pub struct Inlet {
    places: HashSet<(Text, Text)>,
}

/// What a payload is.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// An event, to go on.
    Event(Box<Event>),
    /// An event of a controller that this herald listens to itself: it knows better.
    Own,
    /// No event.
    Refused(Refusal),
}

/// Why a payload is no event. Nothing of the payload is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More bytes than [`MAX_PAYLOAD`].
    #[error("it is larger than 1 MiB")]
    Large,
    /// Nested too deeply.
    #[error("it is nested too deeply")]
    Deep,
    /// Not text in JSON.
    #[error("it is not JSON")]
    Syntax,
    /// It lacks this.
    #[error("it has {0}")]
    Lacking(String),
    /// A field has what it cannot have.
    #[error("a field has the wrong type or value, as a kind that there is not")]
    Shape,
    /// A name or id that is none.
    #[error("its id, controller or site is empty, too long, or has control characters")]
    Name,
    /// From further ahead than clocks differ.
    #[error("its time is more than a day ahead")]
    Future,
    /// There were too many others.
    #[error("the source has named more than 1024 controllers and sites")]
    Places,
}

impl Inlet {
    /// Read a payload that came `now`; `owners` are the controllers that this herald listens to.
    pub fn read(&mut self, payload: &[u8], owners: &[Text], now: Timestamp) -> Reading {
        match parse(payload) {
            Err(refusal) => Reading::Refused(refusal),
            Ok(event) if owners.contains(&event.controller) => Reading::Own,
            Ok(event) => match self.admit(event, now) {
                Ok(event) => Reading::Event(Box::new(event)),
                Err(refusal) => Reading::Refused(refusal),
            },
        }
    }

    fn admit(&mut self, mut event: Event, now: Timestamp) -> Result<Event, Refusal> {
        if event.time > now + MAX_AHEAD {
            return Err(Refusal::Future);
        }
        let place = (event.controller.clone(), event.site.clone());
        if !self.places.contains(&place) {
            if self.places.len() >= MAX_PLACES {
                return Err(Refusal::Places);
            }
            self.places.insert(place);
        }
        // Ours, as for everything that is received; the rest is as it was sent.
        event.received = now;
        let large = |raw: &unifi_herald_plugin::Raw| raw.as_str().len() > MAX_RAW;
        if event.raw.as_ref().is_some_and(large) {
            event.raw = None;
            event.raw_truncated = true;
        }
        Ok(event)
    }
}

fn parse(payload: &[u8]) -> Result<Event, Refusal> {
    if payload.len() > MAX_PAYLOAD {
        return Err(Refusal::Large);
    }
    let text = std::str::from_utf8(payload).map_err(|_| Refusal::Syntax)?;
    if is_deeper_than(text, MAX_DEPTH) {
        return Err(Refusal::Deep);
    }
    // A list of the right length would do for an object as well.
    if text.trim_ascii_start().starts_with('[') {
        return Err(Refusal::Shape);
    }
    let event = serde_json::from_str::<BufferedEvent>(text).map_err(|error| reason(&error))?;
    let event = std::sync::Arc::unwrap_or_clone(event.event);
    let fine = |text: &str| text.len() <= MAX_NAME && !text.chars().any(char::is_control);
    let names = [&event.controller, &event.site, &event.site_name];
    if event.id.is_empty() || !fine(&event.id) || !names.into_iter().all(|name| fine(name)) {
        return Err(Refusal::Name);
    }
    Ok(event)
}

/// What is wrong, without a word of the payload: only names of missing fields are ours.
fn reason(error: &serde_json::Error) -> Refusal {
    if error.classify() != Category::Data {
        return Refusal::Syntax;
    }
    let text = error.to_string();
    let field = text.strip_prefix("missing field `");
    match field.and_then(|rest| rest.split('`').next()) {
        Some(field) => Refusal::Lacking(format!("no `{field}`")),
        None => Refusal::Shape,
    }
}

#[cfg(test)]
mod tests;
