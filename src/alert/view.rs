//! Incidents and silences for whoever looks at them, and what may be done to them.

use super::entry::{Entry, Phase};
use super::shelf::silence_change;
use super::silence::{MAX_SILENCES, Silence};
use super::{Alerts, words};
use crate::own_event::hashed_id;
use crate::store::{StateChange, StateEntry};
use serde::{Deserialize, Serialize};
use unifi_herald_plugin::{Severity, Text, Timestamp};

/// An incident that is not over, as it is also printed for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id, as in `alert.id` of its events.
    pub id: Text,
    /// Name of the alert.
    pub alert: Text,
    /// What it is about, as the alert's `key` or `group_by` made it.
    pub key: Text,
    /// Name of the controller.
    pub controller: Text,
    /// Short name of the site.
    pub site: Text,
    /// Where it is.
    pub state: Phase,
    /// How much it matters.
    pub severity: Severity,
    /// How many events it has counted.
    pub count: u64,
    /// When it began, by the controller's clock.
    pub since: Timestamp,
    /// One line for people.
    pub title: Text,
    /// Whether anybody was told.
    pub told: bool,
    /// Whether somebody takes care of it, so that it is not repeated.
    pub acknowledged: bool,
    /// Whether it comes and goes.
    pub flapping: bool,
    /// Until when a silence keeps it untold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silenced_until: Option<Timestamp>,
    /// What is down: keys of the alert.
    pub keys: Vec<Text>,
    /// Ids of the events behind it, oldest first.
    pub events: Vec<Text>,
}

/// What is asked for with a new silence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewSilence {
    /// Name of the alert; takes `*` and `?`.
    pub alert: Option<String>,
    /// Name or MAC address of the device; takes `*` and `?`.
    pub device: Option<String>,
    /// For how many seconds.
    pub seconds: u64,
    /// Why, for people.
    pub reason: String,
}

/// Longest a silence may last, in seconds: a year.
const MAX_SECONDS: u64 = 366 * 86_400;

/// Longest text of a silence, in bytes.
const MAX_TEXT: usize = 1000;

impl NewSilence {
    /// The silence, from `now` on.
    ///
    /// # Errors
    /// When it covers everything, lasts for nothing or too long, or is too wordy.
    pub fn begin(self, now: Timestamp) -> Result<Silence, String> {
        let Self {
            alert,
            device,
            seconds,
            reason,
        } = self;
        if alert.is_none() && device.is_none() {
            return Err("a silence is for an alert, a device, or both; `*` is for all".to_owned());
        }
        if seconds == 0 || seconds > MAX_SECONDS {
            return Err("a silence lasts for a second to a year".to_owned());
        }
        let texts = [alert.as_deref(), device.as_deref(), Some(&*reason)];
        if texts
            .into_iter()
            .flatten()
            .any(|text| text.len() > MAX_TEXT)
        {
            return Err(format!("a text of a silence may have {MAX_TEXT} bytes"));
        }
        let parts = [
            "silence",
            alert.as_deref().unwrap_or(""),
            device.as_deref().unwrap_or(""),
            &reason,
        ];
        Ok(Silence {
            id: hashed_id(&parts, now)[..12].to_owned(),
            since: now,
            until: now + std::time::Duration::from_secs(seconds),
            alert,
            device,
            reason,
        })
    }
}

impl Incident {
    /// What is known of the incident that a store remembers; none when there is none.
    #[must_use]
    pub fn remembered(
        alert: &str,
        kept: &StateEntry,
        silences: &[Silence],
        now: Timestamp,
    ) -> Option<Self> {
        let entry: Entry = serde_json::from_slice(&kept.value).ok()?;
        Self::of(alert, &entry, silences, now)
    }

    fn of(alert: &str, entry: &Entry, silences: &[Silence], now: Timestamp) -> Option<Self> {
        let opener = entry.opener.as_ref().filter(|_| entry.is_active())?;
        let covering = silences
            .iter()
            .filter(|silence| silence.covers(alert, opener, now));
        let title = match entry.title.is_empty() {
            true => words::begun(opener).into(),
            false => entry.title.clone(),
        };
        Some(Self {
            id: entry.incident.clone(),
            alert: alert.into(),
            key: entry.key.clone(),
            controller: entry.controller.clone(),
            site: entry.site.clone(),
            state: entry.phase,
            severity: entry.severity.unwrap_or(opener.severity),
            count: entry.count,
            since: entry.since,
            title,
            told: entry.told != super::entry::Told::Nobody,
            acknowledged: entry.acknowledged,
            flapping: entry.flapping,
            silenced_until: covering.map(|silence| silence.until).max(),
            keys: entry.down().map(|member| member.key.clone()).collect(),
            events: entry.events.iter().cloned().collect(),
        })
    }
}

impl Alerts {
    /// Every incident that is not over, the oldest first.
    #[must_use]
    pub fn incidents(&self, now: Timestamp) -> Vec<Incident> {
        let entries = self
            .book
            .iter()
            .filter(|(.., entry)| entry.phase != Phase::Closed);
        let incidents = entries.filter_map(|(alert, _, entry)| {
            let plan = &self.rules[alert].plan;
            let mut incident = Incident::of(&plan.name, entry, &self.silences, now)?;
            // What it will be told with, while it has not been.
            if let (None, Some(severity)) = (entry.severity, plan.severity) {
                incident.severity = severity;
            }
            Some(incident)
        });
        let mut incidents: Vec<Incident> = incidents.collect();
        incidents.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        incidents
    }

    /// Do not repeat the incident of this id; false when there is none.
    pub fn acknowledge(&mut self, incident: &str) -> bool {
        let found = self
            .book
            .iter()
            .find(|(.., entry)| entry.is_active() && &*entry.incident == incident);
        let place = found.map(|(alert, id, _)| (alert, id.clone()));
        let Some(place) = place else {
            return false;
        };
        if let Some(mut entry) = self.book.take(&place) {
            entry.acknowledged = true;
            self.book.put(place, entry);
        }
        true
    }

    /// The silences that last, the newest last.
    #[must_use]
    pub fn silences(&self, now: Timestamp) -> Vec<Silence> {
        let lasting = self.silences.iter().filter(|silence| now < silence.until);
        lasting.cloned().collect()
    }

    /// Keep a silence from now on.
    ///
    /// # Errors
    /// When there are too many.
    pub fn silence(&mut self, silence: Silence, now: Timestamp) -> Result<(), String> {
        let over = self.silences.extract_if(.., |silence| silence.until <= now);
        self.silences_changed.extend(over.map(|silence| silence.id));
        if self.silences.len() >= MAX_SILENCES {
            return Err(format!("there are {MAX_SILENCES} silences already"));
        }
        self.silences_changed.push(silence.id.clone());
        self.silences.retain(|known| known.id != silence.id);
        self.silences.push(silence);
        Ok(())
    }

    /// Go by these silences from now on, which are kept elsewhere. What one that is gone kept untold is told.
    pub fn follow_silences(&mut self, silences: &[Silence], now: Timestamp) {
        let known = self.silences.iter().map(|silence| silence.id.clone());
        let known: Vec<String> = known.collect();
        for id in known {
            if !silences.iter().any(|silence| silence.id == id) {
                self.end_silence(&id, now);
            }
        }
        self.silences = silences.to_vec();
        self.silences_changed.clear();
    }

    /// End a silence; false when there is none of this id. What it kept untold is told.
    pub fn end_silence(&mut self, id: &str, now: Timestamp) -> bool {
        let Some(at) = self.silences.iter().position(|silence| silence.id == id) else {
            return false;
        };
        let ended = self.silences.remove(at);
        self.silences_changed.push(ended.id.clone());
        for place in self.book.places() {
            let waits = self.book.get(&place).is_some_and(|entry| {
                entry.phase == Phase::Open
                    && [entry.due, entry.closing].contains(&Some(ended.until))
            });
            if !waits {
                continue;
            }
            if let Some(mut entry) = self.book.take(&place) {
                for time in [&mut entry.due, &mut entry.closing] {
                    if *time == Some(ended.until) {
                        *time = Some(now);
                    }
                }
                self.book.put(place, entry);
            }
        }
        true
    }
}

/// The change that acknowledges an incident which a store remembers; none when it is not that one.
#[must_use]
pub fn acknowledged(alert: &str, kept: &StateEntry, incident: &str) -> Option<StateChange> {
    let mut entry: Entry = serde_json::from_slice(&kept.value).ok()?;
    if !entry.is_active() || &*entry.incident != incident {
        return None;
    }
    entry.acknowledged = true;
    Some(StateChange::Set {
        scope: super::scope(alert),
        key: kept.key.clone(),
        value: serde_json::to_vec(&entry).ok()?,
        expires: kept.expires,
    })
}

/// The change that makes a store remember a silence.
#[must_use]
pub fn silenced(silence: &Silence) -> StateChange {
    silence_change(&silence.id, Some(silence))
}

/// The change that makes a store forget a silence.
#[must_use]
pub fn unsilenced(id: &str) -> StateChange {
    silence_change(id, None)
}
