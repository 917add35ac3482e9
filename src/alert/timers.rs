//! What time does: an incident is told, told again, listed, and over.

use super::entry::{Entry, Phase, Told, prune};
use super::inhibit::LIST_WAIT;
use super::machine::Change;
use super::rule::Rule;
use super::{Alerts, book::Place};
use crate::config::QuietThen;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Alert, AlertState, Event, Timestamp};

/// How often a field that is waited for is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Most that one entry does at one time; each moves its timers on.
const MOST_STEPS: usize = 64;

impl Alerts {
    /// When [`Alerts::tick`] has something to do.
    pub fn wake_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut earliest = (!self.orphans.is_empty()).then_some(now);
        for (due, alert, id) in self.book.timers() {
            if earliest.is_some_and(|earliest| *due >= earliest) {
                break;
            }
            let Some(entry) = self.book.get(&(*alert, id.clone())) else {
                continue;
            };
            let site = (&entry.controller, &entry.site);
            let waits = self.repairs.wait(site, *due, now);
            let at = waits.map_or(*due, |end| end.max(*due));
            earliest = Some(earliest.map_or(at, |earliest| earliest.min(at)));
        }
        earliest
    }

    /// Do what is due at `now`, in the order in which it was due. What waits for a repair stays.
    pub fn tick(&mut self, now: Timestamp) {
        if now < self.latest {
            self.set_back(now);
        }
        self.latest = now;
        self.end_orphans(now);
        // What is done may make other things due.
        for _ in 0..MOST_STEPS {
            let due = self.book.timers().take_while(|(due, ..)| *due <= now);
            let due: Vec<(Timestamp, Place)> = due
                .map(|(at, alert, id)| (*at, (*alert, id.clone())))
                .collect();
            let mut moved = false;
            for (at, place) in due {
                let Some(entry) = self.book.get(&place) else {
                    continue;
                };
                let site = (&entry.controller, &entry.site);
                if self.repairs.wait(site, at, now).is_none() {
                    self.run_entry(&place, now, now);
                    moved = true;
                }
            }
            self.release(now);
            if !moved {
                return;
            }
        }
    }

    /// Do what is due in one entry until `until`.
    pub(super) fn run_entry(&mut self, place: &Place, until: Timestamp, now: Timestamp) {
        let Some(mut entry) = self.book.take(place) else {
            return;
        };
        let rule = Arc::clone(&self.rules[place.0]);
        for _ in 0..MOST_STEPS {
            let Some(at) = entry.next().filter(|next| *next <= until) else {
                break;
            };
            let change = Change {
                rule: &rule,
                place: place.clone(),
                at,
                now,
            };
            self.step(&change, &mut entry, until);
            entry.touched = entry.touched.max(at);
        }
        self.book.put(place.clone(), entry);
        self.release(now);
    }

    fn step(&mut self, change: &Change<'_>, entry: &mut Entry, until: Timestamp) {
        let at = Some(change.at);
        if entry.due == at {
            entry.due = None;
            self.tell(change, entry);
        } else if entry.folds_due == at {
            self.list(change, entry);
        } else if entry.closing == at {
            entry.closing = None;
            let ended = match (&entry.last, change.rule.plan.resolve_after) {
                (Some(last), None) => last.time,
                _ => change.at,
            };
            for member in &mut entry.members {
                member.down = false;
            }
            self.end(change, entry, ended);
        } else if entry.repeat == at {
            self.repeat(change, entry, until);
        }
    }

    /// The incident is due: tell it, unless something speaks against it.
    pub(super) fn tell(&mut self, change: &Change<'_>, entry: &mut Entry) {
        let (plan, at) = (&change.rule.plan, change.at);
        if let Some(until) = entry.muted_until.filter(|until| *until > at) {
            entry.due = Some(until);
            return;
        }
        if entry.phase != Phase::Open {
            if let Some(parent) = self.explanation(change.place.0, entry) {
                self.fold(change, entry, parent);
                return;
            }
            if let Some(look) = self.waits_for_field(change, entry) {
                entry.due = Some(look);
                return;
            }
            if let Some(limit) = plan.limit {
                prune(&mut entry.tells, limit.within, limit.max, at);
                if let Some(until) = entry.limited_until(limit.max, limit.within, at) {
                    if plan.lasts() {
                        entry.due = Some(until);
                    } else {
                        entry.carried = entry.count;
                        entry.close();
                    }
                    return;
                }
            }
        }
        entry.phase = Phase::Open;
        entry.repeat = plan.repeat.filter(|_| plan.lasts()).map(|every| at + every);
        self.tell_first(change, entry);
        if !plan.lasts() {
            entry.close();
        }
    }

    /// Say that the incident has begun, to whom it may be said now.
    fn tell_first(&mut self, change: &Change<'_>, entry: &mut Entry) {
        if let Some(until) = self.silenced_until(change.rule, entry, change.now) {
            entry.due = change.rule.plan.lasts().then_some(until);
            return;
        }
        let to = match self.quiet(change.rule, change.now) {
            None => Told::Sinks,
            Some(QuietThen::Digest(_)) => Told::Digest,
            Some(QuietThen::Drop) => return,
        };
        entry.told = to;
        entry.tells.push_back(change.at);
        if change.rule.plan.limit.is_none() {
            entry.tells.clear();
        }
        self.say(change, entry, AlertState::Firing, change.at);
        if to == Told::Sinks && !entry.folds.is_empty() {
            entry.folds_due = Some(change.at + LIST_WAIT);
        }
    }

    fn repeat(&mut self, change: &Change<'_>, entry: &mut Entry, until: Timestamp) {
        let Some(every) = change.rule.plan.repeat else {
            entry.repeat = None;
            return;
        };
        // Those that were missed are told once, as the latest of them.
        let missed = until.since(change.at).as_millis() / every.as_millis().max(1);
        let latest = change.at + every.saturating_mul(u32::try_from(missed).unwrap_or(u32::MAX));
        entry.repeat = Some(latest + every);
        let muted = entry.muted_until.is_some_and(|until| until > latest);
        if entry.acknowledged || entry.until.is_some() || muted {
            return;
        }
        let change = Change {
            rule: change.rule,
            place: change.place.clone(),
            at: latest,
            now: change.now,
        };
        if entry.told != Told::Sinks {
            self.tell_first(&change, entry);
        } else if self.hushed_until(change.rule, entry, change.now).is_none() {
            self.say(&change, entry, AlertState::Repeated, latest);
        }
    }

    /// List what the incident explains.
    fn list(&mut self, change: &Change<'_>, entry: &mut Entry) {
        entry.folds_due = None;
        if entry.folds.is_empty() {
            return;
        }
        if let Some(until) = self.hushed_until(change.rule, entry, change.now) {
            entry.folds_due = Some(until);
            return;
        }
        self.say(change, entry, AlertState::Folded, change.at);
        entry.folds.clear();
    }

    /// Nothing is broken any more, since `ended` by the controller's clock.
    pub(super) fn end(&mut self, change: &Change<'_>, entry: &mut Entry, ended: Timestamp) {
        let ended = *entry.until.get_or_insert(ended);
        if entry.phase == Phase::Open && entry.told == Told::Sinks {
            if let Some(until) = self.hushed_until(change.rule, entry, change.now) {
                // Whoever was told that it began is told that it is over, when it may be said again.
                entry.closing = Some(until);
                entry.due = None;
                return;
            }
            if !entry.folds.is_empty() {
                self.list(change, entry);
            }
        }
        if entry.phase == Phase::Open && entry.told != Told::Nobody {
            self.say(change, entry, AlertState::Resolved, ended);
        }
        self.ended(entry, change.at);
        entry.close();
    }

    /// When to look again for the field that is waited for; none when it is there, or was waited for long enough.
    fn waits_for_field(&mut self, change: &Change<'_>, entry: &mut Entry) -> Option<Timestamp> {
        let wait = change.rule.plan.wait_for.as_ref()?;
        let opener = entry.opener.as_ref()?;
        let known = self.completed(opener, entry.last.as_deref());
        let found = has(&known, &wait.field);
        entry.opener = Some(Arc::new(known));
        let until = *entry.waited_until.get_or_insert(change.at + wait.max);
        (!found && change.at < until).then(|| (change.at + LOOK).min(until))
    }

    /// Until when nobody may be told at `now`: a silence, or quiet hours.
    fn hushed_until(&self, rule: &Rule, entry: &Entry, now: Timestamp) -> Option<Timestamp> {
        let quiet = self.quiet(rule, now).and(rule.plan.quiet);
        let quiet = quiet.map(|quiet| quiet.hours.end_after(now, &self.zone));
        self.silenced_until(rule, entry, now).max(quiet)
    }

    pub(super) fn silenced_until(
        &self,
        rule: &Rule,
        entry: &Entry,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let opener = entry.opener.as_ref()?;
        let covering = self
            .silences
            .iter()
            .filter(|silence| silence.covers(&rule.plan.name, opener, now));
        covering.map(|silence| silence.until).max()
    }

    /// What becomes of messages in quiet hours, when these are.
    fn quiet(&self, rule: &Rule, now: Timestamp) -> Option<QuietThen> {
        let quiet = rule.plan.quiet?;
        quiet.hours.contains(now, &self.zone).then_some(quiet.then)
    }

    /// The clock was set back: no timer is further ahead than it is long, and nothing was told in the future.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        for place in self.book.places() {
            let rule = Arc::clone(&self.rules[place.0]);
            let Some(mut entry) = self.book.take(&place) else {
                continue;
            };
            let plan = &rule.plan;
            let clamp = |time: &mut Option<Timestamp>, longest: Duration| {
                if let Some(time) = time {
                    *time = (*time).min(now + longest);
                }
            };
            let work = plan
                .mute_while
                .as_ref()
                .map_or(Duration::ZERO, |mute| mute.max);
            let limit = plan.limit.map_or(Duration::ZERO, |limit| limit.within);
            let calm = plan.flap.map_or(Duration::ZERO, |flap| flap.within);
            let wait = plan
                .wait_for
                .as_ref()
                .map_or(Duration::ZERO, |wait| wait.max);
            if entry.phase != Phase::Open {
                clamp(
                    &mut entry.due,
                    (plan.hold + plan.group_wait).max(work).max(limit).max(wait),
                );
            }
            if entry.until.is_none() {
                clamp(
                    &mut entry.closing,
                    plan.resolve_after.unwrap_or(calm).max(calm),
                );
            }
            clamp(&mut entry.waited_until, wait);
            clamp(&mut entry.repeat, plan.repeat.unwrap_or_default());
            clamp(&mut entry.muted_until, work);
            clamp(&mut entry.folds_due, LIST_WAIT);
            for member in &mut entry.members {
                member.held = member.held.min(now + plan.hold);
            }
            entry.tells.retain(|told| *told <= now);
            entry.opened.retain(|opened| *opened <= now);
            self.book.put(place, entry);
        }
    }
}

/// Whether the event has the field.
fn has(event: &Event, path: &str) -> bool {
    let json = serde_json::to_value(event).unwrap_or_default();
    let found = path
        .split('.')
        .try_fold(&json, |value, part| value.get(part));
    found.is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
}

/// What an alert says of its incident, apart from words.
pub(super) fn subject(
    rule: &Rule,
    entry: &Entry,
    opener: &Event,
    state: AlertState,
    time: Timestamp,
) -> Alert {
    let mut alert = Alert::new(entry.incident.clone(), rule.plan.name.clone(), entry.since);
    alert.key = entry.key.clone();
    alert.state = state;
    alert.severity = rule.plan.severity.unwrap_or(opener.severity);
    alert.count = entry.count;
    alert.until = (state == AlertState::Resolved).then_some(time);
    alert.duration_s = time.since(entry.since).as_secs();
    alert.events = entry.events.iter().cloned().collect();
    alert
}
