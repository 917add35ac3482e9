//! Events of other programs: kept once, receipted when they are kept, and without a trace in herald's own memory.

use super::*;

fn foreign(id: u64, controller: &str) -> Item {
    let mut event = Event::clone(&event(id, Kind::WAN_UP));
    event.controller = controller.into();
    event.received = Timestamp::from_millis(5_000);
    event.client = Some(unifi_herald_plugin::Client {
        mac: "02:00:00:00:00:01".parse().ok(),
        ..Default::default()
    });
    Item::Handed(Arc::new(event))
}

async fn hand_over(intake: &Intake, items: impl IntoIterator<Item = Item>) {
    intake.push_history(&mut items.into_iter().collect()).await;
}

/// A store that can be degraded, and remembers nothing else.
#[derive(Debug)]
struct Frail {
    inner: SharedStore,
    health: Mutex<StoreHealth>,
    marks: Mutex<Vec<Watermark>>,
}

#[async_trait]
impl Store for Frail {
    async fn commit(&self, commit: Commit) -> Result<(), Rejected> {
        let risen = commit.watermarks.iter().cloned();
        self.marks.lock().unwrap().extend(risen);
        self.inner.commit(commit).await
    }
    async fn claim(&self, sink: usize, max: usize) -> Vec<BufferedEvent> {
        self.inner.claim(sink, max).await
    }
    async fn settle(&self, sink: usize, settled: Vec<Settled>) -> Result<(), StoreError> {
        self.inner.settle(sink, settled).await
    }
    fn known(&self, _: &str, _: &str, ids: &[Text]) -> Vec<bool> {
        ids.iter().map(|id| &**id == "99").collect()
    }
    async fn set_sinks(
        &self,
        names: &[Text],
        buffer: &BufferPlan,
    ) -> Result<Vec<usize>, StoreError> {
        self.inner.set_sinks(names, buffer).await
    }
    fn books(&self) -> Vec<SinkBooks> {
        self.inner.books()
    }
    fn health(&self) -> StoreHealth {
        self.health.lock().unwrap().clone()
    }
    fn next_seq(&self) -> u64 {
        self.inner.next_seq()
    }
}

fn frail(capacity: usize) -> (Rig, Arc<Frail>) {
    let mut kept = None;
    let rig = rig_on(capacity, |inner| {
        let frail = Arc::new(Frail {
            inner,
            health: Mutex::new(StoreHealth::Ok),
            marks: Mutex::default(),
        });
        kept = Some(Arc::clone(&frail));
        frail
    });
    (rig, kept.unwrap())
}

#[tokio::test(start_paused = true)]
async fn each_is_kept_once_whether_it_comes_again_or_was_in_the_journal() {
    let (rig, frail) = frail(1000);
    let mut own = vec![event(1, Kind::WAN_UP)];
    rig.intake.push(&mut own).await;
    let again = [
        (1, "home"),
        (2, "b"),
        (2, "b"),
        (2, "c"),
        (99, "b"),
        (3, "b"),
    ];
    let items = again.map(|(id, controller)| foreign(id, controller));
    hand_over(&rig.intake, items).await;
    let weather = Arc::clone(&rig.weather);
    drain(rig.router).await;
    let claimed = rig.store.claim(0, 100).await;
    let ids = claimed
        .iter()
        .map(|event| format!("{}/{}", event.controller, event.id));
    let ids: Vec<_> = ids.collect();
    assert_eq!(ids, ["home/1", "b/2", "c/2", "b/3"]);
    assert_eq!(books(&rig.store).duplicate, 3);
    let marks = frail.marks.lock().unwrap();
    let marked: Vec<_> = marks.iter().map(|mark| &*mark.controller).collect();
    assert_eq!(marked, ["home"], "nobody else moves a watermark");
    drop(weather);
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_hides_nothing_that_a_controller_tells() {
    let Rig {
        intake,
        store,
        router,
        weather,
    } = rig(1000);
    let stop = CancellationToken::new();
    let telling = async {
        let rings = weather.notified();
        hand_over(&intake, [foreign(7, "home")]).await;
        intake.committed().await;
        intake.push(&mut vec![event(7, Kind::WAN_DOWN)]).await;
        intake.committed().await;
        let rang = tokio::time::timeout(Duration::from_secs(1), rings).await;
        assert!(rang.is_err(), "an event of others wakes no lane");
        stop.cancel();
    };
    tokio::join!(router.run(stop.clone()), telling);
    assert_eq!(store.claim(0, 100).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_ring_loses_the_others_first() {
    let Rig {
        intake,
        store,
        router,
        ..
    } = rig(4);
    hand_over(&intake, [foreign(1, "b"), foreign(2, "b")]).await;
    let mut own = (10..20).map(|id| event(id, Kind::WAN_DOWN)).collect();
    intake.push(&mut own).await;
    drain(router).await;
    let claimed = store.claim(0, 100).await;
    let ids: Vec<_> = claimed[1..].iter().map(|event| &*event.id).collect();
    assert_eq!(ids, ["1", "2", "18", "19"]);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_given_when_the_store_keeps_it_and_not_while_it_is_degraded() {
    let (rig, frail) = frail(1000);
    let degraded = StoreHealth::Degraded {
        since: Timestamp::from_millis(0),
        reason: "full".to_owned(),
        held: 1,
    };
    *frail.health.lock().unwrap() = degraded;
    hand_over(&rig.intake, [foreign(1, "b")]).await;
    let stop = CancellationToken::new();
    let clock = Clock::of_runtime(Timestamp::from_millis(0));
    let router = rig.router.measured_by(Arc::new(Measures::new(&clock)));
    let routing = router.run(stop.clone());
    let asking = async {
        let mut receipt = Box::pin(rig.intake.committed());
        let early = tokio::time::timeout(BEAT * 3, receipt.as_mut()).await;
        assert!(early.is_err(), "a crash would lose it");
        assert!(books(&rig.store).received > 0);
        *frail.health.lock().unwrap() = StoreHealth::Ok;
        receipt.await;
        // There is nothing to commit, and a receipt nevertheless.
        hand_over(&rig.intake, [foreign(1, "b")]).await;
        rig.intake.committed().await;
        rig.intake.committed().await;
        stop.cancel();
    };
    tokio::join!(routing, asking);
}
