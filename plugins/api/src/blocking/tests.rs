//! Blocking sinks: cancelled, panicking, and never overlapping.

use super::*;
use crate::testing::{Behaviour, SinkWorld, TestContext, assert_sink_contract, batch};
use crate::{Sink, async_trait};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// Keeps ids; before each call it waits for a word, when it has somebody to wait for.
struct Slow {
    arrived: Arc<Mutex<Vec<String>>>,
    gate: Arc<Mutex<Option<Receiver<Word>>>>,
}

/// A call that nobody expected must fail the test and not hang it.
const NO_WORD: Duration = Duration::from_secs(20);

enum Word {
    Go,
    TakeOne,
    Panic,
}

impl BlockingSink for Slow {
    fn deliver(&mut self, events: &[BufferedEvent]) -> Result<(), DeliveryError> {
        let word = match &*self.gate.lock().unwrap_or_else(|e| e.into_inner()) {
            Some(gate) => gate.recv_timeout(NO_WORD).unwrap(),
            None => Word::Go,
        };
        let take = match word {
            Word::Go => events.len(),
            Word::TakeOne => 1,
            Word::Panic => panic!("on purpose"),
        };
        let ids = events[..take].iter().map(|event| event.id.to_string());
        self.arrived.lock().unwrap().extend(ids);
        if take < events.len() {
            return Err(DeliveryError::later("full").with_accepted(take));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Fixture {
    arrived: Arc<Mutex<Vec<String>>>,
    gate: Arc<Mutex<Option<Receiver<Word>>>>,
}

impl Fixture {
    fn gated() -> (Self, SyncSender<Word>) {
        let (say, gate) = sync_channel(8);
        let fixture = Self::default();
        *fixture.gate.lock().unwrap() = Some(gate);
        (fixture, say)
    }

    fn sink(&self) -> Blocking<Slow> {
        let context = TestContext::new().build_context("slow", Path::new(""));
        let (arrived, gate) = (Arc::clone(&self.arrived), Arc::clone(&self.gate));
        Blocking::new(&context, move || Slow {
            arrived: Arc::clone(&arrived),
            gate: Arc::clone(&gate),
        })
    }

    fn arrived(&self) -> Vec<String> {
        self.arrived.lock().unwrap().clone()
    }
}

/// Begin a delivery and give up at once.
async fn cancel(sink: &mut Blocking<Slow>, events: &[BufferedEvent]) {
    let mut delivery = std::pin::pin!(sink.deliver(Batch::new(events)));
    std::future::poll_fn(|cx| {
        assert!(delivery.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn what_a_cancelled_call_delivered_is_not_delivered_again() {
    let (fixture, say) = Fixture::gated();
    let mut sink = fixture.sink();
    let events = batch(4);
    cancel(&mut sink, &events[..3]).await;
    say.send(Word::Go).unwrap();
    // The lane tries the head alone, then everything: only the fourth is new.
    sink.deliver(Batch::new(&events[..1])).await.unwrap();
    say.send(Word::Go).unwrap();
    sink.deliver(Batch::new(&events[1..])).await.unwrap();
    assert_eq!(fixture.arrived(), ["test-1", "test-2", "test-3", "test-4"]);
}

#[tokio::test]
async fn a_cancelled_call_that_took_a_part_is_continued_behind_it() {
    let (fixture, say) = Fixture::gated();
    let mut sink = fixture.sink();
    let events = batch(3);
    cancel(&mut sink, &events).await;
    say.send(Word::TakeOne).unwrap();
    say.send(Word::TakeOne).unwrap();
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!(error.accepted(), 2, "one by each call");
    say.send(Word::Go).unwrap();
    sink.deliver(Batch::new(&events[2..])).await.unwrap();
    assert_eq!(fixture.arrived(), ["test-1", "test-2", "test-3"]);
}

#[tokio::test]
async fn notes_of_events_that_never_come_again_are_dropped() {
    let (fixture, say) = Fixture::gated();
    let mut sink = fixture.sink();
    let events = batch(5);
    cancel(&mut sink, &events[..3]).await;
    say.send(Word::Go).unwrap();
    // The host gave up on the first, then on the others too.
    sink.deliver(Batch::new(&events[1..2])).await.unwrap();
    say.send(Word::Go).unwrap();
    sink.deliver(Batch::new(&events[3..])).await.unwrap();
    assert!(sink.unreported.is_empty());
    assert_eq!(
        fixture.arrived(),
        ["test-1", "test-2", "test-3", "test-4", "test-5"]
    );
}

#[tokio::test]
async fn cancelling_again_and_again_holds_one_call() {
    let (fixture, say) = Fixture::gated();
    let mut sink = fixture.sink();
    let events = batch(2);
    for _ in 0..10 {
        cancel(&mut sink, &events).await;
    }
    // One word is enough: there is one call.
    say.send(Word::Go).unwrap();
    sink.deliver(Batch::new(&events)).await.unwrap();
    assert_eq!(fixture.arrived(), ["test-1", "test-2"]);
}

#[tokio::test]
async fn a_panic_costs_a_retry_and_the_sink_is_made_anew() {
    let (fixture, say) = Fixture::gated();
    let mut sink = fixture.sink();
    let events = batch(2);
    say.send(Word::Panic).unwrap();
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!(
        (error.accepted(), &*error.to_string()),
        (0, "the sink panicked")
    );
    fixture.gate.clear_poison();
    say.send(Word::Go).unwrap();
    sink.deliver(Batch::new(&events)).await.unwrap();
    assert_eq!(fixture.arrived(), ["test-1", "test-2"]);
}

struct Adapter(Blocking<Slow>);

#[async_trait]
impl Sink for Adapter {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        self.0.deliver(batch).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), DeliveryError> {
        self.0.settle().await;
        Ok(())
    }
}

#[async_trait]
impl SinkWorld for Fixture {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(Adapter(self.sink()))
    }

    fn answer(&mut self, _behaviour: Behaviour) {}

    fn arrived(&mut self) -> Vec<String> {
        std::mem::take(&mut self.arrived.lock().unwrap())
    }
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    assert_sink_contract(&mut Fixture::default()).await;
}
