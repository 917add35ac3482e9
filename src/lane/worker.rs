//! The task behind a lane: claims events, calls the sink, settles, and waits when the lane says so.

mod settle;
mod sift;
mod storage;

use super::health::Announcement;
use super::watch::{CallError, call};
use super::{Lane, Next, Offer, Verdict};
use crate::clock::Clock;
use crate::config::SinkPlan;
use crate::intake::Intake;
use crate::own_event::{Scope, own_event};
use crate::status::LaneStatus;
use crate::store::SharedStore;
use futures_util::FutureExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{
    Batch, BufferedEvent, DeliveryError, Event, Fault, Kind, Sink, Storage, Timestamp,
};

/// Makes the sink with its storage: at the start, and anew after a panic.
pub type SinkFactory = Box<dyn Fn(&Storage) -> Result<Box<dyn Sink>, String> + Send + Sync>;

/// Everything a lane works with.
pub struct LaneWorker {
    /// Number of the sink in the store.
    pub index: usize,
    /// The sink's part of the plan.
    pub plan: SinkPlan,
    /// Makes the sink.
    pub factory: SinkFactory,
    /// Where pending events come from and settled ones go.
    pub store: SharedStore,
    /// Time.
    pub clock: Clock,
    /// Where the lane's state is shown.
    pub status: LaneStatus,
    /// Where `herald.sink_down` and `herald.sink_up` go.
    pub intake: Intake,
    /// Rings when the weather may have changed for every lane.
    pub weather: Arc<Notify>,
    /// Rings when the configuration was read anew and this lane's part of it has not changed.
    pub reloaded: Arc<Notify>,
    /// Cancelled when another lane takes its place, or none: it ends when it has the answer it waits for.
    pub retire: CancellationToken,
    /// Cancelled when no more events will be committed: the lane ends when it has nothing left.
    pub drain: CancellationToken,
    /// Cancelled when the time for draining is over: the lane ends now.
    pub abort: CancellationToken,
}

/// What a worker left when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Claimed and not settled.
    pub events: usize,
}

/// The part of a worker that changes.
struct State {
    lane: Lane,
    sink: Option<Box<dyn Sink>>,
    storage: Storage,
    window: Vec<BufferedEvent>,
    /// When the oldest event of the window was claimed.
    oldest: Option<Instant>,
}

impl LaneWorker {
    /// Deliver until told to stop.
    pub async fn run(self) -> Left {
        let mut state = State {
            lane: Lane::new(self.plan.batch.max, &self.plan.retry),
            sink: None,
            storage: self.restored(),
            window: Vec::new(),
            oldest: None,
        };
        // At once and not with the first event: a sink may have timers of its own. One that cannot be built is tried again
        // when it is needed, and said then.
        state.sink = (self.factory)(&state.storage).ok();
        while self.step(&mut state).await.is_continue() {
            self.tell(&mut state);
        }
        if let Some(sink) = state.sink.take() {
            let closed = call(&self.clock, self.plan.timeout, sink.close()).await;
            if let Err(error) = closed.outcome {
                tracing::warn!(sink = %self.plan.name, error = %error, "sink did not close cleanly");
            }
            self.keep(&state.storage).await;
        }
        Left {
            events: state.window.len(),
        }
    }

    async fn step(&self, state: &mut State) -> std::ops::ControlFlow<()> {
        use std::ops::ControlFlow::{Break, Continue};
        if self.abort.is_cancelled() || self.retire.is_cancelled() {
            return Break(());
        }
        let now = self.clock.now();
        match state.lane.next(now, state.window.len()) {
            Next::Wait(until) => self.wait(state, Some(until)).await,
            Next::WaitForReload => self.wait(state, None).await,
            Next::Deliver(offer) => {
                if state.window.is_empty() {
                    return self.fetch(state).await;
                }
                self.grow(state, offer).await;
                if self.sift(state).await && !self.retire.is_cancelled() {
                    self.deliver(state, offer).await;
                }
                if self.abort.is_cancelled() {
                    Break(())
                } else {
                    Continue(())
                }
            }
        }
    }

    /// Wait out a hold; every branch only waits.
    async fn wait(&self, state: &mut State, until: Option<Instant>) -> std::ops::ControlFlow<()> {
        let woken = wake_time(state.sink.as_deref());
        tokio::select! {
            () = self.abort.cancelled() => return std::ops::ControlFlow::Break(()),
            () = self.retire.cancelled() => return std::ops::ControlFlow::Break(()),
            () = self.reloaded.notified() => state.lane.reloaded(),
            // What waits for a reload, or is safe where it is, holds up nobody's stop.
            () = self.drain.cancelled(), if until.is_none() || self.store.unsaved(&self.plan.name) == 0 => return std::ops::ControlFlow::Break(()),
            () = self.weather.notified() => state.lane.weather_changed(),
            () = sleep_until(until) => {}
            () = sleep_until(woken) => self.wake(state).await,
        }
        std::ops::ControlFlow::Continue(())
    }

    /// Get the first events of an empty window. Claiming is cancel-safe; the other branches only wait.
    async fn fetch(&self, state: &mut State) -> std::ops::ControlFlow<()> {
        let woken = wake_time(state.sink.as_deref());
        tokio::select! {
            biased;
            () = self.abort.cancelled() => return std::ops::ControlFlow::Break(()),
            () = self.retire.cancelled() => return std::ops::ControlFlow::Break(()),
            events = self.store.claim(self.index, state.lane.wants()) => self.add(state, events),
            () = sleep_until(woken) => self.wake(state).await,
            () = self.drain.cancelled() => return std::ops::ControlFlow::Break(()),
        }
        std::ops::ControlFlow::Continue(())
    }

    /// Let others join the batch: those that are there already, and those that come within `batch.wait`. What is tried
    /// again stays what it was; one that is there is at hand, to be tried in the place of one that is never taken.
    async fn grow(&self, state: &mut State, offer: Offer) {
        let (wanted, until) = if offer.may_grow {
            let until = state.oldest.map(|oldest| oldest + self.plan.batch.wait);
            (offer.len, until)
        } else {
            (2, None)
        };
        while state.window.len() < wanted {
            let room = wanted - state.window.len();
            let claim = self.store.claim(self.index, room);
            let waiting =
                until.is_some_and(|until| self.clock.now() < until) && !self.drain.is_cancelled();
            if !waiting {
                match claim.now_or_never() {
                    Some(events) => self.add(state, events),
                    None => return,
                }
                continue;
            }
            tokio::select! {
                biased;
                events = claim => self.add(state, events),
                () = sleep_until(until) => return,
                () = self.drain.cancelled() => {}
                () = self.abort.cancelled() => return,
                () = self.retire.cancelled() => return,
            }
        }
    }

    fn add(&self, state: &mut State, events: Vec<BufferedEvent>) {
        state.oldest.get_or_insert_with(|| self.clock.now());
        state.window.extend(events.into_iter().map(|event| {
            if self.plan.raw {
                event
            } else {
                without_raw(event)
            }
        }));
    }

    async fn deliver(&self, state: &mut State, offer: Offer) {
        let end = (offer.start + offer.len).min(state.window.len());
        let start = offer.start.min(end.saturating_sub(1));
        self.build(state, offer);
        let events = &state.window[start..end];
        let Some(sink) = &mut state.sink else {
            return;
        };
        let batch = Batch::new(events).with_attempt(offer.attempt);
        let answer = tokio::select! {
            biased;
            answer = call(&self.clock, self.plan.timeout, sink.deliver(batch)) => answer,
            () = self.abort.cancelled() => return,
        };
        self.note_stall(answer.longest_poll);
        let (now, len) = (self.clock.now(), events.len());
        let was_failing = state.lane.health().is_failing();
        // Where another was tried in its place, it is the front that may be given up.
        let tried = if offer.start > 0 {
            state.lane.attempts()
        } else {
            offer.attempt
        };
        let (verdict, error) = match answer.outcome {
            Ok(()) => (state.lane.delivered(offer, len), None),
            Err(error) => {
                if matches!(error, CallError::Panicked(_)) {
                    // Whatever it was in the middle of, it is not to be trusted any more.
                    state.sink = None;
                }
                let error = DeliveryError::from(error);
                let expired = self.expired(events);
                let verdict = state
                    .lane
                    .failed(now, offer, len, expired, &error, fastrand::f64());
                self.log_failure(&error, was_failing, &verdict);
                (verdict, Some(error))
            }
        };
        // Before what was delivered is settled: an id that got lost on the way would not come again.
        self.keep(&state.storage).await;
        if was_failing && !state.lane.health().is_failing() {
            tracing::info!(sink = %self.plan.name, "sink takes events again");
            self.weather.notify_waiters();
        }
        self.settle_verdict(state, tried, start, &verdict, error.as_ref())
            .await;
    }

    /// Build the sink when there is none; one that cannot be built fails like one that is out of reach.
    fn build(&self, state: &mut State, offer: Offer) {
        if state.sink.is_some() {
            return;
        }
        match (self.factory)(&state.storage) {
            Ok(built) => state.sink = Some(built),
            Err(error) => {
                let (now, draw) = (self.clock.now(), fastrand::f64());
                let error = DeliveryError::misconfigured(error);
                state.lane.failed(now, offer, 1, 0, &error, draw);
                self.log_failure(&error, false, &Verdict::default());
            }
        }
    }

    /// How many of the first of `events` are older than `give_up_after`. For a dead letter that is tried again, its time
    /// begins anew.
    fn expired(&self, events: &[BufferedEvent]) -> usize {
        let Some(limit) = self.plan.retry.give_up_after else {
            return 0;
        };
        let oldest = self.clock.wall() - limit;
        events
            .iter()
            .take_while(|event| {
                event.received < oldest && self.was_not_retried_since(event.seq, oldest)
            })
            .count()
    }

    /// Whether an event is no dead letter that became pending again after `oldest`. What cannot be known is not given up.
    fn was_not_retried_since(&self, seq: u64, oldest: Timestamp) -> bool {
        match self.store.retried_at(self.index, seq) {
            Ok(retried) => retried.is_none_or(|retried| retried < oldest),
            Err(error) => {
                tracing::warn!(sink = %self.plan.name, %error, "store could not tell since when a dead letter is tried again");
                false
            }
        }
    }

    async fn wake(&self, state: &mut State) {
        let Some(sink) = &mut state.sink else { return };
        let answer = call(&self.clock, self.plan.timeout, sink.wake(self.clock.now())).await;
        self.note_stall(answer.longest_poll);
        if let Err(error) = answer.outcome {
            tracing::warn!(sink = %self.plan.name, error = %error, "sink failed in its own timer");
            if matches!(error, CallError::Panicked(_)) {
                state.sink = None;
            }
        }
        self.keep(&state.storage).await;
    }

    fn note_stall(&self, longest: Duration) {
        if self.status.note_stall(longest) {
            tracing::warn!(sink = %self.plan.name, longest = ?longest, "sink kept its thread without yielding");
        }
    }

    fn log_failure(&self, error: &DeliveryError, was_failing: bool, verdict: &Verdict) {
        if !verdict.dead.is_empty() {
            let count = verdict.dead.len();
            tracing::error!(sink = %self.plan.name, count, error = %error, "events became dead letters");
        } else if !was_failing && error.fault() != Fault::Event {
            tracing::warn!(sink = %self.plan.name, error = %error, "sink fails, its events wait");
        }
    }

    /// Show the lane's state, and announce when it went down or came back.
    fn tell(&self, state: &mut State) {
        let announcement = state.lane.announce(self.clock.now());
        self.status.show(state.lane.health());
        let Some(announcement) = announcement else {
            return;
        };
        let (kind, text, reason) = match announcement {
            Announcement::Down(reason) => (
                Kind::HERALD_SINK_DOWN,
                format!("The sink {} is down: {reason}", self.plan.name),
                Some(reason),
            ),
            Announcement::Up => (
                Kind::HERALD_SINK_UP,
                format!("The sink {} takes events again", self.plan.name),
                None,
            ),
        };
        let mut event = own_event(kind, &Scope::default(), &self.plan.name, self.clock.wall());
        event.summary = text.into();
        event.reason = reason.map(Into::into);
        // For whoever wants an alert for each.
        event
            .fields
            .insert("sink".to_owned(), self.plan.name.as_ref().into());
        self.intake.push_now(&Arc::new(event));
    }
}

impl std::fmt::Debug for LaneWorker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaneWorker")
            .field("sink", &self.plan.name)
            .finish_non_exhaustive()
    }
}

fn wake_time(sink: Option<&dyn Sink>) -> Option<Instant> {
    sink.and_then(Sink::wake_at)
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The event without what the controller sent.
pub(crate) fn without_raw(event: BufferedEvent) -> BufferedEvent {
    if event.raw.is_none() {
        return event;
    }
    let mut stripped: Event = (*event.event).clone();
    stripped.raw = None;
    BufferedEvent {
        seq: event.seq,
        event: Arc::new(stripped),
    }
}

#[cfg(test)]
mod tests;
