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
mod tests;
