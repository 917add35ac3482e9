//! What events do to an entry: something is broken, something is well again, something has happened.

use super::Alerts;
use super::entry::{Entry, MAX_MEMBERS, Member, Phase, prune};
use super::machine::Change;
use crate::own_event::hashed_id;
use std::sync::Arc;
use unifi_herald_plugin::{Event, Mac, Text, Timestamp};

impl Alerts {
    /// `key` is broken, by `event`; the incident lasts until it is well again.
    pub(super) fn opened(
        &mut self,
        change: &Change<'_>,
        entry: &mut Entry,
        event: &Arc<Event>,
        key: &Text,
    ) {
        let (plan, at) = (&change.rule.plan, change.at);
        if entry.events.contains(&event.id) {
            return;
        }
        let member = entry.member(key);
        if member
            .as_ref()
            .is_some_and(|member| event.time < member.moved)
        {
            // Older than the last change: counted where there is something to count, and nothing else.
            if entry.is_active() {
                entry.count += 1;
                entry.note(event);
            }
            return;
        }
        let was_down = member.is_some_and(|member| member.down);
        self.enter(change, entry, event);
        if let Some(after) = plan.resolve_after {
            entry.closing = Some(at + after);
        } else {
            entry.closing = None;
        }
        if was_down {
            return;
        }
        let held = at + plan.hold;
        set_down(entry, event, key, held);
        if let Some(flap) = plan.flap {
            entry.opened.push_back(at);
            prune(&mut entry.opened, flap.within, flap.max + 1, at);
            entry.flapping |= entry.opened.len() > flap.max;
        }
        if entry.phase == Phase::Waiting {
            self.wait(change, entry);
        } else if entry.phase == Phase::Open && entry.until.take().is_some() {
            // It was over, which nobody was told: so it goes on.
            entry.repeat = plan.repeat.map(|every| at + every);
        }
    }

    /// Something happened that is over at once.
    pub(super) fn happened(
        &mut self,
        change: &Change<'_>,
        entry: &mut Entry,
        event: &Arc<Event>,
        key: &Text,
    ) {
        if entry.events.contains(&event.id) {
            return;
        }
        let begins = !entry.is_active();
        self.enter(change, entry, event);
        set_down(entry, event, key, change.at + change.rule.plan.hold);
        if begins {
            self.wait(change, entry);
        }
    }

    /// `key` is well again, by `event`.
    pub(super) fn resolved(
        &mut self,
        change: &Change<'_>,
        entry: &mut Entry,
        event: &Arc<Event>,
        key: &Text,
    ) {
        let Some(member) = entry.member(key) else {
            return;
        };
        if event.time < member.moved {
            return;
        }
        member.moved = event.time;
        if !std::mem::replace(&mut member.down, false) {
            return;
        }
        entry.note(event);
        entry.last = Some(bare(event));
        if entry.down().next().is_none() {
            match change.rule.plan.flap {
                // It will break again: its end is when it has been calm for a while.
                Some(flap) if entry.flapping && entry.phase == Phase::Open => {
                    entry.closing = Some(change.at + flap.within);
                }
                _ => self.end(change, entry, event.time),
            }
        } else if entry.phase == Phase::Waiting {
            self.wait(change, entry);
        }
    }

    /// Count `event`, in a new incident unless there is one.
    fn enter(&mut self, change: &Change<'_>, entry: &mut Entry, event: &Arc<Event>) {
        if entry.is_active() {
            entry.count += 1;
            entry.last = Some(bare(event));
        } else {
            let name = &change.rule.plan.name;
            let parts = [
                "incident",
                name,
                &event.controller,
                &event.site,
                &entry.key,
                &event.id,
            ];
            entry.incident = hashed_id(&parts, Timestamp::default()).into();
            entry.opener = Some(bare(event));
            entry.last = None;
            entry.since = event.time;
            entry.count = 1 + std::mem::take(&mut entry.carried);
            entry.ordinal = 0;
            entry.phase = Phase::Waiting;
        }
        entry.note(event);
    }

    /// Find out when the incident is to be told, and tell it when that is now.
    pub(super) fn wait(&mut self, change: &Change<'_>, entry: &mut Entry) {
        let plan = &change.rule.plan;
        let held = entry.down().map(|member| member.held).min();
        let hold = match held {
            // Nothing is gained by waiting for what comes back again and again.
            _ if entry.flapping => change.at,
            Some(held) => held,
            None => change.at,
        };
        let due = hold + plan.group_wait;
        let muted = entry.muted_until.filter(|until| *until > change.at);
        let due = due.max(muted.unwrap_or(due));
        entry.due = Some(due);
        if due <= change.at {
            entry.due = None;
            self.tell(change, entry);
        }
    }
}

/// Note that `key` is down.
fn set_down(entry: &mut Entry, event: &Event, key: &Text, held: Timestamp) {
    let (device, upstream) = on_the_way(event);
    if entry.member(key).is_none() {
        if entry.members.len() >= MAX_MEMBERS {
            let well = entry
                .members
                .iter()
                .enumerate()
                .filter(|(_, member)| !member.down);
            let oldest = well
                .min_by_key(|(_, member)| member.moved)
                .map(|(at, _)| at);
            // When all are down, one more changes nothing: it is counted.
            let Some(oldest) = oldest else { return };
            entry.members.remove(oldest);
        }
        entry.members.push(Member {
            key: key.clone(),
            ..Member::default()
        });
    }
    if let Some(member) = entry.member(key) {
        member.down = true;
        member.moved = member.moved.max(event.time);
        member.held = held;
        member.device = device;
        member.upstream = upstream;
    }
}

/// The device that an event says is down, and what it hangs on, the nearest first.
fn on_the_way(event: &Event) -> (Option<Mac>, Vec<Mac>) {
    let Some(device) = &event.device else {
        return (None, Vec::new());
    };
    let uplink = device.uplink.as_ref().and_then(|uplink| uplink.mac);
    if event.kind.category() == "device" {
        (device.mac, uplink.into_iter().collect())
    } else {
        (None, device.mac.into_iter().chain(uplink).collect())
    }
}

/// The event as it is kept.
fn bare(event: &Arc<Event>) -> Arc<Event> {
    if event.raw.is_none() {
        return Arc::clone(event);
    }
    let mut bare = Event::clone(event);
    bare.raw = None;
    Arc::new(bare)
}
