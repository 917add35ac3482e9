//! When a dead man's switch is told that all is well, and why it is not told.

pub mod worker;

use crate::status::ControllerFacts;
use crate::store::StoreHealth;
use std::fmt;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{Text, Timestamp};

/// A connected controller that has said nothing for this long may have forgotten us: even a quiet site sends the state
/// of its devices far more often.
const SILENCE: Duration = Duration::from_mins(15);
/// After a ping that did not arrive the next one comes this soon, unless the next is due before.
const RETRY: Duration = Duration::from_secs(10);
/// How often to look whether all is well again.
const LOOK: Duration = Duration::from_secs(1);

/// Why all is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// There is no controller to hear from.
    Nobody,
    /// The socket of a site of this controller is not up.
    Disconnected(Text),
    /// This controller is connected and silent.
    Silent(Text),
    /// This source is not connected.
    Unfed(Text),
    /// What comes cannot be written down.
    StoreDegraded,
}

/// What keeps herald, at `now`, from hearing and keeping what controllers and `sources`, connected or not, tell; `None` when nothing does.
pub fn ailment<'a>(
    controllers: impl IntoIterator<Item = (&'a Text, ControllerFacts)>,
    sources: impl IntoIterator<Item = (&'a Text, bool)>,
    store: &StoreHealth,
    now: Timestamp,
) -> Option<Ailment> {
    let mut heard = false;
    for (name, facts) in controllers {
        heard = true;
        if !facts.connected() {
            return Some(Ailment::Disconnected(name.clone()));
        }
        if facts
            .last_frame
            .is_none_or(|last| now.since(last) >= SILENCE)
        {
            return Some(Ailment::Silent(name.clone()));
        }
    }
    for (name, connected) in sources {
        heard = true;
        if !connected {
            return Some(Ailment::Unfed(name.clone()));
        }
    }
    if !heard {
        return Some(Ailment::Nobody);
    }
    (*store != StoreHealth::Ok).then_some(Ailment::StoreDegraded)
}

impl fmt::Display for Ailment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("there is no controller"),
            Self::Disconnected(name) => write!(f, "the controller {name} is not connected"),
            Self::Silent(name) => write!(f, "the controller {name} is silent"),
            Self::Unfed(name) => write!(f, "the source {name} is not connected"),
            Self::StoreDegraded => f.write_str("the store is degraded"),
        }
    }
}

/// The rhythm of the pings.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    every: Duration,
    due: Instant,
}

impl Pulse {
    /// A ping each `every`, the first at once.
    #[must_use]
    pub fn new(every: Duration, now: Instant) -> Self {
        Self { every, due: now }
    }

    /// Whether a ping is due.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// A ping was sent; `arrived` tells whether it got there.
    pub fn sent(&mut self, arrived: bool, now: Instant) {
        self.due = now
            + if arrived {
                self.every
            } else {
                RETRY.min(self.every)
            };
    }

    /// When to look again whether a ping is due and all is well.
    #[must_use]
    pub fn look_at(&self, now: Instant) -> Instant {
        self.due.max(now + LOOK.min(self.every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use unifi_herald_plugin::testing::START;

    const SECOND: Duration = Duration::from_secs(1);

    fn facts(sites: &[(&str, bool)], last_frame: Option<Timestamp>) -> ControllerFacts {
        ControllerFacts {
            sites: sites
                .iter()
                .map(|(site, up)| ((*site).into(), *up))
                .collect(),
            last_frame,
            ..ControllerFacts::default()
        }
    }

    #[test]
    fn all_is_well_only_when_everybody_is_heard_and_everything_kept() {
        let (home, office): (Text, Text) = ("home".into(), "office".into());
        let now = START + Duration::from_hours(1);
        let well = || facts(&[("default", true), ("attic", true)], Some(now));
        let judge = |other: ControllerFacts, store: &StoreHealth| {
            ailment([(&home, well()), (&office, other)], [], store, now)
        };
        let fine = StoreHealth::Ok;
        assert_eq!(judge(well(), &fine), None);
        let half = facts(&[("default", true), ("attic", false)], Some(now));
        let disconnected = Some(Ailment::Disconnected(office.clone()));
        assert_eq!(judge(half, &fine), disconnected);
        assert_eq!(judge(facts(&[], Some(now)), &fine), disconnected);
        let mute = |silent| facts(&[("default", true)], Some(now + SECOND - silent));
        assert_eq!(judge(mute(SILENCE), &fine), None);
        let silent = Some(Ailment::Silent(office.clone()));
        assert_eq!(judge(mute(SILENCE + SECOND), &fine), silent);
        assert_eq!(judge(facts(&[("default", true)], None), &fine), silent);
        let degraded = StoreHealth::Degraded {
            since: now,
            reason: "full".to_owned(),
            held: 0,
        };
        assert_eq!(judge(well(), &degraded), Some(Ailment::StoreDegraded));
        assert_eq!(ailment([], [], &fine, now), Some(Ailment::Nobody));
        assert_eq!(ailment([], [(&home, true)], &fine, now), None);
        let unfed = ailment([(&home, well())], [(&office, false)], &fine, now);
        assert_eq!(unfed, Some(Ailment::Unfed(office.clone())));
    }

    #[test]
    fn a_ping_that_did_not_arrive_is_tried_again_soon() {
        let start = Clock::system().now();
        let mut pulse = Pulse::new(SECOND * 60, start);
        assert!(pulse.is_due(start));
        pulse.sent(true, start);
        assert!(!pulse.is_due(start + SECOND * 59));
        assert_eq!(pulse.look_at(start), start + SECOND * 60);
        pulse.sent(false, start);
        assert!(pulse.is_due(start + RETRY));
        let late = start + SECOND * 100;
        assert_eq!(pulse.look_at(late), late + LOOK, "ailing: looks often");
    }

    #[test]
    fn a_quick_pulse_stays_quick() {
        let start = Clock::system().now();
        let mut pulse = Pulse::new(SECOND / 10, start);
        pulse.sent(false, start);
        assert!(pulse.is_due(start + SECOND / 10));
        assert_eq!(pulse.look_at(start), start + SECOND / 10);
    }
}
