//! The memory of one site: which ids were seen, and which events still wait for a twin.

use super::identity::{Identity, Key, is_object_id};
use super::{Admission, EventSource};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use unifi_herald_plugin::{Event, Text};

/// How far apart two reports of one thing may be.
const WINDOW: Duration = Duration::from_secs(2);

/// Most events with one subject that are compared; a storm beyond it is not worth the time.
const MAX_COMPARED: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Site {
    /// The newest events, oldest first; the position of one is its number less `first`.
    seen: VecDeque<Seen>,
    first: u64,
    ids: HashMap<Text, u64>,
    /// Numbers of the events that wait for a twin, by kind, subject and stretch of time.
    waiting: HashMap<Key, Vec<u64>>,
}

#[derive(Debug)]
struct Seen {
    id: Text,
    /// The sources this very event came from, as a set of bits.
    sources: u8,
    /// What tells it from others, while it may still get a twin.
    identity: Option<Identity>,
}

impl Site {
    pub(super) fn admit(
        &mut self,
        event: &Event,
        source: Option<EventSource>,
        capacity: usize,
    ) -> Admission {
        if let Some(number) = self.ids.get(&event.id).copied() {
            let seen = self.seen_mut(number);
            if let (Some(seen), Some(source)) = (seen, source) {
                seen.sources |= source.bit();
            }
            return Admission::Duplicate;
        }
        if self.seen.len() >= capacity {
            self.forget_oldest();
        }
        let identity = source.map(|_| Identity::of(event));
        let twin = match (&identity, source) {
            (Some(identity), Some(source)) => self.twin(event, identity, source),
            _ => None,
        };
        let number = self.first + self.seen.len() as u64;
        self.ids.insert(event.id.clone(), number);
        let mut seen = Seen {
            id: event.id.clone(),
            sources: source.map_or(0, EventSource::bit),
            identity: None,
        };
        if let Some(twin) = twin {
            self.seen.push_back(seen);
            self.settle(twin);
            return Admission::Duplicate;
        }
        if let Some(identity) = &identity {
            identity.keys(|key| self.waiting.entry(key).or_default().push(number));
        }
        seen.identity = identity;
        self.seen.push_back(seen);
        Admission::New
    }

    /// The waiting event nearest in time that can be the twin of this one.
    fn twin(&self, event: &Event, identity: &Identity, source: EventSource) -> Option<u64> {
        let mut best: Option<(Duration, u64)> = None;
        identity.keys_nearby(WINDOW, |key| {
            let Some(numbers) = self.waiting.get(&key) else {
                return;
            };
            for number in numbers.iter().rev().take(MAX_COMPARED) {
                let Some(other) = self.seen_at(*number) else {
                    continue;
                };
                let Some(theirs) = &other.identity else {
                    continue;
                };
                let distance = identity.time.distance(theirs.time);
                let nearer = best.is_none_or(|best| (distance, *number) < best);
                if nearer
                    && distance <= WINDOW
                    && other.sources & source.bit() == 0
                    && !are_two_of_one_store(other, &event.id, source)
                    && identity.agrees_with(theirs)
                {
                    best = Some((distance, *number));
                }
            }
        });
        best.map(|(_, number)| number)
    }

    /// It found its twin, or is forgotten: it waits no longer.
    fn settle(&mut self, number: u64) {
        let identity = self.seen_mut(number).and_then(|seen| seen.identity.take());
        let Some(identity) = identity else { return };
        identity.keys(|key| {
            if let Some(numbers) = self.waiting.get_mut(&key) {
                numbers.retain(|waiting| *waiting != number);
                if numbers.is_empty() {
                    self.waiting.remove(&key);
                }
            }
        });
    }

    fn forget_oldest(&mut self) {
        self.settle(self.first);
        if let Some(seen) = self.seen.pop_front() {
            self.ids.remove(&seen.id);
            self.first += 1;
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

/// `events` frames and `stat/event` show one store: where both give its ids, different ids are different events.
fn are_two_of_one_store(seen: &Seen, id: &str, source: EventSource) -> bool {
    let store = EventSource::SocketEvents.bit() | EventSource::HistoryLegacy.bit();
    (seen.sources | source.bit()) & !store == 0 && is_object_id(&seen.id) && is_object_id(id)
}

#[cfg(test)]
impl Site {
    /// How many ids, waiting events and keys are held.
    pub(super) fn held(&self) -> (usize, usize, usize) {
        let waiting = self.seen.iter().filter(|seen| seen.identity.is_some());
        (self.ids.len(), waiting.count(), self.waiting.len())
    }
}
