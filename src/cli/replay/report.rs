//! What a replay found, for people and for programs.

use super::input::Found;
use crate::cli::line;
use crate::cli::output::plain;
use crate::config::Plan;
use crate::control::fate::ChainFate;
use crate::replay::{Replayed, Sent};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use unifi_herald_plugin::BufferedEvent;

/// What an event adds to a sink (`1`), or takes from it (`-1`), compared with its time; sinks without a difference are
/// left out.
fn diff(then: &Sent, now: &Sent) -> BTreeMap<String, i64> {
    let count = |sent: &Sent, sink: &String| {
        let count = sent.get(sink).copied().unwrap_or_default();
        i64::try_from(count).unwrap_or(i64::MAX)
    };
    let sinks = then.keys().chain(now.keys());
    let sinks = sinks.map(|sink| (sink.clone(), count(now, sink) - count(then, sink)));
    sinks.filter(|(_, difference)| *difference != 0).collect()
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    seq: u64,
    time: unifi_herald_plugin::Timestamp,
    kind: &'a str,
    summary: &'a str,
    chains: &'a [ChainFate],
    sent: &'a Sent,
    /// What was sent at that time; null when that is not known.
    was: Option<&'a Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<BTreeMap<String, i64>>,
}

/// What an alert or a digest said, in the form of an event that was found.
pub(super) fn said(
    (event, chains, sent): &(BufferedEvent, Vec<ChainFate>, Sent),
) -> (Found, Replayed) {
    let found = Found {
        event: event.clone(),
        sent: None,
        journal_only: false,
    };
    let replayed = Replayed {
        chains: chains.clone(),
        sent: sent.clone(),
        said: Vec::new(),
        events: Vec::new(),
        shares: Vec::new(),
        dead: Vec::new(),
    };
    (found, replayed)
}

/// One object.
pub(super) fn json(found: &Found, replayed: &Replayed) -> String {
    let was = found.sent.as_ref();
    let line = Line {
        id: &found.event.id,
        seq: found.event.seq,
        time: found.event.time,
        kind: found.event.kind.as_str(),
        summary: &found.event.summary,
        chains: &replayed.chains,
        sent: &replayed.sent,
        was,
        diff: was.map(|was| diff(was, &replayed.sent)),
    };
    // Cannot fail: all keys are text.
    serde_json::to_string(&line).unwrap_or_default()
}

/// The event, and below it each sink with a difference; with `all`, each step of each chain as well.
pub(super) fn human(found: &Found, replayed: &Replayed, zone: &TimeZone, all: bool) -> String {
    let mut text = format!("{}\n", line::line(&found.event, zone));
    if all {
        for chain in replayed.chains.iter().filter(|chain| chain.entered) {
            let steps = chain.steps.iter().map(|step| {
                let failed = if step.failed { ", failed" } else { "" };
                format!("{} ({}{failed})", plain(&step.step), step.did)
            });
            let steps: Vec<String> = steps.collect();
            _ = writeln!(text, "    chain {}: {}", chain.chain, steps.join(" → "));
        }
    }
    match &found.sent {
        Some(then) => {
            for (sink, difference) in diff(then, &replayed.sent) {
                let sign = if difference > 0 { '+' } else { '-' };
                let times = match difference.unsigned_abs() {
                    1 => String::new(),
                    times => format!(" ({times} events)"),
                };
                _ = writeln!(text, "  {sign} {sink}{times}");
            }
        }
        None => {
            for (sink, times) in &replayed.sent {
                let times = if *times == 1 {
                    String::new()
                } else {
                    format!(" ({times} events)")
                };
                _ = writeln!(text, "  > {sink}{times}");
            }
        }
    }
    text
}

/// The sums of a replay.
#[derive(Debug, Default)]
pub(super) struct Totals {
    events: u64,
    /// Of how many it is known what was sent.
    known: u64,
    different: u64,
    chains: Vec<ChainTotals>,
    sinks: BTreeMap<String, SinkTotals>,
}

#[derive(Debug, Default, Serialize)]
struct ChainTotals {
    name: String,
    /// Events that its `when` admitted.
    entered: u64,
    /// Events of which it gave something to a sink.
    sent: u64,
    /// Steps that failed.
    failed: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct SinkTotals {
    /// What it would get.
    now: u64,
    /// What it got, as far as that is known.
    then: u64,
}

#[derive(Serialize)]
struct Sums<'a> {
    events: u64,
    known: u64,
    different: u64,
    chains: &'a [ChainTotals],
    sinks: &'a BTreeMap<String, SinkTotals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<&'a Sent>,
}

#[derive(Serialize)]
struct Last<'a> {
    sums: Sums<'a>,
}

impl Totals {
    pub(super) fn new(plan: &Plan) -> Self {
        let chains = plan.chains.iter().map(|chain| ChainTotals {
            name: chain.name.to_string(),
            ..ChainTotals::default()
        });
        let sinks = plan.sinks.iter();
        let sinks = sinks.map(|sink| (sink.name.to_string(), SinkTotals::default()));
        Self {
            chains: chains.collect(),
            sinks: sinks.collect(),
            ..Self::default()
        }
    }

    pub(super) fn enter(&mut self, replayed: &Replayed, then: Option<&Sent>) {
        self.events += 1;
        for (sums, chain) in self.chains.iter_mut().zip(&replayed.chains) {
            sums.entered += u64::from(chain.entered);
            let given = chain.steps.iter().any(|step| step.did == "given");
            sums.sent += u64::from(given);
            sums.failed += chain.steps.iter().filter(|step| step.failed).count() as u64;
        }
        for (sink, times) in &replayed.sent {
            self.sinks.entry(sink.clone()).or_default().now += times;
        }
        if let Some(then) = then {
            self.known += 1;
            self.different += u64::from(*then != replayed.sent);
            for (sink, times) in then {
                self.sinks.entry(sink.clone()).or_default().then += times;
            }
        }
    }

    pub(super) fn json(&self, delivered: Option<&Sent>) -> String {
        let last = Last {
            sums: Sums {
                events: self.events,
                known: self.known,
                different: self.different,
                chains: &self.chains,
                sinks: &self.sinks,
                delivered,
            },
        };
        // Cannot fail: all keys are text.
        serde_json::to_string(&last).unwrap_or_default()
    }

    pub(super) fn human(&self, delivered: Option<&Sent>) -> String {
        let Self {
            events,
            known,
            different,
            ..
        } = self;
        let mut text = format!(
            "\n{events} events replayed; of {known} it is known what was sent then, {different} of them differ\n"
        );
        for chain in &self.chains {
            let failed = if chain.failed > 0 {
                format!(", {} steps failed", chain.failed)
            } else {
                String::new()
            };
            _ = writeln!(
                text,
                "  chain {}: {} entered, of {} something is sent{failed}",
                chain.name, chain.entered, chain.sent
            );
        }
        for (sink, sums) in &self.sinks {
            let then = if self.known > 0 {
                format!(", then {}", sums.then)
            } else {
                String::new()
            };
            _ = writeln!(text, "  sink {sink}: now {}{then}", sums.now);
        }
        for (sink, count) in delivered.into_iter().flatten() {
            _ = writeln!(text, "  delivered to {sink}: {count}");
        }
        text
    }
}
