//! What is remembered of one key of one alert on one site: its incident while there is one, and a trace of it afterwards.

use super::event_json;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Event, MAX_ALERT_EVENTS, Mac, Severity, Text, Timestamp};

/// Most keys that are remembered of one group.
pub(super) const MAX_MEMBERS: usize = 256;

/// Most folded incidents that one message lists.
pub(super) const MAX_FOLDS: usize = 100;

/// Where an incident is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// There is none.
    #[default]
    Closed,
    /// It has begun and is not told yet: in hold, muted, or waiting for something.
    Waiting,
    /// Another explains it.
    Folded,
    /// It is open.
    Open,
}

/// Who was told that an incident has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    #[default]
    Nobody,
    /// The digest that stands in during quiet hours.
    Digest,
    Sinks,
}

/// One key of an alert, or one group of keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub(super) controller: Text,
    pub(super) site: Text,
    /// Of the group, or of its only member.
    pub(super) key: Text,
    pub(super) phase: Phase,
    /// Id of the incident.
    pub(super) incident: Text,
    #[serde(with = "event_json", skip_serializing_if = "Option::is_none")]
    pub(super) opener: Option<Arc<Event>>,
    #[serde(with = "event_json", skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Arc<Event>>,
    pub(super) members: Vec<Member>,
    /// As it was told last.
    pub(super) title: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) severity: Option<Severity>,
    pub(super) count: u64,
    /// What a limit kept untold, for the next incident to count.
    pub(super) carried: u64,
    pub(super) events: VecDeque<Text>,
    /// When it began, by the controller's clock.
    pub(super) since: Timestamp,
    /// When it ended, while it is not told yet.
    pub(super) until: Option<Timestamp>,
    pub(super) told: Told,
    /// How many messages there were.
    pub(super) ordinal: u64,
    pub(super) acknowledged: bool,
    pub(super) flapping: bool,
    /// When it is to be told.
    pub(super) due: Option<Timestamp>,
    /// How long a field is waited for.
    pub(super) waited_until: Option<Timestamp>,
    /// When it is to be over.
    pub(super) closing: Option<Timestamp>,
    /// When it is to be told again.
    pub(super) repeat: Option<Timestamp>,
    /// Until when work mutes it, and when that was last said, by the controller's clock.
    pub(super) muted_until: Option<Timestamp>,
    pub(super) mute_said: Option<Timestamp>,
    /// Incidents that it explains and that are not listed yet.
    pub(super) folds: Vec<Fold>,
    pub(super) folds_due: Option<Timestamp>,
    /// When it opened, for `flap`; when it was told, for `limit`. The newest last.
    pub(super) opened: VecDeque<Timestamp>,
    pub(super) tells: VecDeque<Timestamp>,
    /// When something last happened to it.
    pub(super) touched: Timestamp,
    /// Under which time it stands among the timers.
    #[serde(skip)]
    pub(super) scheduled: Option<Timestamp>,
}

/// One thing that is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    pub(super) key: Text,
    pub(super) down: bool,
    /// When it last changed, by the controller's clock.
    pub(super) moved: Timestamp,
    /// Until when it is in hold.
    pub(super) held: Timestamp,
    /// The device it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<Mac>,
    /// What it hangs on, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) upstream: Vec<Mac>,
}

/// An incident that another explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fold {
    pub(super) event: Text,
    pub(super) title: Text,
}

impl Entry {
    pub(super) fn is_active(&self) -> bool {
        self.phase != Phase::Closed
    }

    pub(super) fn member(&mut self, key: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| &*member.key == key)
    }

    pub(super) fn down(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.down)
    }

    /// Note an event: its id once, the newest of them.
    pub(super) fn note(&mut self, event: &Arc<Event>) {
        if self.events.len() >= MAX_ALERT_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event.id.clone());
    }

    /// When something is to happen by itself.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let times = [self.due, self.closing, self.repeat, self.folds_due];
        times.into_iter().flatten().min()
    }

    /// Whether one more may be told at `at`; otherwise when.
    pub(super) fn limited_until(
        &self,
        max: usize,
        within: Duration,
        at: Timestamp,
    ) -> Option<Timestamp> {
        let recent = self.tells.iter().filter(|told| **told + within > at);
        if recent.count() < max {
            return None;
        }
        let oldest = self.tells.len().checked_sub(max)?;
        self.tells.get(oldest).map(|told| *told + within)
    }

    /// The incident is over: what is kept is what the next one must know.
    pub(super) fn close(&mut self) {
        self.phase = Phase::Closed;
        self.opener = None;
        self.last = None;
        self.title = Text::default();
        self.severity = None;
        self.count = 0;
        self.events.clear();
        self.until = None;
        self.told = Told::Nobody;
        self.acknowledged = false;
        self.flapping = false;
        self.due = None;
        self.waited_until = None;
        self.closing = None;
        self.repeat = None;
        self.folds.clear();
        self.folds_due = None;
        for member in &mut self.members {
            member.down = false;
        }
    }
}

/// Drop moments before `at - within`, and all but the newest `most`.
pub(super) fn prune(
    moments: &mut VecDeque<Timestamp>,
    within: Duration,
    most: usize,
    at: Timestamp,
) {
    while let Some(first) = moments.front()
        && (*first + within <= at || moments.len() > most)
    {
        moments.pop_front();
    }
}
