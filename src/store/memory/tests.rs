use super::*;
use crate::config::WhenFull;
use crate::store::{Books, DeadLetter, Share, SharedStore};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Kind, Timestamp};

fn event(seq: u64) -> BufferedEvent {
    let event = Event::new(
        Kind::CLIENT_CONNECTED,
        seq.to_string(),
        Timestamp::from_millis(0),
    );
    BufferedEvent {
        seq,
        event: Arc::new(event),
    }
}

fn events(seqs: std::ops::Range<u64>) -> Vec<BufferedEvent> {
    seqs.map(event).collect()
}

fn store(clock: &Clock, capacity: usize) -> Arc<MemoryStore> {
    let buffer = BufferPlan {
        capacity,
        when_full: WhenFull::Wait,
        max_wait: Duration::ZERO,
        max_bytes: u64::MAX,
    };
    Arc::new(MemoryStore::new(
        &["a".into(), "b".into()],
        &buffer,
        clock.clone(),
    ))
}

fn to(sink: usize, seqs: std::ops::Range<u64>) -> Commit {
    Commit {
        events: events(seqs.clone()),
        shares: vec![Share {
            sink,
            events: events(seqs),
        }],
        ..Commit::default()
    }
}

fn seqs(events: &[BufferedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

fn balanced(store: &SharedStore) -> Vec<Books> {
    let books: Vec<_> = store.books().into_iter().map(|sink| sink.books).collect();
    assert!(books.iter().all(Books::balance), "{books:?}");
    books
}

#[tokio::test]
async fn a_lane_that_does_not_move_loses_its_oldest_and_the_books_balance() {
    let memory = store(&Clock::manual(Timestamp::from_millis(0)), 3);
    let shared: SharedStore = memory.clone();
    shared.commit(to(0, 1..4)).await.unwrap();
    let claimed = shared.claim(0, 2).await;
    assert_eq!(seqs(&claimed), [1, 2]);
    shared.commit(to(0, 4..8)).await.unwrap();
    // What is in the lane's hands is never pushed out.
    let books = balanced(&shared);
    assert_eq!(
        (books[0].received, books[0].pending, books[0].lost),
        (7, 5, 2)
    );
    assert_eq!((books[1].received, books[1].filtered), (7, 7));
    let told = shared.take_losses(false);
    assert_eq!(told[0].gap.count, Some(2));
    assert!(shared.take_losses(true).is_empty());
    shared
        .settle(
            0,
            vec![Settled::Delivered { seq: 1 }, Settled::Expired { seq: 2 }],
        )
        .await
        .unwrap();
    assert_eq!(seqs(&shared.claim(0, 9).await), [5, 6, 7]);
    let books = balanced(&shared);
    assert_eq!(
        (books[0].delivered, books[0].filtered, books[0].pending),
        (1, 1, 3)
    );
    assert_eq!(shared.next_seq(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_keeps_up_is_given_no_more_than_enough() {
    let clock = Clock::of_runtime(Timestamp::from_millis(0));
    let store = store(&clock, 10_000);
    let settle = async |claimed: &[BufferedEvent]| {
        let settled = claimed
            .iter()
            .map(|event| Settled::Delivered { seq: event.seq });
        store.settle(0, settled.collect()).await.unwrap();
    };
    store.commit(to(0, 1..2)).await.unwrap();
    settle(&store.claim(0, 9).await).await;
    store.commit(to(0, 2..1_002)).await.unwrap();
    let mut commit = Box::pin(store.commit(to(0, 1_002..1_102)));
    assert!(futures_util::poll!(commit.as_mut()).is_pending());
    settle(&store.claim(0, 100).await).await;
    assert!(futures_util::poll!(commit.as_mut()).is_ready());
    // It stands still: some batches wait for it, and the others do not, as long as there is place.
    let begun = clock.now();
    for start in (1_102..9_002).step_by(100) {
        store.commit(to(0, start..start + 100)).await.unwrap();
    }
    assert_eq!(clock.now() - begun, Duration::from_millis(500));
    assert_eq!(store.books()[0].books.lost, 0);
}

#[tokio::test]
async fn a_full_lane_that_moves_holds_the_commit_until_there_is_room() {
    let memory = store(&Clock::manual(Timestamp::from_millis(0)), 2);
    memory.commit(to(0, 1..3)).await.unwrap();
    let claimed = memory.claim(0, 1).await;
    memory.commit(to(0, 3..4)).await.unwrap();
    memory
        .settle(
            0,
            vec![Settled::Delivered {
                seq: claimed[0].seq,
            }],
        )
        .await
        .unwrap();

    let mut commit = Box::pin(memory.commit(to(0, 4..5)));
    let pending = futures_util::poll!(commit.as_mut());
    assert!(
        pending.is_pending(),
        "the lane is full and moving: the router waits"
    );
    assert_eq!(seqs(&memory.claim(0, 1).await), [2]);
    memory
        .settle(0, vec![Settled::Delivered { seq: 2 }])
        .await
        .unwrap();
    commit.await.unwrap();
    assert_eq!(seqs(&memory.claim(0, 9).await), [3, 4]);
    assert_eq!(memory.books()[0].books.lost, 0);
}

#[tokio::test]
async fn duplicates_losses_and_dead_letters_of_a_step_are_in_the_books() {
    let memory = store(&Clock::manual(Timestamp::from_millis(0)), 10);
    let at = Timestamp::from_millis(0);
    let letter = DeadLetter {
        sink: 1,
        event: event(1),
        reason: "script failed".into(),
        attempts: 0,
        first: at,
        last: at,
    };
    let commit = Commit {
        dead: vec![letter.clone()],
        duplicates: 2,
        lost: 3,
        ..to(0, 1..3)
    };
    memory.commit(commit).await.unwrap();
    let shared: SharedStore = memory.clone();
    let books = balanced(&shared);
    assert_eq!(
        (
            books[0].received,
            books[0].duplicate,
            books[0].lost,
            books[0].pending
        ),
        (7, 2, 3, 2)
    );
    assert_eq!((books[1].dead_lettered, books[1].filtered), (1, 1));
    assert_eq!(letters(&memory), [("b", "script failed".to_owned())]);
}

fn letters(memory: &MemoryStore) -> Vec<(&'static str, String)> {
    let all = memory
        .dead_letters(&LetterFilter::default(), 0, 10)
        .unwrap();
    let name = |name: &str| if name == "a" { "a" } else { "b" };
    all.into_iter()
        .map(|letter| (name(&letter.sink), letter.reason))
        .collect()
}

#[tokio::test]
async fn a_dead_letter_is_tried_again_in_its_place_or_dropped_and_counted() {
    let memory = store(&Clock::manual(Timestamp::from_millis(0)), 3);
    memory.commit(to(0, 1..4)).await.unwrap();
    let claimed = memory.claim(0, 2).await;
    let at = Timestamp::from_millis(0);
    let dead = |event: &BufferedEvent| {
        Settled::Dead(Box::new(DeadLetter {
            sink: 0,
            event: event.clone(),
            reason: "refused".into(),
            attempts: 1,
            first: at,
            last: at,
        }))
    };
    memory
        .settle(0, claimed.iter().map(dead).collect())
        .await
        .unwrap();
    let one = LetterFilter {
        sink: Some("a".into()),
        id: Some("1".into()),
    };
    let elsewhere = LetterFilter {
        sink: Some("b".into()),
        ..LetterFilter::default()
    };
    assert_eq!(memory.retry_dead_letters(&elsewhere).await.unwrap(), 0);
    assert_eq!(memory.retry_dead_letters(&one).await.unwrap(), 1);
    let all = LetterFilter::default();
    assert_eq!(memory.drop_dead_letters(&all).await.unwrap(), 1);
    let shared: SharedStore = memory.clone();
    let books = balanced(&shared);
    assert_eq!((books[0].pending, books[0].dead_lettered), (2, 1));
    assert_eq!(seqs(&memory.claim(0, 3).await), [1, 3]);
}

#[tokio::test]
async fn a_letter_that_is_given_up_again_tells_of_all_its_tries() {
    let memory = store(&Clock::manual(Timestamp::from_millis(0)), 3);
    memory.commit(to(0, 1..2)).await.unwrap();
    let (at, all) = (Timestamp::from_millis(0), LetterFilter::default());
    for round in 1..=3 {
        let event = memory.claim(0, 1).await.remove(0);
        let letter = DeadLetter {
            sink: 0,
            event,
            reason: "refused".into(),
            attempts: 2,
            first: at,
            last: at,
        };
        let settled = vec![Settled::Dead(Box::new(letter))];
        memory.settle(0, settled).await.unwrap();
        let letters = memory.dead_letters(&all, 0, 10).unwrap();
        assert_eq!(letters[0].attempts, 2 * round);
        assert_eq!(memory.retry_dead_letters(&all).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_dead_letter_does_not_push_others_out() {
    let memory = store(&Clock::manual(Timestamp::from_millis(0)), 1);
    let at = Timestamp::from_millis(0);
    let letter = DeadLetter {
        sink: 0,
        event: event(1),
        reason: "script failed".into(),
        attempts: 0,
        first: at,
        last: at,
    };
    let commit = Commit {
        dead: vec![letter],
        ..to(0, 1..2)
    };
    memory.commit(commit).await.unwrap();
    let all = LetterFilter::default();
    assert_eq!(memory.retry_dead_letters(&all).await.unwrap(), 0);
    assert_eq!(letters(&memory), [("a", "script failed".to_owned())]);
}

#[tokio::test]
async fn sinks_change_and_keep_their_numbers_and_backlogs() {
    let memory = store(&Clock::manual(Timestamp::from_millis(0)), 10);
    let shared: SharedStore = memory.clone();
    shared.commit(to(1, 1..4)).await.unwrap();
    assert_eq!(seqs(&shared.claim(1, 2).await), [1, 2]);
    let buffer = BufferPlan {
        capacity: 10,
        when_full: WhenFull::Wait,
        max_wait: Duration::ZERO,
        max_bytes: u64::MAX,
    };
    let names = ["new".into(), "a".into()];
    assert_eq!(shared.set_sinks(&names, &buffer).await.unwrap(), [2, 0]);
    let former = shared.former_sinks().unwrap();
    assert_eq!((former.len(), &*former[0].name), (1, "b"));
    assert_eq!(former[0].books.pending, 3);
    shared.commit(to(2, 4..6)).await.unwrap();
    let books = balanced(&shared);
    assert_eq!(books.len(), 2);
    assert_eq!((books[1].received, books[1].pending), (2, 2));
    let names = ["b".into()];
    assert_eq!(shared.set_sinks(&names, &buffer).await.unwrap(), [1]);
    shared.release(1).await;
    assert_eq!(seqs(&shared.claim(1, 9).await), [1, 2, 3]);
}
