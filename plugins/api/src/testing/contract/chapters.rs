//! The chapters of the contract, one function each.

use super::Behaviour;
use super::run::{Run, Step, closed, transient};
use crate::testing::watch::{in_time, polled};
use crate::{Batch, Fault, Retry};

/// More polls than any delivery of three events needs.
const MOST_POLLS: usize = 200;

impl Run<'_> {
    /// What is acknowledged has arrived, whole, in order and once; also over several batches and sinks.
    pub(super) async fn success(&mut self) -> Step {
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
    pub(super) async fn partial_acceptance(&mut self) -> Step {
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
    pub(super) async fn unavailable(&mut self) -> Step {
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
    pub(super) async fn refusal(&mut self) -> Step {
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
        if error.accepted() != 0 {
            return Err(format!(
                "it said that {} events were accepted when we were refused",
                error.accepted()
            ));
        }
        self.exactly(&[], "although the destination refused")?;
        self.world.answer(Behaviour::Accept);
        self.accepts(&mut *sink, &events, 2).await?;
        self.exactly(&events, "when the destination took them")
    }

    /// An event that is refused is blamed alone, and the next one is not stuck behind it.
    pub(super) async fn refused_event(&mut self) -> Step {
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
    pub(super) async fn cancellation(&mut self) -> Step {
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

    /// The same while the destination is away: what was begun then does no harm when it is back.
    pub(super) async fn cancellation_while_away(&mut self) -> Step {
        /// What was begun before the destination came back may fail yet, but not for ever.
        const TRIES: u32 = 4;
        if !self.world.supports(Behaviour::Unavailable) {
            return Ok(());
        }
        for polls in 0..MOST_POLLS {
            let mut sink = self.sink(Behaviour::Unavailable).await;
            let events = self.events(3);
            let over = polled("deliver", sink.deliver(Batch::new(&events)), polls).await?;
            if let Some(Ok(())) = over {
                return Err("it acknowledged what the destination did not take".to_owned());
            }
            self.world.answer(Behaviour::Accept);
            let mut left = &events[..];
            for attempt in 2..=TRIES {
                let batch = Batch::new(left).with_attempt(attempt);
                let result = in_time("deliver", sink.deliver(batch)).await?;
                let Err(error) = result else {
                    left = &[];
                    break;
                };
                transient(&error)?;
                left = &left[error.accepted().min(left.len())..];
            }
            if !left.is_empty() {
                return Err(format!(
                    "it still fails when the destination is back, after it was cancelled after {polls} polls"
                ));
            }
            let what = format!(
                "when its delivery was cancelled after {polls} polls, and the destination came back"
            );
            // A sink that has several events under way at once may have had the first refused and the next one taken.
            self.in_any_order(&events, &what)?;
            let more = self.events(2);
            self.accepts(&mut *sink, &more, 1).await?;
            self.exactly(&more, "in the batch after a cancelled one")?;
            if over.is_some() {
                return Ok(());
            }
        }
        Err(format!("a delivery was not over after {MOST_POLLS} polls"))
    }

    /// A timer that is served moves on, and what it flushes was not acknowledged before.
    pub(super) async fn wake(&mut self) -> Step {
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
        self.exactly(&[], "when wake was called")?;
        for polls in 0..MOST_POLLS {
            let Some(at) = sink.wake_at() else {
                return Ok(());
            };
            match polled("wake", sink.wake(at), polls).await? {
                Some(woken) => {
                    woken.map_err(|error| format!("wake failed when called again: {error}"))?;
                    break;
                }
                None => {
                    let woken = in_time("wake", sink.wake(at)).await?;
                    woken
                        .map_err(|error| format!("wake failed after it was cancelled: {error}"))?;
                }
            }
        }
        let events = self.events(1);
        self.accepts(&mut *sink, &events, 1).await?;
        self.exactly(&events, "after wake was cancelled")
    }

    /// A check finds a healthy destination healthy and leaves no trace in it.
    pub(super) async fn check(&mut self) -> Step {
        let mut sink = self.sink(Behaviour::Accept).await;
        let checked = in_time("check", sink.check()).await?;
        checked.map_err(|error| format!("check failed on a healthy destination: {error}"))?;
        self.exactly(&[], "when check was called")?;
        let events = self.events(1);
        self.accepts(&mut *sink, &events, 1).await?;
        self.exactly(&events, "after check")
    }

    /// Closing succeeds, used or unused, and nothing that was acknowledged waited for it.
    pub(super) async fn close(&mut self) -> Step {
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
}
