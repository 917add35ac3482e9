//! What a sink with `give_up_after` does not get, and gets another time for.

use super::*;
use crate::store::{Commit, DeadLetter};
use unifi_herald_plugin::testing::EventBuilder;

const LIMIT: Duration = Duration::from_secs(60);

fn plan() -> SinkPlan {
    let mut plan = Rig::plan();
    plan.retry.give_up_after = Some(LIMIT);
    plan
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_retried_is_tried_for_as_long_again() {
    let mut rig = Rig::new(1);
    let running = rig.start(0, plan(), vec![Act::Fail(503); 1000], None);
    rig.commit(0..1, 2).await;
    rig.settled(0).await;
    let all = LetterFilter::default();
    let first = rig.store.dead_letters(&all, 0, 9).unwrap()[0].first;
    for _ in 0..2 {
        tokio::time::sleep(10 * LIMIT).await;
        let (begun, before) = (rig.clock.now(), ids(&running).len());
        assert_eq!(rig.store.retry_dead_letters(&all).await.unwrap(), 2);
        rig.settled(0).await;
        let took = rig.clock.now() - begun;
        assert!(took >= LIMIT && took < 3 * LIMIT, "{took:?}");
        assert!(ids(&running).len() > before + 2, "more than a try for each");
    }
    let letters = rig.store.dead_letters(&all, 0, 9).unwrap();
    assert_eq!(letters.len(), 2);
    for letter in letters {
        let id = letter.event.id.to_string();
        let tried = ids(&running).iter().filter(|ids| ids.contains(&id)).count();
        assert_eq!((letter.attempts as usize, letter.first), (tried, first));
    }
}

#[tokio::test(start_paused = true)]
async fn a_letter_of_a_script_has_the_whole_time_when_it_is_retried() {
    let rig = Rig::new(1);
    let running = rig.start(0, plan(), vec![Act::Fail(503); 20], None);
    let at = rig.clock.wall();
    let event = EventBuilder::new(Kind::WAN_DOWN).with(|event| event.received = at);
    let event = event.buffered(1);
    let commit = Commit {
        events: vec![event.clone()],
        dead: vec![DeadLetter {
            sink: 0,
            event,
            reason: "failed in the script".to_owned(),
            attempts: 0,
            first: at,
            last: at,
        }],
        ..Commit::default()
    };
    rig.store.commit(commit).await.unwrap();
    tokio::time::sleep(10 * LIMIT).await;
    let all = LetterFilter::default();
    assert_eq!(rig.store.retry_dead_letters(&all).await.unwrap(), 1);
    tokio::time::sleep(LIMIT / 2).await;
    assert!(ids(&running).len() > 2);
    assert_eq!(rig.books(0).pending, 1);
}
