//! Chains: which events enter, what the steps do to them, and which sinks get what comes out.
//!
//! Everything here is decided in memory, on the router's thread, one event at a time; nothing has happened
//! before the router commits what [`Chains::route`] collected.

mod filter;
mod routing;
mod run;
mod shape;
mod tally;
pub mod verdict;
mod when;

pub use filter::{FilterFactory, FilterHealth, FilterStep, FilterTrouble};
pub use routing::{Routing, Undelivered};
pub use shape::{ChainShape, Shape};
pub use tally::{ChainTally, StepTally};
pub use when::Matcher;

use crate::alert::{Addressee, Alerts, SharedAlerts};
use crate::config::When;
use crate::digest::Digests;
use crate::script::{Memories, ScriptHealth, ScriptStep};
use crate::store::{Hole, HoleChange, StateChange, StateEntry};
use run::{Keepers, run};
use std::sync::Arc;
use std::time::Instant;
use unifi_herald_plugin::{Event, Kind, Text, Timestamp};
use verdict::Deed;

/// How often what alerts and digests say may make others say something.
const ECHOES: usize = 8;

/// All chains, in the order of the file.
#[derive(Debug, Default)]
pub struct Chains {
    chains: Vec<Chain>,
    memories: Memories,
    alerts: SharedAlerts,
    digests: Digests,
}

/// One chain.
#[derive(Debug)]
pub struct Chain {
    name: Text,
    when: Matcher,
    steps: Vec<Step>,
    /// Positions of the alerts that it names, and of the steps that do.
    alerts: Vec<usize>,
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
    /// The alert at this position counts the event and keeps it; what it has to say goes on from here.
    Alert(usize),
    /// The digest at this position keeps the event; what it has to say goes on from here.
    Digest(usize),
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
        let steps: Vec<Step> = steps.collect();
        let alerts = steps.iter().filter_map(|step| match step.action {
            Action::Alert(alert) => Some(alert),
            _ => None,
        });
        Self {
            when: Matcher::new(when),
            alerts: alerts.collect(),
            steps,
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
            Action::Alert(_) | Action::Digest(_) | Action::Sink(_) => None,
        })
    }

    /// Whether an alert of this chain wants `event`, which the chain's `when` stops by its kind or severity only.
    fn calls_for(&self, event: &Event, alerts: &Alerts) -> bool {
        !self.alerts.is_empty()
            && self
                .alerts
                .iter()
                .any(|alert| alerts.names(*alert, event.kind))
            && self.when.admits_but_for_kind(event)
    }

    /// The step that speaks to whoever comes behind it.
    fn speaker(&self, speaker: Speaker) -> Option<usize> {
        self.steps
            .iter()
            .position(|step| match (&step.action, speaker) {
                (Action::Alert(alert), Speaker::Alert(speaker)) => *alert == speaker,
                (Action::Digest(digest), Speaker::Digest(speaker)) => *digest == speaker,
                _ => false,
            })
    }
}

/// What has something to say of its own.
#[derive(Clone, Copy, Debug)]
enum Speaker {
    Alert(usize),
    Digest(usize),
}

impl Chains {
    /// These chains; the first that gives an event to a sink wins.
    #[must_use]
    pub fn new(chains: Vec<Chain>) -> Self {
        Self {
            chains,
            memories: Memories::default(),
            alerts: SharedAlerts::default(),
            digests: Digests::default(),
        }
    }

    /// With what their scripts remember.
    #[must_use]
    pub fn remembering(self, memories: Memories) -> Self {
        Self { memories, ..self }
    }

    /// With the alerts and digests that their steps name by position.
    #[must_use]
    pub fn watching(self, alerts: SharedAlerts, digests: Digests) -> Self {
        Self {
            alerts,
            digests,
            ..self
        }
    }

    /// The alerts, to be shared with whoever looks at them.
    #[must_use]
    pub fn alerts(&self) -> &SharedAlerts {
        &self.alerts
    }

    /// Remember what was committed before, as `load` gives it by scope: before the first event.
    ///
    /// # Errors
    /// When `load` fails.
    pub fn load_state<E>(
        &mut self,
        mut load: impl FnMut(&str) -> Result<Vec<StateEntry>, E>,
    ) -> Result<(), E> {
        self.memories.load(&mut load)?;
        self.alerts.lock().load(&mut load)?;
        self.digests.load(&mut load)
    }

    /// End what is remembered, under `scopes`, of alerts that are not among these: with the first look at the clock.
    ///
    /// # Errors
    /// When `load` fails.
    pub fn end_former_alerts<E>(
        &mut self,
        scopes: &[Text],
        mut load: impl FnMut(&str) -> Result<Vec<StateEntry>, E>,
    ) -> Result<(), E> {
        self.alerts.lock().take_in(scopes, &mut load)
    }

    /// The process begins at `now` with these holes to repair, for which what is due waits.
    pub fn begin(&mut self, holes: &[Hole], now: Timestamp) {
        self.alerts.lock().begin(holes, now);
    }

    /// Holes were opened, narrowed or closed.
    pub fn holes_changed(&mut self, changes: &[HoleChange], now: Timestamp) {
        let mut alerts = self.alerts.lock();
        for change in changes {
            alerts.hole_changed(change, now);
        }
    }

    /// What scripts, alerts and digests remember differently since the last call: part of the batch's commit.
    #[must_use]
    pub fn take_state(&mut self) -> Vec<StateChange> {
        let mut changes = self.memories.take_changes();
        changes.extend(self.alerts.lock().take_state());
        changes.extend(self.digests.take_state());
        changes
    }

    /// Go on with what the scripts, alerts and digests of `old` remember, by name: between two batches. Whoever shares
    /// the alerts of `old` has these from now on.
    pub fn inherit_state(&mut self, old: &Self) {
        self.memories.inherit(&old.memories);
        self.alerts.inherit(&old.alerts);
        self.digests.inherit(&old.digests);
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
                _ => None,
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
                Action::Script(_) | Action::Alert(_) | Action::Digest(_) | Action::Sink(_) => None,
            })
        });
        filters.collect()
    }

    /// Run `event` through every chain and collect in `routing` who gets what.
    pub fn route(&mut self, event: &Arc<Event>, now: Now, routing: &mut Routing) {
        self.enter(event, now, routing);
        self.pass_on(now, routing);
    }

    fn enter(&mut self, event: &Arc<Event>, now: Now, routing: &mut Routing) {
        routing.begin(event);
        let mut alerts = self.alerts.lock();
        alerts.begin_event();
        let mut keepers = Keepers {
            alerts: &mut alerts,
            digests: &mut self.digests,
            only_alerts: false,
        };
        for chain in &mut self.chains {
            let entered = chain.when.admits(event);
            let called = !entered && chain.calls_for(event, keepers.alerts);
            routing.record.chain(entered || called);
            if entered || called {
                keepers.only_alerts = called;
                run(
                    &mut chain.steps,
                    Arc::clone(event),
                    now,
                    routing,
                    &mut keepers,
                );
            }
        }
        drop(alerts);
        routing.end();
    }

    /// When something is to be said without another event; at once, when that moment is not after `now`.
    #[must_use]
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let alerts = self.alerts.lock().wake_at(now);
        let digests = self.digests.wake_at(now);
        alerts.into_iter().chain(digests).min()
    }

    /// Say what is due at `now`.
    pub fn tick(&mut self, now: Now, routing: &mut Routing) {
        self.alerts.lock().tick(now.wall);
        self.pass_on(now, routing);
        for (digest, event) in self.digests.tick(now.wall) {
            self.speak(Speaker::Digest(digest), &event, now, routing);
        }
        self.pass_on(now, routing);
    }

    /// Let what alerts have to say go on from the steps that name them.
    fn pass_on(&mut self, now: Now, routing: &mut Routing) {
        for _ in 0..ECHOES {
            let said = self.alerts.lock().take_said();
            if said.is_empty() {
                return;
            }
            for one in said {
                match one.to {
                    Addressee::StepsBehind(alert) => {
                        self.speak(Speaker::Alert(alert), &one.event, now, routing);
                    }
                    Addressee::Digest(digest) => {
                        self.digests.collect(digest, &one.event);
                        routing.journal(&one.event);
                    }
                    Addressee::EveryChain => self.enter(&one.event, now, routing),
                }
            }
        }
    }

    fn speak(&mut self, speaker: Speaker, event: &Arc<Event>, now: Now, routing: &mut Routing) {
        routing.begin(event);
        let mut alerts = self.alerts.lock();
        alerts.begin_event();
        let mut keepers = Keepers {
            alerts: &mut alerts,
            digests: &mut self.digests,
            only_alerts: false,
        };
        for chain in &mut self.chains {
            let step = chain.speaker(speaker);
            let step = step.filter(|_| chain.when.admits_place(event) || is_about_no_place(event));
            routing.record.chain(step.is_some());
            let Some(step) = step else { continue };
            for _ in 0..step {
                routing.record.step(Deed::Skipped, false);
            }
            routing.record.step(Deed::Said, false);
            let behind = &mut chain.steps[step + 1..];
            run(behind, Arc::clone(event), now, routing, &mut keepers);
        }
        drop(alerts);
        routing.end();
    }
}

/// A digest is about all places at once, and so are some of herald's own events.
fn is_about_no_place(event: &Event) -> bool {
    event.kind == Kind::DIGEST_READY
}

#[cfg(test)]
mod tests;
