//! Chains: which events enter, what the steps do to them, and which sinks get what comes out.
//!
//! Everything here is decided in memory, on the router's thread, one event at a time; nothing has happened
//! before the router commits what [`Chains::route`] collected.

mod filter;
mod routing;
mod shape;
pub mod verdict;
mod when;

pub use filter::{FilterFactory, FilterHealth, FilterStep, FilterTrouble};
pub use routing::{Routing, Undelivered};
pub use shape::{ChainShape, Shape};
pub use when::Matcher;

use crate::config::When;
use crate::script::{Memories, RunContext, ScriptHealth, ScriptStep, StepOutcome};
use crate::store::{StateChange, StateEntry};
use std::sync::Arc;
use std::time::Instant;
use unifi_herald_plugin::{Event, Origin, Text, Timestamp};
use verdict::Deed;

/// All chains, in the order of the file.
#[derive(Debug, Default)]
pub struct Chains {
    chains: Vec<Chain>,
    memories: Memories,
}

/// One chain.
#[derive(Debug)]
pub struct Chain {
    name: Text,
    when: Matcher,
    steps: Vec<Step>,
}

/// One step, with the condition under which it looks at an event at all.
#[derive(Debug)]
pub struct Step {
    when: Matcher,
    action: Action,
    /// `chain/position`, so that what a script derives has the same id in every run.
    salt: String,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// A script, or a condition in one line.
    Script(Box<ScriptStep>),
    /// A filter written in Rust.
    Filter(FilterStep),
    /// The event goes to the sink at this position, and on to the next step.
    Sink(usize),
}

/// The time, as the router sees it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic.
    pub instant: Instant,
    /// By the wall.
    pub wall: Timestamp,
}

impl Chain {
    /// A chain of `steps`, each with its condition.
    #[must_use]
    pub fn new(name: Text, when: &When, steps: Vec<(When, Action)>) -> Self {
        let steps = steps
            .into_iter()
            .enumerate()
            .map(|(position, (when, action))| Step {
                when: Matcher::new(&when),
                action,
                salt: format!("{name}/{position}"),
            });
        Self {
            when: Matcher::new(when),
            steps: steps.collect(),
            name,
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with the scripts that are bypassed because they kept hitting a limit, and the filters that kept
    /// breaking down.
    pub fn degraded(&self) -> impl Iterator<Item = String> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Script(script) => script.health().map(|trouble| trouble.error.to_string()),
            Action::Filter(filter) => {
                let trouble = filter.watch().trouble()?;
                Some(format!("filter `{}`: {}", filter.name(), trouble.error))
            }
            Action::Sink(_) => None,
        })
    }
}

impl Chains {
    /// These chains; the first that gives an event to a sink wins.
    #[must_use]
    pub fn new(chains: Vec<Chain>) -> Self {
        Self {
            chains,
            memories: Memories::default(),
        }
    }

    /// With what their scripts remember.
    #[must_use]
    pub fn remembering(self, memories: Memories) -> Self {
        Self { memories, ..self }
    }

    /// Remember what was committed before, as `load` gives it by scope: before the first event.
    ///
    /// # Errors
    /// When `load` fails.
    pub fn load_state<E>(
        &mut self,
        load: impl FnMut(&str) -> Result<Vec<StateEntry>, E>,
    ) -> Result<(), E> {
        self.memories.load(load)
    }

    /// What scripts remember differently since the last call: part of the batch's commit.
    #[must_use]
    pub fn take_state(&mut self) -> Vec<StateChange> {
        self.memories.take_changes()
    }

    /// Go on with what the scripts of `old` remember, by script and chain: between two batches.
    pub fn inherit_state(&mut self, old: &Self) {
        self.memories.inherit(&old.memories);
    }

    /// Make the script `name` forget everything; returns in how many chains it had something to forget. The next
    /// [`Chains::take_state`] has it.
    pub fn reset_script(&mut self, name: &str) -> usize {
        self.memories.reset(name)
    }

    /// What the scripts remember.
    #[must_use]
    pub fn memories(&self) -> &Memories {
        &self.memories
    }

    /// The chains, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.chains.iter()
    }

    /// The scripts of all chains, for whoever asks how they are: chain, script, health.
    #[must_use]
    pub fn script_health(&self) -> Vec<(Text, Text, ScriptHealth)> {
        let chains = self.chains.iter();
        let scripts = chains.flat_map(|chain| {
            chain.steps.iter().filter_map(|step| match &step.action {
                Action::Script(script) => {
                    let name = script.script().name().into();
                    Some((chain.name.clone(), name, script.watch()))
                }
                Action::Filter(_) | Action::Sink(_) => None,
            })
        });
        scripts.collect()
    }

    /// The filters of all chains, in the same way: chain, filter, health.
    #[must_use]
    pub fn filter_health(&self) -> Vec<(Text, Text, FilterHealth)> {
        let chains = self.chains.iter();
        let filters = chains.flat_map(|chain| {
            chain.steps.iter().filter_map(|step| match &step.action {
                Action::Filter(filter) => {
                    Some((chain.name.clone(), filter.name().clone(), filter.watch()))
                }
                Action::Script(_) | Action::Sink(_) => None,
            })
        });
        filters.collect()
    }

    /// Run `event` through every chain and collect in `routing` who gets what.
    pub fn route(&mut self, event: &Arc<Event>, now: Now, routing: &mut Routing) {
        routing.begin(event);
        for chain in &mut self.chains {
            let entered = chain.when.admits(event);
            routing.record.chain(entered);
            if entered {
                run(&mut chain.steps, Arc::clone(event), now, routing);
            }
        }
        routing.end();
    }
}

/// Run `event` through `steps`; what a step makes of one event goes through the rest of them in turn.
fn run(steps: &mut [Step], event: Arc<Event>, now: Now, routing: &mut Routing) {
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
        let outcome = match &mut step.action {
            Action::Sink(sink) => {
                routing.give(*sink, &event);
                continue;
            }
            Action::Script(script) => script.apply(&event, &context(&event, now, &step.salt)),
            Action::Filter(filter) => filter.apply(&event, &context(&event, now, &step.salt)),
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
                    run(rest, event, now, routing);
                }
                routing.record.end_of_several();
                return;
            }
            StepOutcome::DeadLetter(reason) => {
                for sink in sinks_of(rest) {
                    routing.bury(sink, &event, &reason);
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
            Self::Sink(_) => 0,
        }
    }
}

/// A script's clock: the event's own time where it is told of the past.
fn context<'a>(event: &Event, now: Now, salt: &'a str) -> RunContext<'a> {
    let time = match event.origin {
        Origin::Backfill => event.time,
        Origin::Stream | Origin::Derived => now.wall,
    };
    RunContext {
        now: time,
        instant: now.instant,
        salt,
    }
}

fn sinks_of(steps: &[Step]) -> Vec<usize> {
    steps
        .iter()
        .filter_map(|step| match step.action {
            Action::Sink(sink) => Some(sink),
            Action::Script(_) | Action::Filter(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
