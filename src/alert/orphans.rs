//! Incidents of alerts that have left the configuration: nobody watches for their end any more, so they end now.

use super::entry::{Entry, Told};
use super::message::{title, told_by};
use super::shelf::{SCOPES, scope};
use super::{Addressee, Alerts, Said, words};
use crate::store::{StateChange, StateEntry};
use std::sync::Arc;
use unifi_herald_plugin::{Alert, AlertState, Event, Text, Timestamp};

/// What an alert left behind.
#[derive(Debug)]
pub(super) struct Orphan {
    /// The alert.
    name: Text,
    id: Text,
    entry: Entry,
}

impl Alerts {
    /// Take in what a store remembers, under `scopes`, of alerts that are not among these.
    ///
    /// # Errors
    /// When `load` fails.
    pub fn take_in<E>(
        &mut self,
        scopes: &[Text],
        load: &mut impl FnMut(&str) -> Result<Vec<StateEntry>, E>,
    ) -> Result<(), E> {
        for scope in scopes {
            let Some(name) = scope.strip_prefix(SCOPES) else {
                continue;
            };
            if self.rules.iter().any(|rule| *rule.plan.name == *name) {
                continue;
            }
            for StateEntry { key, value, .. } in load(scope)? {
                // What cannot be read has nothing to say, and is forgotten as well.
                let entry = serde_json::from_slice(&value).unwrap_or_default();
                self.orphans.push(Orphan {
                    name: name.into(),
                    id: key,
                    entry,
                });
            }
        }
        Ok(())
    }

    /// Take in what is left of `old`, once what goes on was taken over.
    pub(super) fn take_in_rest(&mut self, old: &mut Self) {
        self.orphans.append(&mut old.orphans);
        self.forgotten.append(&mut old.forgotten);
        for place in old.book.places() {
            let name = old.rules[place.0].plan.name.clone();
            if self.rules.iter().any(|rule| rule.plan.name == name) {
                continue;
            }
            if let Some(entry) = old.book.take(&place) {
                let id = place.1;
                self.orphans.push(Orphan { name, id, entry });
            }
        }
    }

    /// End what was taken in: whoever was told of its beginning is told why nothing more will be heard of it.
    pub(super) fn end_orphans(&mut self, now: Timestamp) {
        for orphan in std::mem::take(&mut self.orphans) {
            if let Some(event) = last_word(&orphan.name, &orphan.entry, now) {
                self.said.push(Said {
                    to: Addressee::EveryChain,
                    event: Arc::new(event),
                });
            }
            self.forgotten.push(StateChange::Forget {
                scope: scope(&orphan.name),
                key: orphan.id,
            });
        }
    }
}

/// None when nobody was told that it has begun.
fn last_word(name: &Text, entry: &Entry, now: Timestamp) -> Option<Event> {
    let opener = entry.opener.as_deref()?;
    if !entry.is_active() || entry.told != Told::Sinks {
        return None;
    }
    let mut alert = Alert::new(entry.incident.clone(), name.clone(), entry.since);
    alert.key = entry.key.clone();
    alert.state = AlertState::Resolved;
    alert.severity = entry.severity.unwrap_or(opener.severity);
    alert.count = entry.count;
    alert.until = Some(now);
    alert.duration_s = now.since(entry.since).as_secs();
    alert.events = entry.events.iter().cloned().collect();
    let was = if entry.title.is_empty() {
        words::begun(opener)
    } else {
        entry.title.to_string()
    };
    alert.title = title(&format!("No longer watched: {was}"));
    alert.body = format!(
        "The alert {name} has left the configuration while this was open. Whether it is over is not known; herald says no more of it."
    )
    .into();
    let mut event = told_by(opener.clone(), entry, alert, now, now);
    event.reason = Some(format!("the alert {name} has left the configuration").into());
    Some(event)
}
