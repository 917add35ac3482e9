//! The event of a step: a few fields over those that such an event has, or a real payload.

use super::compare::{self, json};
use crate::unifi::{Decoder, Site};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{BufferedEvent, Event, Kind, Timestamp};

/// Keys of a step's event that say how it is made, and are no fields.
const DIRECTIVES: [&str; 5] = ["corpus", "frame", "index", "bare", "absent"];

/// Makes the events of a file with cases.
pub(super) struct Maker {
    folder: PathBuf,
    corpus: PathBuf,
}

impl Maker {
    pub(super) fn new(folder: &Path, corpus: Option<&Path>) -> Self {
        Self {
            folder: folder.to_owned(),
            corpus: corpus.map_or_else(|| folder.to_owned(), |corpus| folder.join(corpus)),
        }
    }

    /// The event of step `number`, which happens at `time`.
    pub(super) fn make(
        &self,
        table: &toml::Table,
        time: Timestamp,
        number: usize,
    ) -> Result<Event, String> {
        let base = match (text(table, "corpus")?, text(table, "frame")?) {
            (Some(place), None) => decode(&self.line(place)?, index(table)?, time)?,
            (None, Some(frame)) => decode(frame, index(table)?, time)?,
            (None, None) => by_kind(table, time)?,
            (Some(_), Some(_)) => return Err("an event has `corpus` or `frame`".to_owned()),
        };
        let mut fields = object(&base)?;
        fields.insert("seq".to_owned(), number.into());
        fields.insert("id".to_owned(), format!("case-{number}").into());
        fields.insert("time".to_owned(), time.to_string().into());
        fields.insert("received".to_owned(), time.to_string().into());
        let mut given = Map::new();
        for (key, value) in table {
            if !DIRECTIVES.contains(&key.as_str()) {
                given.insert(key.clone(), json(value));
            }
        }
        merge(&mut fields, &given);
        for path in compare::paths(table.get("absent"))? {
            remove(&mut fields, path);
        }
        // By way of its text: `raw` is a piece of text.
        let event: BufferedEvent = serde_json::from_str(&Value::Object(fields).to_string())
            .map_err(|error| format!("this is no event: {error}"))?;
        let event = Event::clone(&event.event);
        let known = Value::Object(object(&event)?);
        match compare::subset(&Value::Object(given), &known).first() {
            Some(lost) => Err(format!(
                "an event of this kind has no field `{}` that can be {}",
                lost.field.as_deref().unwrap_or_default(),
                lost.expected
            )),
            None => Ok(event),
        }
    }

    /// The line of `file:line`, counted from 1: of a file beside the cases or in their corpus, else of the built-in one.
    fn line(&self, place: &str) -> Result<String, String> {
        let (file_name, line) = place
            .rsplit_once(':')
            .and_then(|(file, line)| Some((file, line.parse::<usize>().ok()?)))
            .ok_or_else(|| format!("`{place}` is not FILE:LINE"))?;
        let found = [&self.folder, &self.corpus].map(|folder| folder.join(file_name));
        let file = found.iter().find(|file| file.exists());
        let read;
        let text = match (file, corpus(file_name)) {
            (Some(file), _) => {
                read = std::fs::read_to_string(file)
                    .map_err(|e| format!("{}: {e}", file.display()))?;
                &read
            }
            (None, Some(built_in)) => built_in,
            (None, None) => return Err(format!("there is no `{}`", found[1].display())),
        };
        let text = text.lines().nth(line.wrapping_sub(1));
        text.map(str::to_owned)
            .ok_or_else(|| format!("{file_name} has no line {line}"))
    }
}

/// What real controllers sent, which is there wherever the cases are.
fn corpus(file: &str) -> Option<&'static str> {
    Some(match file {
        "ws_messages.jsonl" => include_str!("../../../tests/fixtures/corpus/ws_messages.jsonl"),
        "rest_events.jsonl" => include_str!("../../../tests/fixtures/corpus/rest_events.jsonl"),
        "system_log.jsonl" => include_str!("../../../tests/fixtures/corpus/system_log.jsonl"),
        _ => return None,
    })
}

/// What events of its kind have, or with `bare = true` nothing.
fn by_kind(table: &toml::Table, time: Timestamp) -> Result<Event, String> {
    let kind = text(table, "kind")?.ok_or("an event has `kind`, `corpus` or `frame`")?;
    let kind: Kind = kind.parse().map_err(|e| format!("`kind`: {e}"))?;
    let sample = EventBuilder::new(kind).build();
    if table.get("bare").and_then(toml::Value::as_bool) != Some(true) {
        return Ok(sample);
    }
    let mut event = Event::new(kind, "case", time);
    event.controller = sample.controller;
    event.site = sample.site;
    event.site_name = sample.site_name;
    Ok(event)
}

/// The event at `index` of what a controller sent: a frame, or an item of a history.
fn decode(text: &str, index: usize, now: Timestamp) -> Result<Event, String> {
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    let mut decoder = Decoder::new("home".into(), site);
    let mut events = Vec::new();
    decoder.decode(text, now, &mut events);
    if events.is_empty() {
        events.extend(decoder.history_item(text, now));
    }
    let count = events.len();
    let event = events.get(index).map(Arc::clone);
    let event = event.ok_or_else(|| format!("the payload has {count} events, none at {index}"))?;
    Ok((*event).clone())
}

fn index(table: &toml::Table) -> Result<usize, String> {
    match table.get("index") {
        None => Ok(0),
        Some(index) => index
            .as_integer()
            .and_then(|index| usize::try_from(index).ok())
            .ok_or_else(|| "`index` is a number, counted from 0".to_owned()),
    }
}

fn text<'t>(table: &'t toml::Table, key: &str) -> Result<Option<&'t str>, String> {
    match table.get(key) {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .map(Some)
            .ok_or_else(|| format!("`{key}` is text")),
    }
}

pub(super) fn object(event: &Event) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(&serde_json::to_string(event).map_err(|e| e.to_string())?) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("an event is not an object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn merge(fields: &mut Map<String, Value>, given: &Map<String, Value>) {
    for (key, value) in given {
        match (fields.get_mut(key), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => merge(inner, value),
            _ => {
                fields.insert(key.clone(), value.clone());
            }
        }
    }
}

fn remove(fields: &mut Map<String, Value>, path: &str) {
    match path.split_once('.') {
        None => {
            fields.remove(path);
        }
        Some((first, rest)) => {
            if let Some(Value::Object(inner)) = fields.get_mut(first) {
                remove(inner, rest);
            }
        }
    }
}
