//! How far each controller's site has come: watermarks that only rise.

use crate::store::{HoleChange, Watermark};
use crate::unifi::gap::FIRST_RUN;
use unifi_herald_plugin::{BufferedEvent, Origin, Text, Timestamp};

/// The last watermark of each site.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<Watermark>);

impl Marks {
    pub(super) fn new(known: Vec<Watermark>) -> Self {
        Self(known)
    }

    /// Which controllers and sites have one.
    pub(super) fn places(&self) -> Vec<(Text, Text)> {
        let places = self.0.iter();
        places
            .map(|mark| (mark.controller.clone(), mark.site.clone()))
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
            let at = self.position(event, time);
            let mark = &mut self.0[at];
            if time > mark.time {
                mark.time = time;
                if !risen.contains(&at) {
                    risen.push(at);
                }
            }
        }
        risen.into_iter().map(|at| self.0[at].clone()).collect()
    }

    /// The watermarks of sites that were met for the first time: what is older is in one of these holes.
    pub(super) fn meet(&mut self, holes: &[HoleChange]) -> Vec<Watermark> {
        let mut met = Vec::new();
        for change in holes {
            let HoleChange::Open(hole) = change else {
                continue;
            };
            let is =
                |mark: &Watermark| mark.controller == hole.controller && mark.site == hole.site;
            if let Some(time) = hole.to.filter(|_| *hole.reason == *FIRST_RUN)
                && !self.0.iter().any(is)
            {
                let mark = Watermark {
                    controller: hole.controller.clone(),
                    site: hole.site.clone(),
                    time,
                };
                self.0.push(mark.clone());
                met.push(mark);
            }
        }
        met
    }

    fn position(&mut self, event: &BufferedEvent, time: Timestamp) -> usize {
        let is = |mark: &Watermark| mark.controller == event.controller && mark.site == event.site;
        self.0.iter().position(is).unwrap_or_else(|| {
            self.0.push(Watermark {
                controller: event.controller.clone(),
                site: event.site.clone(),
                // Lower than any, so that the first event raises it.
                time: Timestamp::from_millis(time.as_millis().saturating_sub(1)),
            });
            self.0.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Hole;
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

    fn times(marks: &[Watermark]) -> Vec<(&str, i64)> {
        let time = |mark: &Watermark| mark.time.as_millis();
        marks.iter().map(|mark| (&*mark.site, time(mark))).collect()
    }

    #[test]
    fn a_site_that_is_met_for_the_first_time_has_one_before_its_first_event() {
        let hole = |site: &str, reason: &str| {
            HoleChange::Open(Hole {
                id: 1,
                controller: "".into(),
                site: site.into(),
                from: Timestamp::from_millis(1),
                to: Some(Timestamp::from_millis(50)),
                reason: reason.into(),
            })
        };
        let mut marks = Marks::new(Vec::new());
        marks.rise(&[event("known", 5, 9)]);
        let holes = [
            hole("known", FIRST_RUN),
            hole("met", FIRST_RUN),
            hole("other", "start"),
        ];
        assert_eq!(times(&marks.meet(&holes)), [("met", 50)]);
        assert_eq!(times(&marks.meet(&holes)), []);
        // Its history is older.
        assert_eq!(times(&marks.rise(&[event("met", 20, 60)])), []);
        assert_eq!(times(&marks.rise(&[event("met", 55, 60)])), [("met", 55)]);
    }

    #[test]
    fn they_rise_and_never_fall_and_the_future_is_not_believed() {
        let mut marks = Marks::new(Vec::new());
        let batch = [event("a", 5, 9), event("b", 3, 9), event("a", 7, 9)];
        assert_eq!(times(&marks.rise(&batch)), [("a", 7), ("b", 3)]);
        assert_eq!(times(&marks.rise(&[event("a", 6, 9)])), []);
        assert_eq!(times(&marks.rise(&[event("a", 99, 20)])), [("a", 20)]);
        let mut again = Marks::new(marks.0);
        assert_eq!(times(&again.rise(&[event("a", 19, 30)])), []);
    }
}
