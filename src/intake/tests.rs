use super::*;
use crate::config::WhenFull;
use futures_util::poll;
use std::time::Duration;
use unifi_herald_plugin::{Kind, Timestamp};

fn events(count: u64) -> Vec<Arc<Event>> {
    let time = Timestamp::from_millis(0);
    let event = |id: u64| Arc::new(Event::new(Kind::CLIENT_CONNECTED, id.to_string(), time));
    (0..count).map(event).collect()
}

#[tokio::test(start_paused = true)]
async fn where_enough_waits_whoever_pushes_lets_the_router_go_first() {
    let clock = Clock::of_runtime(Timestamp::from_millis(0));
    let limits = Limits {
        events: 10_000,
        bytes: usize::MAX,
        when_full: WhenFull::Wait,
        max_wait: Duration::from_secs(5),
    };
    let (intake, mut outlet) = ring(limits, clock.clone());
    let begun = clock.now();
    intake.push(&mut events(1_000)).await;
    let mut more = events(100);
    let mut push = Box::pin(intake.push(&mut more));
    assert!(poll!(push.as_mut()).is_pending());
    assert_eq!(intake.len(), 1_100, "there is room");
    outlet.take(1, &mut Vec::new()).await;
    assert!(poll!(push.as_mut()).is_ready());
    assert_eq!(clock.now(), begun);
    // A router that takes nothing is waited for once.
    for _ in 0..100 {
        intake.push(&mut events(10)).await;
    }
    assert_eq!(clock.now() - begun, Duration::from_millis(100));
    assert_eq!(intake.len(), 2_099);
}
