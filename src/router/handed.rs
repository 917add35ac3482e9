//! Events of other programs: known by their ids alone, and apart from those of the controllers, whose memory they neither
//! fill nor change.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use unifi_herald_plugin::Event;

/// The newest events that were handed over, so that one that comes again is known without a look into the journal.
#[derive(Debug)]
pub(super) struct Handed {
    known: HashSet<u64>,
    /// Oldest first.
    order: VecDeque<u64>,
    capacity: usize,
    /// Nobody outside knows two ids that are one here.
    secret: RandomState,
}

impl Handed {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            known: HashSet::new(),
            order: VecDeque::new(),
            capacity,
            secret: RandomState::new(),
        }
    }

    /// Whether `event` is new; it is known from now on.
    pub(super) fn admit(&mut self, event: &Event) -> bool {
        let place = (&event.controller, &event.site, &event.id);
        let number = self.secret.hash_one(place);
        if !self.known.insert(number) {
            return false;
        }
        self.order.push_back(number);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::{Kind, Timestamp};

    #[test]
    fn as_many_are_known_as_there_is_room_for() {
        let event = |id: u32| Event::new(Kind::WAN_UP, id.to_string(), Timestamp::from_millis(0));
        let mut handed = Handed::new(2);
        for (id, new) in [
            (1, true),
            (2, true),
            (1, false),
            (3, true),
            (2, false),
            (1, true),
        ] {
            assert_eq!(handed.admit(&event(id)), new, "{id}");
        }
        let mut elsewhere = event(1);
        elsewhere.site = "annex".into();
        assert!(handed.admit(&elsewhere));
    }
}
