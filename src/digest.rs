//! Digests: what comes to a digest step is collected, and told once a day at its time.
//!
//! Pure: takes `now`. What is collected is committed with the batch that brought it, so a restart forgets nothing; a
//! time that passed while herald was down is made up for once.

mod collected;
mod time;
mod words;

use crate::config::DigestPlan;
use crate::own_event::{Scope, hashed_id, own_event};
use crate::store::{StateChange, StateEntry};
use collected::Collected;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use time::next;
use unifi_herald_plugin::{Event, Kind, Text, Timestamp};

/// Where digests are kept in a store, by name.
const SCOPE: &str = "digest";

/// How many events are remembered to know one that comes by another chain as well.
const RECENT: usize = 64;

/// All digests, in the order of the plan.
#[derive(Debug, Default)]
pub struct Digests {
    digests: Vec<Collector>,
    zone: Option<TimeZone>,
}

/// One digest and what it has collected.
#[derive(Debug)]
struct Collector {
    plan: DigestPlan,
    kept: Kept,
    changed: bool,
    /// What came last: several chains may bring the same event.
    recent: VecDeque<(Text, Text, Text)>,
}

/// What is remembered of a digest.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// When it is to be told; none before the first look at a clock.
    due: Option<Timestamp>,
    collected: Collected,
}

impl Digests {
    /// The digests of a plan; their times are in `zone`.
    #[must_use]
    pub fn new(plans: &[DigestPlan], zone: TimeZone) -> Self {
        let digests = plans.iter().map(|plan| Collector {
            plan: plan.clone(),
            kept: Kept::default(),
            changed: false,
            recent: VecDeque::new(),
        });
        Self {
            digests: digests.collect(),
            zone: Some(zone),
        }
    }

    /// The digest at `position` has `event`.
    pub fn collect(&mut self, position: usize, event: &Event) {
        let Some(collector) = self.digests.get_mut(position) else {
            return;
        };
        if !collector.is_new(event) {
            return;
        }
        collector.kept.collected.add(event);
        collector.changed = true;
    }

    /// When [`Digests::tick`] has something to do.
    #[must_use]
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        // A digest that has no time yet gets one at the next tick.
        let due = self
            .digests
            .iter()
            .map(|collector| collector.kept.due.unwrap_or(now));
        due.min()
    }

    /// What is to be told at `now`: the position of the digest, and the event.
    pub fn tick(&mut self, now: Timestamp) -> Vec<(usize, Arc<Event>)> {
        let mut told = Vec::new();
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        for (position, collector) in self.digests.iter_mut().enumerate() {
            match collector.kept.due {
                Some(due) if due <= now => {
                    told.extend(collector.tell(due, now).map(|event| (position, event)));
                    collector.begin(due, now, &zone);
                }
                // The clock was set back, or the time of the day was changed.
                Some(due) if due != next(collector.plan.at, now, &zone) => {
                    collector.kept.due = Some(next(collector.plan.at, now, &zone));
                    collector.changed = true;
                }
                Some(_) => {}
                None => {
                    collector.kept.due = Some(next(collector.plan.at, now, &zone));
                    collector.kept.collected.began(now);
                    collector.changed = true;
                }
            }
        }
        told
    }

    /// Remember what was committed before, as `load` gives it by scope.
    ///
    /// # Errors
    /// When `load` fails.
    pub fn load<E>(
        &mut self,
        load: &mut impl FnMut(&str) -> Result<Vec<StateEntry>, E>,
    ) -> Result<(), E> {
        if self.digests.is_empty() {
            return Ok(());
        }
        for entry in load(SCOPE)? {
            let collector = self
                .digests
                .iter_mut()
                .find(|one| *one.plan.name == *entry.key);
            if let (Some(collector), Ok(kept)) = (collector, serde_json::from_slice(&entry.value)) {
                collector.kept = kept;
            }
        }
        Ok(())
    }

    /// What changed since the last call: part of the batch's commit.
    #[must_use]
    pub fn take_state(&mut self) -> Vec<StateChange> {
        let changed = self.digests.iter_mut().filter(|one| one.changed);
        let set = |one: &mut Collector| {
            one.changed = false;
            StateChange::Set {
                scope: SCOPE.into(),
                key: one.plan.name.clone(),
                // Cannot fail: the keys of its map are text.
                value: serde_json::to_vec(&one.kept).unwrap_or_default(),
                expires: None,
            }
        };
        changed.map(set).collect()
    }

    /// Go on with what the digests of `old` have collected, by name: between two batches.
    pub fn inherit(&mut self, old: &Self) {
        for collector in &mut self.digests {
            let known = old
                .digests
                .iter()
                .find(|one| one.plan.name == collector.plan.name);
            if let Some(known) = known {
                collector.kept = known.kept.clone();
                collector.changed = true;
            }
        }
    }
}

impl Collector {
    /// Whether the event did not come by another chain a moment ago.
    fn is_new(&mut self, event: &Event) -> bool {
        let name = (
            event.controller.clone(),
            event.site.clone(),
            event.id.clone(),
        );
        if self.recent.contains(&name) {
            return false;
        }
        self.recent.truncate(RECENT - 1);
        self.recent.push_front(name);
        true
    }

    /// The event that tells what was collected; none when there is nothing to tell.
    fn tell(&self, due: Timestamp, now: Timestamp) -> Option<Arc<Event>> {
        if self.plan.skip_empty && self.kept.collected.is_empty() {
            return None;
        }
        let digest = self.kept.collected.told(&self.plan.name, due);
        let mut event = own_event(Kind::DIGEST_READY, &Scope::default(), &digest.name, due);
        event.id = hashed_id(&["digest", &digest.name], due).into();
        event.received = now;
        event.summary = words::summary(&digest);
        event.digest = Some(Box::new(digest));
        Some(Arc::new(event))
    }

    fn begin(&mut self, since: Timestamp, now: Timestamp, zone: &TimeZone) {
        let before = std::mem::take(&mut self.kept.collected);
        self.kept = Kept {
            due: Some(next(self.plan.at, now, zone)),
            collected: before.next(since),
        };
        self.changed = true;
    }
}

#[cfg(test)]
mod tests;
