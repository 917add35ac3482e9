//! Why a sink does not get an event that it was given.

use super::degraded::{fill_disk, free_disk};
use super::retention::{days, run_rounds};
use super::*;

fn omitted(store: &DiskStore, seq: u64) -> Vec<(String, Omission)> {
    let found = store.ask(|reader| reader.omitted_by(seq)).unwrap();
    let named = found.into_iter().map(|(sink, why)| (sink.to_string(), why));
    named.collect()
}

fn a(why: Omission) -> Vec<(String, Omission)> {
    vec![("a".to_owned(), why)]
}

async fn rows(store: &DiskStore) -> i64 {
    let count = |writer: &mut Writer| {
        let sql = "SELECT count(*) FROM omitted";
        let count = writer.connection.query_row(sql, [], |row| row.get(0));
        count.unwrap()
    };
    with_writer(store, count).await
}

#[tokio::test]
async fn it_is_known_as_long_as_the_event_is() {
    let rig = Rig::new(10);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..5)).await.unwrap();
    let claimed = claim_all(&store, 0, 4).await;
    let settled = vec![
        Settled::Expired { seq: 1 },
        Settled::Merged { seq: 2 },
        Settled::Dead(Box::new(dead(0, &claimed[2]))),
        Settled::Delivered { seq: 4 },
    ];
    store.settle(0, settled).await.unwrap();
    assert_eq!(omitted(&store, 1), a(Omission::TooOld));
    assert_eq!(omitted(&store, 2), a(Omission::Merged));
    assert_eq!(omitted(&store, 3), [], "it is a dead letter");
    let dropped = store.drop_dead_letters(&LetterFilter::default()).await;
    assert_eq!(dropped.unwrap(), 1);
    assert_eq!(omitted(&store, 3), a(Omission::Dropped));
    assert_eq!(omitted(&store, 4), []);

    rig.clock.advance(days(31));
    run_rounds(&store).await;
    assert_eq!(rows(&store).await, 3, "the other sink awaits them");
    let claimed = claim_all(&store, 1, 4).await;
    store.settle(1, delivered(&claimed)).await.unwrap();
    store.commit(to(&[], 5..6)).await.unwrap();
    rig.clock.advance(days(31));
    run_rounds(&store).await;
    assert_eq!(rows(&store).await, 0);
}

#[tokio::test]
async fn it_is_known_of_what_was_settled_while_the_disk_refused() {
    let rig = Rig::new(10);
    let store = rig.open();
    store.commit(to(&[0], 1..3)).await.unwrap();
    let on_disk = claim_all(&store, 0, 2).await;
    fill_disk(&store).await;
    store.commit(to(&[0], 3..4)).await.unwrap();
    let in_memory = claim_all(&store, 0, 1).await;
    let settled = vec![
        Settled::Expired {
            seq: on_disk[0].seq,
        },
        Settled::Delivered {
            seq: on_disk[1].seq,
        },
        Settled::Merged {
            seq: in_memory[0].seq,
        },
    ];
    store.settle(0, settled).await.unwrap();
    free_disk(&store).await;
    rig.clock.advance(Duration::from_secs(10));
    store.commit(Commit::default()).await.unwrap();
    assert_eq!(store.health(), StoreHealth::Ok);
    assert_eq!(omitted(&store, 1), a(Omission::TooOld));
    assert_eq!(omitted(&store, 2), []);
    assert_eq!(omitted(&store, 3), a(Omission::Merged));
}

#[tokio::test]
async fn it_is_known_of_what_there_was_no_room_for() {
    let mut rig = Rig::new(10);
    rig.plan.max_size = 1 << 20;
    let store = rig.open();
    for start in (1..=3000_u64).step_by(500) {
        store.commit(to(&[0, 1], start..start + 500)).await.unwrap();
    }
    // What the one awaits keeps what the other has lost in the journal.
    store.commit(to(&[0], 3001..3501)).await.unwrap();
    let mut lost: Vec<u64> = Vec::new();
    while lost.is_empty() {
        let slice = |writer: &mut Writer| writer.look_after();
        rig.clock.advance(Duration::from_secs(100));
        with_writer(&store, slice).await;
        lost = (1..=3500)
            .filter(|seq| !omitted(&store, *seq).is_empty())
            .collect();
    }
    let of_all = lost.into_iter().flat_map(|seq| omitted(&store, seq));
    let others = of_all.filter(|(_, why)| *why != Omission::Lost);
    assert_eq!(others.count(), 0);
}
