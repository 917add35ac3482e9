//! The router over the memory store, without a socket.

mod alerts;
mod handed;
mod neighbours;
mod newcomers;
mod state;

use super::*;
use crate::buffer::{HoleNews, Limits};
use crate::chain::{Action, Chain};
use crate::config::{BufferPlan, When, WhenFull};
use crate::intake::{Intake, ring};
use crate::store::{
    Books, Hole, HoleChange, MemoryStore, Rejected, Settled, SinkBooks, Store, StoreError,
    StoreHealth, Stretch, Watermark,
};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use unifi_herald_plugin::{BufferedEvent, Event, Gap, Origin, Text, Timestamp};

struct Rig {
    intake: Intake,
    store: SharedStore,
    router: Router,
    weather: Arc<Notify>,
}

fn rig(capacity: usize) -> Rig {
    rig_on(capacity, |store| store)
}

fn rig_on(capacity: usize, wrap: impl FnOnce(SharedStore) -> SharedStore) -> Rig {
    let clock = Clock::of_runtime(Timestamp::from_millis(0));
    let buffer = BufferPlan {
        capacity: 1000,
        when_full: WhenFull::DropOldest,
        max_wait: Duration::ZERO,
        max_bytes: u64::MAX,
    };
    let limits = Limits::new(&BufferPlan { capacity, ..buffer }, 1);
    let (intake, outlet) = ring(limits, clock.clone());
    let store: SharedStore = Arc::new(MemoryStore::new(&["all".into()], &buffer, clock.clone()));
    let store = wrap(store);
    let steps = vec![(When::default(), Action::Sink(0))];
    let chains = Chains::new(vec![Chain::new("c".into(), &When::default(), steps)]);
    let weather = Arc::new(Notify::new());
    let router = Router::new(
        outlet,
        chains,
        Arc::clone(&store),
        1,
        clock,
        Arc::clone(&weather),
    );
    Rig {
        intake,
        store,
        router,
        weather,
    }
}

fn event(id: u64, kind: Kind) -> Arc<Event> {
    let mut event = Event::new(
        kind,
        id.to_string(),
        Timestamp::from_millis(1000 + i64::try_from(id).unwrap()),
    );
    event.controller = "home".into();
    event.site = "default".into();
    event.key = Some("EVT_GW_WANTransition".into());
    Arc::new(event)
}

/// Run the router over what is in the ring, and no longer.
async fn drain(router: Router) {
    let stop = CancellationToken::new();
    stop.cancel();
    router.run(stop).await;
}

fn books(store: &SharedStore) -> Books {
    let books = store.books()[0].books;
    assert!(books.balance(), "{books:?}");
    books
}

#[tokio::test(start_paused = true)]
async fn everything_in_the_ring_is_routed_in_order_before_the_end() {
    let Rig {
        intake,
        store,
        router,
        ..
    } = rig(10_000);
    let mut events: Vec<_> = (0..1500).map(|id| event(id, Kind::WAN_DOWN)).collect();
    intake.push(&mut events).await;
    drain(router).await;
    let mut claimed = Vec::new();
    while books(&store).pending > claimed.len() as u64 {
        claimed.extend(store.claim(0, 5000).await);
    }
    // The lane holds a thousand and does not move: the rest was lost there, counted, and told, at first and at the end.
    let first: u64 = claimed[0].id.parse().unwrap();
    assert_eq!((claimed.len(), books(&store).lost), (1000, first));
    let told = claimed.iter().filter_map(|event| event.gap.as_deref());
    let told: Vec<_> = told.map(|gap| gap.count.unwrap()).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(
        told.iter().sum::<u64>(),
        first - 1,
        "the last took a place as well"
    );
    assert!(
        claimed
            .windows(2)
            .all(|pair| pair[0].seq + 1 == pair[1].seq)
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_ring_lost_becomes_one_gap_event_and_is_in_the_books() {
    let Rig {
        intake,
        store,
        router,
        ..
    } = rig(3);
    let mut events: Vec<_> = (0..10).map(|id| event(id, Kind::WAN_DOWN)).collect();
    intake.push(&mut events).await;
    drain(router).await;
    let claimed = store.claim(0, 100).await;
    let kinds: Vec<_> = claimed.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::HERALD_GAP,
            Kind::WAN_DOWN,
            Kind::WAN_DOWN,
            Kind::WAN_DOWN
        ]
    );
    let gap = claimed[0].gap.as_deref().unwrap();
    assert_eq!(
        (gap.from.as_millis(), gap.to.as_millis(), gap.count),
        (1000, 1006, Some(7))
    );
    assert_eq!(
        (&*claimed[0].controller, &*claimed[0].site),
        ("home", "default")
    );
    assert_eq!((books(&store).received, books(&store).lost), (11, 7));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_twice_is_routed_once() {
    let Rig {
        intake,
        store,
        router,
        ..
    } = rig(100);
    let mut events = vec![
        event(1, Kind::WAN_DOWN),
        event(2, Kind::WAN_DOWN),
        event(1, Kind::WAN_DOWN),
    ];
    intake.push(&mut events).await;
    drain(router).await;
    assert_eq!(store.claim(0, 100).await.len(), 2);
    assert_eq!((books(&store).received, books(&store).duplicate), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn the_internet_coming_back_is_told_to_the_lanes() {
    let Rig {
        intake,
        router,
        weather,
        ..
    } = rig(100);
    let told = weather.notified();
    intake.push(&mut vec![event(1, Kind::WAN_UP)]).await;
    drain(router).await;
    tokio::time::timeout(Duration::from_secs(1), told)
        .await
        .unwrap();
}

/// A store with a journal, which tells what it was given.
#[derive(Debug)]
struct Journal {
    inner: SharedStore,
    known: Vec<&'static str>,
    recent: Vec<BufferedEvent>,
    /// How often it was asked what it has.
    asked: AtomicUsize,
    commits: Mutex<Vec<Commit>>,
}

#[async_trait]
impl Store for Journal {
    async fn commit(&self, commit: Commit) -> Result<(), Rejected> {
        self.commits.lock().unwrap().push(commit.clone());
        self.inner.commit(commit).await
    }

    async fn claim(&self, sink: usize, max: usize) -> Vec<BufferedEvent> {
        self.inner.claim(sink, max).await
    }

    async fn settle(&self, sink: usize, settled: Vec<Settled>) -> Result<(), StoreError> {
        self.inner.settle(sink, settled).await
    }

    fn books(&self) -> Vec<SinkBooks> {
        self.inner.books()
    }

    fn next_seq(&self) -> u64 {
        self.inner.next_seq()
    }

    fn known(&self, controller: &str, site: &str, ids: &[Text]) -> Vec<bool> {
        assert_eq!(controller, "home");
        let known = |id: &Text| site == "default" && self.known.contains(&&**id);
        ids.iter().map(known).collect()
    }

    fn recent(&self, _: &str, _: &str, stretch: &Stretch, max: usize) -> Vec<BufferedEvent> {
        let is_in = |event: &&BufferedEvent| {
            event.time >= stretch.from
                && stretch.to.is_none_or(|to| event.time <= to)
                && stretch.kind.is_none_or(|kind| event.kind == kind)
        };
        self.asked.fetch_add(1, Ordering::Relaxed);
        let recent: Vec<_> = self.recent.iter().filter(is_in).cloned().collect();
        recent[recent.len().saturating_sub(max)..].to_vec()
    }

    fn watermarks(&self) -> Result<Vec<Watermark>, StoreError> {
        Ok(vec![Watermark {
            controller: "home".into(),
            site: "default".into(),
            time: Timestamp::from_millis(1002),
        }])
    }
}

fn journal(known: Vec<&'static str>, recent: Vec<BufferedEvent>) -> (Rig, Arc<Journal>) {
    let mut journal = None;
    let rig = rig_on(100, |inner| {
        let store = Arc::new(Journal {
            inner,
            known,
            recent,
            asked: AtomicUsize::default(),
            commits: Mutex::default(),
        });
        journal = Some(Arc::clone(&store));
        store
    });
    (rig, journal.unwrap())
}

fn backfill(id: u64) -> Arc<Event> {
    let mut event = Event::clone(&event(id, Kind::WAN_DOWN));
    event.origin = Origin::Backfill;
    event.received = Timestamp::from_millis(9000);
    Arc::new(event)
}

fn hole(id: u64, from: i64) -> Hole {
    Hole {
        id,
        controller: "home".into(),
        site: "default".into(),
        from: Timestamp::from_millis(from),
        to: Some(Timestamp::from_millis(2000)),
        reason: "reconnect".into(),
    }
}

fn ids(events: &[BufferedEvent]) -> Vec<&str> {
    events.iter().map(|event| &*event.id).collect()
}

#[tokio::test(start_paused = true)]
async fn what_the_journal_has_is_no_news_when_it_is_fetched() {
    let (rig, journal) = journal(vec!["2"], Vec::new());
    let items = [backfill(1), backfill(2), backfill(3)];
    let mut items: VecDeque<Item> = items.map(Item::Event).into();
    rig.intake.push_history(&mut items).await;
    drain(rig.router).await;
    let commit = journal.commits.lock().unwrap()[0].clone();
    assert_eq!(
        (ids(&commit.events), commit.duplicates),
        (vec!["1", "3"], 1)
    );
    assert_eq!(
        commit.watermarks[0].time.as_millis(),
        1003,
        "above the store's"
    );
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_run_had_of_a_site_is_no_news_of_no_site() {
    let (rig, journal) = journal(vec!["2"], Vec::new());
    let of_no_site = |id| {
        let mut event = Event::clone(&backfill(id));
        event.site = "super".into();
        Item::Event(Arc::new(event))
    };
    let mut items = VecDeque::from([of_no_site(2), of_no_site(3)]);
    rig.intake.push_history(&mut items).await;
    drain(rig.router).await;
    let commit = journal.commits.lock().unwrap()[0].clone();
    assert_eq!((ids(&commit.events), commit.duplicates), (vec!["3"], 1));
}

#[tokio::test(start_paused = true)]
async fn a_hole_changes_with_what_stands_in_front_of_it_and_its_gap_with_it() {
    let (rig, journal) = journal(Vec::new(), Vec::new());
    let mut items: VecDeque<Item> = (0..40).map(|id| Item::Event(backfill(id))).collect();
    rig.intake.push_history(&mut items).await;
    let gap = Some(event(900, Kind::HERALD_GAP));
    let change = HoleChange::Close { id: 5 };
    rig.intake.push_hole(HoleNews { change, gap });
    rig.intake.push(&mut vec![event(50, Kind::WAN_UP)]).await;
    drain(rig.router).await;
    let commits = journal.commits.lock().unwrap().clone();
    let closing = commits
        .iter()
        .position(|commit| commit.holes == [HoleChange::Close { id: 5 }])
        .unwrap();
    let so_far = commits[..=closing].iter();
    let so_far: Vec<_> = so_far.flat_map(|commit| ids(&commit.events)).collect();
    assert!(so_far.contains(&"39") && so_far.contains(&"900"));
}

#[tokio::test(start_paused = true)]
async fn a_seed_is_in_the_journal_and_no_sink_gets_it() {
    let (rig, journal) = journal(Vec::new(), Vec::new());
    let mut items = VecDeque::from([Item::Seed(backfill(1)), Item::Event(backfill(2))]);
    rig.intake.push_history(&mut items).await;
    drain(rig.router).await;
    let commit = journal.commits.lock().unwrap()[0].clone();
    assert_eq!(ids(&commit.events), ["1", "2"]);
    assert_eq!(ids(&commit.shares[0].events), ["2"]);
    let books = books(&rig.store);
    assert_eq!((books.received, books.filtered), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_ring_lost_is_a_hole_for_whoever_listens() {
    let (rig, journal) = journal(Vec::new(), Vec::new());
    let (home, site): (Text, Text) = ("home".into(), "default".into());
    let listener = rig.intake.listen_for_losses(&home, &site);
    let mut events: Vec<_> = (0..110).map(|id| event(id, Kind::WAN_DOWN)).collect();
    rig.intake.push(&mut events).await;
    drain(rig.router).await;
    let commits = journal.commits.lock().unwrap().clone();
    let [HoleChange::Open(opened)] = commits[0].holes.as_slice() else {
        panic!("{commits:?}");
    };
    let lost = Gap {
        from: opened.from,
        to: opened.to.unwrap(),
        count: Some(commits[0].lost),
    };
    assert_eq!(
        (lost.from.as_millis(), lost.to.as_millis(), lost.count),
        (1000, 1009, Some(10))
    );
    assert_eq!(&*opened.reason, "ring_overflow");
    assert_eq!(listener.heard().await, (Hole::clone(opened), 10));
    let told = commits.iter().flat_map(|commit| &commit.events);
    assert!(told.into_iter().all(|event| event.kind != Kind::HERALD_GAP));
}

/// A memory store that says it is in trouble.
#[derive(Debug)]
struct Ailing(SharedStore);

#[async_trait]
impl Store for Ailing {
    async fn commit(&self, commit: Commit) -> Result<(), Rejected> {
        self.0.commit(commit).await
    }

    async fn claim(&self, sink: usize, max: usize) -> Vec<BufferedEvent> {
        self.0.claim(sink, max).await
    }

    async fn settle(&self, sink: usize, settled: Vec<Settled>) -> Result<(), StoreError> {
        self.0.settle(sink, settled).await
    }

    fn books(&self) -> Vec<SinkBooks> {
        self.0.books()
    }

    fn next_seq(&self) -> u64 {
        self.0.next_seq()
    }

    fn health(&self) -> StoreHealth {
        StoreHealth::Degraded {
            since: Timestamp::from_millis(0),
            reason: "no space left".to_owned(),
            held: 1,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_in_trouble_is_an_event_once() {
    let Rig {
        intake,
        store,
        mut router,
        ..
    } = rig(100);
    router.store = Arc::new(Ailing(Arc::clone(&store)));
    intake.push(&mut vec![event(1, Kind::WAN_DOWN)]).await;
    drain(router).await;
    let claimed = store.claim(0, 100).await;
    let kinds: Vec<_> = claimed.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::WAN_DOWN, Kind::HERALD_STORE_DEGRADED]);
}
