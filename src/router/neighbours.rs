//! Which stretches of the journal are to be looked at for the twins of what a history tells: around each event, and what
//! was just looked at only once.

use crate::store::Stretch;
use crate::unifi::dedupe::WINDOW;
use std::collections::HashMap;
use std::time::Duration;
use unifi_herald_plugin::{Event, Kind, Text, Timestamp};

/// The smallest step of the time of events.
const STEP: Duration = Duration::from_millis(1);

/// How far the journal was looked at, by controller, site and kind: kinds are few.
#[derive(Debug, Default)]
pub(super) struct Neighbours(HashMap<(Text, Text, Kind), Read>);

/// The newest stretch of the journal that was remembered.
#[derive(Clone, Copy, Debug)]
struct Read {
    from: Timestamp,
    to: Timestamp,
    /// How many events had been remembered in all when it was begun.
    at: u64,
}

impl Neighbours {
    /// Where twins of events like `alike`, which happened at `times`, oldest first, may be that are not remembered yet.
    /// Of what was remembered the newest `lasting` are, and `remembered` were in all.
    pub(super) fn unread(
        &mut self,
        alike: &Event,
        times: impl Iterator<Item = Timestamp>,
        (remembered, lasting): (u64, u64),
    ) -> Vec<Stretch> {
        let key = (alike.controller.clone(), alike.site.clone(), alike.kind);
        let mut read = self.0.get(&key).copied();
        read.take_if(|read| remembered - read.at >= lasting);
        let mut unread: Vec<Stretch> = Vec::new();
        for (from, to) in around(times) {
            let known = read.as_mut();
            let known = known.filter(|read| (read.from..=read.to + STEP).contains(&from));
            let begin = match known {
                Some(read) if to <= read.to => continue,
                Some(read) => std::mem::replace(&mut read.to, to) + STEP,
                None => {
                    let at = remembered;
                    read = Some(Read { from, to, at });
                    from
                }
            };
            unread.push(Stretch {
                from: begin,
                to: Some(to),
                kind: Some(alike.kind),
            });
        }
        if let Some(read) = read {
            self.0.insert(key, read);
        }
        unread
    }

    /// Look at everything again: not all was remembered.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// The stretches around these times, both ends included.
fn around(times: impl Iterator<Item = Timestamp>) -> Vec<(Timestamp, Timestamp)> {
    let mut stretches: Vec<(Timestamp, Timestamp)> = Vec::new();
    for time in times {
        let (from, to) = (time - WINDOW, time + WINDOW);
        match stretches.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => stretches.push((from, to)),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    /// Beginning and end of what is to be read, in milliseconds.
    fn unread(neighbours: &mut Neighbours, times: &[i64], remembered: u64) -> Vec<(i64, i64)> {
        let alike = Event::new(Kind::WAN_DOWN, "a", at(0));
        let times = times.iter().map(|ms| at(*ms));
        let ms = |time: Timestamp| time.as_millis() - at(0).as_millis();
        let stretches = neighbours.unread(&alike, times, (remembered, 100));
        stretches
            .iter()
            .map(|stretch| (ms(stretch.from), ms(stretch.to.unwrap())))
            .collect()
    }

    #[test]
    fn times_that_are_near_are_looked_around_at_once() {
        let mut neighbours = Neighbours::default();
        let times = [0, 10, 4_000, 9_000];
        assert_eq!(
            unread(&mut neighbours, &times, 0),
            [(-2_000, 6_000), (7_000, 11_000)]
        );
    }

    #[test]
    fn what_was_read_is_not_read_again_while_it_is_remembered() {
        let mut neighbours = Neighbours::default();
        assert_eq!(unread(&mut neighbours, &[0], 0), [(-2_000, 2_000)]);
        assert_eq!(unread(&mut neighbours, &[0], 50), []);
        assert_eq!(unread(&mut neighbours, &[500], 60), [(2_001, 2_500)]);
        assert_eq!(unread(&mut neighbours, &[4_501], 70), [(2_501, 6_501)]);
        assert_eq!(
            unread(&mut neighbours, &[-1, 4_501], 80),
            [(-2_001, 1_999), (2_501, 6_501)],
            "what lies before it was not read"
        );
        assert_eq!(
            unread(&mut neighbours, &[4_501], 179),
            [],
            "the last of these is remembered still"
        );
        assert_eq!(unread(&mut neighbours, &[4_501], 180), [(2_501, 6_501)]);
    }

    #[test]
    fn kinds_and_sites_are_read_apart() {
        let mut neighbours = Neighbours::default();
        assert_eq!(unread(&mut neighbours, &[0], 0).len(), 1);
        let mut other = Event::new(Kind::WAN_UP, "a", at(0));
        let mut read = |event: &Event| {
            let stretches = neighbours.unread(event, [at(0)].into_iter(), (0, 100));
            stretches.first().and_then(|stretch| stretch.kind)
        };
        assert_eq!(read(&other), Some(Kind::WAN_UP));
        assert_eq!(read(&other), None);
        other.site = "garden".into();
        assert_eq!(read(&other), Some(Kind::WAN_UP));
    }

    #[test]
    fn what_was_not_remembered_whole_is_read_again() {
        let mut neighbours = Neighbours::default();
        let all = [(-2_000, 2_000)];
        assert_eq!(unread(&mut neighbours, &[0], 0), all);
        neighbours.forget();
        assert_eq!(unread(&mut neighbours, &[0], 0), all);
    }
}
