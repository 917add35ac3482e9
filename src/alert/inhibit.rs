//! What explains an incident, and what happens when that is over.

use super::Alerts;
use super::book::Place;
use super::entry::{Entry, Fold, MAX_FOLDS, Member, Phase, Told};
use super::machine::Change;
use crate::config::Inhibitor;
use std::time::Duration;
use unifi_herald_plugin::{Mac, Text, Timestamp};

/// How long the first folded incident waits for others before they are listed.
pub(super) const LIST_WAIT: Duration = Duration::from_secs(30);

/// How far upstream is looked, and how many incidents may explain one another.
const DEPTH: usize = 16;

impl Alerts {
    /// What explains the incident of `entry`, which is one of `alert` and not in the book.
    pub(super) fn explanation(&self, alert: usize, entry: &Entry) -> Option<Place> {
        self.rules[alert]
            .plan
            .inhibit_by
            .iter()
            .find_map(|inhibitor| match inhibitor {
                Inhibitor::Uplink => self.upstream(alert, entry),
                Inhibitor::Alert(other) => {
                    let mut entries = self.book.of_alert(*other);
                    let open = |other: &Entry| {
                        other.phase == Phase::Open
                            && other.controller == entry.controller
                            && other.site == entry.site
                    };
                    let found = entries.find(|(_, other)| open(other));
                    found.map(|(id, _)| (*other, id.clone()))
                }
            })
    }

    /// An incident about a device on the way to everything that is down here; best one of the same alert, which speaks
    /// to the same people.
    fn upstream(&self, alert: usize, entry: &Entry) -> Option<Place> {
        let mut found = None;
        for member in entry.down() {
            found = Some(self.above(alert, entry, member)?);
        }
        found
    }

    fn above(&self, alert: usize, entry: &Entry, member: &Member) -> Option<Place> {
        let mut seen: Vec<Mac> = member.device.into_iter().collect();
        let mut next: Vec<Mac> = member.upstream.clone();
        while let Some(mac) = next.pop() {
            if seen.contains(&mac) || seen.len() > DEPTH {
                continue;
            }
            seen.push(mac);
            let lasts = |place: &&Place| self.rules[place.0].plan.lasts();
            let down = self.book.down(&entry.controller, &entry.site, mac);
            let mut lasting = down.iter().filter(lasts);
            let own = down.iter().find(|place| place.0 == alert && lasts(place));
            if let Some(place) = own.or_else(|| lasting.next()) {
                return Some(place.clone());
            }
            if let Some(directory) = &self.directory {
                next.extend(directory.uplink(&entry.controller, &entry.site, mac));
            }
        }
        None
    }

    /// The incident is explained by that at `parent`: it is listed there and not told.
    pub(super) fn fold(&mut self, change: &Change<'_>, entry: &mut Entry, parent: Place) {
        let mut folds = std::mem::take(&mut entry.folds);
        if let Some(opener) = &entry.opener {
            folds.push(Fold {
                event: opener.id.clone(),
                title: self.title(change.rule, entry, opener),
            });
        }
        let root = self.root(parent);
        if let Some(mut explains) = self.book.take(&root) {
            let room = MAX_FOLDS.saturating_sub(explains.folds.len());
            explains.folds.extend(folds.into_iter().take(room));
            if explains.phase == Phase::Open && explains.told == Told::Sinks {
                explains.folds_due.get_or_insert(change.at + LIST_WAIT);
            }
            self.book.put(root, explains);
        }
        entry.folds_due = None;
        entry.due = None;
        if change.rule.plan.lasts() {
            entry.phase = Phase::Folded;
        } else {
            entry.close();
        }
    }

    /// What explains what explains it, to the end.
    fn root(&self, place: Place) -> Place {
        let mut root = place;
        for _ in 0..DEPTH {
            let Some(entry) = self.book.get(&root) else {
                break;
            };
            if entry.phase != Phase::Folded {
                break;
            }
            let Some(above) = self.explanation(root.0, entry) else {
                break;
            };
            if above == root {
                break;
            }
            root = above;
        }
        root
    }

    /// Something on the site of `entry` is over.
    pub(super) fn ended(&mut self, entry: &Entry, at: Timestamp) {
        self.released
            .push((entry.controller.clone(), entry.site.clone(), at));
    }

    /// What is down and not explained any more will be told after its hold.
    pub(super) fn release(&mut self, now: Timestamp) {
        while let Some((controller, site, at)) = self.released.pop() {
            for place in self.folded(&controller, &site) {
                let rule = std::sync::Arc::clone(&self.rules[place.0]);
                let Some(mut entry) = self.book.take(&place) else {
                    continue;
                };
                if self.explanation(place.0, &entry).is_none() {
                    let at = at.min(now);
                    entry.phase = Phase::Waiting;
                    entry.due = Some(at + rule.plan.hold);
                    entry.touched = entry.touched.max(at);
                }
                self.book.put(place, entry);
            }
        }
    }

    fn folded(&self, controller: &Text, site: &Text) -> Vec<Place> {
        let folded = self.book.iter().filter(|(_, _, entry)| {
            entry.phase == Phase::Folded && entry.controller == *controller && entry.site == *site
        });
        folded.map(|(alert, id, _)| (alert, id.clone())).collect()
    }
}
