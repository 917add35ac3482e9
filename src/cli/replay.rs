//! `herald replay`

mod input;
mod report;

use super::load::Loader;
use super::output::{Lines, complain};
use super::{Exit, ask, events};
use crate::chain::Shape;
use crate::clock::Clock;
use crate::config::Plan;
use crate::control::protocol::Request;
use crate::host::{Courier, fresh_chains};
use crate::moment;
use crate::replay::{Replay, Replayed, Sent};
use crate::store::Commit;
use input::{Found, Input, Wanted};
use report::Totals;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Why there is nothing to replay.
const NO_JOURNAL: &str = "with `store.mode = \"memory\"` there is no journal to replay; `--file` takes the events of a file";

/// How long sinks may take for what they have when nothing moves.
const PATIENCE: Duration = Duration::from_secs(60);

/// Run old events through the chains of today.
///
/// Takes the events of the journal, or of a file of JSON lines as the sink `file` writes it, at their own time: `now()` and
/// every window in scripts go by it, and what scripts remember is the replay's own, beginning with nothing. Prints where
/// the result differs from what was sent at that time: `+` would be sent now, `-` was sent then. What is not known of that
/// time, as for a file, is printed as a whole. Nothing is sent unless --deliver is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald replay --since 2h
  herald replay --since yesterday --kind 'client.*' --json | jq .diff
  herald replay --file events.jsonl
  zcat events.jsonl.1.gz | herald replay --file - --deliver")]
pub(super) struct Replaying {
    /// Not before this moment: 2h, today, 2026-11-22, 2026-11-22T17:21:13Z.
    #[arg(long, value_name = "MOMENT")]
    since: Option<String>,
    /// Before this moment.
    #[arg(long, value_name = "MOMENT")]
    until: Option<String>,
    /// Of this kind; may be a pattern, and given several times.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// The events of this file in place of the journal's; - for standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Every event with what each chain and step does, not only where it differs.
    #[arg(long)]
    all: bool,
    /// One object a line, for programs; the last has the sums.
    #[arg(long)]
    json: bool,
    /// Really send, to every sink, what the chains give it: with the ids of that time, at least once. While no herald
    /// runs on this configuration.
    #[arg(long)]
    deliver: bool,
}

impl Replaying {
    pub(super) fn main(self, loader: Loader) -> Exit {
        self.run(loader).unwrap_or_else(|exit| exit)
    }

    fn run(self, loader: Loader) -> Result<Exit, Exit> {
        let outline = loader.outline()?;
        let plan = loader.plan_without_controllers()?;
        if self.deliver && ask::ask(&outline, &Request::Status {})?.is_some() {
            complain(
                "error: herald is running, and two that deliver to the same sinks would get into each other's way; stop it first, or replay without --deliver",
            );
            return Err(Exit::Failed);
        }
        let wanted = self.wanted(&plan)?;
        let input = match &self.file {
            Some(file) => Input::file(file)?,
            None => Input::journal(ask::journal(&outline, NO_JOURNAL)?)?,
        };
        let (clock, registry) = (Clock::system(), Arc::new(loader.registry));
        let chains = fresh_chains(&plan, &registry, &clock).map_err(|error| {
            complain(&format!("error: {error}"));
            Exit::Config
        })?;
        let replay = Replay::new(chains, Shape::of(&plan), plan.sinks.len(), clock.now());
        let courier = if self.deliver {
            let courier = Courier::new(&plan, &registry, clock);
            Some(courier.map_err(|error| {
                complain(&format!("error: {error}"));
                Exit::Config
            })?)
        } else {
            None
        };
        let mut show = Show {
            replay,
            courier,
            lines: Lines::new(),
            totals: Totals::new(&plan),
            plan,
            all: self.all,
            json: self.json,
        };
        let bad = input.each(&wanted, |found| show.one(&found))?;
        show.end(bad)
    }

    fn wanted(&self, plan: &Plan) -> Result<Wanted, Exit> {
        let now = Clock::system().wall();
        let read = |option: &str, text: &Option<String>| match text {
            Some(text) => moment::parse(text, now, &plan.zone)
                .map(Some)
                .map_err(|error| events::wrong(option, &error)),
            None => Ok(None),
        };
        Ok(Wanted {
            since: read("--since", &self.since)?,
            until: read("--until", &self.until)?,
            kinds: events::kinds(&self.kind)?,
        })
    }
}

/// The replay and where its results go.
struct Show {
    replay: Replay,
    courier: Option<Courier>,
    lines: Lines,
    totals: Totals,
    plan: Plan,
    all: bool,
    json: bool,
}

impl Show {
    fn one(&mut self, found: &Found) -> Result<(), Exit> {
        let replayed = self.replay.run(&found.event.event, found.journal_only);
        self.totals.enter(&replayed, found.sent.as_ref());
        let differs = match &found.sent {
            Some(then) => *then != replayed.sent,
            None => !replayed.sent.is_empty(),
        };
        for said in &replayed.said {
            let (found, replayed) = report::said(said);
            self.totals.enter(&replayed, None);
            if self.json {
                self.lines.line(&report::json(&found, &replayed))?;
            } else {
                let text = report::human(&found, &replayed, &self.plan.zone, self.all);
                self.lines.line(text.trim_end())?;
            }
        }
        if self.json {
            self.lines.line(&report::json(found, &replayed))?;
        } else if differs || self.all {
            let text = report::human(found, &replayed, &self.plan.zone, self.all);
            self.lines.line(text.trim_end())?;
        }
        self.deliver(replayed)
    }

    fn deliver(&self, replayed: Replayed) -> Result<(), Exit> {
        let Some(courier) = &self.courier else {
            return Ok(());
        };
        let commit = Commit {
            events: replayed.events,
            shares: replayed.shares,
            dead: replayed.dead,
            ..Commit::default()
        };
        if courier.send(commit, PATIENCE) {
            return Ok(());
        }
        complain("error: a sink takes nothing, the replay ends here");
        Err(Exit::Failed)
    }

    fn end(mut self, bad: u64) -> Result<Exit, Exit> {
        let mut exit = Exit::Done;
        let mut delivered = None;
        if let Some(courier) = self.courier.take() {
            let books = courier.finish(PATIENCE);
            for sink in &books {
                let undelivered = sink.books.pending + sink.books.dead_lettered + sink.books.lost;
                if undelivered > 0 {
                    complain(&format!(
                        "error: {undelivered} events were not delivered to {}",
                        sink.name
                    ));
                    exit = Exit::Failed;
                }
            }
            let delivered_to = books.iter();
            let delivered_to =
                delivered_to.map(|sink| (sink.name.to_string(), sink.books.delivered));
            delivered = Some(delivered_to.collect::<Sent>());
        }
        let sums = if self.json {
            self.totals.json(delivered.as_ref())
        } else {
            self.totals.human(delivered.as_ref())
        };
        self.lines.line(sums.trim_end())?;
        self.lines.flush()?;
        if bad > 0 {
            complain(&format!("error: {bad} lines are no events"));
            exit = Exit::Failed;
        }
        Ok(exit)
    }
}
