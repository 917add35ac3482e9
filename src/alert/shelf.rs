//! What alerts remember, on its way to the store and back, and from old alerts to new ones.

use super::Alerts;
use super::entry::Entry;
use super::silence::Silence;
use crate::store::{Hole, HoleChange, StateChange, StateEntry};
use std::time::Duration;
use unifi_herald_plugin::{Text, Timestamp};

/// Where silences are kept in a store.
pub(crate) const SILENCES: &str = "silences";

/// How long an incident is kept whose alert nobody runs any more.
const FORGOTTEN: Duration = Duration::from_hours(90 * 24);

/// What the scopes of all alerts begin with.
pub(crate) const SCOPES: &str = "alert/";

/// Where what the alert `name` remembers is kept in a store.
pub(crate) fn scope(name: &str) -> Text {
    format!("{SCOPES}{name}").into()
}

impl Alerts {
    /// Remember what was committed before, as `load` gives it by scope: before the first event.
    ///
    /// # Errors
    /// When `load` fails.
    pub fn load<E>(
        &mut self,
        load: &mut impl FnMut(&str) -> Result<Vec<StateEntry>, E>,
    ) -> Result<(), E> {
        for alert in 0..self.rules.len() {
            let scope = scope(&self.rules[alert].plan.name);
            let mut unreadable = 0;
            for StateEntry { key, value, .. } in load(&scope)? {
                match serde_json::from_slice::<Entry>(&value) {
                    Ok(entry) => self.book.put((alert, key), entry),
                    Err(_) => unreadable += 1,
                }
            }
            if unreadable > 0 {
                tracing::warn!(scope = %scope, unreadable, "some of what an alert remembered cannot be read and is forgotten");
            }
        }
        for StateEntry { value, .. } in load(SILENCES)? {
            if let Ok(silence) = serde_json::from_slice::<Silence>(&value) {
                self.silences.push(silence);
            }
        }
        // It is what the store has.
        drop(self.book.take_changed());
        Ok(())
    }

    /// The process begins at `now`, with these holes to repair: what fell due while it was down waits for the first
    /// repair of its site.
    pub fn begin(&mut self, holes: &[Hole], now: Timestamp) {
        self.repairs.begin(now);
        for hole in holes {
            self.repairs.change(&HoleChange::Open(hole.clone()), now);
        }
        self.set_back(now);
        drop(self.book.take_changed());
        self.latest = now;
    }

    /// A hole was opened, narrowed or closed.
    pub fn hole_changed(&mut self, change: &HoleChange, now: Timestamp) {
        self.repairs.change(change, now);
    }

    /// What changed since the last call: part of the batch's commit.
    #[must_use]
    pub fn take_state(&mut self) -> Vec<StateChange> {
        let mut changes = std::mem::take(&mut self.forgotten);
        for (alert, id) in self.book.take_changed() {
            let rule = &self.rules[alert];
            let scope = scope(&rule.plan.name);
            changes.push(match self.book.get(&(alert, id.clone())) {
                Some(entry) => StateChange::Set {
                    scope,
                    key: id,
                    // Cannot fail: it has no map whose keys are not text.
                    value: serde_json::to_vec(entry).unwrap_or_default(),
                    expires: Some(if entry.is_active() {
                        entry.touched + FORGOTTEN
                    } else {
                        entry.touched + rule.trace()
                    }),
                },
                None => StateChange::Forget { scope, key: id },
            });
        }
        for id in std::mem::take(&mut self.silences_changed) {
            let kept = self.silences.iter().find(|silence| silence.id == id);
            changes.push(silence_change(&id, kept));
        }
        changes
    }

    /// Go on with what the alerts of `old` remember, by name: between two batches.
    pub fn inherit(&mut self, old: &mut Self) {
        for alert in 0..self.rules.len() {
            let name = &self.rules[alert].plan.name;
            let Some(was) = old.rules.iter().position(|rule| rule.plan.name == *name) else {
                continue;
            };
            // What was loaded is older than what is taken over.
            let loaded = self.book.places().into_iter();
            for place in loaded.filter(|place| place.0 == alert) {
                self.book.take(&place);
            }
            let places = old.book.places();
            for place in places.into_iter().filter(|place| place.0 == was) {
                if let Some(entry) = old.book.take(&place) {
                    self.book.put((alert, place.1), entry);
                }
            }
            self.complained[alert] = old.complained[was];
        }
        self.take_in_rest(old);
        self.silences = std::mem::take(&mut old.silences);
        self.silences_changed = std::mem::take(&mut old.silences_changed);
        self.repairs = std::mem::take(&mut old.repairs);
        self.said = std::mem::take(&mut old.said);
        self.latest = old.latest;
        if self.directory.is_none() {
            self.directory = old.directory.take();
        }
        self.set_back(self.latest);
    }
}

/// The change that makes a store have the silence, or not.
pub(super) fn silence_change(id: &str, silence: Option<&Silence>) -> StateChange {
    match silence {
        Some(silence) => StateChange::Set {
            scope: SILENCES.into(),
            key: id.into(),
            value: serde_json::to_vec(silence).unwrap_or_default(),
            expires: Some(silence.until),
        },
        None => StateChange::Forget {
            scope: SILENCES.into(),
            key: id.into(),
        },
    }
}
