//! The known clients of one site: bounded, those not seen for longest forgotten, collected for the batch's commit.

use crate::store::{StateChange, StateEntry};
use foldhash::HashMap;
use unifi_herald_plugin::{Mac, Text, Timestamp};

/// How often it is noted again that a known client was seen, so that who is there is not the oldest.
const REFRESH_MS: i64 = 24 * 60 * 60 * 1000;

/// Clients by address, with the time of the last note.
#[derive(Debug)]
pub(super) struct Known {
    seen: HashMap<Mac, i64>,
    capacity: usize,
    /// Who was noted or forgotten since the last commit.
    changed: Vec<Mac>,
    forgotten: u64,
}

impl Known {
    /// Nobody yet, and never more than `capacity`, which is at least 1.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            seen: HashMap::default(),
            capacity: capacity.max(1),
            changed: Vec::new(),
            forgotten: 0,
        }
    }

    /// Whether `client`, which is known from now on, was not.
    pub(super) fn see(&mut self, client: Mac, now: Timestamp) -> bool {
        let now = now.as_millis();
        if let Some(at) = self.seen.get_mut(&client) {
            if now.saturating_sub(*at) >= REFRESH_MS {
                *at = now;
                self.changed.push(client);
            }
            return false;
        }
        self.make_room();
        self.seen.insert(client, now);
        self.changed.push(client);
        true
    }

    /// Know what was committed before; an entry that cannot be read is passed over.
    pub(super) fn load(&mut self, entries: Vec<StateEntry>) {
        for entry in entries {
            let at = std::str::from_utf8(&entry.value).ok();
            let at = at.and_then(|at| at.parse().ok());
            if let (Ok(client), Some(at)) = (entry.key.parse(), at) {
                self.make_room();
                self.seen.insert(client, at);
            }
        }
    }

    pub(super) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Append what changed since the last call, under the store's `scope`.
    pub(super) fn take_changes(&mut self, scope: &Text, changes: &mut Vec<StateChange>) {
        for client in self.changed.drain(..) {
            let key = client.to_string().into();
            let scope = scope.clone();
            changes.push(match self.seen.get(&client) {
                Some(at) => StateChange::Set {
                    scope,
                    key,
                    value: at.to_string().into_bytes(),
                    expires: None,
                },
                None => StateChange::Forget { scope, key },
            });
        }
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// A sixteenth at once, so that a flood of addresses does not cost a walk over all of them for each.
    fn make_room(&mut self) {
        if self.seen.len() < self.capacity {
            return;
        }
        let mut by_age: Vec<(i64, Mac)> = self.seen.iter().map(|(mac, at)| (*at, *mac)).collect();
        by_age.sort_unstable();
        by_age.truncate((self.capacity / 16).max(1));
        for (_, client) in by_age {
            self.seen.remove(&client);
            self.changed.push(client);
            self.forgotten += 1;
        }
    }
}
