//! Who joins a network for the first time: what is known of each site's clients, and the event that a new one makes.
//!
//! Pure: takes `now`. The store keeps what is known; it is loaded at the start and changed with the batch that changed
//! it, so that an event which comes again after a crash makes the same event again, and a restart makes none.

mod announce;
mod known;

use crate::store::{StateChange, StateEntry};
use announce::{announce, tells_of_presence};
use known::Known;
use std::time::Duration;
use unifi_herald_plugin::{Event, Mac, Origin, Text, Timestamp};

/// Where the store keeps the sites; their clients are below, by controller and site.
const SCOPE: &str = "clients";

/// Most clients known of one site.
const CAPACITY: usize = 50_000;

/// How long the clients of a site are learned in silence when its lists cannot be read.
const SILENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Between controller and site in the names that the store keeps; the names of controllers do not have it.
const JOINT: char = '/';

/// The clients a controller lists for one of its sites: known before anything is said of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// Name of the controller.
    pub controller: Text,
    /// Short name of the site.
    pub site: Text,
    /// Their addresses.
    pub clients: Vec<Mac>,
}

/// The clients known of every site.
#[derive(Debug)]
pub struct Newcomers {
    sites: Vec<Site>,
    capacity: usize,
}

#[derive(Debug)]
struct Site {
    controller: Text,
    name: Text,
    known: Known,
    standing: Standing,
    /// Whether the store does not have the standing yet.
    changed: bool,
}

/// Whether an unknown client is a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The lists were read when the site was met.
    Listed,
    /// They were not, so far: unknown clients are learned in silence until then.
    Learning(Timestamp),
}

impl Default for Newcomers {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl Newcomers {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            sites: Vec::new(),
            capacity,
        }
    }

    /// Know what was committed before, as `load` gives it by scope: before the first event.
    ///
    /// # Errors
    /// When `load` fails.
    pub fn load<E>(
        &mut self,
        mut load: impl FnMut(&str) -> Result<Vec<StateEntry>, E>,
    ) -> Result<(), E> {
        for entry in load(SCOPE)? {
            let Some((controller, name)) = entry.key.split_once(JOINT) else {
                continue;
            };
            let Some(standing) = Standing::read(&entry.value) else {
                tracing::warn!(%controller, site = %name, "what is known of a site's clients could not be read, they are learned anew");
                continue;
            };
            let mut known = Known::new(self.capacity);
            known.load(load(&scope_of(controller, name))?);
            self.sites.push(Site {
                controller: controller.into(),
                name: name.into(),
                known,
                standing,
                changed: false,
            });
        }
        Ok(())
    }

    /// Take the lists of a site that was met. Only the first counts: who is in a later one may have joined meanwhile,
    /// and the history is still to tell of it.
    pub fn take_roll(&mut self, roll: &Roll, now: Timestamp) {
        let site = self.site(&roll.controller, &roll.site, now);
        if site.standing == Standing::Listed {
            return;
        }
        site.standing = Standing::Listed;
        site.changed = true;
        for client in &roll.clients {
            site.known.see(*client, now);
        }
    }

    /// The event that `event` makes when it is the first to name its client; none is made for `history` from before
    /// herald, whose clients are known from then on.
    pub fn judge(&mut self, event: &Event, history: bool, now: Timestamp) -> Option<Event> {
        if event.origin == Origin::Derived || !tells_of_presence(event.kind) {
            return None;
        }
        let client = event.client.as_ref()?;
        let mac = client.mac?;
        let site = self.site(&event.controller, &event.site, now);
        let told = match site.standing {
            Standing::Listed => true,
            Standing::Learning(until) => now >= until,
        };
        let new = site.known.see(mac, now);
        (new && told && !history).then(|| announce(event, client, mac))
    }

    /// What is known differently since the last call: part of the batch's commit.
    pub fn take_state(&mut self, changes: &mut Vec<StateChange>) {
        for site in &mut self.sites {
            if std::mem::take(&mut site.changed) {
                changes.push(StateChange::Set {
                    scope: SCOPE.into(),
                    key: format!("{}{JOINT}{}", site.controller, site.name).into(),
                    value: site.standing.write(),
                    expires: None,
                });
            }
            if site.known.has_changed() {
                let scope = scope_of(&site.controller, &site.name).into();
                site.known.take_changes(&scope, changes);
            }
        }
    }

    /// How many clients were forgotten for want of room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.sites.iter().map(|site| site.known.forgotten()).sum()
    }

    /// The site, met `now` when it was not before.
    fn site(&mut self, controller: &Text, name: &Text, now: Timestamp) -> &mut Site {
        let is = |site: &Site| site.controller == *controller && site.name == *name;
        let at = self.sites.iter().position(is).unwrap_or_else(|| {
            self.sites.push(Site {
                controller: controller.clone(),
                name: name.clone(),
                known: Known::new(self.capacity),
                standing: Standing::Learning(now + SILENCE),
                changed: true,
            });
            self.sites.len() - 1
        });
        &mut self.sites[at]
    }
}

impl Standing {
    fn write(self) -> Vec<u8> {
        match self {
            Self::Listed => b"listed".to_vec(),
            Self::Learning(until) => until.as_millis().to_string().into_bytes(),
        }
    }

    fn read(value: &[u8]) -> Option<Self> {
        if value == b"listed" {
            return Some(Self::Listed);
        }
        let until = std::str::from_utf8(value).ok()?.parse().ok()?;
        Some(Self::Learning(Timestamp::from_millis(until)))
    }
}

fn scope_of(controller: &str, site: &str) -> String {
    format!("{SCOPE}{JOINT}{controller}{JOINT}{site}")
}

#[cfg(test)]
mod tests;
