//! The router: takes what is in the ring, runs the chains over it, commits once, and goes round.

mod gaps;

use crate::chain::{Chains, Now, Routing};
use crate::clock::Clock;
use crate::intake::Outlet;
use crate::store::{Commit, SharedStore, Watermark};
use crate::unifi::{Admission, Dedupe, EventSource};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{BufferedEvent, Event, Kind, Origin};

/// Most events in one commit.
const MAX_BATCH: usize = 512;

/// How many recent events are remembered to recognise one that comes twice.
const REMEMBERED: usize = 65_536;

/// How long a commit that failed waits before it is tried again.
const COMMIT_RETRY: Duration = Duration::from_millis(500);

/// The router and what it works with.
#[derive(Debug)]
pub struct Router {
    outlet: Outlet,
    chains: Chains,
    store: SharedStore,
    clock: Clock,
    weather: Arc<Notify>,
    dedupe: Dedupe,
    routing: Routing,
}

impl Router {
    /// A router of `sinks` sinks; `weather` rings when the internet is back.
    #[must_use]
    pub fn new(
        outlet: Outlet,
        chains: Chains,
        store: SharedStore,
        sinks: usize,
        clock: Clock,
        weather: Arc<Notify>,
    ) -> Self {
        let routing = Routing::new(sinks, store.next_seq());
        Self {
            outlet,
            chains,
            store,
            clock,
            weather,
            dedupe: Dedupe::new(REMEMBERED),
            routing,
        }
    }

    /// Route until `stop` is cancelled and the ring is empty.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut taken = Vec::with_capacity(MAX_BATCH);
        loop {
            // `take` is cancel-safe; asked first, so that a stop leaves nothing in the ring.
            let losses = tokio::select! {
                biased;
                losses = self.outlet.take(MAX_BATCH, &mut taken) => losses,
                () = stop.cancelled() => return,
            };
            let lost = losses.iter().filter_map(|loss| loss.gap.count).sum();
            let gaps = losses
                .into_iter()
                .map(|loss| gaps::ring_overflow(loss, self.clock.wall()));
            // The hole is older than what is left in the ring, and is told first.
            let events: Vec<_> = gaps.chain(taken.drain(..)).collect();
            let commit = self.decide(&events, lost);
            commit_until_taken(&self.store, commit).await;
        }
    }

    /// Run the chains over a batch; nothing has happened before the commit.
    fn decide(&mut self, events: &[Arc<Event>], lost: u64) -> Commit {
        let now = Now {
            instant: self.clock.now(),
            wall: self.clock.wall(),
        };
        let mut duplicates = 0;
        let mut internet_is_back = false;
        for event in events {
            if self.dedupe.admit(event, EventSource::of(event)) == Admission::Duplicate {
                duplicates += 1;
                continue;
            }
            internet_is_back |= event.kind == Kind::WAN_UP;
            self.chains.route(event, now, &mut self.routing);
        }
        if internet_is_back {
            self.weather.notify_waiters();
        }
        let state = self.chains.take_state();
        let (events, shares, dead) = self.routing.take(now.wall);
        let watermarks = watermarks(&events);
        Commit {
            events,
            shares,
            dead,
            duplicates,
            lost,
            state,
            watermarks,
            ..Commit::default()
        }
    }
}

/// How far each controller's site has come with `events`, by the controller's own clock.
fn watermarks(events: &[BufferedEvent]) -> Vec<Watermark> {
    let mut marks: Vec<Watermark> = Vec::new();
    for event in events
        .iter()
        .filter(|event| event.origin != Origin::Derived)
    {
        let known = marks
            .iter_mut()
            .find(|mark| mark.controller == event.controller && mark.site == event.site);
        match known {
            Some(mark) => mark.time = mark.time.max(event.time),
            None => marks.push(Watermark {
                controller: event.controller.clone(),
                site: event.site.clone(),
                time: event.time,
            }),
        }
    }
    marks
}

/// Commit, however long it takes: a batch is never skipped.
async fn commit_until_taken(store: &SharedStore, mut commit: Commit) {
    while let Err(rejected) = store.commit(commit).await {
        tracing::error!(error = %rejected.error, "store refused a batch, trying again");
        tokio::time::sleep(COMMIT_RETRY).await;
        commit = rejected.commit;
    }
}

#[cfg(test)]
mod tests;
