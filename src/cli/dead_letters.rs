//! `herald dead-letters`

mod nothing;

use super::load::Loader;
use super::output::{Lines, complain, plain, print};
use super::{Exit, ask, line};
use crate::clock::Clock;
use crate::config::{Outline, StoreMode};
use crate::control::protocol::{Answer, Letter, Letters, Request};
use crate::store::{drop_letters, retry_letters};
use clap::Subcommand;
use std::collections::HashSet;
use unifi_herald_plugin::BufferedEvent;

/// Look at what sinks refused for good, try it again, or let it go.
#[derive(Debug, clap::Args)]
pub(super) struct DeadLetters {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Every dead letter with its sink and reason, the oldest first.
    #[command(after_help = "Examples:
  herald dead-letters list
  herald dead-letters list --sink ops --json | jq -r .id")]
    List {
        /// Only of this sink.
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
        /// One object a line, for programs.
        #[arg(long)]
        json: bool,
    },
    /// One dead letter with its event.
    #[command(after_help = "Example:\n  herald dead-letters show 5ee9f7ca453d4e00f3c04b57")]
    Show {
        /// The event's id.
        id: String,
        /// Only of this sink.
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
        /// One object a line, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Make dead letters pending again.
    #[command(after_help = "Examples:
  herald dead-letters retry 5ee9f7ca453d4e00f3c04b57
  herald dead-letters retry --sink ops
  herald dead-letters retry --all")]
    Retry(Which),
    /// Forget dead letters; they stay counted.
    #[command(after_help = "Examples:
  herald dead-letters drop 5ee9f7ca453d4e00f3c04b57
  herald dead-letters drop --sink ops")]
    Drop(Which),
}

/// Which dead letters something is done to.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Which {
    /// The ids of the events.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only of this sink; without an id, all of it.
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// All there are.
    #[arg(long, conflicts_with_all = ["ids", "sink"])]
    all: bool,
}

/// What is done to dead letters.
#[derive(Clone, Copy)]
enum Deed {
    Retry,
    Drop,
}

impl DeadLetters {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        self.run(loader).unwrap_or_else(|exit| exit)
    }

    fn run(self, loader: &Loader) -> Result<Exit, Exit> {
        let outline = loader.outline()?;
        match self.verb {
            Verb::List { sink, json } => list(&outline, &Letters { sink, id: None }, json, false),
            Verb::Show { id, sink, json } => {
                list(&outline, &Letters { sink, id: Some(id) }, json, true)
            }
            Verb::Retry(which) => do_to(&outline, which, Deed::Retry),
            Verb::Drop(which) => do_to(&outline, which, Deed::Drop),
        }
    }
}

fn list(outline: &Outline, filter: &Letters, json: bool, whole: bool) -> Result<Exit, Exit> {
    let mut lines = Lines::new();
    let mut count = 0;
    each(outline, filter, |letter| {
        count += 1;
        if json {
            // Cannot fail: all its keys are text.
            lines.line(&serde_json::to_string(&letter).unwrap_or_default())
        } else {
            lines.line(&describe(&letter, outline, whole))
        }
    })?;
    lines.flush()?;
    ask::tell_of_what_is_held(outline);
    if count > 0 {
        return Ok(Exit::Done);
    }
    nothing::known(outline, filter.sink.as_deref())?;
    match &filter.id {
        Some(id) => {
            let why = nothing::found(id, filter.sink.as_deref());
            complain(&format!("error: {why}"));
            Ok(Exit::Failed)
        }
        None if json => Ok(Exit::Done),
        None => Ok(print("there are no dead letters\n")),
    }
}

/// Every dead letter that `filter` describes.
fn each(
    outline: &Outline,
    filter: &Letters,
    mut visit: impl FnMut(Letter) -> Result<(), Exit>,
) -> Result<(), Exit> {
    let request = Request::DeadLetters {
        filter: filter.clone(),
    };
    if let Some(mut client) = ask::ask(outline, &request)? {
        return ask::each(&mut client, |answer| match answer {
            Answer::Letter(letter) => visit(letter),
            _ => Err(ask::misunderstood()),
        })
        .map(drop);
    }
    let reader = ask::reader(outline)?;
    let mut after = 0;
    loop {
        let kept = reader.dead_letters(&filter.to_store(), after, 64);
        let kept = kept.map_err(|error| {
            complain(&format!("error: {error}"));
            Exit::Failed
        })?;
        let Some(last) = kept.last() else {
            return Ok(());
        };
        after = last.position;
        kept.iter()
            .filter_map(Letter::of)
            .try_for_each(&mut visit)?;
    }
}

/// For people: a line of what and where, a line of why; with the event when it is shown alone.
fn describe(letter: &Letter, outline: &Outline, whole: bool) -> String {
    let event = serde_json::from_str::<BufferedEvent>(letter.event.get());
    let what = event.map_or_else(|_| String::new(), |event| line::line(&event, &outline.zone));
    let tries = match letter.attempts {
        0 => "given up by a chain".to_owned(),
        1 => "tried once".to_owned(),
        many => format!("tried {many} times"),
    };
    let text = format!(
        "{}  {}  {tries}, last {}\n  {what}\n  {}",
        plain(&letter.id),
        plain(&letter.sink),
        line::local(letter.last, &outline.zone),
        plain(&letter.reason),
    );
    if whole {
        format!("{text}\n  {}", plain(letter.event.get()))
    } else {
        text
    }
}

fn do_to(outline: &Outline, which: Which, deed: Deed) -> Result<Exit, Exit> {
    let Which { ids, sink, all: _ } = which;
    nothing::known(outline, sink.as_deref())?;
    let mut total = 0;
    let mut exit = Exit::Done;
    // One that is named twice may be refused again between the two, or be gone at the second.
    let mut named = HashSet::new();
    let mut ids: Vec<Option<String>> = ids
        .into_iter()
        .filter(|id| named.insert(id.clone()))
        .map(Some)
        .collect();
    if ids.is_empty() {
        ids.push(None);
    }
    for id in ids {
        let filter = Letters {
            sink: sink.clone(),
            id,
        };
        let count = once(outline, &filter, deed)?;
        if let (0, Some(id)) = (count, &filter.id) {
            let why = nothing::done(outline, &filter, id, deed)?;
            complain(&format!("error: {why}"));
            exit = Exit::Failed;
        }
        total += count;
    }
    let letters = if total == 1 {
        "dead letter"
    } else {
        "dead letters"
    };
    let done = match deed {
        Deed::Retry => format!("{total} {letters} made pending again\n"),
        Deed::Drop => format!("{total} {letters} dropped\n"),
    };
    match print(&done) {
        Exit::Done => Ok(exit),
        failed => Ok(failed),
    }
}

fn once(outline: &Outline, filter: &Letters, deed: Deed) -> Result<u64, Exit> {
    let filter = filter.clone();
    let stored = filter.to_store();
    let request = match deed {
        Deed::Retry => Request::RetryDeadLetters { filter },
        Deed::Drop => Request::DropDeadLetters { filter },
    };
    if let Some(mut client) = ask::ask(outline, &request)? {
        return ask::each(&mut client, |_| Err(ask::misunderstood()));
    }
    if outline.store.mode == StoreMode::Memory {
        return Err(ask::not_running(outline));
    }
    let done = match deed {
        Deed::Retry => retry_letters(&outline.store.dir, &stored, Clock::system().wall()),
        Deed::Drop => drop_letters(&outline.store.dir, &stored),
    };
    done.map_err(|error| ask::undone(&error))
}
