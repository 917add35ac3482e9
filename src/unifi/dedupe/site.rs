//! The memory of one site: which ids were seen, and which events still wait for a twin.

use super::identity::{Identity, Key, is_object_id};
use super::waiting::Waiting;
use super::{Admission, EventSource, Report, WINDOW};
use foldhash::HashMap;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use unifi_herald_plugin::{Event, Origin, Text, Timestamp};

/// How far apart two reports of one thing are when nobody doubts it, where a mistake would be made good: what a history told
/// before all of its neighbours takes the place of what comes by another way, of which the history tells yet.
const NEAR: Duration = Duration::from_millis(100);

/// Most events with one subject that are compared at once, the nearest in time, and most that are looked at for them; a storm
/// beyond it is not worth the time.
const MAX_COMPARED: usize = 128;
const MAX_LOOKED_AT: usize = 4_096;

/// How often those of a storm look for the next nearest, at most.
const MAX_ROUNDS: usize = 16;

/// Those who show the one store of events, and those who may show the other, as sets of bits.
const EVENTS: u8 = EventSource::SocketEvents.bit() | EventSource::HistoryLegacy.bit();
const ALERTS: u8 = EventSource::SocketAlert.bit() | EventSource::HistoryV2.bit();

#[derive(Debug, Default)]
pub(super) struct Site {
    /// The newest events, oldest first; the position of one is its number less `first`.
    seen: VecDeque<Seen>,
    first: u64,
    ids: HashMap<Text, u64>,
    /// The ids of events that are forgotten while the twin is not, by its number: to know one is to know the other.
    former: HashMap<u64, Text>,
    /// The events that wait for a twin, by kind, subject and stretch of time.
    waiting: HashMap<Key, Waiting>,
    /// How many events wait that came from each source.
    waiting_from: [usize; EventSource::COUNT],
    /// Whether an `alert` frame was seen to have the id of the system log.
    alerts_are_logged: bool,
}

#[derive(Debug)]
struct Seen {
    id: Text,
    /// The sources this very event came from, as a set of bits.
    sources: u8,
    /// Whether a history told it and has not told all of its neighbours yet: only what is near is its twin.
    early: bool,
    twin: Twin,
}

#[derive(Debug)]
enum Twin {
    /// It gets none.
    None,
    /// It waits for one: what tells it from others, and where it came from first.
    Awaited(Identity, EventSource),
    /// The number of its twin.
    Found(u64),
}

/// Two events that may be twins: how far apart they are, the later one's place in the batch, and both numbers. In this
/// order the nearest come first, and of those equally near the ones that came first.
type Pair = (Duration, usize, u64, u64);

impl Site {
    /// Take in events that came together, in their order: which of them are new.
    ///
    /// They are looked at together, so that an event does not take the twin of one behind it that is nearer.
    pub(super) fn admit<'e>(
        &mut self,
        reports: impl IntoIterator<Item = Report<'e>>,
        capacity: usize,
    ) -> Vec<Admission> {
        let (mut admissions, mut pairs, mut doubts) = (Vec::new(), Vec::new(), Vec::new());
        let mut crowded = Vec::new();
        for (place, report) in reports.into_iter().enumerate() {
            let Report {
                event,
                source,
                early,
            } = report;
            let Some(number) = self.keep(&report) else {
                admissions.push(Admission::Duplicate);
                continue;
            };
            admissions.push(Admission::New);
            if let Some(source) = source {
                let identity = Identity::of(event);
                if self.others_wait(source) {
                    let twins = self.twins(event, &identity, source);
                    if twins.len() >= MAX_COMPARED {
                        crowded.push((place, number, report));
                    }
                    for (apart, twin) in twins {
                        if self.is_sure(early, apart, twin) {
                            pairs.push((apart, place, twin, number));
                        } else if early {
                            doubts.push((place, twin, number));
                        }
                    }
                }
                self.wait(number, identity, source);
            }
        }
        // By now the history may have told some of them by their ids: it tells no two events of one.
        pairs.retain(|(_, _, twin, number)| !self.share_a_source(*twin, *number));
        doubts.retain(|(_, twin, number)| !self.share_a_source(*twin, *number));
        self.pair(pairs, &mut admissions);
        self.pair_crowded(crowded, &mut admissions);
        for (place, twin, number) in doubts {
            if self.waits(twin) && self.waits(number) {
                self.withdraw(number);
                admissions[place] = Admission::Later;
            }
        }
        while self.seen.len() > capacity {
            self.forget_oldest();
        }
        admissions
    }

    /// Whether this id was seen.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    /// Merge the nearest, each with one.
    fn pair(&mut self, mut pairs: Vec<Pair>, admissions: &mut [Admission]) {
        pairs.sort_unstable();
        for (_, place, twin, number) in pairs {
            if self.waits(twin) && self.waits(number) {
                self.settle(twin, Twin::Found(number));
                self.settle(number, Twin::Found(twin));
                admissions[place] = Admission::Duplicate;
            }
        }
    }

    /// Those of a storm whose nearest are all taken look at the next ones.
    fn pair_crowded(
        &mut self,
        mut crowded: Vec<(usize, u64, Report<'_>)>,
        admissions: &mut [Admission],
    ) {
        for _ in 0..MAX_ROUNDS {
            crowded.retain(|(_, number, _)| self.waits(*number));
            let mut pairs = Vec::new();
            for (
                place,
                number,
                Report {
                    event,
                    source,
                    early,
                },
            ) in &crowded
            {
                let Some(source) = source else { continue };
                let twins = self.twins(event, &Identity::of(event), *source).into_iter();
                let sure = twins.filter(|(apart, twin)| self.is_sure(*early, *apart, *twin));
                pairs.extend(sure.map(|(apart, twin)| (apart, *place, twin, *number)));
            }
            if pairs.is_empty() {
                return;
            }
            self.pair(pairs, admissions);
        }
    }

    /// Take in an event of which is known that it is new, so that no twin is looked for. One that is known lasts from now on
    /// as long as it would had it just come.
    pub(super) fn remember(&mut self, event: &Event, source: Option<EventSource>, capacity: usize) {
        let report = Report {
            event,
            source,
            early: event.origin == Origin::Backfill,
        };
        match (self.keep(&report), source) {
            (Some(number), Some(source)) => self.wait(number, Identity::of(event), source),
            (Some(_), None) => {}
            (None, _) => self.renew(&event.id),
        }
        if self.seen.len() > capacity {
            self.forget_oldest();
        }
    }

    /// Give a new number to an event that is known. What stands at the old one means nothing any more.
    fn renew(&mut self, id: &str) {
        let number = self.first + self.seen.len() as u64;
        let Some(old) = self.ids.get(id).copied() else {
            return;
        };
        let Some(seen) = self.seen_mut(old) else {
            return;
        };
        // By the id of its forgotten twin as well.
        let (id, sources, early) = (seen.id.clone(), seen.sources, seen.early);
        let twin = std::mem::replace(&mut seen.twin, Twin::None);
        self.ids.insert(id.clone(), number);
        if let Some(former) = self.former.remove(&old) {
            self.ids.insert(former.clone(), number);
            self.former.insert(number, former);
        }
        self.seen.push_back(Seen {
            id,
            sources,
            early,
            twin: Twin::None,
        });
        match twin {
            Twin::None => {}
            Twin::Awaited(identity, source) => {
                self.unfile((identity.time, old), &identity, source);
                self.wait(number, identity, source);
            }
            Twin::Found(twin) => {
                self.settle(number, Twin::Found(twin));
                if let Some(twin) = self.seen_mut(twin) {
                    twin.twin = Twin::Found(number);
                }
            }
        }
    }

    /// Keep the id of an event and give it a number; nothing when it is known.
    fn keep(&mut self, report: &Report<'_>) -> Option<u64> {
        let Report {
            event,
            source,
            early,
        } = *report;
        let number = self.first + self.seen.len() as u64;
        match self.ids.entry(event.id.clone()) {
            Entry::Occupied(entry) => {
                let known = *entry.get();
                if let (Some(seen), Some(source)) = (self.seen_mut(known), source) {
                    seen.sources |= source.bit();
                    seen.early &= early;
                    let logged = seen.sources & ALERTS == ALERTS && is_object_id(&seen.id);
                    self.alerts_are_logged |= logged;
                }
                return None;
            }
            Entry::Vacant(entry) => entry.insert(number),
        };
        self.seen.push_back(Seen {
            id: event.id.clone(),
            sources: source.map_or(0, EventSource::bit),
            early,
            twin: Twin::None,
        });
        Some(number)
    }

    /// Whether any event waits that came from another source.
    fn others_wait(&self, source: EventSource) -> bool {
        let mut others = self.waiting_from.iter().enumerate();
        others.any(|(other, waiting)| other != source as usize && *waiting > 0)
    }

    /// Whether these two are so near that they are paired. What is told early waits rather than take its neighbour's place, and
    /// be lost.
    fn is_sure(&self, early: bool, apart: Duration, twin: u64) -> bool {
        if early {
            return apart.is_zero();
        }
        let twin_is_early = self.seen_at(twin).is_some_and(|seen| seen.early);
        apart <= NEAR || !twin_is_early
    }

    /// Whether one source told both, each by its id.
    fn share_a_source(&self, one: u64, other: u64) -> bool {
        let sources = |number| self.seen_at(number).map_or(0, |seen| seen.sources);
        sources(one) & sources(other) != 0
    }

    fn waits(&self, number: u64) -> bool {
        self.seen_at(number)
            .is_some_and(|seen| matches!(seen.twin, Twin::Awaited(..)))
    }

    /// Let an event wait for its twin.
    fn wait(&mut self, number: u64, identity: Identity, source: EventSource) {
        let waiter = (identity.time, number);
        identity.keys(|key| {
            self.waiting
                .entry(key)
                .and_modify(|waiting| waiting.add(waiter))
                .or_insert(Waiting::One(waiter));
        });
        self.waiting_from[source as usize] += 1;
        if let Some(seen) = self.seen_mut(number) {
            seen.twin = Twin::Awaited(identity, source);
        }
    }

    /// The waiting events that can be the twin of this one, and how far away they are.
    fn twins(
        &self,
        event: &Event,
        identity: &Identity,
        source: EventSource,
    ) -> BTreeSet<(Duration, u64)> {
        let mut twins = BTreeSet::new();
        identity.keys_nearby(WINDOW, |key| {
            let Some(waiting) = self.waiting.get(&key) else {
                return;
            };
            let near = waiting.nearest(identity.time);
            let near = near.take_while(|(distance, _)| *distance <= WINDOW);
            let twin = |(_, number): &(Duration, u64)| {
                let Some(other) = self.seen_at(*number) else {
                    return false;
                };
                let Twin::Awaited(theirs, _) = &other.twin else {
                    return false;
                };
                other.sources & source.bit() == 0
                    && !self.are_two_of_one_store(other, &event.id, source)
                    && identity.agrees_with(theirs)
            };
            twins.extend(near.take(MAX_LOOKED_AT).filter(twin).take(MAX_COMPARED));
        });
        twins
    }

    /// `events` frames and `stat/event` show one store, and on many a console `alert` frames and the system log another: where
    /// both give its ids, different ids are different events.
    fn are_two_of_one_store(&self, seen: &Seen, id: &str, source: EventSource) -> bool {
        let sources = seen.sources | source.bit();
        let one_store =
            sources & !EVENTS == 0 || (self.alerts_are_logged && sources & !ALERTS == 0);
        one_store && is_object_id(&seen.id) && is_object_id(id)
    }

    /// It found its twin, or gets none: it waits no longer.
    fn settle(&mut self, number: u64, twin: Twin) {
        let before = self
            .seen_mut(number)
            .map(|seen| std::mem::replace(&mut seen.twin, twin));
        let Some(Twin::Awaited(identity, source)) = before else {
            return;
        };
        self.unfile((identity.time, number), &identity, source);
    }

    /// Take it from those that wait.
    fn unfile(&mut self, waiter: (Timestamp, u64), identity: &Identity, source: EventSource) {
        self.waiting_from[source as usize] -= 1;
        identity.keys(|key| {
            if let Entry::Occupied(mut entry) = self.waiting.entry(key)
                && entry.get_mut().remove(waiter)
            {
                entry.remove();
            }
        });
    }

    /// As if it had not come: it will again.
    fn withdraw(&mut self, number: u64) {
        self.settle(number, Twin::None);
        if let Some(id) = self.seen_at(number).map(|seen| seen.id.clone()) {
            self.ids.remove(&id);
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.first;
        let twin = match self.seen_at(oldest).map(|seen| &seen.twin) {
            Some(Twin::Found(twin)) if *twin > oldest => Some(*twin),
            _ => None,
        };
        self.settle(oldest, Twin::None);
        if let Some(former) = self.former.remove(&oldest) {
            self.ids.remove(&former);
        }
        if let Some(seen) = self.seen.pop_front() {
            self.first += 1;
            // One that was withdrawn may have come again.
            if self.ids.get(&seen.id) != Some(&oldest) {
                return;
            }
            match twin {
                Some(twin) => {
                    self.ids.insert(seen.id.clone(), twin);
                    self.former.insert(twin, seen.id);
                }
                None => {
                    self.ids.remove(&seen.id);
                }
            }
        }
    }

    fn seen_at(&self, number: u64) -> Option<&Seen> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.seen.get(at)
    }

    fn seen_mut(&mut self, number: u64) -> Option<&mut Seen> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.seen.get_mut(at)
    }
}

#[cfg(test)]
impl Site {
    /// How many ids, waiting events and keys are held.
    pub(super) fn held(&self) -> (usize, usize, usize) {
        let is_waiting = |seen: &&Seen| matches!(seen.twin, Twin::Awaited(..));
        let waiting = self.seen.iter().filter(is_waiting);
        (self.ids.len(), waiting.count(), self.waiting.len())
    }
}
