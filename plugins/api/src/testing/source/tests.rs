//! Sources that are broken on purpose, and what the contract says of them.

use super::*;
use crate::{DeliveryError, Message, Settled};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// What is wrong with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    CheckFails,
    CheckTakes,
    OpenPanics,
    Reorders,
    RepeatsItself,
    ComesWithNothing,
    LosesWhenCancelled,
    HoldFails,
    SettleFails,
    ForgetsWhatIsSettled,
    ForgetsRefusals,
    SettlesByItself,
    IsDeafWhenCut,
}

/// Keeps what is sent for one reader.
struct World {
    flaw: Flaw,
    redelivers: bool,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<String>,
    in_hand: Vec<String>,
    /// How often all connections were cut.
    cuts: u32,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap()
    }
}

struct Memory {
    flaw: Flaw,
    redelivers: bool,
    shared: Arc<Shared>,
    cuts: u32,
    last: Option<String>,
}

#[async_trait]
impl SourceWorld for World {
    async fn build(&mut self) -> Box<dyn Source> {
        Box::new(Memory {
            flaw: self.flaw,
            redelivers: self.redelivers,
            shared: Arc::clone(&self.shared),
            cuts: self.shared.lock().cuts,
            last: None,
        })
    }

    async fn send(&mut self, payloads: &[String]) {
        self.shared.lock().waiting.extend(payloads.iter().cloned());
        self.shared.bell.notify_one();
    }

    async fn cut(&mut self) -> bool {
        self.shared.lock().cuts += 1;
        self.shared.bell.notify_one();
        true
    }
}

#[async_trait]
impl Source for Memory {
    async fn open(&mut self) -> Result<(), DeliveryError> {
        assert!(self.flaw != Flaw::OpenPanics, "as it was told to");
        Ok(())
    }

    async fn receive(&mut self) -> Result<Vec<Message>, DeliveryError> {
        if let Some(last) = self.last.take() {
            return Ok(vec![Message::new(last.into())]);
        }
        loop {
            let mut taken = self.take()?;
            if self.flaw == Flaw::LosesWhenCancelled {
                tokio::task::yield_now().await;
            }
            if !taken.is_empty() || self.flaw == Flaw::ComesWithNothing {
                match self.flaw {
                    Flaw::Reorders => taken.reverse(),
                    Flaw::RepeatsItself => self.last = taken.last().cloned(),
                    _ => {}
                }
                let message = |text: String| Message::new(text.into());
                return Ok(taken.into_iter().map(message).collect());
            }
            self.shared.bell.notified().await;
        }
    }

    fn redelivers(&self) -> bool {
        self.redelivers
    }

    async fn hold(&mut self) -> Result<(), DeliveryError> {
        self.well_unless(Flaw::HoldFails)
    }

    async fn settle(&mut self, settled: &[Settled]) -> Result<(), DeliveryError> {
        let forgets = match self.flaw {
            Flaw::ForgetsWhatIsSettled => true,
            Flaw::ForgetsRefusals => settled.contains(&Settled::Refused),
            _ => false,
        };
        if !forgets {
            let mut queue = self.shared.lock();
            let count = settled.len().min(queue.in_hand.len());
            queue.in_hand.drain(..count);
        }
        self.well_unless(Flaw::SettleFails)
    }

    async fn check(&mut self) -> Result<(), DeliveryError> {
        if self.flaw == Flaw::CheckTakes {
            self.take()?;
            self.shared.lock().in_hand.clear();
        }
        self.well_unless(Flaw::CheckFails)
    }
}

impl Memory {
    fn take(&self) -> Result<Vec<String>, DeliveryError> {
        let mut queue = self.shared.lock();
        if self.cuts < queue.cuts && self.flaw != Flaw::IsDeafWhenCut {
            return Err(DeliveryError::later("the connection is cut"));
        }
        let taken: Vec<_> = queue.waiting.drain(..).collect();
        if self.redelivers && self.flaw != Flaw::SettlesByItself {
            queue.in_hand.extend(taken.iter().cloned());
        }
        Ok(taken)
    }

    fn well_unless(&self, flaw: Flaw) -> Result<(), DeliveryError> {
        if self.flaw == flaw {
            return Err(DeliveryError::later("not now"));
        }
        Ok(())
    }
}

impl Drop for Memory {
    /// What it has in hand comes again.
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        let in_hand = std::mem::take(&mut queue.in_hand);
        for text in in_hand.into_iter().rev() {
            queue.waiting.push_front(text);
        }
        drop(queue);
        self.shared.bell.notify_one();
    }
}

async fn violations(flaw: Flaw, redelivers: bool) -> Vec<String> {
    let shared = Arc::default();
    let mut world = World {
        flaw,
        redelivers,
        shared,
    };
    source_violations(&mut world).await
}

#[tokio::test(start_paused = true)]
async fn a_sound_source_is_left_in_peace() {
    for redelivers in [true, false] {
        let violations = violations(Flaw::None, redelivers).await;
        assert_eq!(violations, Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn broken_sources_are_caught_in_words() {
    for (flaw, complaint) in [
        (
            Flaw::CheckFails,
            "check: check failed while all was well: not now",
        ),
        (Flaw::CheckTakes, "check: test-1 did not come after a check"),
        (Flaw::OpenPanics, "order: open panics"),
        (
            Flaw::Reorders,
            "order: test-8, test-7, test-6, test-5, test-4 came for test-4, test-5, test-6, test-7, test-8: while it was open",
        ),
        (
            Flaw::RepeatsItself,
            "order: test-3 came when it should not: while it was open",
        ),
        (
            Flaw::ComesWithNothing,
            "cancellation: receive came back with nothing",
        ),
        (
            Flaw::LosesWhenCancelled,
            "cancellation: test-11 did not come when `receive` was dropped",
        ),
        (
            Flaw::HoldFails,
            "holding: hold failed while all was well: not now",
        ),
        (
            Flaw::SettleFails,
            "order: settle failed while all was well: not now",
        ),
        (
            Flaw::ForgetsWhatIsSettled,
            "order: test-1 came when it should not: while it was open",
        ),
        (
            Flaw::ForgetsRefusals,
            "settling: test-63 came when it should not: to a second source, when the first had settled the others",
        ),
        (
            Flaw::SettlesByItself,
            "redelivery: test-65 did not come after the source that had received it was dropped",
        ),
        (
            Flaw::IsDeafWhenCut,
            "broken connection: receive hangs while all is well",
        ),
    ] {
        let violations = violations(flaw, true).await;
        assert!(
            violations.iter().any(|said| said == complaint),
            "{flaw:?}: {violations:#?}"
        );
    }
}
