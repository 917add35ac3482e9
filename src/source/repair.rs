//! Fills the holes of one site from the controller's history, beside the socket of the same site.

mod collect;
mod fetch;

use super::account::Account;
use super::site::SiteState;
use super::{Link, announce};
use crate::buffer::Item;
use crate::intake::LossListener;
use crate::unifi::Site;
use crate::unifi::gap::{History, Next, Now, Slice};
use crate::unifi::history::pages::Promises;
use crate::unifi::history::walk::Marks;
use collect::Collector;
use fetch::Stop;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{Event, Text};

/// How often in a row an answer may be no page of a history before there is none.
const MAX_ODD: u32 = 3;

/// The repair of one site.
pub(super) struct Repair {
    pub(super) account: Arc<Account>,
    pub(super) link: Link,
    pub(super) controller: Text,
    pub(super) site: Site,
    /// After how long without a frame the history is asked whether something happened.
    pub(super) mute: Duration,
    pub(super) state: Arc<SiteState>,
    pub(super) stop: CancellationToken,
}

/// What lasts from one fetch to the next.
#[derive(Debug, Default)]
struct Memory {
    /// Odd answers in a row, of the system log and of `stat/event`.
    odd: [u32; 2],
    /// What the system log promised of the slices before.
    promises: Promises,
    /// Where in `stat/event` the slice before ended.
    marks: Marks,
    /// When the history was last asked whether the mute socket misses something.
    probed: Option<Instant>,
}

impl Repair {
    /// Until told to stop. What was fetched and not handed on is fetched again by the next run.
    pub(super) async fn run(self) {
        let losses = self
            .link
            .intake
            .listen_for_losses(&self.controller, &self.site.name);
        self.stop.run_until_cancelled(self.work(&losses)).await;
    }

    async fn work(&self, losses: &LossListener) {
        let mut memory = Memory::default();
        loop {
            let next = self.state.lock().repairs.next(self.now());
            match next {
                Next::Commit(news) => {
                    announce::holes(&self.link, (&self.controller, &self.site), news);
                }
                Next::Fetch(slice) => self.fill(slice, &mut memory).await,
                Next::Rest(until) => self.rest(until, losses, &mut memory).await,
            }
        }
    }

    /// Wait until something is to be done; holes that the ring made and a socket that is mute are looked after here.
    async fn rest(&self, until: Option<Instant>, losses: &LossListener, memory: &mut Memory) {
        let probe = self.probe_due(memory);
        let wake = [until, probe].into_iter().flatten().min();
        let timer = async {
            match wake {
                Some(wake) => tokio::time::sleep_until(wake.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.state.bell.notified() => {}
            (hole, count) = losses.heard() => {
                let mut state = self.state.lock();
                let news = state.repairs.open_lost(hole, count, self.now());
                announce::holes(&self.link, (&self.controller, &self.site), news);
            }
            () = timer => {
                if probe.is_some_and(|probe| probe <= self.link.clock.now()) {
                    self.probe(memory).await;
                }
            }
        }
    }

    /// Fetch one slice and hand it on.
    async fn fill(&self, slice: Slice, memory: &mut Memory) {
        let (_, pass) = self.account.pass().await;
        {
            let mut state = self.state.lock();
            state.repairs.logged_in(pass.generation);
            // Another session may have other histories: the slice is decided anew.
            if state.repairs.histories() != slice.histories {
                return;
            }
        }
        let mut collector = Collector::default();
        let fetched = self.fetch(&slice, memory, &mut collector);
        match fetched.await {
            Ok(()) => {
                memory.odd = [0, 0];
                let (events, cut) = collector.finish();
                let times: Vec<_> = events.iter().map(|event| event.time).collect();
                let count = events.len();
                let again = self.state.lock().repairs.looked_at_again(&slice, cut);
                let item = |event: Arc<Event>| match again {
                    _ if slice.seed => Item::Seed(event),
                    Some(again) if event.time >= again => Item::Early(event),
                    _ => Item::Event(event),
                };
                let mut items: VecDeque<Item> = events.into_iter().map(item).collect();
                self.link.intake.push_history(&mut items).await;
                // All of them are in the ring; nothing may come between the decision and its place behind them.
                let mut state = self.state.lock();
                state.repairs.brought(&slice, &times);
                let news = state.repairs.fetched(&slice, cut);
                announce::holes(&self.link, (&self.controller, &self.site), news);
                tracing::debug!(controller = %self.controller, site = %self.site.name, count, from = %slice.from, to = %slice.to, "fetched from the history");
            }
            Err(stop) => self.settle(stop, memory),
        }
    }

    fn settle(&self, stop: Stop, memory: &mut Memory) {
        let now = self.link.clock.now();
        let repairs = &mut self.state.lock().repairs;
        match stop {
            Stop::Narrower => {}
            Stop::Later(wait, why) => {
                tracing::warn!(controller = %self.controller, site = %self.site.name, why, "the history cannot be read, trying again later");
                repairs.failed(now, fastrand::f64(), wait);
            }
            Stop::Odd(history) => {
                let odd = &mut memory.odd[history as usize];
                *odd += 1;
                if *odd >= MAX_ODD {
                    *odd = 0;
                    tracing::warn!(controller = %self.controller, site = %self.site.name, ?history, "the history is in a form that herald does not know");
                    repairs.gone(history);
                } else {
                    repairs.failed(now, fastrand::f64(), None);
                }
            }
            Stop::Gone(history, why) => {
                tracing::info!(controller = %self.controller, site = %self.site.name, ?history, why, "the controller does not have this history");
                repairs.gone(history);
            }
        }
    }

    /// When to ask whether the mute socket misses something; nothing while it is not up.
    fn probe_due(&self, memory: &Memory) -> Option<Instant> {
        let (data, _) = self.state.lock().mute_since()?;
        let due = data + self.mute;
        Some(
            memory
                .probed
                .map_or(due, |probed| due.max(probed + self.mute / 4)),
        )
    }

    /// Ask whether the history has something that the mute socket did not tell.
    async fn probe(&self, memory: &mut Memory) {
        memory.probed = Some(self.link.clock.now());
        let (histories, mute) = {
            let state = self.state.lock();
            (state.repairs.histories(), state.mute_since())
        };
        let Some((data, since)) = mute else {
            return;
        };
        let history = if histories.system_log {
            History::SystemLog
        } else if histories.legacy {
            History::Legacy
        } else {
            return;
        };
        let newest = match self.newest(history, since).await {
            Ok(newest) => newest,
            Err(stop) => {
                self.settle(stop, memory);
                return;
            }
        };
        if newest.is_none_or(|newest| newest <= since) {
            return;
        }
        let mut state = self.state.lock();
        // A frame may have come while the history was asked.
        if state.mute_since().is_none_or(|(now, _)| now != data) {
            return;
        }
        if !std::mem::replace(&mut state.blind, true) {
            let (clock, mute) = (&self.link.clock, self.now().instant - data);
            tracing::warn!(controller = %self.controller, site = %self.site.name, mute_s = mute.as_secs(), "the socket is mute while the history grows");
            let wall = clock.wall();
            let event = announce::blind(&self.controller, &self.site, wall - mute, wall);
            self.link.intake.push_now(&event);
        }
        let news = state.open_blind(self.now());
        announce::holes(&self.link, (&self.controller, &self.site), news);
    }

    fn now(&self) -> Now {
        Now {
            instant: self.link.clock.now(),
            wall: self.account.controller_time(),
        }
    }
}
