//! Which message belongs to which open incident, for services that can edit what was sent.

use std::collections::VecDeque;
use unifi_herald_plugin::Text;

/// Remembers one thing for each incident; the oldest is forgotten when there are too many. A resolve whose first message
/// is forgotten, or was sent before a restart, becomes a message of its own.
pub(crate) struct Memory<T>(VecDeque<(Text, T)>);

/// More open incidents than this are nothing that somebody reads one by one.
const MOST: usize = 1024;

impl<T> Memory<T> {
    pub(crate) fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Remember `what` for `incident`, in place of what was remembered before.
    pub(crate) fn keep(&mut self, incident: &Text, what: T) {
        self.forget(incident);
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((incident.clone(), what));
    }

    /// What is remembered for `incident`.
    pub(crate) fn of(&self, incident: &str) -> Option<&T> {
        let found = self.0.iter().rev().find(|(id, _)| **id == *incident);
        found.map(|(_, what)| what)
    }

    pub(crate) fn forget(&mut self, incident: &str) {
        self.0.retain(|(id, _)| **id != *incident);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_and_no_more_than_it_may() {
        let mut memory = Memory::new();
        for number in 0..=MOST {
            memory.keep(&format!("i{number}").into(), number);
        }
        assert_eq!(memory.0.len(), MOST);
        assert_eq!((memory.of("i0"), memory.of("i1")), (None, Some(&1)));
        memory.keep(&"i1".into(), 7);
        assert_eq!(memory.of("i1"), Some(&7));
        memory.forget("i1");
        assert_eq!(memory.of("i1"), None);
    }
}
