//! The contract every sink keeps, as a test that drives any sink and says in words what was broken.

use super::events::buffered;
use crate::{Batch, BufferedEvent, DeliveryError, Fault, Retry, Sink, async_trait};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// What a sink's destination does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// Take everything, until told otherwise. Every destination does that, and begins with it.
    Accept,
    /// Take this many events from the front of the next delivery, then fail as in [`Unavailable`](Self::Unavailable)
    /// until told otherwise.
    AcceptSome(usize),
    /// Take nothing now: away, full, or overloaded.
    Unavailable,
    /// Refuse us, whatever the event: a wrong password, a missing permission.
    Refuse,
    /// Refuse the event, which must be one alone.
    RefuseEvent,
}

/// A sink and its destination, for [`assert_sink_contract`].
#[async_trait]
pub trait SinkWorld: Send {
    /// A new sink for the one destination, which keeps what it has.
    async fn build(&mut self) -> Box<dyn Sink>;

    /// Make the destination behave so from now on. Called only with what it supports.
    fn answer(&mut self, behaviour: Behaviour);

    /// The ids of the events that have arrived since the last call, in the order they lie in the destination. What lies there
    /// and is no whole event (half a line) is given as it is: the contract then says that something was torn.
    fn arrived(&mut self) -> Vec<String>;

    /// Whether the destination can behave so; what it cannot is not tried.
    fn supports(&self, behaviour: Behaviour) -> bool {
        behaviour == Behaviour::Accept
    }
}

/// Check that the sink keeps the contract of [`Sink`]. Needs a tokio runtime with its timer enabled.
///
/// Takes it through success, partial acceptance, retries, refusals, a cancellation at every `await`, timers, `check` and
/// `close`.
///
/// # Panics
/// When it does not, with everything that was broken.
pub async fn assert_sink_contract(world: &mut dyn SinkWorld) {
    let violations = sink_violations(world).await;
    assert!(
        violations.is_empty(),
        "the sink breaks its contract:\n  - {}",
        violations.join("\n  - ")
    );
}

/// What [`assert_sink_contract`] would complain about: at most one sentence per chapter of the contract.
pub async fn sink_violations(world: &mut dyn SinkWorld) -> Vec<String> {
    let mut run = Run { world, next: 1 };
    let mut violations = Vec::new();
    let mut note = |chapter: &str, result: Result<(), String>| {
        if let Err(violation) = result {
            violations.push(format!("{chapter}: {violation}"));
        }
    };
    note("success", run.success().await);
    note("partial acceptance", run.partial_acceptance().await);
    note("unavailable", run.unavailable().await);
    note("refusal", run.refusal().await);
    note("refused event", run.refused_event().await);
    note("cancellation", run.cancellation().await);
    note("wake", run.wake().await);
    note("check", run.check().await);
    note("close", run.close().await);
    violations
}

struct Run<'w> {
    world: &'w mut dyn SinkWorld,
    next: u64,
}

type Step = Result<(), String>;

/// More polls than any delivery of three events needs.
const MOST_POLLS: usize = 200;

/// Far beyond what any machine needs for a few events: whoever takes longer hangs.
const HANGS: Duration = Duration::from_secs(120);

impl Run<'_> {
    /// What is acknowledged has arrived, whole, in order and once; also over several batches and sinks.
    async fn success(&mut self) -> Step {
        let mut sink = self.sink(Behaviour::Accept).await;
        for count in [1, 3] {
            let events = self.events(count);
            self.accepts(&mut *sink, &events, 1).await?;
            self.exactly(&events, "after it was acknowledged")?;
        }
        drop(sink);
        let mut second = self.sink(Behaviour::Accept).await;
        let events = self.events(2);
        self.accepts(&mut *second, &events, 1).await?;
        self.exactly(
            &events,
            "delivered by a second sink to the same destination",
        )
    }

    /// `accepted` is the truth, and what was accepted does not arrive again with the rest.
    async fn partial_acceptance(&mut self) -> Step {
        for taken in [1, 2] {
            let behaviour = Behaviour::AcceptSome(taken);
            if !self.world.supports(behaviour) {
                continue;
            }
            let mut sink = self.sink(behaviour).await;
            let events = self.events(3);
            let error = self.fails(&mut *sink, &events).await?;
            transient(&error)?;
            let accepted = error.accepted();
            if accepted != taken {
                return Err(format!(
                    "it said that {accepted} of 3 events were accepted when {taken} were"
                ));
            }
            self.exactly(&events[..taken], "that the destination took")?;
            self.world.answer(Behaviour::Accept);
            self.accepts(&mut *sink, &events[taken..], 2).await?;
            self.exactly(
                &events[taken..],
                "when the rest came again after partial acceptance",
            )?;
        }
        Ok(())
    }

    /// A destination that is away costs no event and brings none twice.
    async fn unavailable(&mut self) -> Step {
        if !self.world.supports(Behaviour::Unavailable) {
            return Ok(());
        }
        let mut sink = self.sink(Behaviour::Unavailable).await;
        let events = self.events(3);
        for _ in 0..2 {
            let error = self.fails(&mut *sink, &events).await?;
            transient(&error)?;
            if matches!(error.fault(), Fault::Configuration | Fault::Gone) {
                return Err("it blamed the configuration for weather".to_owned());
            }
            if error.accepted() != 0 {
                return Err(format!(
                    "it said that {} events were accepted when none were",
                    error.accepted()
                ));
            }
            self.exactly(&[], "while the destination was away")?;
        }
        self.world.answer(Behaviour::Accept);
        self.accepts(&mut *sink, &events, 3).await?;
        self.exactly(&events, "when the destination was back")
    }

    /// A destination that refuses us is tried again, and the event is not blamed.
    async fn refusal(&mut self) -> Step {
        if !self.world.supports(Behaviour::Refuse) {
            return Ok(());
        }
        let mut sink = self.sink(Behaviour::Refuse).await;
        let events = self.events(2);
        let error = self.fails(&mut *sink, &events).await?;
        transient(&error)?;
        if !matches!(error.fault(), Fault::Configuration | Fault::Gone) {
            return Err(format!(
                "the destination refuses us, and the fault is {:?} instead of Configuration",
                error.fault()
            ));
        }
        self.exactly(&[], "although the destination refused")?;
        self.world.answer(Behaviour::Accept);
        self.accepts(&mut *sink, &events, 2).await?;
        self.exactly(&events, "when the destination took them")
    }

    /// An event that is refused is blamed alone, and the next one is not stuck behind it.
    async fn refused_event(&mut self) -> Step {
        if !self.world.supports(Behaviour::RefuseEvent) {
            return Ok(());
        }
        let mut sink = self.sink(Behaviour::RefuseEvent).await;
        let bad = self.events(1);
        let error = self.fails(&mut *sink, &bad).await?;
        if error.retry() != Retry::Never || error.fault() != Fault::Event {
            return Err(format!(
                "the destination refuses the event, and the error says {:?} and {:?} instead of Never and Event",
                error.retry(),
                error.fault()
            ));
        }
        if error.accepted() != 0 {
            return Err("it blames an event behind the one that was refused".to_owned());
        }
        self.exactly(&[], "although it was refused")?;
        self.world.answer(Behaviour::Accept);
        let good = self.events(1);
        self.accepts(&mut *sink, &good, 1).await?;
        self.exactly(&good, "behind one that was refused")
    }

    /// Dropping the delivery at any `await` loses nothing, tears nothing and keeps the order; nor does it harm what follows.
    async fn cancellation(&mut self) -> Step {
        for polls in 0..MOST_POLLS {
            let mut sink = self.sink(Behaviour::Accept).await;
            let events = self.events(3);
            let done = self.cancelled(&mut *sink, &events, polls).await?;
            if done.is_some() {
                return self.exactly(&events, "after it was acknowledged");
            }
            // The lane may take smaller steps after a failure: the head first, then all of it.
            if polls % 2 == 1 {
                self.accepts(&mut *sink, &events[..1], 2).await?;
                self.accepts(&mut *sink, &events[1..], 2).await?;
            } else {
                self.accepts(&mut *sink, &events, 2).await?;
            }
            let what =
                format!("when its delivery was cancelled after {polls} polls and tried again");
            self.at_least_once(&events, &what)?;
            let more = self.events(2);
            self.accepts(&mut *sink, &more, 1).await?;
            self.exactly(&more, "in the batch after a cancelled one")?;
        }
        Err(format!("a delivery was not over after {MOST_POLLS} polls"))
    }

    /// A timer that is served moves on, and what it flushes was not acknowledged before.
    async fn wake(&mut self) -> Step {
        let mut sink = self.sink(Behaviour::Accept).await;
        let events = self.events(2);
        self.accepts(&mut *sink, &events, 1).await?;
        self.exactly(&events, "after it was acknowledged")?;
        let Some(at) = sink.wake_at() else {
            return Ok(());
        };
        let woken = in_time("wake", sink.wake(at)).await?;
        woken.map_err(|error| format!("wake failed on a healthy destination: {error}"))?;
        if sink.wake_at().is_some_and(|again| again <= at) {
            return Err("after wake, wake_at is not later than before: it would spin".to_owned());
        }
        self.exactly(&[], "when wake was called")
    }

    /// A check finds a healthy destination healthy and leaves no trace in it.
    async fn check(&mut self) -> Step {
        let mut sink = self.sink(Behaviour::Accept).await;
        let checked = in_time("check", sink.check()).await?;
        checked.map_err(|error| format!("check failed on a healthy destination: {error}"))?;
        self.exactly(&[], "when check was called")?;
        let events = self.events(1);
        self.accepts(&mut *sink, &events, 1).await?;
        self.exactly(&events, "after check")
    }

    /// Closing succeeds, used or unused, and nothing that was acknowledged waited for it.
    async fn close(&mut self) -> Step {
        let unused = self.sink(Behaviour::Accept).await;
        closed(unused).await?;
        self.exactly(&[], "when an unused sink was closed")?;
        let mut used = self.sink(Behaviour::Accept).await;
        let events = self.events(2);
        self.accepts(&mut *used, &events, 1).await?;
        self.exactly(&events, "before close")?;
        closed(used).await?;
        self.exactly(&[], "when a used sink was closed")?;
        let mut cancelled = self.sink(Behaviour::Accept).await;
        let events = self.events(2);
        self.cancelled(&mut *cancelled, &events, 1).await?;
        closed(cancelled).await?;
        let mut next = self.sink(Behaviour::Accept).await;
        self.accepts(&mut *next, &events, 2).await?;
        let what = "when its delivery was cancelled, the sink closed, and another one tried again";
        self.at_least_once(&events, what)
    }

    async fn sink(&mut self, behaviour: Behaviour) -> Box<dyn Sink> {
        let sink = self.world.build().await;
        self.world.answer(behaviour);
        sink
    }

    /// Events never used before.
    fn events(&mut self, count: u64) -> Vec<BufferedEvent> {
        let first = self.next;
        self.next += count;
        (first..self.next).map(buffered).collect()
    }

    async fn accepts(&self, sink: &mut dyn Sink, events: &[BufferedEvent], attempt: u32) -> Step {
        let batch = Batch::new(events).with_attempt(attempt);
        let result = in_time("deliver", sink.deliver(batch)).await?;
        result.map_err(|error| {
            format!(
                "deliver of {} events failed on a healthy destination: {error}",
                events.len()
            )
        })
    }

    async fn fails(
        &self,
        sink: &mut dyn Sink,
        events: &[BufferedEvent],
    ) -> Result<DeliveryError, String> {
        let result = in_time("deliver", sink.deliver(Batch::new(events))).await?;
        let Err(error) = result else {
            return Err("it acknowledged what the destination did not take".to_owned());
        };
        if error.accepted() > events.len() {
            return Err(format!(
                "it said that {} of {} events were accepted",
                error.accepted(),
                events.len()
            ));
        }
        if error.to_string().trim().is_empty() {
            return Err("its error says nothing".to_owned());
        }
        Ok(error)
    }

    /// Poll the delivery this many times and drop it; its result when it was over before.
    async fn cancelled(
        &self,
        sink: &mut dyn Sink,
        events: &[BufferedEvent],
        polls: usize,
    ) -> Result<Option<()>, String> {
        let mut delivery = pin!(sink.deliver(Batch::new(events)));
        let mut left = polls;
        let outcome = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match delivery.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        match in_time("deliver", outcome).await? {
            None => Ok(None),
            Some(Ok(())) => Ok(Some(())),
            Some(Err(error)) => Err(format!(
                "deliver of {} events failed on a healthy destination: {error}",
                events.len()
            )),
        }
    }

    /// These and nothing else have arrived since the last look.
    fn exactly(&mut self, events: &[BufferedEvent], when: &str) -> Step {
        let arrived = self.world.arrived();
        compare(&arrived, events, when)?;
        match arrived
            .iter()
            .enumerate()
            .find(|(at, id)| arrived[..*at].contains(id))
        {
            Some((_, id)) => Err(format!("the event {id} arrived twice {when}")),
            None => Ok(()),
        }
    }

    /// These and nothing else have arrived since the last look, each once or more often.
    fn at_least_once(&mut self, events: &[BufferedEvent], when: &str) -> Step {
        compare(&self.world.arrived(), events, when)
    }
}

/// Whether these events arrived and no others, their first copies in order.
fn compare(arrived: &[String], events: &[BufferedEvent], when: &str) -> Step {
    if let Some(other) = arrived
        .iter()
        .find(|id| events.iter().all(|e| *e.id != ***id))
    {
        return Err(if other.starts_with("test-") {
            format!("the event {other} arrived when it should not: {when}")
        } else {
            format!("something torn arrived {when}: {other}")
        });
    }
    let mut last = None;
    for event in events {
        let Some(at) = arrived.iter().position(|id| **id == *event.id) else {
            return Err(format!("the event {} was lost {when}", event.id));
        };
        if last.is_some_and(|last| at < last) {
            return Err(format!(
                "the event {} arrived out of order {when}",
                event.id
            ));
        }
        last = Some(at);
    }
    Ok(())
}

fn transient(error: &DeliveryError) -> Step {
    if error.retry() == Retry::Never {
        return Err(format!(
            "it gave up on an event that would be taken later: {error}"
        ));
    }
    Ok(())
}

async fn closed(sink: Box<dyn Sink>) -> Step {
    let closed = in_time("close", sink.close()).await?;
    closed.map_err(|error| format!("close failed on a healthy destination: {error}"))
}

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> Result<T, String> {
    let result = tokio::time::timeout(HANGS, future).await;
    result.map_err(|_| format!("{what} hangs on a healthy destination"))
}

#[cfg(test)]
mod tests;
