//! A disk that refuses for a while.

use super::*;
use std::time::Duration;

/// The database may not grow any more, as on a full disk.
pub(super) async fn fill_disk(store: &DiskStore) {
    set_max_pages(store, 1).await;
}

pub(super) async fn free_disk(store: &DiskStore) {
    set_max_pages(store, 1 << 30).await;
}

async fn set_max_pages(store: &DiskStore, pages: u64) {
    with_writer(store, move |writer| {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        let set = writer.connection.query_row(&pragma, [], |_| Ok(()));
        set.unwrap();
    })
    .await;
}

fn held(store: &DiskStore) -> Option<u64> {
    match store.health() {
        StoreHealth::Ok | StoreHealth::Away { .. } => None,
        StoreHealth::Degraded { held, reason, .. } => {
            assert!(reason.contains("free space"), "{reason}");
            Some(held)
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_lost_before_or_after() {
    let rig = Rig::new(50);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..301)).await.unwrap();
    assert_eq!(held(&store), None);
    fill_disk(&store).await;
    store.commit(to(&[0, 1], 301..601)).await.unwrap();
    assert_eq!(held(&store), Some(300));

    // Lanes go on: first what is on disk, then what is in memory.
    let claimed = claim_all(&store, 0, 400).await;
    assert_eq!(seqs(&claimed), (1..401).collect::<Vec<_>>());
    let mut settled = delivered(&claimed[..390]);
    settled[5] = Settled::Dead(Box::new(dead(0, &claimed[5])));
    store.settle(0, settled).await.unwrap();
    let mut change = to(&[1], 601..602);
    change.state = vec![StateChange::Set {
        scope: "s".into(),
        key: "k".into(),
        value: b"v".to_vec(),
        expires: None,
    }];
    store.commit(change).await.unwrap();
    let before = books(&store);
    assert_eq!((before[0].delivered, before[0].pending), (389, 210));

    free_disk(&store).await;
    rig.clock.advance(Duration::from_secs(10));
    store.commit(to(&[0, 1], 602..603)).await.unwrap();
    assert_eq!(held(&store), None);
    assert_eq!(store.load_state("s").unwrap().len(), 1);
    assert_eq!(store.ask(Reader::events).unwrap(), 602);
    assert!(check(&rig.plan.dir).unwrap().is_empty());
    assert_eq!(seqs(&claim_all(&store, 0, 201).await)[0], 401);
    drop(store);

    let store = rig.open();
    let after = books(&store);
    assert_eq!((after[0].received, after[0].dead_lettered), (602, 1));
    assert_eq!(
        (after[0].delivered, after[0].pending, after[0].lost),
        (389, 211, 0)
    );
    let rest = seqs(&claim_all(&store, 0, 211).await);
    let expected: Vec<u64> = (391..601).chain([602]).collect();
    assert_eq!(rest, expected);
    let all = (1..603).collect::<Vec<_>>();
    assert_eq!(seqs(&claim_all(&store, 1, 602).await), all);
}

#[tokio::test]
async fn memory_is_bounded_while_the_disk_refuses_and_what_is_lost_is_counted() {
    let mut rig = Rig::new(10_000);
    rig.buffer.max_bytes = 4 * 300 * event(1).weight() as u64;
    let store = rig.open();
    store.commit(to(&[0, 1], 1..11)).await.unwrap();
    fill_disk(&store).await;
    let mut next = 11;
    for _ in 0..20 {
        store.commit(to(&[0, 1], next..next + 100)).await.unwrap();
        next += 100;
        // One lane keeps up, the other is dead.
        let claimed = claim_all(&store, 0, if next == 111 { 110 } else { 100 }).await;
        store.settle(0, delivered(&claimed)).await.unwrap();
    }
    let count = held(&store).unwrap();
    assert!(count <= 300, "{count}");
    let after = books(&store);
    assert_eq!((after[0].lost, after[0].delivered), (0, 2010));
    assert_eq!(after[1].lost, 2000 - count);
    assert_eq!(store.take_losses(false)[0].gap.count, Some(2000 - count));

    free_disk(&store).await;
    rig.clock.advance(Duration::from_secs(10));
    store.commit(Commit::default()).await.unwrap();
    assert_eq!(held(&store), None);
    let rest = claim_all(&store, 1, after[1].pending as usize).await;
    assert_eq!(seqs(&rest)[..10], (1..11).collect::<Vec<_>>());
    assert_eq!(rest[10].seq, next - count);
    store.settle(1, delivered(&rest)).await.unwrap();
    assert_eq!(books(&store)[1].pending, 0);
}

#[tokio::test]
async fn what_is_held_is_written_at_the_end_when_there_is_room_again() {
    let rig = Rig::new(50);
    let store = rig.open();
    fill_disk(&store).await;
    store.commit(to(&[0], 1..301)).await.unwrap();
    assert_eq!(held(&store), Some(300));
    free_disk(&store).await;
    drop(store);
    let store = rig.open();
    assert_eq!(store.next_seq(), 301);
    assert_eq!(claim_all(&store, 0, 300).await.len(), 300);
}

#[tokio::test]
async fn a_connection_in_doubt_is_opened_anew() {
    let rig = Rig::new(50);
    let store = rig.open();
    store.commit(to(&[0], 1..11)).await.unwrap();
    let claimed = claim_all(&store, 0, 4).await;
    fill_disk(&store).await;
    store.commit(to(&[0], 11..301)).await.unwrap();
    store.settle(0, delivered(&claimed)).await.unwrap();
    assert_eq!(held(&store), Some(290));
    // A new connection has no limit on pages.
    with_writer(&store, |writer| writer.reopen = true).await;
    rig.clock.advance(Duration::from_secs(10));
    store.commit(to(&[0], 301..302)).await.unwrap();
    assert_eq!(held(&store), None);
    assert_eq!(store.ask(Reader::events).unwrap(), 301);
    let rest = claim_all(&store, 0, 297).await;
    assert_eq!(seqs(&rest), (5..302).collect::<Vec<_>>());
    store.settle(0, delivered(&rest)).await.unwrap();
    let after = books(&store)[0];
    assert_eq!((after.delivered, after.pending), (301, 0));
}

#[tokio::test]
async fn the_last_try_comes_at_once_and_is_the_last() {
    let rig = Rig::new(50);
    let store = rig.open();
    let unsaved = |store: &DiskStore| ["a", "b"].map(|sink| store.unsaved(sink));
    store.commit(to(&[0, 1], 1..11)).await.unwrap();
    fill_disk(&store).await;
    store.commit(to(&[1], 11..301)).await.unwrap();
    assert_eq!(unsaved(&store), [0, 290]);
    let claimed = claim_all(&store, 1, 20).await;
    store.settle(1, delivered(&claimed)).await.unwrap();
    assert_eq!(unsaved(&store), [0, 280]);
    free_disk(&store).await;
    store.save().await;
    assert_eq!((held(&store), unsaved(&store)), (None, [0, 0]));
    drop(store);

    let store = rig.open();
    assert_eq!(store.ask(Reader::events).unwrap(), 300);
    fill_disk(&store).await;
    let next = store.next_seq();
    store.commit(to(&[0], next..next + 300)).await.unwrap();
    store.save().await;
    free_disk(&store).await;
    rig.clock.advance(Duration::from_secs(100));
    store.commit(Commit::default()).await.unwrap();
    assert_eq!(unsaved(&store), [300, 0], "nobody would hear of another");
}
