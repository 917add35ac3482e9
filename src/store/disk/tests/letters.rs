//! What was given up: kept, retried, dropped, and given up again.

use super::*;

#[tokio::test]
async fn dead_letters_are_kept_retried_and_dropped_and_the_books_follow() {
    let mut rig = Rig::new(100);
    let store = rig.open();
    store.commit(to(&[0], 1..5)).await.unwrap();
    let claimed = claim_all(&store, 0, 4).await;
    let settled = vec![
        Settled::Dead(Box::new(dead(0, &claimed[0]))),
        Settled::Delivered { seq: 2 },
        Settled::Dead(Box::new(dead(0, &claimed[2]))),
        Settled::Dead(Box::new(dead(0, &claimed[3]))),
    ];
    store.settle(0, settled).await.unwrap();
    drop(store);
    // By name, whatever the position.
    rig.sinks.reverse();
    let store = rig.open();
    let of_a = LetterFilter {
        sink: Some("a".into()),
        id: None,
    };
    let letters = store
        .ask(|reader| reader.dead_letters(&of_a, 0, 10))
        .unwrap();
    assert_eq!(letters.len(), 3);
    assert_eq!(letters[0].event, event(1));
    assert_eq!((letters[0].attempts, &*letters[0].reason), (3, "refused"));
    assert_eq!((letters[0].first, letters[0].last), (at(1), at(2)));

    let one = LetterFilter {
        id: Some("id4".into()),
        ..of_a.clone()
    };
    assert_eq!(store.drop_dead_letters(&one).await.unwrap(), 1);
    store.commit(to(&[1], 5..6)).await.unwrap();
    assert_eq!(store.retry_dead_letters(&of_a).await.unwrap(), 2);
    assert_eq!(seqs(&claim_all(&store, 1, 3).await), [1, 3, 5]);
    let after = books(&store)[1];
    assert_eq!(
        (after.dead_lettered, after.pending, after.delivered),
        (1, 3, 1)
    );
    assert_eq!(store.retry_dead_letters(&of_a).await.unwrap(), 0);
}

#[tokio::test]
async fn a_letter_that_is_given_up_again_tells_of_all_its_tries() {
    let rig = Rig::new(100);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..3)).await.unwrap();
    let all = LetterFilter::default();
    for round in 1..=3 {
        let claimed = claim_all(&store, 0, 2).await;
        let settled = claimed
            .iter()
            .map(|event| Settled::Dead(Box::new(dead(0, event))));
        store.settle(0, settled.collect()).await.unwrap();
        let letters = store
            .ask(|reader| reader.dead_letters(&all, 0, 10))
            .unwrap();
        let attempts: Vec<u32> = letters.iter().map(|letter| letter.attempts).collect();
        assert_eq!(attempts, [3 * round; 2]);
        assert_eq!(store.retry_dead_letters(&all).await.unwrap(), 2);
    }
    drop(store);
    // Over a restart as well, and nothing stays of what is delivered in the end.
    let store = rig.open();
    let claimed = claim_all(&store, 0, 2).await;
    assert_eq!(claimed, [event(1), event(2)]);
    let settled = vec![
        Settled::Dead(Box::new(dead(0, &claimed[0]))),
        Settled::Delivered { seq: 2 },
    ];
    store.settle(0, settled).await.unwrap();
    let letters = store
        .ask(|reader| reader.dead_letters(&all, 0, 10))
        .unwrap();
    assert_eq!(letters[0].attempts, 12);
    assert_eq!(versions(&store).await, 0);
}

#[tokio::test]
async fn since_when_a_letter_is_pending_again_is_known_until_it_is_settled() {
    let mut rig = Rig::new(100);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..3)).await.unwrap();
    let all = LetterFilter::default();
    for round in 1..=2 {
        let claimed = claim_all(&store, 0, 1).await;
        let settled = Settled::Dead(Box::new(dead(0, &claimed[0])));
        store.settle(0, vec![settled]).await.unwrap();
        assert_eq!(store.retried_at(0, 1).unwrap(), None);
        rig.clock.advance(Duration::from_secs(60));
        assert_eq!(store.retry_dead_letters(&all).await.unwrap(), 1);
        assert_eq!(store.retried_at(0, 1).unwrap(), Some(at(60 * round)));
    }
    let others = [(0, 2), (1, 1)].map(|(sink, seq)| store.retried_at(sink, seq).unwrap());
    assert_eq!(others, [None, None]);
    drop(store);
    // By name, whatever the position.
    rig.sinks.reverse();
    let store = rig.open();
    assert_eq!(store.retried_at(1, 1).unwrap(), Some(at(120)));
    let claimed = claim_all(&store, 1, 1).await;
    store.settle(1, delivered(&claimed)).await.unwrap();
    assert_eq!(store.retried_at(1, 1).unwrap(), None);
}

#[tokio::test]
async fn a_store_that_knows_of_no_earlier_tries_goes_on_with_what_it_has() {
    let rig = Rig::new(100);
    let store = rig.open();
    let mut redacted = event(1);
    Arc::make_mut(&mut redacted.event).summary = "[redacted]".into();
    let mut commit = to(&[0], 1..3);
    commit.shares[0].events[0] = redacted.clone();
    store.commit(commit).await.unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(rig.plan.dir.join("herald.db")).unwrap();
    connection
        .execute_batch("ALTER TABLE versions DROP COLUMN attempts; ALTER TABLE versions DROP COLUMN retried; DROP TABLE omitted;
             PRAGMA user_version = 2;",
        )
        .unwrap();
    drop(connection);
    let store = rig.open();
    let claimed = claim_all(&store, 0, 2).await;
    assert_eq!(claimed, [redacted, event(2)]);
    let settled = claimed
        .iter()
        .map(|event| Settled::Dead(Box::new(dead(0, event))));
    store.settle(0, settled.collect()).await.unwrap();
    let all = LetterFilter::default();
    let letters = store
        .ask(|reader| reader.dead_letters(&all, 0, 10))
        .unwrap();
    let attempts: Vec<u32> = letters.iter().map(|letter| letter.attempts).collect();
    assert_eq!(attempts, [3, 3]);
}
