//! An event that its destination chokes on, and what waits behind it.

use super::*;
use tokio::time::timeout;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn an_event_that_came_alone_and_is_never_taken_lets_those_behind_it_pass() {
    let mut rig = Rig::new(1);
    let acts = vec![Act::Choke("1", 500)];
    let running = rig.start(0, Rig::plan(), acts, None);
    rig.commit(0..1, 1).await;
    while ids(&running).is_empty() {
        tokio::time::sleep(SECOND).await;
    }
    rig.commit(0..1, 20).await;
    let begun = rig.clock.now();
    timeout(60 * MINUTE, rig.settled(0)).await.unwrap();
    let took = rig.clock.now() - begun;
    assert!(took > 4 * MINUTE && took < 7 * MINUTE, "{took:?}");
    let books = rig.books(0);
    assert_eq!((books.delivered, books.dead_lettered), (20, 1));
    let letters = rig.store.dead_letters(&LetterFilter::default(), 0, 9);
    let tried = ids(&running).iter().filter(|ids| **ids == ["1"]).count();
    assert_eq!(letters.unwrap()[0].attempts as usize, tried);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_came_alone_waits_while_the_destination_takes_nothing() {
    let mut rig = Rig::new(1);
    let acts = vec![Act::Fail(500); 40];
    let running = rig.start(0, Rig::plan(), acts, None);
    rig.commit(0..1, 1).await;
    while ids(&running).is_empty() {
        tokio::time::sleep(SECOND).await;
    }
    rig.commit(0..1, 1).await;
    timeout(60 * MINUTE, rig.settled(0)).await.unwrap();
    let tried = ids(&running);
    assert!(tried.contains(&vec!["2".to_owned()]), "{tried:?}");
    let books = rig.books(0);
    assert_eq!((books.delivered, books.dead_lettered), (2, 0));
}
