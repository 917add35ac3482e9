//! `herald incidents`

use super::load::Loader;
use super::output::{Lines, complain, plain, print};
use super::{Exit, ask, line};
use crate::alert::{self, Incident, Silence};
use crate::clock::Clock;
use crate::config::{Outline, StoreMode};
use crate::control::protocol::{Answer, Request};
use crate::store::{Reader, StateEntry, StoreError, change_state};
use clap::Subcommand;
use std::fmt::Write;
use unifi_herald_plugin::Timestamp;

/// Look at what is broken right now, and say that somebody takes care of it.
///
/// An incident is what an alert has opened and not closed. Asks the running herald; without one it reads the store on
/// disk.
#[derive(Debug, clap::Args)]
pub(super) struct Incidents {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Every incident that is not over, the oldest first.
    #[command(after_help = "Examples:
  herald incidents list
  herald incidents list --json | jq -r .title")]
    List {
        /// One object a line, for programs.
        #[arg(long)]
        json: bool,
    },
    /// One incident with the events behind it.
    #[command(after_help = "Example:\n  herald incidents show 5ee9f7ca453d4e00f3c04b57")]
    Show {
        /// The incident's id, as in `alert.id` of its events.
        id: String,
        /// As an object, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Repeat an incident no more: somebody takes care of it. Its end is told all the same.
    #[command(after_help = "Example:\n  herald incidents ack 5ee9f7ca453d4e00f3c04b57")]
    #[command(visible_alias = "acknowledge")]
    Ack {
        /// The incident's id.
        id: String,
    },
}

impl Incidents {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let outline = loader.outline();
        let done = outline.and_then(|outline| match self.verb {
            Verb::List { json } => list(&outline, json),
            Verb::Show { id, json } => show(&outline, &id, json),
            Verb::Ack { id } => acknowledge(&outline, &id),
        });
        done.unwrap_or_else(|exit| exit)
    }
}

fn list(outline: &Outline, json: bool) -> Result<Exit, Exit> {
    let incidents = incidents(outline)?;
    if incidents.is_empty() && !json {
        return Ok(print("there are no incidents\n"));
    }
    let mut lines = Lines::new();
    for incident in &incidents {
        lines.line(&if json {
            object(incident)
        } else {
            describe(incident, outline)
        })?;
    }
    lines.flush()?;
    Ok(Exit::Done)
}

fn show(outline: &Outline, id: &str, json: bool) -> Result<Exit, Exit> {
    let incidents = incidents(outline)?;
    let Some(incident) = incidents.iter().find(|incident| &*incident.id == id) else {
        return Err(unknown("incident", id));
    };
    if json {
        return Ok(print(&format!("{}\n", object(incident))));
    }
    let mut text = describe(incident, outline);
    _ = writeln!(text, "\n  key: {}", plain(&incident.key));
    for key in &incident.keys {
        _ = writeln!(text, "  down: {}", plain(key));
    }
    for event in &incident.events {
        _ = writeln!(text, "  event: {}", plain(event));
    }
    Ok(print(&text))
}

fn object(incident: &Incident) -> String {
    // Cannot fail: all its keys are text.
    serde_json::to_string(incident).unwrap_or_default()
}

/// For people: what, since when, and what is special about it.
fn describe(incident: &Incident, outline: &Outline) -> String {
    let mut notes = vec![format!("{} events", incident.count)];
    for (note, holds) in [
        ("in hold", incident.state == alert::Phase::Waiting),
        (
            "another explains it",
            incident.state == alert::Phase::Folded,
        ),
        ("acknowledged", incident.acknowledged),
        ("comes and goes", incident.flapping),
    ] {
        if holds {
            notes.push(note.to_owned());
        }
    }
    if let Some(until) = incident.silenced_until {
        notes.push(format!(
            "silenced until {}",
            line::local(until, &outline.zone)
        ));
    }
    format!(
        "{}  {}  {:<8} {}  {}/{}  {}\n  {}",
        plain(&incident.id),
        line::local(incident.since, &outline.zone),
        incident.severity.as_str(),
        plain(&incident.alert),
        plain(&incident.controller),
        plain(&incident.site),
        plain(&incident.title),
        notes.join(", ")
    )
}

/// Ask whoever runs, or the store.
fn incidents(outline: &Outline) -> Result<Vec<Incident>, Exit> {
    let mut found = Vec::new();
    if let Some(mut client) = ask::ask(outline, &Request::Incidents {})? {
        ask::each(&mut client, |answer| match answer {
            Answer::Incident(incident) => {
                found.push(*incident);
                Ok(())
            }
            _ => Err(ask::misunderstood()),
        })?;
        return Ok(found);
    }
    let now = Clock::system().wall();
    let reader = ask::alerts(outline)?;
    let silences = kept_silences(&reader, now).map_err(|error| failed(&error))?;
    for (alert, entry) in entries(&reader).map_err(|error| failed(&error))? {
        found.extend(Incident::remembered(&alert, &entry, &silences, now));
    }
    found.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
    Ok(found)
}

fn acknowledge(outline: &Outline, id: &str) -> Result<Exit, Exit> {
    let request = Request::Acknowledge { id: id.to_owned() };
    if let Some(mut client) = ask::ask(outline, &request)? {
        ask::each(&mut client, |_| Err(ask::misunderstood()))?;
        return Ok(print("acknowledged\n"));
    }
    if outline.store.mode != StoreMode::Disk {
        return Err(ask::not_running(outline));
    }
    let entries = entries(&ask::alerts(outline)?).map_err(|error| failed(&error))?;
    let mut entries = entries.iter();
    let change = entries.find_map(|(alert, entry)| alert::acknowledged(alert, entry, id));
    let change = change.ok_or_else(|| unknown("incident", id))?;
    change_state(&outline.store.dir, &[change]).map_err(|error| ask::undone(&error))?;
    Ok(print("acknowledged\n"))
}

/// What the store remembers of alerts: the alert's name, and an entry.
fn entries(reader: &Reader) -> Result<Vec<(String, StateEntry)>, StoreError> {
    let prefix = alert::scope("");
    let mut entries = Vec::new();
    for scope in reader.scopes(&prefix)? {
        let alert = scope.strip_prefix(&*prefix).unwrap_or_default().to_owned();
        let kept = reader.state(&scope)?;
        entries.extend(kept.into_iter().map(|entry| (alert.clone(), entry)));
    }
    Ok(entries)
}

/// The silences that the store remembers and that last.
pub(super) fn kept_silences(reader: &Reader, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    let kept = reader.state(alert::SILENCES)?;
    let read = kept
        .iter()
        .filter_map(|entry| serde_json::from_slice(&entry.value).ok());
    Ok(read
        .filter(|silence: &Silence| now < silence.until)
        .collect())
}

/// Say that the store cannot be read.
pub(super) fn failed(error: &StoreError) -> Exit {
    complain(&format!("error: {error}"));
    Exit::Failed
}

/// Say that nothing has this id.
pub(super) fn unknown(what: &str, id: &str) -> Exit {
    complain(&format!("error: there is no {what} `{id}`"));
    Exit::Failed
}
