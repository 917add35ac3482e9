//! The router over the memory store, without a socket.

mod state;

use super::*;
use crate::buffer::Limits;
use crate::chain::{Action, Chain};
use crate::config::{BufferPlan, When, WhenFull};
use crate::intake::{Intake, ring};
use crate::store::{Books, MemoryStore};
use unifi_herald_plugin::{Event, Timestamp};

struct Rig {
    intake: Intake,
    store: SharedStore,
    router: Router,
    weather: Arc<Notify>,
}

fn rig(capacity: usize) -> Rig {
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
    // The lane holds a thousand and does not move: the rest was lost there, and counted.
    let first: u64 = claimed[0].id.parse().unwrap();
    assert_eq!(
        (claimed.len() as u64, books(&store).lost),
        (1500 - first, first)
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
