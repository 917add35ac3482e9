//! A disk that is full when herald starts.

use super::small_disk::SmallDisk;
use super::*;

fn disk_of(rig: &mut Rig) -> Option<SmallDisk> {
    rig.plan.dir = rig.dir.path().join("disk");
    SmallDisk::at(&rig.plan.dir)
}

fn is_degraded(store: &DiskStore) -> bool {
    match store.health() {
        StoreHealth::Ok | StoreHealth::Away { .. } => false,
        StoreHealth::Degraded { reason, .. } => {
            assert!(reason.contains("full"), "{reason}");
            true
        }
    }
}

fn with_state(mut commit: Commit, value: &[u8]) -> Commit {
    commit.state = vec![StateChange::Set {
        scope: "s".into(),
        key: "k".into(),
        value: value.to_vec(),
        expires: None,
    }];
    commit
}

#[tokio::test]
async fn a_new_store_begins_in_memory_and_is_made_when_there_is_room() {
    let mut rig = Rig::new(400);
    let Some(disk) = disk_of(&mut rig) else {
        return;
    };
    disk.fill();
    let store = rig.open();
    assert!(is_degraded(&store));
    let error = store.journal().unwrap_err();
    assert!(matches!(error, OpenError::Full { .. }), "{error}");
    store.commit(to(&[0, 1], 1..301)).await.unwrap();
    let claimed = claim_all(&store, 0, 100).await;
    store.settle(0, delivered(&claimed)).await.unwrap();
    assert!(is_degraded(&store));

    disk.free();
    rig.clock.advance(Duration::from_secs(10));
    store.commit(to(&[0, 1], 301..302)).await.unwrap();
    assert!(!is_degraded(&store));
    assert_eq!(store.ask(Reader::events).unwrap(), 301);
    drop(store);

    let store = rig.open();
    assert_eq!(store.next_seq(), 302);
    let pending = books(&store).into_iter().map(|books| books.pending);
    assert_eq!(pending.collect::<Vec<_>>(), [201, 301]);
    let rest = seqs(&claim_all(&store, 0, 201).await);
    assert_eq!(rest, (101..302).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_disk_without_room_for_the_folder_is_done_without_until_there_is() {
    let mut rig = Rig::new(400);
    let Some(disk) = disk_of(&mut rig) else {
        return;
    };
    rig.plan.dir = rig.plan.dir.join("herald-data");
    assert!(disk.mount("remount,nr_inodes=1"));
    let store = rig.open();
    assert!(is_degraded(&store));
    store.commit(to(&[0], 1..101)).await.unwrap();
    rig.clock.advance(Duration::from_secs(10));
    store.commit(to(&[0], 101..102)).await.unwrap();
    assert!(is_degraded(&store));
    assert!(!rig.plan.dir.exists());

    assert!(disk.mount("remount,nr_inodes=1000"));
    rig.clock.advance(Duration::from_secs(100));
    store.commit(to(&[0], 102..103)).await.unwrap();
    assert!(!is_degraded(&store));
    let error = rig.try_open().unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    drop(store);

    let store = rig.open();
    assert_eq!(store.ask(Reader::events).unwrap(), 102);
    assert_eq!(books(&store)[0].pending, 102);
}

/// Again and again, for the first start has the room that was put by, and others may take what the end of a run frees.
#[tokio::test]
async fn an_old_store_goes_on_with_all_it_had() {
    let mut rig = Rig::new(2_000);
    let Some(disk) = disk_of(&mut rig) else {
        return;
    };
    let store = rig.open();
    store
        .commit(with_state(to(&[0, 1], 1..301), b"v"))
        .await
        .unwrap();
    drop(store);
    for start in 1..=4 {
        disk.fill();
        let store = rig.open();
        assert_eq!(store.load_state("s").unwrap().len(), 1);
        let (mut next, mut tries) = (store.next_seq(), 0);
        // A little of what was put by is still there at first.
        while !is_degraded(&store) {
            store.commit(to(&[1], next..next + 100)).await.unwrap();
            next += 100;
            tries += 1;
            assert!(tries < 100, "the disk is full");
        }
        let claimed = claim_all(&store, 0, 150).await;
        assert_eq!(
            seqs(&claimed),
            (1..151).collect::<Vec<_>>(),
            "what was pending"
        );
        if start == 4 {
            disk.free();
            rig.clock.advance(Duration::from_secs(100));
            let commit = with_state(to(&[1], next..next + 1), b"w");
            store.commit(commit).await.unwrap();
            assert!(!is_degraded(&store));
            store.settle(0, delivered(&claimed)).await.unwrap();
        }
    }
    let store = rig.open();
    assert_eq!(store.load_state("s").unwrap()[0].value, b"w");
    assert!(check(&rig.plan.dir).unwrap().is_empty());
    assert!(
        rig.plan.dir.join("herald.reserve").exists(),
        "for the next time"
    );
}

#[tokio::test]
async fn a_store_on_a_read_only_disk_can_be_read_and_checked() {
    let mut rig = Rig::new(400);
    let Some(disk) = disk_of(&mut rig) else {
        return;
    };
    let store = rig.open();
    store.commit(to(&[0], 1..11)).await.unwrap();
    drop(store);
    assert!(disk.mount("remount,ro"));
    assert_eq!(Reader::open(&rig.plan.dir).unwrap().events().unwrap(), 10);
    assert!(check(&rig.plan.dir).unwrap().is_empty());
    assert!(disk.mount("remount,rw"));

    // What a killed herald leaves behind has a log, which cannot be read without writing.
    let store = rig.open();
    store.commit(to(&[0], 11..21)).await.unwrap();
    let log = rig.plan.dir.join("herald.db-wal");
    let kept = std::fs::read(&log).unwrap();
    drop(store);
    std::fs::write(&log, kept).unwrap();
    assert!(disk.mount("remount,ro"));
    let error = Reader::open(&rig.plan.dir).unwrap_err();
    assert!(matches!(error, OpenError::Log { .. }), "{error}");
}
