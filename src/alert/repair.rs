//! When a site's history is being repaired: what is due waits for it, so that no message is made of half the story.

use crate::store::{Hole, HoleChange};
use std::collections::HashMap;
use std::time::Duration;
use unifi_herald_plugin::{Text, Timestamp};

/// How long a repair is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The repairs under way.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Since when the first repair of every site is waited for.
    begun: Option<Timestamp>,
    /// Sites that were repaired since then, and open holes by id.
    repaired: Vec<(Text, Text)>,
    holes: HashMap<u64, Repair>,
}

#[derive(Debug)]
struct Repair {
    controller: Text,
    site: Text,
    /// When its end was known, or when it was opened.
    since: Timestamp,
    ended: bool,
    /// Whether the history has told what it knew of it.
    read: bool,
}

impl Repairs {
    /// The process has begun: every site is waited for.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.begun = Some(now);
        self.repaired.clear();
    }

    pub(super) fn change(&mut self, change: &HoleChange, now: Timestamp) {
        match change {
            HoleChange::Open(hole) => self.open(hole, now),
            HoleChange::Shrink { id, to, read, .. } => {
                let Some(repair) = self.holes.get_mut(id) else {
                    return;
                };
                if to.is_some() && !std::mem::replace(&mut repair.ended, true) {
                    repair.since = now;
                }
                repair.read = *read;
                if *read {
                    let site = (repair.controller.clone(), repair.site.clone());
                    self.repaired(site);
                }
            }
            HoleChange::Close { id } => {
                if let Some(closed) = self.holes.remove(id) {
                    self.repaired((closed.controller, closed.site));
                }
            }
        }
    }

    fn repaired(&mut self, site: (Text, Text)) {
        if !self.repaired.contains(&site) && self.begun.is_some() {
            self.repaired.push(site);
        }
    }

    fn open(&mut self, hole: &Hole, now: Timestamp) {
        self.holes.insert(
            hole.id,
            Repair {
                controller: hole.controller.clone(),
                site: hole.site.clone(),
                since: now,
                ended: hole.to.is_some(),
                read: false,
            },
        );
    }

    /// Until when what is `due` on a site waits; none when it does not. The first repair is waited for by what fell due
    /// while nobody was there.
    pub(super) fn wait(
        &mut self,
        (controller, site): (&Text, &Text),
        due: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let waits = |since: Timestamp| {
            let end = since + PATIENCE;
            // A clock that was set back does not make it wait for longer.
            (since <= now && now < end).then_some(end)
        };
        if self.begun.is_some_and(|begun| waits(begun).is_none()) {
            self.begun = None;
            self.repaired.clear();
        }
        // What comes late, when a hole was read, is not waited for.
        let is = |one: &Repair| !one.read && one.controller == *controller && one.site == *site;
        let holes = self.holes.values().filter(|hole| is(hole));
        if let Some(end) = holes.filter_map(|hole| waits(hole.since)).max() {
            return Some(end);
        }
        let known = |(c, s): &(Text, Text)| c == controller && s == site;
        match self.begun {
            Some(begun) if due <= begun && !self.repaired.iter().any(known) => waits(begun),
            _ => None,
        }
    }
}
