//! How far each controller's site has come: watermarks that only rise.

use crate::store::{HoleChange, Watermark};
use crate::unifi::gap::{FIRST_RUN, RECONNECT, START};
use std::time::Duration;
use unifi_herald_plugin::{BufferedEvent, Origin, Text, Timestamp};

/// So far a watermark may be behind the last connection.
const DAY: Duration = Duration::from_hours(24);

/// The last watermark of each site.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<Mark>);

#[derive(Debug)]
struct Mark {
    mark: Watermark,
    /// Whether a connection raised it last, by the clock of the controller's answers. The first event that the connection
    /// brings has the say, in case its events go by another.
    by_connection: bool,
}

impl Marks {
    pub(super) fn new(known: Vec<Watermark>) -> Self {
        let known = known.into_iter();
        let known = known.map(|mark| Mark {
            mark,
            by_connection: false,
        });
        Self(known.collect())
    }

    /// Which controllers and sites have one.
    pub(super) fn places(&self) -> Vec<(Text, Text)> {
        let places = self.0.iter();
        places
            .map(|Mark { mark, .. }| (mark.controller.clone(), mark.site.clone()))
            .collect()
    }

    /// The watermarks that rise with `events`.
    pub(super) fn rise<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e BufferedEvent>,
    ) -> Vec<Watermark> {
        let mut risen: Vec<usize> = Vec::new();
        let told = |event: &&BufferedEvent| event.origin != Origin::Derived;
        for event in events.into_iter().filter(told) {
            // An event from the future must not make the past unreachable.
            let time = event.time.min(event.received);
            let at = self.position((&event.controller, &event.site), time);
            let Mark {
                mark,
                by_connection,
            } = &mut self.0[at];
            let has_the_say = event.origin == Origin::Stream && std::mem::take(by_connection);
            if time > mark.time || (has_the_say && time < mark.time) {
                mark.time = time;
                if !risen.contains(&at) {
                    risen.push(at);
                }
            }
        }
        let risen = risen.into_iter();
        risen.map(|at| self.0[at].mark.clone()).collect()
    }

    /// The watermarks that rise with `holes`: what is older than the end of one that a connection opened was committed, or is in
    /// it. So a site that is met has one before its first event, and one where nothing happens for weeks does not fall back
    /// behind what is fetched; by a day it may, for events may go by another clock than the connection.
    pub(super) fn rise_with(&mut self, holes: &[HoleChange]) -> Vec<Watermark> {
        let mut risen = Vec::new();
        for change in holes {
            let HoleChange::Open(hole) = change else {
                continue;
            };
            let time = match (&*hole.reason, hole.to) {
                (FIRST_RUN, Some(to)) => to,
                (START | RECONNECT, Some(to)) => to - DAY,
                _ => continue,
            };
            let at = self.position((&hole.controller, &hole.site), time);
            let Mark {
                mark,
                by_connection,
            } = &mut self.0[at];
            if time > mark.time {
                mark.time = time;
                *by_connection = true;
                risen.push(mark.clone());
            }
        }
        risen
    }

    fn position(&mut self, (controller, site): (&Text, &Text), time: Timestamp) -> usize {
        let is = |Mark { mark, .. }: &Mark| mark.controller == *controller && mark.site == *site;
        self.0.iter().position(is).unwrap_or_else(|| {
            let mark = Watermark {
                controller: controller.clone(),
                site: site.clone(),
                // Lower than any, so that the first time raises it.
                time: Timestamp::from_millis(time.as_millis().saturating_sub(1)),
            };
            self.0.push(Mark {
                mark,
                by_connection: false,
            });
            self.0.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Hole;
    use crate::unifi::gap::RING_OVERFLOW;
    use std::sync::Arc;
    use unifi_herald_plugin::{Event, Kind};

    fn event(site: &str, time: i64, received: i64) -> BufferedEvent {
        let mut event = Event::new(Kind::WAN_UP, "1", Timestamp::from_millis(time));
        event.site = site.into();
        event.received = Timestamp::from_millis(received);
        BufferedEvent {
            seq: 0,
            event: Arc::new(event),
        }
    }

    fn told(origin: Origin, event: BufferedEvent) -> BufferedEvent {
        let mut inner = Arc::unwrap_or_clone(event.event);
        inner.origin = origin;
        BufferedEvent {
            event: Arc::new(inner),
            ..event
        }
    }

    fn times(marks: &[Watermark]) -> Vec<(&str, i64)> {
        let time = |mark: &Watermark| mark.time.as_millis();
        marks.iter().map(|mark| (&*mark.site, time(mark))).collect()
    }

    #[test]
    fn they_rise_to_the_end_of_what_a_connection_opened() {
        let hole = |site: &str, to: i64, reason: &str| {
            HoleChange::Open(Hole {
                id: 1,
                controller: "".into(),
                site: site.into(),
                from: Timestamp::from_millis(1),
                to: Some(Timestamp::from_millis(to)),
                reason: reason.into(),
            })
        };
        let mut marks = Marks::new(Vec::new());
        marks.rise(&[event("known", 5, 9)]);
        let holes = [
            hole("known", 4, START),
            hole("met", 50, FIRST_RUN),
            // What the ring lost lies among others that are not committed.
            hole("known", 60, RING_OVERFLOW),
        ];
        assert_eq!(times(&marks.rise_with(&holes)), [("met", 50)]);
        assert_eq!(times(&marks.rise_with(&holes)), []);
        // The history of what was met is older.
        let old = told(Origin::Backfill, event("met", 20, 60));
        assert_eq!(times(&marks.rise(&[old])), []);
        // An event is it by another clock.
        assert_eq!(times(&marks.rise(&[event("met", 40, 60)])), [("met", 40)]);
        assert_eq!(times(&marks.rise(&[event("met", 39, 60)])), []);
        assert_eq!(times(&marks.rise(&[event("met", 55, 60)])), [("met", 55)]);
        let day = i64::try_from(DAY.as_millis()).unwrap();
        let again = [hole("met", 55 + day, RECONNECT)];
        assert_eq!(times(&marks.rise_with(&again)), []);
        let again = [hole("met", 56 + day, RECONNECT)];
        assert_eq!(times(&marks.rise_with(&again)), [("met", 56)]);
    }

    #[test]
    fn they_rise_and_never_fall_and_the_future_is_not_believed() {
        let mut marks = Marks::new(Vec::new());
        let batch = [event("a", 5, 9), event("b", 3, 9), event("a", 7, 9)];
        assert_eq!(times(&marks.rise(&batch)), [("a", 7), ("b", 3)]);
        assert_eq!(times(&marks.rise(&[event("a", 6, 9)])), []);
        assert_eq!(times(&marks.rise(&[event("a", 99, 20)])), [("a", 20)]);
        let known = marks.0.into_iter().map(|known| known.mark);
        let mut again = Marks::new(known.collect());
        assert_eq!(times(&again.rise(&[event("a", 19, 30)])), []);
    }
}
