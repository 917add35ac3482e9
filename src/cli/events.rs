//! `herald events`

use super::load::Loader;
use super::output::{Lines, complain};
use super::{Exit, ask, line, why};
use crate::clock::Clock;
use crate::config::Outline;
use crate::control::protocol::{Answer, Query, Request};
use crate::control::query;
use crate::control::search::NO_JOURNAL;
use crate::moment;
use jiff::tz::TimeZone;
use std::ops::ControlFlow;
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Severity};

/// Search the journal of what happened.
///
/// Shows the newest events that fit, the newest last. Every condition must hold; patterns take * and ? and ignore case.
/// Asks the running herald; without one it reads the store on disk.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald events --since 2h
  herald events --kind 'device.*' --since today --severity warning
  herald events --why 5ee9f7ca453d4e00f3c04b57
  herald events --client 'anna*' --limit 0 --json | jq .summary")]
pub(super) struct Events {
    /// Not before this moment: 2h, today, 2026-11-22, 2026-11-22T17:21:13Z.
    #[arg(long, value_name = "MOMENT")]
    since: Option<String>,
    /// Before this moment.
    #[arg(long, value_name = "MOMENT")]
    until: Option<String>,
    /// Of this kind; may be a pattern, and given several times.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// About this client: address, name or host name.
    #[arg(long, value_name = "PATTERN")]
    client: Option<String>,
    /// About this device: address or name. What roams from it or to it counts.
    #[arg(long, value_name = "PATTERN")]
    device: Option<String>,
    /// On this site: short or display name, optionally controller/site.
    #[arg(long, value_name = "PATTERN")]
    site: Option<String>,
    /// At least as severe: debug, info, notice, warning, error, critical.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    severity: Option<Severity>,
    /// With this in the summary, as it stands but for case: no pattern.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// At most so many, of which 100000 are the most; 0 for all.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=100_000))]
    limit: u32,
    /// What became of the event with this id: each chain, each step, each delivery.
    #[arg(long, value_name = "ID", conflicts_with_all = ["since", "until", "kind", "client", "device", "site", "severity", "text"])]
    why: Option<String>,
    /// One event a line, for programs.
    #[arg(long)]
    json: bool,
    /// Leave out what the controller sent, as it sent it.
    #[arg(long)]
    no_raw: bool,
}

impl Events {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        self.run(loader).unwrap_or_else(|exit| exit)
    }

    fn run(self, loader: &Loader) -> Result<Exit, Exit> {
        let outline = loader.outline()?;
        if let Some(id) = &self.why {
            return why::why(&outline, id, self.json);
        }
        let query = self.query(&outline.zone)?;
        let mut lines = Lines::new();
        let mut show = |json: &str| match serde_json::from_str::<BufferedEvent>(json) {
            Ok(event) if !self.json => lines.line(&line::line(&event, &outline.zone)),
            _ => lines.line(json),
        };
        if query.limit.is_none() {
            each(&outline, query, &mut show)?;
        } else {
            let mut newest_first = Vec::new();
            each(&outline, query, |json| {
                newest_first.push(json.to_owned());
                Ok(())
            })?;
            newest_first.iter().rev().try_for_each(|json| show(json))?;
        }
        lines.flush()?;
        ask::tell_of_what_is_held(&outline);
        Ok(Exit::Done)
    }

    fn query(&self, zone: &TimeZone) -> Result<Query, Exit> {
        let now = Clock::system().wall();
        let read = |option: &str, text: &Option<String>| match text {
            Some(text) => moment::parse(text, now, zone)
                .map(Some)
                .map_err(|error| wrong(option, &error)),
            None => Ok(None),
        };
        Ok(Query {
            since: read("--since", &self.since)?,
            until: read("--until", &self.until)?,
            kinds: kinds(&self.kind)?,
            client: self.client.clone(),
            device: self.device.clone(),
            site: self.site.clone(),
            severity: self.severity,
            text: self.text.clone(),
            limit: (self.limit > 0).then_some(self.limit as usize),
            no_raw: self.no_raw,
        })
    }
}

/// Every event that the host, or else the store, finds, as JSON.
fn each(
    outline: &Outline,
    query: Query,
    mut visit: impl FnMut(&str) -> Result<(), Exit>,
) -> Result<(), Exit> {
    let query = Box::new(query);
    let request = Request::Events {
        query: query.clone(),
    };
    if let Some(mut client) = ask::ask(outline, &request)? {
        return ask::each(&mut client, |answer| match answer {
            Answer::Event(json) => visit(json.get()),
            _ => Err(ask::misunderstood()),
        })
        .map(drop);
    }
    let reader = ask::journal(outline, NO_JOURNAL)?;
    let limit = query.limit.unwrap_or(usize::MAX);
    let (mut count, mut ended) = (0, Ok(()));
    let searched = reader.search(&query.to_store(), |mut found| {
        if query.no_raw && found.event.raw.is_some() {
            Arc::make_mut(&mut found.event.event).raw = None;
        }
        ended = visit(&found.event.to_json());
        count += 1;
        if ended.is_ok() && count < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    if let Err(error) = searched {
        complain(&format!("error: {error}"));
        return Err(Exit::Failed);
    }
    ended
}

/// The kinds that the patterns admit; none for all.
pub(super) fn kinds(patterns: &[String]) -> Result<Vec<String>, Exit> {
    query::kinds(patterns).map_err(|error| wrong("--kind", &error))
}

pub(super) fn wrong(option: &str, error: &str) -> Exit {
    complain(&format!("error: {option}: {error}"));
    Exit::Usage
}

fn severity(text: &str) -> Result<Severity, String> {
    text.parse()
        .map_err(|_| "expected debug, info, notice, warning, error or critical".to_owned())
}
