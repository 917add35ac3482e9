//! What a digest remembers of what came to it: how many of each kind, which incidents, and who was named how often.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use unifi_herald_plugin::{
    Alert, AlertState, Digest, DigestIncident, DigestTop, Event, Text, Timestamp,
};

/// Most incidents in a digest; beyond it, those that are over give way, the oldest first.
pub(super) const MAX_INCIDENTS: usize = 100;
/// Most names that are counted. A new one takes the place of the one that was named least, so that whoever is named
/// often is found, and nobody has a count that is too high.
pub(super) const MAX_NAMES: usize = 200;
/// Most names that are told.
pub(super) const MAX_TOP: usize = 10;
/// Longest name, in characters: they are chosen by strangers.
const MAX_NAME: usize = 100;
/// How long an incident whose end was never told is carried from one digest to the next.
const CARRIED: Duration = Duration::from_hours(7 * 24);

/// What was collected since the last digest.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Collected {
    /// Its beginning, counts and incidents.
    digest: Digest,
    names: Vec<DigestTop>,
}

impl Collected {
    /// Nothing yet.
    pub(super) fn since(since: Timestamp) -> Self {
        let mut collected = Self::default();
        collected.digest.since = since;
        collected
    }

    /// It is collected since `now`, unless it was before.
    pub(super) fn began(&mut self, now: Timestamp) {
        if self.digest.since == Timestamp::default() {
            self.digest.since = now;
        }
    }

    /// Whether nothing came. What is still open from before is nothing new.
    pub(super) fn is_empty(&self) -> bool {
        self.digest.counts.is_empty()
    }

    pub(super) fn add(&mut self, event: &Event) {
        let kind = event.kind.as_str().into();
        *self.digest.counts.entry(kind).or_default() += 1;
        if let Some(alert) = &event.alert {
            // Its subjects are those of an event that may have come as well.
            self.incident(alert);
            return;
        }
        for (what, name) in named(event) {
            self.name(what, &bounded(name));
        }
    }

    fn incident(&mut self, alert: &Alert) {
        let incidents = &mut self.digest.incidents;
        if let Some(known) = incidents.iter_mut().find(|known| known.id == alert.id) {
            // The title of the beginning says what it is about.
            known.until = alert.until.or(known.until);
            return;
        }
        if alert.state == AlertState::Folded && alert.until.is_none() {
            return;
        }
        if incidents.len() >= MAX_INCIDENTS {
            let over = incidents.iter().position(|known| known.until.is_some());
            incidents.remove(over.unwrap_or(0));
        }
        incidents.push(DigestIncident::of(alert));
    }

    fn name(&mut self, what: &str, name: &str) {
        let mut names = self.names.iter_mut();
        if let Some(known) = names.find(|known| *known.what == *what && *known.name == *name) {
            known.count += 1;
            return;
        }
        if self.names.len() >= MAX_NAMES {
            let least = self.names.iter().enumerate();
            let least = least.min_by_key(|(_, known)| known.count);
            if let Some((position, _)) = least {
                self.names.remove(position);
            }
        }
        self.names.push(DigestTop::new(what, name, 1));
    }

    /// What is told of it.
    pub(super) fn told(&self, name: &Text, until: Timestamp) -> Digest {
        let mut digest = self.digest.clone();
        digest.name = name.clone();
        digest.until = until;
        digest
            .incidents
            .sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        digest.top.clone_from(&self.names);
        digest.top.sort_by(|one, other| {
            let order = |top: &DigestTop| (top.what.clone(), top.name.clone());
            (other.count, order(one)).cmp(&(one.count, order(other)))
        });
        digest.top.truncate(MAX_TOP);
        digest
    }

    /// What the next digest begins with: the incidents that still last.
    pub(super) fn next(self, since: Timestamp) -> Self {
        let mut next = Self::since(since);
        next.digest.incidents = self.digest.incidents;
        next.digest
            .incidents
            .retain(|known| known.until.is_none() && known.since + CARRIED > since);
        next
    }
}

/// Who an event names, by what they are.
fn named(event: &Event) -> impl Iterator<Item = (&'static str, Text)> + use<> {
    let client = event.client.as_ref().and_then(|client| {
        let address = || client.mac.map(|mac| mac.to_string().into());
        let name = client.name.clone().or_else(|| client.hostname.clone());
        name.or_else(address)
    });
    let device = event.device.as_ref().and_then(|device| {
        let address = || device.mac.map(|mac| mac.to_string().into());
        device.name.clone().or_else(address)
    });
    let admin = event.admin.as_ref().and_then(|admin| admin.name.clone());
    let threat = event.threat.as_ref();
    let threat = threat.and_then(|threat| threat.signature.clone());
    [
        ("client", client),
        ("device", device),
        ("ssid", event.ssid.clone()),
        ("admin", admin),
        ("threat", threat),
    ]
    .into_iter()
    .filter_map(|(what, name)| Some((what, name.filter(|name| !name.is_empty())?)))
}

fn bounded(name: Text) -> Text {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]).into(),
        None => name,
    }
}
