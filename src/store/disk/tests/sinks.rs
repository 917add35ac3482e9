//! Sinks that come, leave and come back, while it is open and over a restart.

use super::*;

#[tokio::test]
async fn sinks_change_while_it_is_open_and_keep_their_numbers_and_backlogs() {
    let rig = Rig::new(100);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..4)).await.unwrap();
    assert_eq!(store.claim(1, 2).await.len(), 2);
    let names = ["new".into(), "a".into()];
    assert_eq!(store.set_sinks(&names, &rig.buffer).await.unwrap(), [2, 0]);
    store.commit(to(&[0, 2], 4..6)).await.unwrap();
    let named = store.books();
    let named: Vec<_> = named.iter().map(|sink| &*sink.name).collect();
    assert_eq!(named, ["a", "new"]);
    let former = store.former_sinks().unwrap();
    assert_eq!((former.len(), &*former[0].name), (1, "b"));
    assert_eq!(former[0].books.pending, 3);
    assert_eq!(seqs(&claim_all(&store, 2, 2).await), [4, 5]);
    let new = books(&store)[1];
    assert_eq!((new.received, new.pending), (2, 2), "since it appeared");

    let names = ["b".into(), "a".into(), "new".into()];
    assert_eq!(
        store.set_sinks(&names, &rig.buffer).await.unwrap(),
        [1, 0, 2]
    );
    store.commit(to(&[1], 6..7)).await.unwrap();
    let back = claim_all(&store, 1, 4).await;
    assert_eq!(seqs(&back), [1, 2, 3, 6], "what it had in hands included");
    assert_eq!(store.former_sinks().unwrap(), []);
    store.settle(1, delivered(&back)).await.unwrap();
    let back = books(&store)[1];
    assert_eq!((back.received, back.delivered, back.pending), (4, 4, 0));
    drop(store);
    let store = rig.open();
    assert_eq!(books(&store).len(), 2);
    assert_eq!(seqs(&claim_all(&store, 0, 5).await), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_sink_that_leaves_keeps_its_backlog_and_a_new_one_begins_at_zero() {
    let mut rig = Rig::new(100);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..4)).await.unwrap();
    drop(store);
    rig.sinks = vec!["new".into()];
    let store = rig.open();
    assert_eq!(books(&store), [Books::default()]);
    store.commit(to(&[0], 4..5)).await.unwrap();
    drop(store);
    rig.sinks = vec!["b".into(), "new".into()];
    let store = rig.open();
    assert_eq!(seqs(&claim_all(&store, 0, 3).await), [1, 2, 3]);
    assert_eq!(books(&store)[1].received, 1);
}
