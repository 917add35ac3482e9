//! Digests: what comes to a digest step is collected, and told once a day at its time.
//!
//! Pure: takes `now`. What is collected is committed with the batch that brought it, so a restart forgets nothing; a
//! time that passed while herald was down is made up for once.

use crate::config::DigestPlan;
use crate::own_event::{Scope, hashed_id, own_event};
use crate::store::{StateChange, StateEntry};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use unifi_herald_plugin::{Digest, Event, Kind, Text, Timestamp};

/// Where digests are kept in a store, by name.
const SCOPE: &str = "digest";

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
}

/// What is remembered of a digest.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// When it is to be told; none before the first look at a clock.
    due: Option<Timestamp>,
    digest: Digest,
}

impl Digests {
    /// The digests of a plan; their times are in `zone`.
    #[must_use]
    pub fn new(plans: &[DigestPlan], zone: TimeZone) -> Self {
        let digests = plans.iter().map(|plan| Collector {
            plan: plan.clone(),
            kept: Kept::default(),
            changed: false,
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
        let count = collector
            .kept
            .digest
            .counts
            .entry(event.kind.as_str().into())
            .or_default();
        *count += 1;
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
                None => collector.begin(now, now, &zone),
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
    /// The event that tells what was collected; none when there is nothing to tell.
    fn tell(&self, due: Timestamp, now: Timestamp) -> Option<Arc<Event>> {
        let mut digest = self.kept.digest.clone();
        if self.plan.skip_empty && digest.counts.is_empty() {
            return None;
        }
        digest.name = self.plan.name.clone();
        digest.until = due;
        let total: u64 = digest.counts.values().sum();
        let mut event = own_event(Kind::DIGEST_READY, &Scope::default(), &digest.name, due);
        event.id = hashed_id(&["digest", &digest.name], due).into();
        event.received = now;
        event.summary = match total {
            1 => format!("Digest {}: 1 event", digest.name).into(),
            _ => Text::from(format!("Digest {}: {total} events", digest.name)),
        };
        event.digest = Some(Box::new(digest));
        Some(Arc::new(event))
    }

    fn begin(&mut self, since: Timestamp, now: Timestamp, zone: &TimeZone) {
        self.kept = Kept {
            due: Some(next(self.plan.at, now, zone)),
            digest: Digest::default(),
        };
        self.kept.digest.since = since;
        self.changed = true;
    }
}

/// The next moment after `now` at which the clock on the wall shows `at`; on a day that has no such time, the next
/// minute that it has.
#[must_use]
pub fn next(at: Time, now: Timestamp, zone: &TimeZone) -> Timestamp {
    let fallback = now + std::time::Duration::from_hours(24);
    let Ok(moment) = jiff::Timestamp::from_millisecond(now.as_millis()) else {
        return fallback;
    };
    let today = zone.to_datetime(moment).date();
    let days = [Some(today), today.tomorrow().ok()];
    let times = days.into_iter().flatten().filter_map(|day| {
        let ambiguous = zone.to_ambiguous_timestamp(day.to_datetime(at));
        let time = match ambiguous.offset() {
            // Skipped by daylight saving: the first moment of the new time.
            jiff::tz::AmbiguousOffset::Gap { before, .. } => zone
                .following(
                    before
                        .to_timestamp(day.to_datetime(Time::midnight()))
                        .ok()?,
                )
                .next()?
                .timestamp(),
            _ => ambiguous.earlier().ok()?,
        };
        Some(Timestamp::from_millis(time.as_millisecond()))
    });
    let mut later = times.filter(|time| *time > now);
    later.next().unwrap_or(fallback)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::EventBuilder;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn digests(skip_empty: bool) -> Digests {
        let plan = DigestPlan {
            name: "daily".into(),
            at: Time::constant(7, 30, 0, 0),
            skip_empty,
        };
        Digests::new(&[plan], berlin())
    }

    #[test]
    fn its_time_is_that_of_the_wall_and_a_skipped_one_is_the_next_there_is() {
        let shown = |time: Time, now: &str| next(time, at(now), &berlin()).to_string();
        let half_past_seven = Time::constant(7, 30, 0, 0);
        assert_eq!(
            shown(half_past_seven, "2026-11-25T00:00:00Z"),
            "2026-11-25T06:30:00.000Z"
        );
        assert_eq!(
            shown(half_past_seven, "2026-11-25T06:30:00Z"),
            "2026-11-26T06:30:00.000Z"
        );
        // On the 29th of March the clock goes from 2:00 to 3:00.
        let half_past_two = Time::constant(2, 30, 0, 0);
        assert_eq!(
            shown(half_past_two, "2026-03-28T23:30:00Z"),
            "2026-03-29T01:00:00.000Z"
        );
        // On the 25th of October half past two comes twice: once is enough.
        assert_eq!(
            shown(half_past_two, "2026-10-24T23:00:00Z"),
            "2026-10-25T00:30:00.000Z"
        );
        assert_eq!(
            shown(half_past_two, "2026-10-25T00:30:00Z"),
            "2026-10-26T01:30:00.000Z"
        );
    }

    #[test]
    fn what_came_is_told_once_at_its_time_whatever_happens_in_between() {
        let mut running = digests(true);
        assert!(running.tick(at("2026-11-25T00:00:00Z")).is_empty());
        running.collect(0, &EventBuilder::new(Kind::WAN_DOWN).build());
        running.collect(0, &EventBuilder::new(Kind::WAN_DOWN).build());
        let state = running.take_state();
        let load = |_: &str| -> Result<_, ()> {
            let entry = |change: &StateChange| match change {
                StateChange::Set { key, value, .. } => StateEntry {
                    key: key.clone(),
                    value: value.clone(),
                    expires: None,
                },
                other => panic!("{other:?}"),
            };
            Ok(state.iter().map(entry).collect())
        };
        let mut restarted = digests(true);
        restarted.load(&mut { load }).unwrap();
        // Nobody was there at half past seven.
        let now = at("2026-11-25T09:00:00Z");
        assert_eq!(restarted.wake_at(now), Some(at("2026-11-25T06:30:00Z")));
        let told = restarted.tick(now);
        let [(0, event)] = told.as_slice() else {
            panic!("{told:?}")
        };
        let digest = event.digest.as_deref().unwrap();
        assert_eq!(digest.counts["wan.down"], 2);
        assert_eq!(
            (digest.since, digest.until),
            (at("2026-11-25T00:00:00Z"), at("2026-11-25T06:30:00Z"))
        );
        let steady = running.tick(at("2026-11-25T06:30:00Z"));
        assert_eq!(steady[0].1.id, event.id, "the same whenever it is told");
        assert!(restarted.tick(now).is_empty());
        assert!(
            restarted.tick(at("2026-11-26T06:30:00Z")).is_empty(),
            "nothing came"
        );
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_make_it_wait_for_days() {
        let mut digests = digests(false);
        digests.tick(at("2027-11-25T00:00:00Z"));
        digests.tick(at("2026-11-25T00:00:00Z"));
        let now = at("2026-11-25T06:30:00Z");
        assert_eq!(digests.wake_at(now), Some(now));
        assert_eq!(digests.tick(now).len(), 1);
    }
}
