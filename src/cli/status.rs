//! `herald status`

mod human;
mod json;

use super::load::Loader;
use super::output::{complain, print};
use super::{Exit, ask};
use crate::clock::Clock;
use crate::cluster::OUTBOX;
use crate::config::Outline;
use crate::control::protocol::{
    Answer, ControllerState, FormerSink, Request, SinkState, SourceState, Status as Facts,
};

/// Show the controllers, the sinks, and where every event went.
///
/// For every sink, received = duplicate + filtered + delivered + dead-lettered + pending + lost. Asks the running herald;
/// without one it reads what the store on disk says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald status
  herald status --json | jq '.sinks[] | select(.state != \"ok\")'")]
pub(super) struct Status {
    /// One object, for programs.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        let outline = match loader.outline() {
            Ok(outline) => outline,
            Err(exit) => return exit,
        };
        let (facts, running) = match running(&outline) {
            Ok(Some(facts)) => (facts, true),
            Ok(None) => match stopped(&outline) {
                Ok(facts) => (facts, false),
                Err(exit) => return exit,
            },
            Err(exit) => return exit,
        };
        if self.json {
            return json::show(&facts);
        }
        print(&human::table(&facts, running, Clock::system().wall()))
    }
}

/// What the running host says; none when there is none.
pub(super) fn running(outline: &Outline) -> Result<Option<Facts>, Exit> {
    let Some(mut client) = ask::ask(outline, &Request::Status {})? else {
        return Ok(None);
    };
    match client.answer() {
        Ok(Answer::Status(facts)) => Ok(Some(*facts)),
        Ok(_) => Err(ask::misunderstood()),
        Err(error) => Err(ask::refused(&error)),
    }
}

/// What can be said without a host.
fn stopped(outline: &Outline) -> Result<Facts, Exit> {
    let books = ask::reader(outline)?.books().map_err(|error| {
        complain(&format!("error: {error}"));
        Exit::Failed
    })?;
    let controllers = outline.controllers.iter();
    let controllers = controllers.map(|(name, kind)| ControllerState {
        name: name.to_string(),
        connected: false,
        last_frame: None,
        version: None,
        kind: kind.map(|kind| kind.as_str().to_owned()),
        trouble: None,
    });
    let sources = outline.sources.iter().map(|name| SourceState {
        name: name.to_string(),
        connected: false,
        last_event: None,
        received: 0,
        refused: 0,
        own: 0,
        lost: 0,
        trouble: None,
    });
    let outbox = outline.store.jetstream.as_ref().map(|_| OUTBOX);
    let is_known =
        |name: &str| outbox == Some(name) || outline.sinks.iter().any(|sink| **sink == *name);
    let former = books
        .iter()
        .filter(|sink| sink.books.pending > 0 && !is_known(&sink.name));
    let former = former.cloned().map(FormerSink::from);
    let sinks = outline.sinks.iter().map(|name| {
        let entry = books.iter().find(|sink| sink.name == *name);
        SinkState {
            name: name.to_string(),
            state: "stopped".to_owned(),
            books: entry.map(|sink| sink.books).unwrap_or_default(),
            last_error: None,
        }
    });
    Ok(Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        process: 0,
        controllers: controllers.collect(),
        sources: sources.collect(),
        sinks: sinks.collect(),
        degraded: None,
        scripts: Vec::new(),
        filters: Vec::new(),
        refused_reload: None,
        former_sinks: former.collect(),
    })
}
