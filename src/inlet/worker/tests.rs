//! The worker over a source that is played, with a router that is not there.

use super::*;
use crate::buffer::Limits;
use crate::config::WhenFull;
use crate::intake::{Outlet, ring};
use async_trait::async_trait;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use unifi_herald_plugin::Event;

/// What the source is made to do next.
enum Act {
    Bring(Vec<String>),
    Fail,
    Panic,
}

struct Played {
    acts: Arc<tokio::sync::Mutex<mpsc::Receiver<Act>>>,
    settled: Arc<Mutex<Vec<Settled>>>,
    held: Arc<AtomicU64>,
}

#[async_trait]
impl Source for Played {
    async fn open(&mut self) -> Result<(), DeliveryError> {
        Ok(())
    }

    async fn receive(&mut self) -> Result<Vec<Message>, DeliveryError> {
        match self.acts.lock().await.recv().await {
            Some(Act::Bring(texts)) => {
                let messages = texts.into_iter().map(|text| Message::new(text.into()));
                Ok(messages.collect())
            }
            Some(Act::Fail) => Err(DeliveryError::later("the line is cut")),
            Some(Act::Panic) => panic!("played"),
            None => std::future::pending().await,
        }
    }

    fn redelivers(&self) -> bool {
        true
    }

    async fn hold(&mut self) -> Result<(), DeliveryError> {
        self.held.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn settle(&mut self, settled: &[Settled]) -> Result<(), DeliveryError> {
        self.settled.lock().unwrap().extend(settled);
        Ok(())
    }
}

struct Rig {
    acts: mpsc::Sender<Act>,
    settled: Arc<Mutex<Vec<Settled>>>,
    held: Arc<AtomicU64>,
    outlet: Outlet,
    status: SourceStatus,
    stop: CancellationToken,
    worker: Option<SourceWorker>,
}

fn rig() -> Rig {
    let clock = Clock::of_runtime(Timestamp::from_millis(1_800_000_000_000));
    let limits = Limits {
        events: 8,
        bytes: usize::MAX,
        when_full: WhenFull::Wait,
        max_wait: Duration::ZERO,
    };
    let (intake, outlet) = ring(limits, clock.clone());
    let (acts, played) = mpsc::channel(8);
    let played = Arc::new(tokio::sync::Mutex::new(played));
    let settled = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&settled);
    let held = Arc::new(AtomicU64::new(0));
    let holds = Arc::clone(&held);
    let (status, stop) = (SourceStatus::default(), CancellationToken::new());
    let owners = Owners::default();
    owners.set(["home".into()]);
    let worker = SourceWorker {
        name: "building".into(),
        factory: Box::new(move || {
            Ok(Box::new(Played {
                acts: Arc::clone(&played),
                settled: Arc::clone(&notes),
                held: Arc::clone(&holds),
            }))
        }),
        intake,
        clock,
        status: status.clone(),
        owners,
        stop: stop.clone(),
    };
    Rig {
        acts,
        settled,
        held,
        outlet,
        status,
        stop,
        worker: Some(worker),
    }
}

impl Rig {
    /// Let the worker go on until nothing moves, for a moment of its time.
    async fn run(&mut self, work: std::pin::Pin<&mut impl Future<Output = ()>>) {
        timeout(Duration::from_millis(100), work).await.ok();
    }

    fn settled(&self) -> Vec<Settled> {
        self.settled.lock().unwrap().clone()
    }

    /// What the router would take: ids of events, kinds of herald's own, and the receipt.
    async fn take(&mut self) -> (Vec<String>, Vec<Kind>, Option<u64>) {
        let mut items = Vec::new();
        self.outlet.take(100, &mut items).await;
        let (mut ids, mut kinds, mut receipt) = (Vec::new(), Vec::new(), None);
        for item in items {
            match item {
                Item::Handed(event) => ids.push(event.id.to_string()),
                Item::Event(event) => kinds.push(Event::clone(&event).kind),
                Item::Receipt(number) => receipt = Some(number),
                other => panic!("{other:?}"),
            }
        }
        (ids, kinds, receipt)
    }
}

fn event(id: &str, controller: &str) -> String {
    format!(
        r#"{{"id":"{id}","time":"2026-11-22T17:21:13.440Z","controller":"{controller}","site":"s","kind":"system.notice"}}"#
    )
}

#[tokio::test(start_paused = true)]
async fn nothing_is_settled_before_it_is_committed() {
    let mut rig = rig();
    let mut work = Box::pin(rig.worker.take().unwrap().run());
    let texts = [
        event("1", "b"),
        "{".into(),
        event("2", "home"),
        event("3", "b"),
    ];
    rig.acts.try_send(Act::Bring(texts.into())).ok().unwrap();
    rig.run(work.as_mut()).await;
    let (ids, kinds, receipt) = rig.take().await;
    assert_eq!(ids, ["1", "3"]);
    assert_eq!(kinds, [Kind::HERALD_CONNECTED]);
    timeout(HOLD * 4, work.as_mut()).await.ok();
    assert_eq!(rig.settled(), []);
    let held = rig.held.load(Ordering::Relaxed);
    assert!(held >= 3, "the source is told that it is in hand: {held}");
    rig.outlet.receipt(receipt.unwrap());
    rig.run(work.as_mut()).await;
    use Settled::{Kept, Refused};
    assert_eq!(rig.settled(), [Kept, Refused, Kept, Kept]);
    let facts = rig.status.facts();
    assert_eq!((facts.received, facts.refused, facts.own), (2, 1, 1));
    assert!(facts.connected && facts.last_event.is_some());
    rig.stop.cancel();
    work.await;
}

#[tokio::test(start_paused = true)]
async fn more_than_the_ring_has_room_for_waits_and_what_is_not_committed_at_the_end_stays() {
    let mut rig = rig();
    let mut work = Box::pin(rig.worker.take().unwrap().run());
    let texts = (0..20).map(|id| event(&id.to_string(), "b"));
    rig.acts.try_send(Act::Bring(texts.collect())).ok().unwrap();
    let (mut all, mut last) = (Vec::new(), None);
    while last.is_none() {
        rig.run(work.as_mut()).await;
        let (ids, _, receipt) = rig.take().await;
        assert!(ids.len() <= 4, "half of the ring is for others: {ids:?}");
        all.extend(ids);
        last = receipt;
    }
    assert_eq!(all.len(), 20);
    rig.stop.cancel();
    work.await;
    assert_eq!(rig.settled(), []);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_or_breaks_down_is_opened_again_and_told_of_once() {
    let mut rig = rig();
    let mut work = Box::pin(rig.worker.take().unwrap().run());
    for act in [Act::Fail, Act::Panic] {
        rig.acts.try_send(act).ok().unwrap();
    }
    rig.run(work.as_mut()).await;
    let facts = rig.status.facts();
    assert_eq!(facts.trouble.as_deref(), Some("the line is cut"));
    assert!(!facts.connected);
    timeout(MAX_PAUSE, work.as_mut()).await.ok();
    let facts = rig.status.facts();
    assert_eq!((facts.connected, facts.trouble), (true, None));
    let (_, kinds, _) = rig.take().await;
    let (up, down) = (Kind::HERALD_CONNECTED, Kind::HERALD_DISCONNECTED);
    assert_eq!(kinds, [up, down, up, down, up]);
    rig.stop.cancel();
    work.await;
}
