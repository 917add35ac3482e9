//! Sinks that are broken on purpose, and what the contract says of them.

use super::*;
use crate::{Batch, DeliveryError, Fault};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What is wrong with a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    AcknowledgesWithoutDelivering,
    BuffersUntilClose,
    DeliversTwice,
    Reorders,
    HidesFailures,
    GivesUp,
    BlamesConfiguration,
    BlamesTheWay,
    BlamesNobody,
    SaysNothing,
    Miscounts,
    CountsTooMany,
    RepeatsAccepted,
    ForgetsCancelled,
    RepeatsCancelledLater,
    Tears,
    HangsAfterCancel,
    ForgetsCancelledWhileAway,
    CountsWhenRefused,
    Panics,
    WakeHangsAfterCancel,
    CheckSends,
    CheckFails,
    WakeSpins,
    WakeSends,
    CloseFails,
}

/// A destination in memory and the sink that is tried on it.
struct World {
    flaw: Flaw,
    shared: Arc<Mutex<Destination>>,
}

#[derive(Debug, Default)]
struct Destination {
    arrived: Vec<String>,
    behaviour: Option<Behaviour>,
}

struct Memory {
    flaw: Flaw,
    shared: Arc<Mutex<Destination>>,
    /// Ids remembered for no good.
    kept: Vec<String>,
    begun: bool,
    now: Instant,
}

impl World {
    fn new(flaw: Flaw) -> Self {
        let shared = Arc::default();
        Self { flaw, shared }
    }
}

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(Memory {
            flaw: self.flaw,
            shared: Arc::clone(&self.shared),
            kept: Vec::new(),
            begun: false,
            now: super::super::TestContext::new().now(),
        })
    }

    fn answer(&mut self, behaviour: Behaviour) {
        self.shared.lock().unwrap().behaviour = Some(behaviour);
    }

    fn arrived(&mut self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().unwrap().arrived)
    }

    fn supports(&self, _behaviour: Behaviour) -> bool {
        true
    }
}

impl Memory {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn destination(&self) -> MutexGuard<'_, Destination> {
        self.shared.lock().unwrap()
    }

    /// Give one id to the destination.
    fn put(&self, id: &str) -> Result<(), DeliveryError> {
        let mut destination = self.destination();
        match destination.behaviour {
            Some(Behaviour::AcceptSome(0)) => return Err(self.away()),
            Some(Behaviour::AcceptSome(left)) => {
                destination.behaviour = Some(Behaviour::AcceptSome(left - 1));
            }
            Some(Behaviour::Unavailable) => return Err(self.away()),
            Some(Behaviour::Refuse) => {
                let error = DeliveryError::misconfigured("who are you?");
                return Err(match self.flaw {
                    Flaw::CountsWhenRefused => error.with_accepted(1),
                    Flaw::BlamesTheWay => error.with_fault(Fault::Unreachable),
                    _ => error,
                });
            }
            Some(Behaviour::RefuseEvent) => {
                return Err(match self.flaw {
                    Flaw::BlamesNobody => DeliveryError::later("no"),
                    _ => DeliveryError::never("too long"),
                });
            }
            _ => {}
        }
        destination.arrived.push(id.to_owned());
        Ok(())
    }

    fn away(&self) -> DeliveryError {
        match self.flaw {
            Flaw::GivesUp => DeliveryError::never("away"),
            Flaw::BlamesConfiguration => DeliveryError::misconfigured("away"),
            Flaw::SaysNothing => DeliveryError::later(""),
            _ => DeliveryError::later("away"),
        }
    }

    async fn put_all(&mut self, ids: &[String]) -> Result<(), DeliveryError> {
        for (accepted, id) in ids.iter().enumerate() {
            tokio::task::yield_now().await;
            if self.is(Flaw::Tears) {
                self.put(&id[4..])?;
                tokio::task::yield_now().await;
                self.destination().arrived.pop();
            }
            if self.is(Flaw::ForgetsCancelled) {
                if self.kept.contains(id) {
                    continue;
                }
                self.kept.push(id.clone());
                tokio::task::yield_now().await;
            }
            if self.is(Flaw::ForgetsCancelledWhileAway) {
                if self.kept.contains(id) {
                    continue;
                }
                if self.destination().behaviour == Some(Behaviour::Unavailable) {
                    self.kept.push(id.clone());
                    tokio::task::yield_now().await;
                }
            }
            if let Err(error) = self.put(id) {
                self.kept.retain(|kept| kept != id);
                return self.failed(error, accepted, ids);
            }
        }
        tokio::task::yield_now().await;
        Ok(())
    }

    fn failed(
        &mut self,
        error: DeliveryError,
        accepted: usize,
        ids: &[String],
    ) -> Result<(), DeliveryError> {
        match self.flaw {
            Flaw::HidesFailures => return Ok(()),
            Flaw::RepeatsAccepted => self.kept = ids[..accepted].to_vec(),
            Flaw::Miscounts | Flaw::CountsWhenRefused => return Err(error),
            Flaw::CountsTooMany => return Err(error.with_accepted(ids.len() + 1)),
            _ => {}
        }
        Err(error.with_accepted(accepted))
    }
}

#[async_trait]
impl Sink for Memory {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        let mut ids: Vec<String> = batch.iter().map(|event| event.id.to_string()).collect();
        if std::mem::replace(&mut self.begun, true) && self.is(Flaw::HangsAfterCancel) {
            std::future::pending::<()>().await;
        }
        match self.flaw {
            Flaw::AcknowledgesWithoutDelivering => return Ok(()),
            Flaw::Panics if ids.len() > 1 => panic!("more than one"),
            Flaw::BuffersUntilClose => {
                self.kept.append(&mut ids);
                return Ok(());
            }
            Flaw::DeliversTwice => ids.push(ids[0].clone()),
            Flaw::Reorders => ids.reverse(),
            Flaw::RepeatsAccepted => ids.splice(..0, self.kept.drain(..)).for_each(drop),
            Flaw::RepeatsCancelledLater if batch.attempt() == 1 => {
                let late = std::mem::replace(&mut self.kept, ids.clone());
                ids.splice(..0, late).for_each(drop);
            }
            _ => {}
        }
        let result = self.put_all(&ids).await;
        if batch.attempt() == 1 && self.is(Flaw::RepeatsCancelledLater) {
            self.kept.clear();
        }
        self.begun = false;
        result
    }

    async fn check(&mut self) -> Result<(), DeliveryError> {
        match self.flaw {
            Flaw::CheckSends => self.put("test-0"),
            Flaw::CheckFails => Err(DeliveryError::later("not now")),
            _ => Ok(()),
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let timers = [Flaw::WakeSpins, Flaw::WakeSends, Flaw::WakeHangsAfterCancel];
        timers.contains(&self.flaw).then_some(self.now)
    }

    async fn wake(&mut self, now: Instant) -> Result<(), DeliveryError> {
        if self.is(Flaw::WakeSends) {
            self.put("test-0")?;
            self.now = now + Duration::from_secs(1);
        }
        if self.is(Flaw::WakeHangsAfterCancel) {
            if std::mem::replace(&mut self.begun, true) {
                std::future::pending::<()>().await;
            }
            tokio::task::yield_now().await;
            self.begun = false;
            self.now = now + Duration::from_secs(1);
        }
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<(), DeliveryError> {
        match self.flaw {
            Flaw::CloseFails => Err(DeliveryError::later("not now")),
            _ => self.kept.iter().try_for_each(|id| self.put(id)),
        }
    }
}

async fn said(flaw: Flaw) -> Vec<String> {
    sink_violations(&mut World::new(flaw)).await
}

#[tokio::test(start_paused = true)]
async fn a_sound_sink_is_left_in_peace() {
    assert_sink_contract(&mut World::new(Flaw::None)).await;
}

#[tokio::test(start_paused = true)]
async fn broken_sinks_are_caught_in_words() {
    for (flaw, words) in [
        (
            Flaw::AcknowledgesWithoutDelivering,
            "success: the event test-1 was lost after it was acknowledged",
        ),
        (
            Flaw::BuffersUntilClose,
            "success: the event test-1 was lost after it was acknowledged",
        ),
        (
            Flaw::DeliversTwice,
            "success: the event test-1 arrived twice after it was acknowledged",
        ),
        (
            Flaw::Reorders,
            "success: the event test-3 arrived out of order after it was acknowledged",
        ),
        (
            Flaw::HidesFailures,
            "unavailable: it acknowledged what the destination did not take",
        ),
        (
            Flaw::GivesUp,
            "unavailable: it gave up on an event that would be taken later: away",
        ),
        (
            Flaw::BlamesConfiguration,
            "unavailable: it blamed the configuration for weather",
        ),
        (
            Flaw::BlamesTheWay,
            "refusal: the destination refuses us, and the fault is Unreachable instead of Configuration",
        ),
        (
            Flaw::BlamesNobody,
            "refused event: the destination refuses the event, and the error says Later and Unreachable instead of Never and Event",
        ),
        (Flaw::SaysNothing, "unavailable: its error says nothing"),
        (
            Flaw::Miscounts,
            "partial acceptance: it said that 0 of 3 events were accepted when 1 were",
        ),
        (
            Flaw::CountsTooMany,
            "partial acceptance: it said that 4 of 3 events were accepted",
        ),
        (
            Flaw::RepeatsAccepted,
            "partial acceptance: the event test-7 arrived when it should not: when the rest came again after partial acceptance",
        ),
        (
            Flaw::ForgetsCancelled,
            "was lost when its delivery was cancelled after 2 polls and tried again",
        ),
        (
            Flaw::RepeatsCancelledLater,
            "arrived when it should not: in the batch after a cancelled one",
        ),
        (
            Flaw::Tears,
            "something torn arrived when its delivery was cancelled after 2 polls and tried again: -",
        ),
        (
            Flaw::HangsAfterCancel,
            "cancellation: deliver hangs while all is well",
        ),
        (
            Flaw::ForgetsCancelledWhileAway,
            "cancellation while away: the event test-",
        ),
        (
            Flaw::CountsWhenRefused,
            "refusal: it said that 1 events were accepted when we were refused",
        ),
        (Flaw::Panics, "success: deliver panics"),
        (
            Flaw::WakeHangsAfterCancel,
            "wake: wake hangs while all is well",
        ),
        (
            Flaw::CheckSends,
            "check: the event test-0 arrived when it should not: when check was called",
        ),
        (
            Flaw::CheckFails,
            "check: check failed on a healthy destination: not now",
        ),
        (
            Flaw::WakeSpins,
            "wake: after wake, wake_at is not later than before: it would spin",
        ),
        (
            Flaw::WakeSends,
            "wake: the event test-0 arrived when it should not: when wake was called",
        ),
        (
            Flaw::CloseFails,
            "close: close failed on a healthy destination: not now",
        ),
    ] {
        let said = said(flaw).await;
        let found = said.iter().any(|violation| violation.contains(words));
        assert!(
            found,
            "{flaw:?} should give\n  {words}\nand gave\n  {}",
            said.join("\n  ")
        );
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the sink breaks its contract:\n  - check: check failed")]
async fn the_assertion_lists_what_was_broken() {
    assert_sink_contract(&mut World::new(Flaw::CheckFails)).await;
}
