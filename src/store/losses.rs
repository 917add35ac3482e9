//! What a store lost for want of room, put together by controller and site until it is told.

use crate::buffer::Loss;
use crate::own_event::Scope;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{Gap, Timestamp};

/// What was lost after a telling waits so long: at first, and when it goes on and on. Who tells it makes an event, for
/// which another may have to go.
const WAIT: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(60 * 60));

/// Losses that were not told yet.
#[derive(Debug, Default)]
pub(super) struct Losses {
    untold: Vec<Loss>,
    /// When the last ones were told, and how long the next ones wait.
    told: Option<(Instant, Duration)>,
}

impl Losses {
    /// Whether all that was lost is told, so that the next is worth a line in the log.
    pub(super) fn is_empty(&self) -> bool {
        self.untold.is_empty()
    }

    /// Note that an event of this origin and time is lost to at least one sink.
    pub(super) fn note(&mut self, scope: &Scope, time: Timestamp) {
        self.add(Loss {
            controller: scope.controller.clone(),
            site: scope.site.clone(),
            site_name: scope.site_name.clone(),
            own: false,
            gap: Gap {
                from: time,
                to: time,
                count: Some(1),
            },
        });
    }

    /// Note all of this.
    pub(super) fn add(&mut self, loss: Loss) {
        let mut known = self.untold.iter_mut();
        match known.find(|known| known.is_of_the_place_of(&loss)) {
            Some(known) => known.take_in(&loss.gap),
            None => self.untold.push(loss),
        }
    }

    /// All of them, told or not.
    pub(super) fn into_all(self) -> Vec<Loss> {
        self.untold
    }

    /// What is to be told now: at once what is the first for long, then less and less often; or `all` there is.
    pub(super) fn take(&mut self, now: Instant, all: bool) -> Vec<Loss> {
        let mut wait = WAIT.0;
        if let Some((at, waits)) = self.told {
            let since = now.saturating_duration_since(at);
            if self.untold.is_empty() || (since < waits && !all) {
                return Vec::new();
            }
            if since < waits * 2 {
                wait = (waits * 2).min(WAIT.1);
            }
        }
        if !self.untold.is_empty() {
            self.told = Some((now, wait));
        }
        std::mem::take(&mut self.untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn now() -> Instant {
        Clock::manual(Timestamp::from_millis(0)).now()
    }

    fn note(losses: &mut Losses, site: &str, second: i64) {
        let scope = Scope {
            controller: "home".into(),
            site: site.into(),
            site_name: "".into(),
        };
        losses.note(&scope, Timestamp::from_millis(second * 1_000));
    }

    #[test]
    fn they_are_put_together_by_site() {
        let mut losses = Losses::default();
        for (site, second) in [("a", 5), ("b", 1), ("a", 2), ("a", 9)] {
            note(&mut losses, site, second);
        }
        let told = losses.take(now(), false);
        let told = told.iter().map(|loss| {
            let Gap { from, to, count } = loss.gap;
            (&*loss.site, from.as_millis(), to.as_millis(), count)
        });
        let told: Vec<_> = told.collect();
        assert_eq!(
            told,
            [("a", 2_000, 9_000, Some(3)), ("b", 1_000, 1_000, Some(1))]
        );
    }

    #[test]
    fn those_that_go_on_and_on_are_told_less_and_less_often() {
        let (begun, mut losses) = (now(), Losses::default());
        let mut minutes = Vec::new();
        for minute in 0..600 {
            note(&mut losses, "a", minute);
            let now = begun + Duration::from_secs(60) * u32::try_from(minute).unwrap();
            if !losses.take(now, false).is_empty() {
                minutes.push(minute);
            }
        }
        assert_eq!(
            minutes,
            [
                0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363, 423, 483, 543
            ]
        );
        // What was not told yet is told at the end, and nothing a second time.
        let end = begun + Duration::from_secs(60 * 600);
        let rest = losses.take(end, true);
        assert_eq!(rest[0].gap.count, Some(56));
        assert!(losses.take(end, true).is_empty());
        // After a long rest the next is news.
        let late = end + Duration::from_secs(3 * 60 * 60);
        note(&mut losses, "a", 1);
        assert_eq!(losses.take(late, false).len(), 1);
        note(&mut losses, "a", 1);
        assert!(
            losses
                .take(late + Duration::from_secs(59), false)
                .is_empty()
        );
        assert_eq!(losses.take(late + Duration::from_secs(60), false).len(), 1);
    }
}
