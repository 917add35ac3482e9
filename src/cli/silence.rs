//! `herald silence`

use super::incidents::{failed, kept_silences, unknown};
use super::load::Loader;
use super::output::{Lines, complain, plain, print};
use super::{Exit, ask, line};
use crate::alert::{self, NewSilence};
use crate::clock::Clock;
use crate::config::{Outline, StoreMode};
use crate::control::protocol::{Answer, Request};
use crate::store::change_state;
use clap::Subcommand;
use unifi_herald_plugin::Span;

/// Keep alerts quiet for a while, because somebody works on it.
///
/// A silenced alert sends nothing and keeps its state: what is still broken when the silence ends is told then.
#[derive(Debug, clap::Args)]
pub(super) struct Silence {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Begin a silence: for an alert, a device, or an alert about a device.
    #[command(after_help = "Examples:
  herald silence add --alert device_down --device Attic --for 2h --reason 'new cable'
  herald silence add --alert '*' --for 30m")]
    Add(Add),
    /// The silences that last.
    #[command(after_help = "Example:\n  herald silence list --json | jq -r .id")]
    List {
        /// One object a line, for programs.
        #[arg(long)]
        json: bool,
    },
    /// End silences before their time.
    #[command(after_help = "Example:\n  herald silence remove 5ee9f7ca453d")]
    Remove {
        /// Their ids.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Name of the alert; with * and ?.
    #[arg(long, value_name = "PATTERN", required_unless_present = "device")]
    alert: Option<String>,
    /// Name or MAC address of the device; with * and ?.
    #[arg(long, value_name = "PATTERN")]
    device: Option<String>,
    /// For how long: 30m, 2h, 1d.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    time: Span,
    /// Why, for whoever wonders.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The silence as an object, for programs.
    #[arg(long)]
    json: bool,
}

impl Silence {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let outline = loader.outline();
        let done = outline.and_then(|outline| match self.verb {
            Verb::Add(add) => begin(&outline, add),
            Verb::List { json } => list(&outline, json),
            Verb::Remove { ids } => remove(&outline, &ids),
        });
        done.unwrap_or_else(|exit| exit)
    }
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn begin(outline: &Outline, add: Add) -> Result<Exit, Exit> {
    let Add {
        alert,
        device,
        time,
        reason,
        json,
    } = add;
    let new = NewSilence {
        alert,
        device,
        seconds: time.0.as_secs(),
        reason,
    };
    let mut made = None;
    if let Some(mut client) = ask::ask(outline, &Request::Silence { new: new.clone() })? {
        ask::each(&mut client, |answer| match answer {
            Answer::Silence(silence) => {
                made = Some(silence);
                Ok(())
            }
            _ => Err(ask::misunderstood()),
        })?;
    } else {
        let silence = new.begin(Clock::system().wall()).map_err(|message| {
            complain(&format!("error: {message}"));
            Exit::Usage
        })?;
        keep(outline, &alert::silenced(&silence))?;
        made = Some(silence);
    }
    let silence = made.ok_or_else(ask::misunderstood)?;
    Ok(print(&if json {
        format!("{}\n", object(&silence))
    } else {
        let until = line::local(silence.until, &outline.zone);
        format!("{}  silent until {until}\n", plain(&silence.id))
    }))
}

fn list(outline: &Outline, json: bool) -> Result<Exit, Exit> {
    let silences = silences(outline)?;
    if silences.is_empty() && !json {
        return Ok(print("there are no silences\n"));
    }
    let mut lines = Lines::new();
    for silence in &silences {
        lines.line(&if json {
            object(silence)
        } else {
            let or_all = |pattern: &Option<String>| plain(pattern.as_deref().unwrap_or("*"));
            format!(
                "{}  alert {}  device {}  until {}  {}",
                plain(&silence.id),
                or_all(&silence.alert),
                or_all(&silence.device),
                line::local(silence.until, &outline.zone),
                plain(&silence.reason)
            )
        })?;
    }
    lines.flush()?;
    Ok(Exit::Done)
}

fn silences(outline: &Outline) -> Result<Vec<alert::Silence>, Exit> {
    let mut found = Vec::new();
    if let Some(mut client) = ask::ask(outline, &Request::Silences {})? {
        ask::each(&mut client, |answer| match answer {
            Answer::Silence(silence) => {
                found.push(silence);
                Ok(())
            }
            _ => Err(ask::misunderstood()),
        })?;
        return Ok(found);
    }
    let now = Clock::system().wall();
    found = kept_silences(&ask::alerts(outline)?, now).map_err(|error| failed(&error))?;
    found.sort_by_key(|silence| silence.since);
    Ok(found)
}

fn remove(outline: &Outline, ids: &[String]) -> Result<Exit, Exit> {
    for id in ids {
        let request = Request::EndSilence { id: id.clone() };
        if let Some(mut client) = ask::ask(outline, &request)? {
            ask::each(&mut client, |_| Err(ask::misunderstood()))?;
        } else {
            if !silences(outline)?.iter().any(|silence| silence.id == *id) {
                return Err(unknown("silence", id));
            }
            keep(outline, &alert::unsilenced(id))?;
        }
        if print(&format!("{}  ended\n", plain(id))) != Exit::Done {
            return Err(Exit::Failed);
        }
    }
    Ok(Exit::Done)
}

fn object(silence: &alert::Silence) -> String {
    // Cannot fail: all its keys are text.
    serde_json::to_string(silence).unwrap_or_default()
}

/// Write a change down where no herald runs.
fn keep(outline: &Outline, change: &crate::store::StateChange) -> Result<(), Exit> {
    if outline.store.mode != StoreMode::Disk {
        return Err(ask::not_running(outline));
    }
    let changes = std::slice::from_ref(change);
    change_state(&outline.store.dir, changes).map_err(|error| ask::undone(&error))
}
