//! Lanes over the memory store in paused time: no socket, no waiting.

mod giving_up;
mod poison;
mod rig;

use super::*;
use crate::buffer::Item;
use crate::config::{BatchPlan, RetryPlan};
use crate::store::LetterFilter;
use rig::{Act, Rig, ids};
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn one_dead_one_hanging_one_panicking_and_the_healthy_one_does_not_notice() {
    let mut rig = Rig::new(4);
    let begun = rig.clock.now();
    let healthy = rig.start(0, Rig::plan(), vec![], None);
    let dead = rig.start(1, Rig::plan(), vec![Act::Fail(503); 100_000], None);
    let hanging = rig.start(2, Rig::plan(), vec![Act::Hang; 100_000], None);
    let panicking = rig.start(3, Rig::plan(), vec![Act::Panic, Act::Panic], None);
    rig.commit(0..4, 25).await;
    rig.settled(0).await;
    assert!(rig.clock.now() - begun < SECOND);
    assert_eq!(ids(&healthy).concat().len(), 25);
    rig.settled(3).await;
    assert_eq!(
        rig.books(3).delivered,
        25,
        "a panic costs a retry and nothing else"
    );
    let first: Vec<_> = panicking
        .seen
        .lock()
        .unwrap()
        .iter()
        .take(3)
        .cloned()
        .collect();
    assert!(
        first.iter().all(|(ids, _)| *ids == first[0].0),
        "the same batch comes again"
    );
    assert_eq!(
        first
            .iter()
            .map(|(_, attempt)| *attempt)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    tokio::time::sleep(200 * SECOND).await;
    assert_eq!((rig.books(1).pending, rig.books(2).pending), (25, 25));
    assert_eq!(
        (dead.status.facts().state, hanging.status.facts().state),
        ("retrying", "retrying")
    );
    assert!(hanging.status.facts().last_error.unwrap().contains("30 s"));
    assert_eq!(healthy.status.facts().state, "ok");
    // The two that are down are announced as events like any other.
    let mut items = Vec::new();
    rig.outlet.take(10, &mut items).await;
    let events = items.iter().filter_map(Item::event);
    let down: BTreeMap<_, _> = events
        .map(|event| (event.fields["sink"].to_string(), event.kind))
        .collect();
    let both = [r#""s1""#, r#""s2""#].map(|sink| (sink.to_owned(), Kind::HERALD_SINK_DOWN));
    assert_eq!(down, both.into());
}

#[tokio::test(start_paused = true)]
async fn one_event_goes_at_once_and_a_backlog_goes_in_batches() {
    let mut rig = Rig::new(1);
    rig.commit(0..1, 25).await;
    let running = rig.start(0, Rig::plan(), vec![], None);
    rig.settled(0).await;
    let sizes: Vec<_> = ids(&running).iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 5]);
    rig.commit(0..1, 1).await;
    rig.settled(0).await;
    assert_eq!(ids(&running).last().unwrap(), &["26"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_others_as_long_as_the_plan_says() {
    let mut rig = Rig::new(1);
    let mut plan = Rig::plan();
    plan.batch.wait = 2 * SECOND;
    let running = rig.start(0, plan, vec![], None);
    rig.commit(0..1, 1).await;
    tokio::time::sleep(SECOND).await;
    rig.commit(0..1, 1).await;
    assert!(ids(&running).is_empty());
    rig.settled(0).await;
    assert_eq!(ids(&running), [["1", "2"]]);
    // A full batch does not wait.
    let begun = rig.clock.now();
    rig.commit(0..1, 10).await;
    rig.settled(0).await;
    assert!(rig.clock.now() - begun < SECOND);
}

#[tokio::test(start_paused = true)]
async fn another_lane_that_recovers_ends_the_wait() {
    let mut rig = Rig::new(2);
    let slow = RetryPlan {
        min: 1000 * SECOND,
        max: 1000 * SECOND,
        give_up_after: None,
    };
    let waiting = rig.start(
        0,
        SinkPlan {
            retry: slow,
            ..Rig::plan()
        },
        vec![Act::Fail(502)],
        None,
    );
    let _recovering = rig.start(1, Rig::plan(), vec![Act::Fail(502)], None);
    let begun = rig.clock.now();
    rig.commit(0..2, 1).await;
    rig.settled(0).await;
    assert!(rig.clock.now() - begun < 10 * SECOND);
    assert_eq!(ids(&waiting).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_guilty_event_becomes_a_dead_letter_and_the_rest_arrives() {
    let mut rig = Rig::new(1);
    rig.commit(0..1, 3).await;
    let running = rig.start(
        0,
        Rig::plan(),
        vec![Act::Fail(422), Act::Take, Act::Fail(422)],
        None,
    );
    rig.settled(0).await;
    assert_eq!(
        ids(&running),
        [vec!["1", "2", "3"], vec!["1"], vec!["2"], vec!["3"]]
    );
    let books = rig.books(0);
    assert_eq!((books.delivered, books.dead_lettered), (2, 1));
    let letters = rig.store.dead_letters(&LetterFilter::default(), 0, 9);
    let letters = letters.unwrap();
    let [letter] = &letters[..] else {
        panic!("{letters:?}")
    };
    assert_eq!(letter.reason, "answered 422", "in its own words");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_dropped_and_raw_is_left_out_where_the_plan_says_so() {
    let mut rig = Rig::new(1);
    let plan = SinkPlan {
        max_age: Some(60 * SECOND),
        raw: false,
        ..Rig::plan()
    };
    rig.commit(0..1, 1).await;
    tokio::time::sleep(120 * SECOND).await;
    rig.commit(0..1, 1).await;
    let running = rig.start(0, plan, vec![], None);
    rig.settled(0).await;
    assert_eq!(ids(&running), [["2"]]);
    assert_eq!(rig.books(0).filtered, 1);
    let event = BufferedEvent {
        seq: 1,
        event: Arc::new(Event::new(Kind::WAN_UP, "x", rig.clock.wall())),
    };
    assert_eq!(without_raw(event.clone()), event);
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_nobody_could_be_told_of_is_told_once() {
    let messages = [
        (Kind::ALERT_FIRING, "1"),
        (Kind::ALERT_FIRING, "2"),
        (Kind::ALERT_REPEATED, "1"),
        (Kind::ALERT_RESOLVED, "1"),
    ];
    for (coalesce, told) in [
        (
            true,
            &["alert.firing 1", "alert.firing 2", "alert.resolved 1"][..],
        ),
        (
            false,
            &[
                "alert.firing 1",
                "alert.firing 1",
                "alert.firing 2",
                "alert.repeated 1",
                "alert.resolved 1",
            ],
        ),
    ] {
        let mut rig = Rig::new(1);
        let mut plan = SinkPlan {
            coalesce,
            ..Rig::plan()
        };
        plan.batch.max = 1;
        rig.commit_messages(&messages[..1]).await;
        let running = rig.start(0, plan, vec![Act::Fail(503)], None);
        tokio::time::sleep(SECOND / 10).await;
        assert_eq!(ids(&running), [["alert.firing 1"]], "nobody takes it");
        rig.commit_messages(&messages[1..]).await;
        rig.settled(0).await;
        assert_eq!(ids(&running).concat(), told);
        let books = rig.books(0);
        let merged = if coalesce { 2 } else { 0 };
        assert_eq!((books.filtered, books.delivered), (merged, 4 - merged));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_told_is_not_taken_back() {
    let mut rig = Rig::new(1);
    let plan = SinkPlan {
        coalesce: true,
        ..Rig::plan()
    };
    let running = rig.start(0, plan, vec![], None);
    rig.commit_messages(&[(Kind::ALERT_FIRING, "1")]).await;
    rig.settled(0).await;
    rig.commit_messages(&[(Kind::ALERT_RESOLVED, "1")]).await;
    rig.settled(0).await;
    assert_eq!(
        ids(&running).concat(),
        ["alert.firing 1", "alert.resolved 1"]
    );
    assert_eq!(rig.books(0).filtered, 0);
}

#[tokio::test(start_paused = true)]
async fn a_sink_with_a_timer_is_woken() {
    let rig = Rig::new(1);
    let at = rig.clock.now() + 7 * SECOND;
    let mut rig = rig;
    let running = rig.start(0, Rig::plan(), vec![], Some(at));
    rig.commit(0..1, 1).await;
    tokio::time::sleep(20 * SECOND).await;
    assert_eq!(*running.woken.lock().unwrap(), [at]);
}

#[tokio::test(start_paused = true)]
async fn draining_delivers_what_is_there_and_aborting_says_what_is_left() {
    let mut rig = Rig::new(3);
    let gone = rig.start(2, Rig::plan(), vec![Act::Fail(410)], None);
    let good = rig.start(0, Rig::plan(), vec![], None);
    let bad = rig.start(1, Rig::plan(), vec![Act::Fail(503); 1000], None);
    rig.commit(0..3, 30).await;
    rig.drain.cancel();
    assert_eq!(good.left.await.unwrap(), Left { events: 0 });
    assert_eq!(
        gone.left.await.unwrap(),
        Left { events: 10 },
        "nobody waits for a reload"
    );
    tokio::time::sleep(60 * SECOND).await;
    assert!(!bad.left.is_finished(), "draining goes on trying");
    rig.abort.cancel();
    assert_eq!(bad.left.await.unwrap(), Left { events: 10 });
    assert_eq!((rig.books(0).delivered, rig.books(1).pending), (30, 30));
}

#[tokio::test(start_paused = true)]
async fn a_retired_lane_waits_for_its_answer_and_leaves_the_rest_to_the_next() {
    let mut rig = Rig::new(1);
    let plan = SinkPlan {
        batch: BatchPlan {
            max: 2,
            wait: Duration::ZERO,
        },
        ..Rig::plan()
    };
    let retired = rig.start(0, plan, vec![Act::Hang], None);
    rig.commit(0..1, 5).await;
    while ids(&retired).is_empty() {
        tokio::time::sleep(SECOND).await;
    }
    rig.retire.cancel();
    tokio::time::sleep(SECOND).await;
    assert!(!retired.left.is_finished(), "the sink may have it already");
    let left = retired.left.await.unwrap();
    assert!(left.events > 0);
    rig.store.release(0).await;
    rig.retire = CancellationToken::new();
    let next = rig.start(0, Rig::plan(), vec![], None);
    rig.settled(0).await;
    assert_eq!(ids(&next).concat(), ["1", "2", "3", "4", "5"]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_gone_tries_again_after_a_reload() {
    let mut rig = Rig::new(1);
    let lane = rig.start(0, Rig::plan(), vec![Act::Fail(410)], None);
    rig.commit(0..1, 1).await;
    while lane.status.facts().state != "gone" {
        tokio::time::sleep(SECOND).await;
    }
    rig.weather.notify_waiters();
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!(ids(&lane).len(), 1, "nothing else moves it");
    rig.reloaded.notify_one();
    rig.settled(0).await;
}
