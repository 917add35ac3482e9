//! A sink under test: what the chapters do with it, and what they look at afterwards.

use super::{Behaviour, SinkWorld};
use crate::testing::events::buffered;
use crate::testing::watch::{in_time, polled};
use crate::{Batch, BufferedEvent, DeliveryError, Retry, Sink};

/// One walk through the contract.
pub(super) struct Run<'w> {
    pub(super) world: &'w mut dyn SinkWorld,
    next: u64,
}

/// What was broken, in words.
pub(super) type Step = Result<(), String>;

impl<'w> Run<'w> {
    pub(super) fn new(world: &'w mut dyn SinkWorld) -> Self {
        Self { world, next: 1 }
    }

    /// A new sink whose destination behaves so.
    pub(super) async fn sink(&mut self, behaviour: Behaviour) -> Box<dyn Sink> {
        let sink = self.world.build().await;
        self.world.answer(behaviour);
        sink
    }

    /// Events never used before.
    pub(super) fn events(&mut self, count: u64) -> Vec<BufferedEvent> {
        let first = self.next;
        self.next += count;
        (first..self.next).map(buffered).collect()
    }

    /// The destination is healthy: the sink must acknowledge.
    pub(super) async fn accepts(
        &self,
        sink: &mut dyn Sink,
        events: &[BufferedEvent],
        attempt: u32,
    ) -> Step {
        let batch = Batch::new(events).with_attempt(attempt);
        let result = in_time("deliver", sink.deliver(batch)).await?;
        result.map_err(|error| {
            format!(
                "deliver of {} events failed on a healthy destination: {error}",
                events.len()
            )
        })
    }

    /// The destination does not take all of it: the sink must say so, and make sense.
    pub(super) async fn fails(
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
    pub(super) async fn cancelled(
        &self,
        sink: &mut dyn Sink,
        events: &[BufferedEvent],
        polls: usize,
    ) -> Result<Option<()>, String> {
        match polled("deliver", sink.deliver(Batch::new(events)), polls).await? {
            None => Ok(None),
            Some(Ok(())) => Ok(Some(())),
            Some(Err(error)) => Err(format!(
                "deliver of {} events failed on a healthy destination: {error}",
                events.len()
            )),
        }
    }

    /// These and nothing else have arrived since the last look.
    pub(super) fn exactly(&mut self, events: &[BufferedEvent], when: &str) -> Step {
        let arrived = self.world.arrived();
        compare(&arrived, events, when)?;
        in_order(&arrived, events, when)?;
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
    pub(super) fn at_least_once(&mut self, events: &[BufferedEvent], when: &str) -> Step {
        let arrived = self.world.arrived();
        compare(&arrived, events, when)?;
        in_order(&arrived, events, when)
    }

    /// The same, whatever their order.
    pub(super) fn in_any_order(&mut self, events: &[BufferedEvent], when: &str) -> Step {
        compare(&self.world.arrived(), events, when)
    }
}

/// Whether these events arrived and no others.
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
    match events.iter().find(|event| place(arrived, event).is_none()) {
        Some(event) => Err(format!("the event {} was lost {when}", event.id)),
        None => Ok(()),
    }
}

/// Whether the first copies of these events arrived in order.
fn in_order(arrived: &[String], events: &[BufferedEvent], when: &str) -> Step {
    let late = events
        .windows(2)
        .find(|pair| place(arrived, &pair[1]) < place(arrived, &pair[0]));
    match late {
        Some(pair) => Err(format!(
            "the event {} arrived out of order {when}",
            pair[1].id
        )),
        None => Ok(()),
    }
}

fn place(arrived: &[String], event: &BufferedEvent) -> Option<usize> {
    arrived.iter().position(|id| **id == *event.id)
}

pub(super) fn transient(error: &DeliveryError) -> Step {
    if error.retry() == Retry::Never {
        return Err(format!(
            "it gave up on an event that would be taken later: {error}"
        ));
    }
    Ok(())
}

pub(super) async fn closed(sink: Box<dyn Sink>) -> Step {
    let closed = in_time("close", sink.close()).await?;
    closed.map_err(|error| format!("close failed on a healthy destination: {error}"))
}
