//! Programs that end, hang, or do not want to end.

use super::*;

/// Whether a process is there and not a corpse that nobody fetched.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Let `work` run to its end while the clock goes on.
async fn while_time_passes<T>(context: &TestContext, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::task::yield_now() => context.advance(Duration::from_millis(10)),
        }
    }
}

#[tokio::test]
async fn a_program_that_falls_at_once_is_started_again_later_each_time() {
    let place = Place::new();
    let mut sink = place.shell("echo started >>log; exit 3");
    let events = batch(2);
    for pause in [1, 2, 4] {
        let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
        assert_eq!(
            (error.retry(), error.fault(), error.accepted()),
            (
                Retry::After(Duration::from_secs(pause)),
                Fault::Unavailable,
                0
            )
        );
        assert!(error.to_string().ends_with("exit status: 3"), "{error}");
        let early = sink.deliver(Batch::new(&events)).await.unwrap_err();
        assert_eq!(early.retry(), Retry::After(Duration::from_secs(pause)));
        place.context.advance(Duration::from_secs(pause));
    }
    assert_eq!(place.read("log").lines().count(), 3);
}

#[tokio::test]
async fn what_it_had_not_answered_goes_to_the_next_one() {
    let place = Place::new();
    let mut sink = place.shell(
        "next; echo \"$id\" >>seen; ack \"$id\"; [ \"$id\" = test-1 ] && exit; while next; do echo \"$id\" >>seen; ack \"$id\"; done",
    );
    let events = batch(3);
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!(error.accepted(), 1);
    place.context.advance(Duration::from_secs(1));
    sink.deliver(Batch::new(&events[1..])).await.unwrap();
    assert_eq!(place.read("seen"), "test-1\ntest-2\ntest-3\n");
}

#[tokio::test]
async fn one_that_ended_between_deliveries_after_good_work_is_missed_by_nobody() {
    let place = Place::new();
    let mut sink = place.shell("echo $$ >pid; next; ack \"$id\"");
    let events = batch(2);
    sink.deliver(Batch::new(&events[..1])).await.unwrap();
    let first = place.file("pid").await;
    until(|| !lives(&first)).await;
    sink.deliver(Batch::new(&events[1..])).await.unwrap();
    assert_ne!(place.read("pid"), first);
}

#[tokio::test]
async fn one_that_answers_nothing_is_killed_after_three_timeouts() {
    let place = Place::new();
    let mut sink = place.shell(
        "[ -e pid ] && while next; do ack \"$id\"; done; echo $$ >pid; while next; do :; done",
    );
    let events = batch(1);
    for _ in 0..3 {
        assert!(cancelled(sink.deliver(Batch::new(&events))).await.is_none());
    }
    let pid = place.file("pid").await;
    assert!(lives(&pid));
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the program answered nothing for a long time, it was killed"
    );
    until(|| !lives(&pid)).await;
    place.context.advance(Duration::from_secs(1));
    sink.deliver(Batch::new(&events)).await.unwrap();
}

#[tokio::test]
async fn closing_lets_it_finish() {
    let place = Place::new();
    let mut sink = place.shell("while next; do ack \"$id\"; done; echo finished >end");
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    Box::new(sink).close().await.unwrap();
    assert_eq!(place.read("end"), "finished\n");
}

#[tokio::test]
async fn one_that_will_not_end_is_killed_with_what_it_has_started() {
    let place = Place::new();
    let mut sink = place.shell(
        r#"trap "" TERM
echo $$ >pid
sleep 1000 & echo $! >child
while next; do ack "$id"; done
while :; do sleep 1000; done"#,
    );
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    let child = place.file("child").await;
    let start = place.context.now();
    while_time_passes(&place.context, Box::new(sink).close())
        .await
        .unwrap();
    let took = place.context.now() - start;
    assert!(took >= Duration::from_secs(5), "it had its time: {took:?}");
    let pid = place.file("pid").await;
    until(|| !lives(&pid) && !lives(&child)).await;
}

#[tokio::test]
async fn a_sink_that_is_dropped_leaves_no_process() {
    let place = Place::new();
    let mut sink = place.shell("sleep 1000 & echo $! >child; while next; do ack \"$id\"; done");
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    let child = place.file("child").await;
    assert!(lives(&child));
    drop(sink);
    until(|| !lives(&child)).await;
}
