//! Plays the story at a pace: so many events per second, or as fast as the sockets take them.

use super::deck::Deck;
use super::hub::Hub;
use super::scenario::Act;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How fast things happen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pace {
    /// Nothing happens by itself.
    #[default]
    Still,
    /// This many events per second, over all sites, whether or not anybody listens.
    PerSecond(f64),
    /// As many as the sockets take, in frames of this many items; nothing while there is no socket. The events are
    /// rendered in advance and get a fresh id and time each; the ledger counts them and does not keep them.
    FlatOut {
        /// Items per frame.
        items: usize,
    },
}

/// Ticks of the pace: events come in small batches at high rates and one by one at low ones.
const TICK: Duration = Duration::from_millis(10);
/// More frames than this in a socket's queue are enough to keep it busy.
const AHEAD: usize = 1_024;

/// Play until the simulator stops.
///
/// The pace is held while something happens: who changes it waits for that, and nothing happens at the old one afterwards.
pub(super) async fn play(hub: Arc<Hub>, mut pace: watch::Receiver<Pace>) {
    let (stop, sites) = (hub.tasks.stop_token(), hub.world().stories.len());
    let mut player = Player {
        sites,
        hub,
        timelines: None,
        events: 0.0,
        syncs: 0.0,
        turn: 0,
    };
    let asked = pace.clone();
    loop {
        let now = *pace.borrow_and_update();
        tokio::select! {
            () = stop.cancelled() => return,
            changed = pace.changed() => if changed.is_err() { return },
            () = player.play(now, &asked) => {}
        }
    }
}

type Timeline = Vec<(u32, Act)>;

struct Player {
    hub: Arc<Hub>,
    sites: usize,
    /// Per site what is still to come, and when the scenario began.
    timelines: Option<(Instant, Vec<Timeline>)>,
    /// Events and sync frames that are due, with the fraction left over.
    events: f64,
    syncs: f64,
    turn: usize,
}

impl Player {
    /// Play at this pace until another is asked for.
    async fn play(&mut self, pace: Pace, asked: &watch::Receiver<Pace>) {
        let held = || Some(asked.borrow()).filter(|asked| **asked == pace);
        match pace {
            Pace::Still => std::future::pending().await,
            Pace::PerSecond(rate) => self.steadily(rate.max(0.0), held).await,
            Pace::FlatOut { items } => self.flat_out(items.max(1), held).await,
        }
    }

    async fn steadily<H>(&mut self, rate: f64, held: impl Fn() -> Option<H>) {
        let mut ticks = tokio::time::interval(TICK);
        // A late tick is made up for, so that the rate holds.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            ticks.tick().await;
            let Some(_held) = held() else { return };
            self.scenario();
            self.events += rate * TICK.as_secs_f64();
            self.ordinary();
        }
    }

    /// What the scenario has for this moment.
    fn scenario(&mut self) {
        let hub = &self.hub;
        let (begun, timelines) = self.timelines.get_or_insert_with(|| {
            let timelines = hub
                .world()
                .stories
                .iter()
                .map(|story| hub.options.scenario.timeline(story))
                .collect();
            (hub.options.clock.now(), timelines)
        });
        let elapsed = hub
            .options
            .clock
            .now()
            .saturating_duration_since(*begun)
            .as_secs_f64()
            * hub.options.time_scale;
        for (site, timeline) in timelines.iter_mut().enumerate() {
            let due = timeline.partition_point(|(at, _)| f64::from(*at) <= elapsed * 1000.0);
            if due > 0 {
                hub.act(site, timeline.drain(..due).map(|(_, act)| act));
            }
        }
    }

    /// The events of ordinary life that are due, shared among the sites.
    fn ordinary(&mut self) {
        let share = self.hub.options.sync_share.clamp(0.0, 0.99);
        let due = self.events.floor();
        self.events -= due;
        self.syncs += due * share / (1.0 - share);
        let due = due as usize;
        for site in 0..self.sites {
            let part =
                due / self.sites + usize::from((site + self.turn) % self.sites < due % self.sites);
            if part > 0 {
                self.hub.emit(site, part);
            }
        }
        self.turn += due % self.sites.max(1);
        while self.syncs >= 1.0 {
            self.syncs -= 1.0;
            self.hub.sync(self.turn % self.sites.max(1));
            self.turn += 1;
        }
    }

    async fn flat_out<H>(&mut self, items: usize, held: impl Fn() -> Option<H>) {
        let mut deck = Deck::new(&self.hub, items);
        loop {
            let drained = self.hub.peers.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            match self.hub.peers.longest_queue() {
                Some(length) if length < AHEAD => {
                    match held() {
                        Some(_held) => deck.deal(&self.hub),
                        None => return,
                    }
                    tokio::task::yield_now().await;
                }
                _ => drained.await,
            }
        }
    }
}
