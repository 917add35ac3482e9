//! An event at an alert: what it is about, and what that changes.

use super::book::{self, Place};
use super::entry::Entry;
use super::rule::{About, Roles, Rule};
use super::{Addressee, Alerts, Said};
use crate::own_event::{Scope, hashed_id, own_event};
use crate::script::{RunContext, StepOutcome};
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Event, Kind, Origin, Severity, Text, Timestamp};

/// An alert complains of events that it cannot place at most this often.
const COMPLAIN_EVERY: Duration = Duration::from_mins(10);

/// What became of an event at an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It is not for this alert, and goes on.
    No,
    /// The alert counted it and keeps it.
    Kept,
    /// The alert counted it and lets it go on.
    Passed,
}

/// What a change needs to know besides the entry.
pub(super) struct Change<'a> {
    pub(super) rule: &'a Rule,
    pub(super) place: Place,
    /// When it happens, as timers go.
    pub(super) at: Timestamp,
    /// When it is decided.
    pub(super) now: Timestamp,
}

impl Alerts {
    /// Another event begins its way through the chains.
    pub fn begin_event(&mut self) {
        self.counted.clear();
    }

    /// Let the alert at `position` have a look at `event`; an event that it has seen on this way is not counted again.
    pub fn apply(
        &mut self,
        position: usize,
        event: &Arc<Event>,
        now: Timestamp,
        context: &RunContext<'_>,
    ) -> Counted {
        let Some(rule) = self.rules.get(position).map(Arc::clone) else {
            return Counted::No;
        };
        let mut roles = rule.roles(event.kind);
        if !roles.any() {
            return Counted::No;
        }
        let mut known = self.counted.iter();
        if let Some((.., counted)) = known.find(|(at, id, _)| *at == position && *id == event.id) {
            return *counted;
        }
        if roles.opens && !self.admits(position, event, context) {
            roles.opens = false;
        }
        let mut counted = Counted::No;
        if roles.any() {
            match rule.about(event) {
                Ok(about) => {
                    counted = if rule.plan.pass {
                        Counted::Passed
                    } else {
                        Counted::Kept
                    };
                    self.count(position, &rule, event, &about, roles, now);
                }
                Err(reason) => self.complain(position, &rule, event, &reason, now),
            }
        }
        self.counted.push((position, event.id.clone(), counted));
        counted
    }

    fn count(
        &mut self,
        alert: usize,
        rule: &Rule,
        event: &Arc<Event>,
        about: &About,
        roles: Roles,
        now: Timestamp,
    ) {
        let at = moment(event).min(now);
        let holder = self
            .book
            .holder(alert, &event.controller, &event.site, &about.key);
        let id = holder.unwrap_or_else(|| book::id(&event.controller, &event.site, &about.group));
        let place = (alert, id);
        let change = Change {
            rule,
            place,
            at,
            now,
        };
        self.catch_up(&change, event);
        let Some(mut entry) =
            self.open_entry(&change, event, &about.group, roles.opens || roles.mutes)
        else {
            return;
        };
        if roles.mutes || roles.unmutes {
            mute(&mut entry, rule, event, roles.mutes, at);
        }
        if roles.resolves {
            self.resolved(&change, &mut entry, event, &about.key);
        }
        if roles.opens && rule.plan.lasts() {
            self.opened(&change, &mut entry, event, &about.key);
        } else if roles.opens {
            self.happened(&change, &mut entry, event, &about.key);
        }
        entry.touched = entry.touched.max(at);
        self.book.put(change.place, entry);
        self.release(now);
    }

    /// The entry, made when it is missing and wanted; nothing when it is not, or there is no room.
    fn open_entry(
        &mut self,
        change: &Change<'_>,
        event: &Event,
        key: &Text,
        wanted: bool,
    ) -> Option<Entry> {
        let known = self.book.take(&change.place);
        let gone =
            |entry: &Entry| !entry.is_active() && entry.touched + change.rule.trace() <= change.at;
        if let Some(known) = known {
            if !gone(&known) {
                return Some(known);
            }
        } else if !wanted {
            return None;
        } else if !self.book.make_room(change.place.0) {
            let refused = self.book.refused();
            if refused.is_power_of_two() {
                tracing::warn!(alert = %change.rule.plan.name, refused, "an alert has too many open keys, others are not followed");
            }
            return None;
        }
        Some(Entry {
            controller: event.controller.clone(),
            site: event.site.clone(),
            key: key.clone(),
            ..Entry::default()
        })
    }

    /// Let what was due before the event happen first, unless there is more history to come of that time.
    fn catch_up(&mut self, change: &Change<'_>, event: &Event) {
        let Some(next) = self.book.get(&change.place).and_then(Entry::next) else {
            return;
        };
        if next > change.at {
            return;
        }
        let site = (&event.controller, &event.site);
        let repairing = self.repairs.wait(site, next, change.now).is_some();
        if repairing && event.origin != Origin::Backfill {
            return;
        }
        self.run_entry(&change.place, change.at, change.now);
    }

    fn admits(&mut self, alert: usize, event: &Arc<Event>, context: &RunContext<'_>) -> bool {
        match self.conditions.get_mut(alert) {
            Some(Some(condition)) => {
                matches!(condition.apply(event, context), StepOutcome::Keep(_))
            }
            _ => true,
        }
    }

    /// Say that an event cannot be placed: once in a while, since the next will be like it.
    fn complain(&mut self, alert: usize, rule: &Rule, event: &Event, reason: &str, now: Timestamp) {
        let last = &mut self.complained[alert];
        if last.is_some_and(|last| last <= now && now < last + COMPLAIN_EVERY) {
            return;
        }
        *last = Some(now);
        let scope = Scope::of(event);
        let name = &rule.plan.name;
        let mut notice = own_event(Kind::SYSTEM_NOTICE, &scope, name, event.time);
        notice.id = hashed_id(&["alert key", name, &event.id], event.time).into();
        notice.received = now;
        notice.severity = Severity::Warning;
        notice.summary = format!(
            "The alert {name} does not know what an event of the kind {} is about: {reason}",
            event.kind
        )
        .into();
        notice.reason = Some(reason.into());
        self.said.push(Said {
            to: Addressee::StepsBehind(alert),
            event: Arc::new(notice),
        });
    }
}

/// When an event happened, as timers go: history when it did, anything else when it came.
fn moment(event: &Event) -> Timestamp {
    match event.origin {
        Origin::Backfill => event.time.min(event.received),
        Origin::Stream | Origin::Derived => event.received,
    }
}

/// Work begins or ends.
fn mute(entry: &mut Entry, rule: &Rule, event: &Event, begins: bool, at: Timestamp) {
    let Some(plan) = &rule.plan.mute_while else {
        return;
    };
    if entry.mute_said.is_some_and(|said| event.time < said) {
        return;
    }
    entry.mute_said = Some(event.time);
    if begins {
        entry.muted_until = Some(at + plan.max);
    } else if let Some(until) = entry.muted_until.filter(|until| *until > at) {
        entry.muted_until = None;
        // What waited for the end of the work need not wait for its latest.
        if entry.due == Some(until) {
            entry.due = Some(at);
        }
    }
}
