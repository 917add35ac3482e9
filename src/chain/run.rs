//! One event on its way through the steps of a chain.

use super::routing::Routing;
use super::verdict::Deed;
use super::{Action, Now, Step};
use crate::alert::{Alerts, Counted};
use crate::digest::Digests;
use crate::script::{RunContext, StepOutcome};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Origin, Timestamp};

/// What keeps events back, for the time of one event.
pub(super) struct Keepers<'a> {
    pub(super) alerts: &'a mut Alerts,
    pub(super) digests: &'a mut Digests,
    /// Whether the chain is not for the event, but an alert in it is.
    pub(super) only_alerts: bool,
}

/// Run `event` through `steps`; what a step makes of one event goes through the rest of them in turn.
pub(super) fn run(
    steps: &mut [Step],
    event: Arc<Event>,
    now: Now,
    routing: &mut Routing,
    keepers: &mut Keepers<'_>,
) {
    let mut event = event;
    for position in 0..steps.len() {
        let Some((step, rest)) = steps[position..].split_first_mut() else {
            return;
        };
        if !step.when.admits(&event) {
            routing.record.step(Deed::Skipped, false);
            continue;
        }
        let failures = step.action.failures();
        let context = context(&event, now, &step.salt);
        let outcome = match &mut step.action {
            Action::Sink(_) | Action::Digest(_) if keepers.only_alerts => {
                routing.record.step(Deed::Skipped, false);
                continue;
            }
            Action::Sink(sink) => {
                routing.give(*sink, &event);
                continue;
            }
            // What is older than herald changes nothing that people are told of.
            Action::Alert(_) | Action::Digest(_) if routing.is_for_journal_only() => {
                routing.record.step(Deed::Journaled, false);
                continue;
            }
            Action::Alert(alert) => {
                match keepers.alerts.apply(*alert, &event, now.wall, &context) {
                    Counted::No => routing.record.step(Deed::Kept, false),
                    Counted::Passed => routing.record.step(Deed::Kept, false),
                    Counted::Kept => {
                        routing.record.step(Deed::Counted, false);
                        return;
                    }
                }
                continue;
            }
            Action::Digest(digest) => {
                keepers.digests.collect(*digest, &event);
                routing.record.step(Deed::Collected, false);
                return;
            }
            Action::Script(script) => script.apply(&event, &context),
            Action::Filter(filter) => filter.apply(&event, &context),
        };
        let deed = match &outcome {
            StepOutcome::Keep(kept) if Arc::ptr_eq(kept, &event) => Deed::Kept,
            StepOutcome::Keep(_) => Deed::Changed,
            StepOutcome::Drop => Deed::Dropped,
            StepOutcome::Many(_) => Deed::Replaced,
            StepOutcome::DeadLetter(_) => Deed::Buried,
        };
        let failed = step.action.failures() > failures;
        routing.record.step(deed, failed);
        match outcome {
            StepOutcome::Keep(kept) => event = kept,
            StepOutcome::Drop => return,
            StepOutcome::Many(events) => {
                for event in events {
                    routing.record.one_of_several();
                    run(rest, event, now, routing, keepers);
                }
                routing.record.end_of_several();
                return;
            }
            StepOutcome::DeadLetter(reason) => {
                if !keepers.only_alerts {
                    for sink in sinks_of(rest) {
                        routing.bury(sink, &event, &reason);
                    }
                }
                return;
            }
        }
    }
}

impl Action {
    /// How often it failed so far, as far as that is counted.
    fn failures(&self) -> u64 {
        match self {
            Self::Script(script) => {
                let counts = script.counts();
                counts.errors + counts.bypassed
            }
            Self::Filter(filter) => filter.failures(),
            Self::Alert(_) | Self::Digest(_) | Self::Sink(_) => 0,
        }
    }
}

/// A script's clock: the event's own time where it is told of the past.
fn context<'a>(event: &Event, now: Now, salt: &'a str) -> RunContext<'a> {
    RunContext {
        now: time_of(event, now.wall),
        instant: now.instant,
        salt,
    }
}

fn time_of(event: &Event, now: Timestamp) -> Timestamp {
    match event.origin {
        Origin::Backfill => event.time,
        Origin::Stream | Origin::Derived => now,
    }
}

fn sinks_of(steps: &[Step]) -> Vec<usize> {
    let sinks = steps.iter().filter_map(|step| match step.action {
        Action::Sink(sink) => Some(sink),
        _ => None,
    });
    sinks.collect()
}
