//! How far each controller's site has come: watermarks that only rise.

use crate::store::Watermark;
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
