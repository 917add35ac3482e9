//! A batch waits for a lane that keeps up, and for no other.

use super::*;
use futures_util::{FutureExt, poll};

/// With the time of the runtime, which jumps to the next timer when nothing else is left to do.
fn rig(capacity: usize) -> Rig {
    let mut rig = Rig::new(capacity);
    rig.clock = Clock::of_runtime(at(0));
    rig
}

/// Wait for the writer without letting time pass.
fn let_the_writer_finish(store: &DiskStore) {
    let (answer, got) = std::sync::mpsc::sync_channel(1);
    let job = Job::Inspect(Box::new(move |_| answer.send(()).unwrap_or_default()));
    let sent = store.jobs.as_ref().unwrap().try_send(job);
    assert!(sent.is_ok());
    got.recv().unwrap();
}

async fn take(store: &DiskStore, sink: usize, count: usize) -> Vec<u64> {
    let claimed = store.claim(sink, count).await;
    store.settle(sink, delivered(&claimed)).await.unwrap();
    seqs(&claimed)
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_keeps_up_is_never_read_back() {
    let rig = rig(64);
    let store = rig.open();
    store.commit(to(&[0], 1..2)).await.unwrap();
    assert_eq!(take(&store, 0, 9).await, [1]);
    store.commit(to(&[0], 2..62)).await.unwrap();
    let mut next = 2;
    for start in (62..1_000).step_by(10) {
        let mut commit = store.commit(to(&[0], start..start + 10));
        assert!(poll!(commit.as_mut()).is_pending());
        let_the_writer_finish(&store);
        assert_eq!(books(&store)[0].received, start - 1, "it waits");
        let claimed = store.claim(0, 10).now_or_never().unwrap();
        assert_eq!(seqs(&claimed), (next..next + 10).collect::<Vec<_>>());
        next += 10;
        commit.await.unwrap();
        assert!(store.shared.lane(0).window().is_complete());
        store.settle(0, delivered(&claimed)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_stands_still_holds_the_others_for_half_a_second_in_all() {
    let rig = rig(64);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..2)).await.unwrap();
    for sink in [0, 1] {
        assert_eq!(store.claim(sink, 9).await.len(), 1);
    }
    let begun = rig.clock.now();
    for start in (2..2_002).step_by(20) {
        store.commit(to(&[0, 1], start..start + 20)).await.unwrap();
        assert_eq!(take(&store, 1, 20).await.len(), 20);
    }
    // Sooner where its window was full before: what is read back is not waited for.
    let held = rig.clock.now() - begun;
    assert!(
        held > Duration::ZERO && held <= Duration::from_millis(500),
        "{held:?}"
    );
    assert!(store.shared.lane(1).window().is_complete());
    assert!(!store.shared.lane(0).window().is_complete());
    // Nor is it again while it is catching up.
    assert_eq!(claim_all(&store, 0, 1_000).await.len(), 1_000);
    store.commit(to(&[0, 1], 2_002..2_022)).await.unwrap();
    assert_eq!(rig.clock.now() - begun, held);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_never_took_anything_holds_nobody() {
    let rig = rig(64);
    let store = rig.open();
    let begun = rig.clock.now();
    for start in (1..2_001).step_by(20) {
        store.commit(to(&[0, 1], start..start + 20)).await.unwrap();
        assert_eq!(take(&store, 1, 20).await.len(), 20);
    }
    assert_eq!(rig.clock.now(), begun);
    assert_eq!(books(&store)[0].pending, 2_000);
}
