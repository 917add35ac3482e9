//! The entries of all alerts, by key, with their timers and an index of the devices that are down.

use super::entry::{Entry, Phase};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use unifi_herald_plugin::{Mac, Text, Timestamp};

/// Most keys of one alert. Beyond it the trace that is oldest is forgotten; when all have incidents, a new one is
/// refused and counted.
pub(super) const MAX_KEYS: usize = 10_000;

/// Names an entry: the position of its alert, and controller, site and key.
pub(super) type Place = (usize, Text);

/// Separates the parts of an id; no name has it.
const SEPARATOR: char = '\u{1f}';

/// All entries.
#[derive(Debug, Default)]
pub(super) struct Book {
    entries: Vec<BTreeMap<Text, Entry>>,
    timers: BTreeSet<(Timestamp, usize, Text)>,
    /// Devices that are down, and by which entries.
    devices: HashMap<(Text, Text, Mac), Vec<Place>>,
    /// Entries that have a key that is down, by site and key.
    holders: HashMap<Holder, Text>,
    changed: BTreeSet<Place>,
    refused: u64,
}

/// Alert, controller, site and key.
type Holder = (usize, Text, Text, Text);

/// The name of an entry within its alert.
pub(super) fn id(controller: &str, site: &str, key: &str) -> Text {
    format!("{controller}{SEPARATOR}{site}{SEPARATOR}{key}").into()
}

impl Book {
    pub(super) fn add_alert(&mut self) {
        self.entries.push(BTreeMap::new());
    }

    pub(super) fn get(&self, (alert, id): &Place) -> Option<&Entry> {
        self.entries.get(*alert)?.get(id)
    }

    /// All entries in the order of alerts and ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Text, &Entry)> {
        let alerts = self.entries.iter().enumerate();
        alerts
            .flat_map(|(alert, entries)| entries.iter().map(move |(id, entry)| (alert, id, entry)))
    }

    pub(super) fn of_alert(&self, alert: usize) -> impl Iterator<Item = (&Text, &Entry)> {
        self.entries.get(alert).into_iter().flatten()
    }

    /// The entry that has `key` down, whichever its group.
    pub(super) fn holder(
        &self,
        alert: usize,
        controller: &Text,
        site: &Text,
        key: &Text,
    ) -> Option<Text> {
        let holder = (alert, controller.clone(), site.clone(), key.clone());
        self.holders.get(&holder).cloned()
    }

    /// The entries that have the device down.
    pub(super) fn down(&self, controller: &Text, site: &Text, mac: Mac) -> &[Place] {
        let device = (controller.clone(), site.clone(), mac);
        self.devices.get(&device).map_or(&[], Vec::as_slice)
    }

    /// Take an entry out, to change it and put it back.
    pub(super) fn take(&mut self, (alert, id): &Place) -> Option<Entry> {
        let mut entry = self.entries.get_mut(*alert)?.remove(id)?;
        if let Some(at) = entry.scheduled.take() {
            self.timers.remove(&(at, *alert, id.clone()));
        }
        for member in entry.down() {
            let holder = (
                *alert,
                entry.controller.clone(),
                entry.site.clone(),
                member.key.clone(),
            );
            self.holders.remove(&holder);
            if let Some(mac) = member.device {
                let device = (entry.controller.clone(), entry.site.clone(), mac);
                if let Some(places) = self.devices.get_mut(&device) {
                    places.retain(|(other, place)| other != alert || place != id);
                    if places.is_empty() {
                        self.devices.remove(&device);
                    }
                }
            }
        }
        Some(entry)
    }

    /// Put an entry in, in the place of none.
    pub(super) fn put(&mut self, (alert, id): Place, mut entry: Entry) {
        entry.scheduled = entry.next();
        if let Some(at) = entry.scheduled {
            self.timers.insert((at, alert, id.clone()));
        }
        for member in entry.down() {
            let holder = (
                alert,
                entry.controller.clone(),
                entry.site.clone(),
                member.key.clone(),
            );
            self.holders.insert(holder, id.clone());
            if let Some(mac) = member.device {
                let device = (entry.controller.clone(), entry.site.clone(), mac);
                self.devices
                    .entry(device)
                    .or_default()
                    .push((alert, id.clone()));
            }
        }
        self.changed.insert((alert, id.clone()));
        if let Some(entries) = self.entries.get_mut(alert) {
            entries.insert(id, entry);
        }
    }

    /// Whether there is room for one more key of `alert`; the oldest trace makes some.
    pub(super) fn make_room(&mut self, alert: usize) -> bool {
        let Some(entries) = self.entries.get(alert) else {
            return false;
        };
        if entries.len() < MAX_KEYS {
            return true;
        }
        let traces = entries
            .iter()
            .filter(|(_, entry)| entry.phase == Phase::Closed);
        let oldest = traces.min_by_key(|(_, entry)| entry.touched);
        let Some(oldest) = oldest.map(|(id, _)| (alert, id.clone())) else {
            self.refused += 1;
            return false;
        };
        self.take(&oldest);
        self.changed.insert(oldest);
        true
    }

    /// How many events found no room.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// The timers in order.
    pub(super) fn timers(&self) -> impl Iterator<Item = &(Timestamp, usize, Text)> {
        self.timers.iter()
    }

    /// What changed since the last call.
    pub(super) fn take_changed(&mut self) -> BTreeSet<Place> {
        std::mem::take(&mut self.changed)
    }

    /// Where everything is.
    pub(super) fn places(&self) -> Vec<Place> {
        self.iter()
            .map(|(alert, id, _)| (alert, id.clone()))
            .collect()
    }
}
