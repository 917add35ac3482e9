//! What the socket of a site and the repair of its holes share.

use super::SiteTask;
use crate::config::BackfillPlan;
use crate::intake::hole_id;
use crate::source::Resume;
use crate::unifi::gap::{BLIND, FIRST_RUN, News, Now, RECONNECT, Repairs, START, Skew};
use crate::unifi::{Decoder, Site};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;
use unifi_herald_plugin::{Event, Text, Timestamp};

/// One lock for all, taken once per frame and never over a wait.
#[derive(Debug)]
pub(in crate::source) struct SiteState {
    shared: Mutex<Shared>,
    /// Rings when there may be something to repair.
    pub(in crate::source) bell: Notify,
}

#[derive(Debug)]
pub(in crate::source) struct Shared {
    controller: Text,
    site: Text,
    pub(in crate::source) decoder: Decoder,
    pub(in crate::source) repairs: Repairs,
    /// Where the last run stopped, until the first connection is up.
    resume: Option<Resume>,
    /// The controller's time when this run was the first that ever had a socket of the site.
    met: Option<Timestamp>,
    /// Whether the socket of that moment is still there: then nothing was missed since.
    unbroken: bool,
    /// The controller's time up to which nothing can have been missed, in this run.
    heard: Option<Timestamp>,
    /// How the times of events differ from that.
    skew: Skew,
    /// When the last data frame of this connection came, or it came up.
    pub(in crate::source) data: Option<Instant>,
    /// Whether the mute socket was told to be blind.
    pub(in crate::source) blind: bool,
}

impl SiteState {
    pub(in crate::source) fn new(
        controller: &Text,
        site: &Site,
        plan: BackfillPlan,
        resume: Option<Resume>,
    ) -> Self {
        let shared = Shared {
            controller: controller.clone(),
            site: site.name.clone(),
            decoder: Decoder::new(controller.clone(), site.clone()),
            repairs: Repairs::new(plan),
            resume: resume.map(|resume| resume.of_site(controller, &site.name)),
            met: None,
            unbroken: false,
            heard: None,
            skew: Skew::default(),
            data: None,
            blind: false,
        };
        Self {
            shared: Mutex::new(shared),
            bell: Notify::new(),
        }
    }

    pub(in crate::source) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Whether a connection was up before, in this run.
    pub(super) fn was_up(&self) -> bool {
        self.heard.is_some()
    }

    /// There is a socket. The hole that this opens where no run before had one: what is older is history from before
    /// herald, and what comes is for the sinks, also when this run ends before the connection has proved itself.
    pub(super) fn meet(&mut self, now: Now) -> Vec<News> {
        let unknown = |resume: &Resume| resume.watermarks.is_empty();
        if self.met.is_some() || !self.resume.as_ref().is_some_and(unknown) {
            return Vec::new();
        }
        self.met = Some(now.wall);
        self.unbroken = true;
        let scope = (&self.controller, &self.site);
        let hole = self.repairs.first_run(scope, hole_id(), now);
        self.repairs.open(hole, now)
    }

    /// The connection is up: the holes that this opens.
    pub(super) fn came_up(&mut self, now: Now) -> Vec<News> {
        let mut news = self.meet(now);
        let scope = (&self.controller, &self.site);
        let resume = self.resume.take();
        if let Some(heard) = self.heard {
            let heard = (heard, self.skew);
            let hole = self
                .repairs
                .hole_since_heard(heard, scope, hole_id(), RECONNECT, now);
            news.extend(self.repairs.open(hole, now));
        } else if let Some(resume) = resume {
            let mark = resume.watermarks.first().map(|mark| mark.time);
            for mut hole in resume.holes {
                // Where events go by a slower clock than the connection, what has come since is no history from before herald.
                if &*hole.reason == FIRST_RUN {
                    hole.to = hole.to.min(mark.or(hole.to));
                }
                news.extend(self.repairs.open(hole, now));
            }
            if let Some(mark) = mark {
                self.skew = Skew::suspected(mark, now.wall);
            }
            let seen = mark.or(self.met).unwrap_or(now.wall);
            let mut hole = self.repairs.hole_since(seen, scope, hole_id(), START, now);
            if mark.is_none() {
                // Nothing that the socket may tell as well can be history from before herald.
                hole.from = seen.min(now.wall);
            }
            if self.unbroken {
                hole.to = Some(hole.from);
            }
            news.extend(self.repairs.open(hole, now));
        }
        self.repairs.connected(true);
        self.heard = self.heard.max(Some(now.wall));
        self.data = Some(now.instant);
        news
    }

    /// A data frame came, with these events.
    pub(super) fn hear(&mut self, events: &[Arc<Event>], now: Now) {
        self.skew
            .measure(events.iter().map(|event| &**event), now.wall);
        self.heard = self.heard.max(Some(now.wall));
        self.data = Some(now.instant);
        self.blind = false;
    }

    /// The connection is lost.
    pub(super) fn lost(&mut self) {
        self.repairs.connected(false);
        self.data = None;
        self.skew.begin();
        self.unbroken = false;
    }

    /// When the mute socket last said something, and the controller's time then.
    pub(in crate::source) fn mute_since(&self) -> Option<(Instant, Timestamp)> {
        self.data.zip(self.heard)
    }

    /// The history has something newer than the mute socket told: the hole that this opens.
    pub(in crate::source) fn open_blind(&mut self, now: Now) -> Vec<News> {
        let Some(heard) = self.heard else {
            return Vec::new();
        };
        let scope = (&self.controller, &self.site);
        let hole = self
            .repairs
            .hole_since_heard((heard, self.skew), scope, hole_id(), BLIND, now);
        self.heard = Some(now.wall);
        self.repairs.open(hole, now)
    }
}

impl Resume {
    fn of_site(mut self, controller: &str, site: &str) -> Self {
        self.watermarks
            .retain(|mark| &*mark.controller == controller && &*mark.site == site);
        self.holes
            .retain(|hole| &*hole.controller == controller && &*hole.site == site);
        self
    }
}

impl SiteTask {
    /// The two times that the repair of holes goes by.
    pub(super) fn repair_now(&self) -> Now {
        Now {
            instant: self.link.clock.now(),
            wall: self.account.controller_time(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::{Hole, HoleChange, Watermark};
    use crate::unifi::gap::{History, Next};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    /// What is opened by a run that comes up at `second`, where the last one left these.
    fn opened(
        watermarks: Vec<Watermark>,
        holes: Vec<Hole>,
        second: i64,
    ) -> Vec<(String, i64, i64)> {
        let site = Site {
            name: "default".into(),
            display: "Home".into(),
        };
        let resume = Resume { watermarks, holes };
        let state = SiteState::new(&"home".into(), &site, BackfillPlan::default(), Some(resume));
        let now = Now {
            instant: Clock::manual(at(second)).now(),
            wall: at(second),
        };
        let news = state.lock().came_up(now);
        let holes = news.into_iter().filter_map(|news| match news.change {
            HoleChange::Open(hole) => {
                let (from, to) = (hole.from.as_millis(), hole.to?.as_millis());
                Some((hole.reason.to_string(), from / 1_000, to / 1_000))
            }
            _ => None,
        });
        holes.collect()
    }

    #[test]
    fn a_hole_begins_and_ends_by_the_clock_of_the_events() {
        let site = Site {
            name: "default".into(),
            display: "Home".into(),
        };
        let clock = Clock::manual(at(0));
        let now = |second: i64| Now {
            instant: clock.now(),
            wall: at(second),
        };
        let overlap = BackfillPlan::default().overlap;
        let reopened = |state: &mut Shared, second: i64| {
            state.lost();
            let news = state.came_up(now(second));
            let HoleChange::Open(hole) = news[0].change.clone() else {
                panic!("{news:?}");
            };
            ((hole.from + overlap).as_secs(), hole.to.unwrap().as_secs())
        };
        let told = |time: i64, second: i64| {
            let mut event = Event::new(unifi_herald_plugin::Kind::WAN_DOWN, "a", at(time));
            event.received = at(second);
            [Arc::new(event)]
        };
        let new = |watermarks: Vec<Watermark>| {
            let resume = Resume {
                watermarks,
                holes: Vec::new(),
            };
            SiteState::new(&"home".into(), &site, BackfillPlan::default(), Some(resume))
        };
        let state = new(Vec::new());
        let mut state = state.lock();
        state.came_up(now(1_000_000));
        state.hear(&told(999_400, 1_000_000), now(1_000_000));
        state.hear(&[], now(1_000_100));
        assert_eq!(reopened(&mut state, 1_000_500), (999_500, 1_000_500));
        state.hear(&told(1_000_620, 1_000_600), now(1_000_600));
        // One hole with the one before, which still settles.
        assert_eq!(reopened(&mut state, 1_010_000).1, 1_010_020);

        // The run before knew of nothing newer, and this one has heard of nothing yet.
        let mark = Watermark {
            controller: "home".into(),
            site: "default".into(),
            time: at(999_000),
        };
        let state = new(vec![mark]);
        let mut state = state.lock();
        state.came_up(now(1_000_000));
        state.hear(&[], now(1_000_010));
        assert_eq!(reopened(&mut state, 1_000_020).0, 999_000);
        // Where there is no history, it is not made out that nobody listened.
        state.repairs = Repairs::new(BackfillPlan::default());
        state.repairs.gone(History::SystemLog);
        state.repairs.gone(History::Legacy);
        assert_eq!(reopened(&mut state, 1_000_030).0, 1_000_020);
    }

    #[test]
    fn nothing_is_missed_before_the_first_connection_that_any_run_had() {
        let site = Site {
            name: "default".into(),
            display: "Home".into(),
        };
        let clock = Clock::manual(at(10_000_000));
        let now = |second: u64| Now {
            instant: clock.now() + std::time::Duration::from_secs(second),
            wall: at(10_000_000) + std::time::Duration::from_secs(second),
        };
        for broken in [false, true] {
            let state = SiteState::new(
                &"home".into(),
                &site,
                BackfillPlan::default(),
                Some(Resume::default()),
            );
            let mut state = state.lock();
            assert_eq!(state.meet(now(0)).len(), 1);
            if broken {
                state.lost();
                assert!(state.meet(now(20)).is_empty());
            }
            assert_eq!(state.came_up(now(25)).len(), 1);
            state.repairs.gone(History::SystemLog);
            state.repairs.gone(History::Legacy);
            let mut gaps = Vec::new();
            while let Next::Commit(news) = state.repairs.next(now(25)) {
                gaps.extend(news.into_iter().filter_map(|news| news.gap));
            }
            let told: Vec<_> = gaps.iter().map(|(gap, _)| (gap.from, gap.to)).collect();
            let missed = (now(0).wall, now(25).wall);
            assert_eq!(told, if broken { vec![missed] } else { Vec::new() });
        }
    }

    #[test]
    fn what_came_since_the_first_socket_is_no_history_whatever_clock_it_goes_by() {
        let overlap = i64::try_from(BackfillPlan::default().overlap.as_secs()).unwrap();
        let age = i64::try_from(BackfillPlan::default().max_age.as_secs()).unwrap();
        let met = opened(Vec::new(), Vec::new(), 10_000_000);
        assert_eq!(
            met,
            [
                ("first_run".to_owned(), 10_000_000 - age, 10_000_000),
                ("start".to_owned(), 10_000_000, 10_000_000),
            ]
        );
        // The first events were of five seconds before.
        let mark = Watermark {
            controller: "home".into(),
            site: "default".into(),
            time: at(9_999_995),
        };
        let hole = Hole {
            id: 1,
            controller: "home".into(),
            site: "default".into(),
            from: at(9_999_000),
            to: Some(at(10_000_000)),
            reason: FIRST_RUN.into(),
        };
        let again = opened(vec![mark], vec![hole], 10_000_030);
        assert_eq!(
            again,
            [
                ("first_run".to_owned(), 9_999_000, 9_999_995),
                ("start".to_owned(), 9_999_995 - overlap, 10_000_030),
            ]
        );
    }
}
