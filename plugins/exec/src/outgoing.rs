//! What is still to be written to a program, line by line, over cancelled deliveries: a line that was begun is ended.

use std::collections::VecDeque;
use unifi_herald_plugin::BufferedEvent;

/// Events on their way into a pipe.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    events: VecDeque<BufferedEvent>,
    /// The lines of the events before those, of which `written` bytes are gone.
    bytes: Vec<u8>,
    written: usize,
}

/// As many bytes are made at a time: what a pipe of Linux takes.
const AT_A_TIME: usize = 64 * 1024;

impl Outgoing {
    /// Write this event after the others.
    pub(crate) fn push(&mut self, event: &BufferedEvent) {
        self.events.push_back(event.clone());
    }

    /// Whether everything is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.written == self.bytes.len() && self.events.is_empty()
    }

    /// What to write next.
    pub(crate) fn next(&mut self) -> &[u8] {
        if self.written == self.bytes.len() {
            self.written = 0;
            self.bytes.clear();
            self.bytes.shrink_to(2 * AT_A_TIME);
            while self.bytes.len() < AT_A_TIME
                && let Some(event) = self.events.pop_front()
            {
                event.write_json(&mut self.bytes);
                self.bytes.push(b'\n');
            }
        }
        &self.bytes[self.written..]
    }

    /// This many bytes of it are written: how many lines that ended.
    pub(crate) fn wrote(&mut self, count: usize) -> usize {
        let end = (self.written + count).min(self.bytes.len());
        // No event has a line feed inside its line.
        let gone = &self.bytes[self.written..end];
        let ended = gone.iter().filter(|byte| **byte == b'\n').count();
        self.written = end;
        ended
    }

    /// Write nothing more except the rest of the line that was begun.
    pub(crate) fn only_the_line(&mut self) {
        self.events.clear();
        let rest = &self.bytes[self.written..];
        let begun = self.written > 0 && self.bytes[self.written - 1] != b'\n';
        let end = rest.iter().position(|byte| *byte == b'\n');
        let keep = if begun {
            end.map_or(0, |end| end + 1)
        } else {
            0
        };
        self.bytes.truncate(self.written + keep);
    }

    /// Nobody reads any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unifi_herald_plugin::testing::batch;

    proptest! {
        #[test]
        fn whatever_is_taken_at_a_time_all_lines_go_in_order(sizes in proptest::collection::vec(1usize..3000, 1..40)) {
            let events = batch(30);
            let mut outgoing = Outgoing::default();
            events.iter().for_each(|event| outgoing.push(event));
            let (mut gone, mut ended) = (Vec::new(), 0);
            let mut sizes = sizes.into_iter().cycle();
            while !outgoing.is_empty() {
                let size = sizes.next().unwrap();
                let next = outgoing.next();
                let taken = &next[..size.min(next.len())];
                gone.extend_from_slice(taken);
                let count = taken.len();
                ended += outgoing.wrote(count);
            }
            let lines: Vec<String> = events.iter().map(|event| event.to_json() + "\n").collect();
            prop_assert_eq!(gone, lines.concat().into_bytes());
            prop_assert_eq!(ended, 30);
        }

        #[test]
        fn the_line_that_was_begun_is_ended_and_no_other_begun(taken in 0usize..5000) {
            let events = batch(5);
            let mut outgoing = Outgoing::default();
            events.iter().for_each(|event| outgoing.push(event));
            let next = outgoing.next();
            let mut gone = next[..taken.min(next.len())].to_vec();
            outgoing.wrote(gone.len());
            outgoing.only_the_line();
            while !outgoing.is_empty() {
                let rest = outgoing.next().to_vec();
                outgoing.wrote(rest.len());
                gone.extend(rest);
            }
            prop_assert!(gone.is_empty() || gone.ends_with(b"\n"));
            let lines = gone.iter().filter(|byte| **byte == b'\n').count();
            let all: Vec<String> = events.iter().take(lines).map(|event| event.to_json() + "\n").collect();
            prop_assert_eq!(gone, all.concat().into_bytes());
        }
    }
}
