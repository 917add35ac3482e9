//! Age and size.

use super::*;
use std::time::Duration;

/// Let the writer work until it is between two rounds.
pub(super) async fn run_rounds(store: &DiskStore) {
    loop {
        let busy = with_writer(store, |writer| {
            writer.look_after();
            writer.upkeep.is_busy()
        })
        .await;
        if !busy {
            return;
        }
    }
}

pub(super) fn days(days: u64) -> Duration {
    Duration::from_hours(days * 24)
}

fn events(store: &DiskStore) -> u64 {
    store.ask(Reader::events).unwrap()
}

/// What the database takes on disk, without what is free in it.
async fn used(store: &DiskStore) -> i64 {
    with_writer(store, |writer| {
        let ask = |sql: &str| {
            writer
                .connection
                .query_row(sql, [], |row| row.get::<_, i64>(0))
        };
        let pages = ask("PRAGMA page_count").unwrap() - ask("PRAGMA freelist_count").unwrap();
        pages * ask("PRAGMA page_size").unwrap()
    })
    .await
}

#[tokio::test]
async fn what_is_old_goes_unless_a_sink_awaits_it() {
    let rig = Rig::new(10);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..1001)).await.unwrap();
    let claimed = claim_all(&store, 0, 1000).await;
    store.settle(0, delivered(&claimed)).await.unwrap();
    let claimed = claim_all(&store, 1, 600).await;
    store.settle(1, delivered(&claimed)).await.unwrap();
    rig.clock.advance(days(29));
    run_rounds(&store).await;
    assert_eq!(events(&store), 1000);
    rig.clock.advance(days(2));
    run_rounds(&store).await;
    assert_eq!(events(&store), 400, "the newest 400 are awaited");
    assert_eq!(seqs(&claim_all(&store, 1, 400).await)[0], 601);
    assert!(check(&rig.plan.dir).unwrap().is_empty());
}

#[tokio::test]
async fn beyond_the_size_the_journal_goes_first_and_then_the_longest_backlog() {
    let mut rig = Rig::new(10);
    rig.plan.max_size = 3 << 20;
    let store = rig.open();
    for start in (1..=4000_u64).step_by(500) {
        store.commit(to(&[0], start..start + 500)).await.unwrap();
    }
    let claimed = claim_all(&store, 0, 4000).await;
    store.settle(0, delivered(&claimed)).await.unwrap();
    store.commit(to(&[1], 4001..4501)).await.unwrap();
    // While there is room: the writer begins to lose as soon as there is none, which may be long before the last batch.
    let in_hand = store.claim(1, 5).await;
    for start in (4501..=12000_u64).step_by(500) {
        store.commit(to(&[1], start..start + 500)).await.unwrap();
        run_rounds(&store).await;
    }
    rig.clock.advance(Duration::from_secs(100));
    run_rounds(&store).await;
    let size = used(&store).await;
    assert!(size <= 3 << 20, "{size}");
    let after = books(&store);
    assert_eq!((after[0].delivered, after[0].lost), (4000, 0));
    assert!(after[1].lost > 0 && after[1].pending > 1000, "{after:?}");
    let losses = store.take_losses(false);
    assert_eq!(losses.len(), 1);
    assert_eq!(&*losses[0].controller, "home");
    assert_eq!(losses[0].gap.count, Some(after[1].lost));
    assert_eq!(losses[0].gap.from, event(4001 + 5).time);
    assert!(store.take_losses(true).is_empty());
    // What the lane has in its hands is never taken, and the rest comes in order.
    assert_eq!(seqs(&in_hand), [4001, 4002, 4003, 4004, 4005]);
    store.settle(1, delivered(&in_hand)).await.unwrap();
    let rest = claim_all(&store, 1, after[1].pending as usize - 5).await;
    assert_eq!(rest[0].seq, 4006 + after[1].lost);
    assert_eq!(rest.last().unwrap().seq, 12000);
}

#[tokio::test]
async fn what_was_lost_is_told_after_a_restart_as_well_and_once() {
    let mut rig = Rig::new(10);
    rig.plan.max_size = 1 << 20;
    let store = rig.open();
    for start in (1..=6000_u64).step_by(500) {
        store.commit(to(&[0], start..start + 500)).await.unwrap();
    }
    rig.clock.advance(Duration::from_secs(100));
    run_rounds(&store).await;
    let lost = books(&store)[0].lost;
    assert!(lost > 0);
    let told = store.take_losses(false);
    assert_eq!(told[0].gap.count, Some(lost));
    drop(store);

    // It was told to nobody: no commit says so.
    let store = rig.open();
    assert_eq!(store.take_losses(false), told);
    let next = store.next_seq();
    let mut commit = to(&[0], next..next + 1);
    commit.told = told;
    store.commit(commit).await.unwrap();
    drop(store);

    let store = rig.open();
    assert!(store.take_losses(true).is_empty());
}

#[tokio::test]
async fn space_goes_back_to_the_system() {
    let rig = Rig::new(10);
    let store = rig.open();
    for start in (1..=20_000_u64).step_by(1000) {
        store.commit(to(&[], start..start + 1000)).await.unwrap();
    }
    let pages = |store| async move {
        let ask = |writer: &mut Writer| {
            let sql = "PRAGMA page_count";
            let pages = writer
                .connection
                .query_row(sql, [], |row| row.get::<_, i64>(0));
            pages.unwrap()
        };
        with_writer(store, ask).await
    };
    let before = pages(&store).await;
    rig.clock.advance(days(40));
    run_rounds(&store).await;
    assert_eq!(
        events(&store),
        1,
        "the newest stays: it has the last number"
    );
    let after = pages(&store).await;
    assert!(after < before / 2, "{before} → {after}");
}

#[tokio::test]
async fn a_sink_that_left_long_ago_is_forgotten() {
    let mut rig = Rig::new(10);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..100)).await.unwrap();
    drop(store);
    rig.sinks = vec!["a".into()];
    let store = rig.open();
    rig.clock.advance(days(31));
    run_rounds(&store).await;
    let names = store.ask(Reader::books).unwrap();
    assert_eq!(names.len(), 1);
    assert_eq!(claim_all(&store, 0, 99).await.len(), 99);
}

#[tokio::test]
async fn a_small_store_has_a_small_log_and_is_looked_after_often() {
    let mut rig = Rig::new(10_000);
    rig.plan.max_size = 1 << 20;
    let store = rig.open();
    let log = rig.plan.dir.join("herald.db-wal");
    for seq in 1..1_500 {
        store.commit(to(&[], seq..seq + 1)).await.unwrap();
        let length = std::fs::metadata(&log).unwrap().len();
        assert!(length < 1 << 20, "{length} after {seq}");
    }
    for seq in (1_500..4_000).step_by(10) {
        store.commit(to(&[], seq..seq + 10)).await.unwrap();
    }
    let (kept, size) = (events(&store), used(&store).await);
    assert!(
        kept < 3_000 && size < 5 << 18,
        "{kept} events, {size} bytes"
    );
}

#[tokio::test]
async fn a_sink_that_comes_back_while_it_is_forgotten_gets_the_rest_and_has_lost_what_is_gone() {
    for restart in [false, true] {
        let mut rig = Rig::new(10);
        let mut store = rig.open();
        for start in (1..=3000_u64).step_by(500) {
            store.commit(to(&[0, 1], start..start + 500)).await.unwrap();
        }
        // A lane may have ended with something in its hands.
        assert_eq!(store.claim(1, 5).await.len(), 5);
        let (both, one) = (rig.sinks.clone(), vec!["a".into()]);
        store.set_sinks(&one, &rig.buffer).await.unwrap();
        if restart {
            drop(store);
            rig.sinks = one;
            store = rig.open();
        }
        let (clock, buffer, names) = (rig.clock.clone(), rig.buffer, both.clone());
        let come_back = move |writer: &mut Writer| {
            clock.advance(days(31));
            // The round begins, and a piece is gone.
            writer.look_after();
            writer.look_after();
            writer.set_sinks(&names, &buffer).unwrap();
        };
        with_writer(&store, come_back).await;
        run_rounds(&store).await;
        let why = store.ask(|reader| reader.omitted_by(1)).unwrap();
        assert_eq!(why, [("b".into(), Omission::Lost)]);
        let back = books(&store)[1];
        assert_eq!((back.pending, back.lost), (2000, 1000));
        let rest = claim_all(&store, 1, 2000).await;
        assert_eq!((rest[0].seq, rest[1999].seq), (1001, 3000));
        store.settle(1, delivered(&rest)).await.unwrap();
        let back = books(&store)[1];
        assert_eq!((back.delivered, back.pending), (2000, 0));

        // Another time it stays away for good, and is new when it comes.
        store.commit(to(&[1], 3001..3021)).await.unwrap();
        store.set_sinks(&both[..1], &rig.buffer).await.unwrap();
        rig.clock.advance(days(31) + Duration::from_secs(100));
        run_rounds(&store).await;
        assert_eq!(store.ask(Reader::books).unwrap().len(), 1);
        store.set_sinks(&both, &rig.buffer).await.unwrap();
        assert_eq!(books(&store)[1], Books::default());
        store.commit(to(&[1], 3021..3022)).await.unwrap();
        assert_eq!(seqs(&claim_all(&store, 1, 1).await), [3021]);
        assert!(check(&rig.plan.dir).unwrap().is_empty());
    }
}
