use super::*;
use crate::config::{StoreMode, SyncMode, WhenFull};
use crate::store::{Books, DeadLetter, HoleChange, Share, StateChange};
use std::path::Path;
use std::time::Duration;
use unifi_herald_plugin::{Client, Device, Event, Kind, Mac, Place, Raw, Timestamp};

mod degraded;
mod full;
mod letters;
mod model;
mod omissions;
mod opening;
mod retention;
mod room;
mod searching;
mod sinks;
mod small_disk;

const SINKS: [&str; 2] = ["a", "b"];

/// A store in a folder of its own, and what it takes to open it again.
struct Rig {
    dir: tempfile::TempDir,
    plan: StorePlan,
    buffer: BufferPlan,
    clock: Clock,
    sinks: Vec<Text>,
}

impl Rig {
    fn new(capacity: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut plan = StorePlan::new(StoreMode::Disk, dir.path().join("data"));
        plan.sync = SyncMode::Normal;
        Self {
            plan,
            dir,
            buffer: BufferPlan {
                capacity,
                when_full: WhenFull::Wait,
                max_wait: Duration::ZERO,
                max_bytes: 32 << 20,
            },
            clock: Clock::manual(at(0)),
            sinks: SINKS.iter().map(|name| Text::from(*name)).collect(),
        }
    }

    /// A child that another test is starting holds the lock of a store that was dropped, until it is another program.
    fn open(&self) -> DiskStore {
        let clock = Clock::system();
        let patience = clock.now() + Duration::from_secs(60);
        loop {
            match self.try_open() {
                Err(OpenError::Locked { .. }) if clock.now() < patience => std::thread::yield_now(),
                opened => return opened.unwrap(),
            }
        }
    }

    fn try_open(&self) -> Result<DiskStore, OpenError> {
        DiskStore::open(&self.plan, &self.sinks, &self.buffer, self.clock.clone())
    }

    /// Go on in a copy of the files as they are now: what a killed process leaves behind.
    fn take_files_as_they_are(&mut self, cut_log: Option<f64>) {
        let name = format!(
            "copy-{}",
            std::fs::read_dir(self.dir.path()).unwrap().count()
        );
        let copy = self.dir.path().join(name);
        std::fs::create_dir(&copy).unwrap();
        for file in ["herald.db", "herald.db-wal"] {
            let from = self.plan.dir.join(file);
            if from.exists() {
                std::fs::copy(from, copy.join(file)).unwrap();
            }
        }
        if let Some(part) = cut_log
            && let Ok(log) = std::fs::OpenOptions::new()
                .write(true)
                .open(copy.join("herald.db-wal"))
        {
            let len = log.metadata().unwrap().len() as f64;
            log.set_len((len * part) as u64).unwrap();
        }
        self.plan.dir = copy;
    }
}

fn at(seconds: i64) -> Timestamp {
    // 2026-11-22T00:00:00Z
    Timestamp::from_millis(1_795_305_600_000 + seconds * 1000)
}

fn event(seq: u64) -> BufferedEvent {
    named(seq, &format!("id{seq}"))
}

fn named(seq: u64, id: &str) -> BufferedEvent {
    let mut event = Event::new(Kind::CLIENT_CONNECTED, id, at(i64::try_from(seq).unwrap()));
    event.controller = "home".into();
    event.site = "default".into();
    event.site_name = "Home".into();
    event.summary = format!("Anna's iPhone connected ({seq})").into();
    event.client = Some(Client {
        mac: Some(Mac::new([0xaa, 0, 0, 0, 0, (seq % 50) as u8])),
        name: Some(format!("phone-{}", seq % 50).into()),
        hostname: Some("iphone".into()),
        ..Client::default()
    });
    event.raw = Raw::parse(r#"{"key":"EVT_WU_Connected","subsystem":"wlan"}"#).ok();
    BufferedEvent {
        seq,
        event: Arc::new(event),
    }
}

fn to(sinks: &[usize], seqs: std::ops::Range<u64>) -> Commit {
    let events: Vec<_> = seqs.map(event).collect();
    let share = |sink: &usize| Share {
        sink: *sink,
        events: events.clone(),
    };
    Commit {
        shares: sinks.iter().map(share).collect(),
        events,
        ..Commit::default()
    }
}

fn delivered(events: &[BufferedEvent]) -> Vec<Settled> {
    let one = |event: &BufferedEvent| Settled::Delivered { seq: event.seq };
    events.iter().map(one).collect()
}

fn dead(sink: usize, event: &BufferedEvent) -> DeadLetter {
    DeadLetter {
        sink,
        event: event.clone(),
        reason: "refused".into(),
        attempts: 3,
        first: at(1),
        last: at(2),
    }
}

fn seqs(events: &[BufferedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

fn books(store: &DiskStore) -> Vec<Books> {
    let books: Vec<_> = store.books().into_iter().map(|sink| sink.books).collect();
    assert!(books.iter().all(Books::balance), "{books:?}");
    books
}

/// Wait until the writer has done what was asked before, and look at it.
async fn with_writer<T: Send + 'static>(
    store: &DiskStore,
    look: impl FnOnce(&mut Writer) -> T + Send + 'static,
) -> T {
    let (answer, got) = oneshot::channel();
    let job = Job::Inspect(Box::new(move |writer| drop(answer.send(look(writer)))));
    store.send(job).await.unwrap();
    got.await.unwrap()
}

async fn claim_all(store: &DiskStore, sink: usize, count: usize) -> Vec<BufferedEvent> {
    let mut claimed = Vec::new();
    while claimed.len() < count {
        claimed.extend(store.claim(sink, count - claimed.len()).await);
    }
    claimed
}

#[tokio::test]
async fn what_was_committed_is_claimed_in_order_and_a_restart_goes_on() {
    let rig = Rig::new(100);
    let store = rig.open();
    assert_eq!(store.next_seq(), 1);
    store.commit(to(&[0, 1], 1..6)).await.unwrap();
    let claimed = store.claim(0, 3).await;
    assert_eq!(claimed, [event(1), event(2), event(3)]);
    store.settle(0, delivered(&claimed[..2])).await.unwrap();
    drop(store);

    let store = rig.open();
    assert_eq!(store.next_seq(), 6);
    // Claimed and not settled is pending again.
    assert_eq!(
        claim_all(&store, 0, 3).await,
        [event(3), event(4), event(5)]
    );
    assert_eq!(seqs(&claim_all(&store, 1, 5).await), [1, 2, 3, 4, 5]);
    let books = books(&store);
    assert_eq!((books[0].delivered, books[0].pending), (2, 3));
    assert_eq!((books[1].received, books[1].pending), (5, 5));
}

#[tokio::test]
async fn a_waiting_claim_wakes_with_the_commit() {
    let rig = Rig::new(100);
    let store = Arc::new(rig.open());
    let mut claim = Box::pin(store.claim(0, 9));
    assert!(futures_util::poll!(claim.as_mut()).is_pending());
    store.commit(to(&[0], 1..3)).await.unwrap();
    assert_eq!(seqs(&claim.await), [1, 2]);
}

#[tokio::test]
async fn an_id_the_journal_has_is_a_duplicate_whoever_commits_it() {
    let rig = Rig::new(100);
    let store = rig.open();
    store.commit(to(&[0, 1], 1..3)).await.unwrap();
    drop(store);
    let store = rig.open();
    let ids: Vec<Text> = ["id2", "new"].map(Text::from).to_vec();
    assert_eq!(store.known("home", "default", &ids), [true, false]);
    assert_eq!(store.known("home", "other", &ids), [false, false]);

    let again = named(3, "id2");
    let fresh = named(4, "new");
    let commit = Commit {
        events: vec![again.clone(), fresh.clone()],
        shares: vec![Share {
            sink: 0,
            events: vec![again.clone(), fresh],
        }],
        dead: vec![dead(1, &again)],
        ..Commit::default()
    };
    store.commit(commit).await.unwrap();
    assert_eq!(seqs(&claim_all(&store, 0, 3).await), [1, 2, 4]);
    let books = books(&store);
    assert_eq!((books[0].received, books[0].duplicate), (4, 1));
    assert_eq!((books[0].pending, books[0].filtered), (3, 0));
    assert_eq!(
        (
            books[1].duplicate,
            books[1].dead_lettered,
            books[1].filtered
        ),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn a_sink_gets_its_own_form_of_an_event_after_a_restart_too() {
    let rig = Rig::new(100);
    let store = rig.open();
    let mut redacted = (*event(1).event).clone();
    redacted.raw = None;
    let redacted = BufferedEvent {
        seq: 1,
        event: Arc::new(redacted),
    };
    let mut commit = to(&[0, 1], 1..2);
    commit.shares[1].events = vec![redacted.clone()];
    store.commit(commit).await.unwrap();
    drop(store);
    let store = rig.open();
    assert_eq!(claim_all(&store, 0, 1).await, [event(1)]);
    let claimed = claim_all(&store, 1, 1).await;
    assert_eq!(claimed, std::slice::from_ref(&redacted));
    store.settle(1, delivered(&claimed)).await.unwrap();
    assert_eq!(versions(&store).await, 0);
}

async fn versions(store: &DiskStore) -> i64 {
    with_writer(store, |writer| {
        let sql = "SELECT count(*) FROM versions";
        let count = writer.connection.query_row(sql, [], |row| row.get(0));
        count.unwrap()
    })
    .await
}

#[tokio::test]
async fn state_watermarks_and_holes_commit_with_the_batch() {
    let rig = Rig::new(100);
    let store = rig.open();
    let set = |key: &str, value: &[u8]| StateChange::Set {
        scope: "script/storms".into(),
        key: key.into(),
        value: value.to_vec(),
        expires: None,
    };
    let hole = |id| Hole {
        id,
        controller: "home".into(),
        site: "default".into(),
        from: at(1),
        to: None,
        reason: "reconnect".into(),
    };
    let mark = |seconds| Watermark {
        controller: "home".into(),
        site: "default".into(),
        time: at(seconds),
    };
    let commit = Commit {
        state: vec![set("a", b"1"), set("b", b"2")],
        watermarks: vec![mark(5)],
        holes: vec![HoleChange::Open(hole(1)), HoleChange::Open(hole(2))],
        ..to(&[0], 1..2)
    };
    store.commit(commit).await.unwrap();
    let shrink = HoleChange::Shrink {
        id: 2,
        from: at(3),
        to: Some(at(9)),
        read: false,
    };
    let forget = StateChange::Forget {
        scope: "script/storms".into(),
        key: "a".into(),
    };
    let commit = Commit {
        state: vec![forget, set("b", b"3")],
        watermarks: vec![mark(7)],
        holes: vec![HoleChange::Close { id: 1 }, shrink],
        ..Commit::default()
    };
    store.commit(commit).await.unwrap();
    drop(store);
    let store = rig.open();
    let state = store.load_state("script/storms").unwrap();
    assert_eq!(state.len(), 1);
    assert_eq!((&*state[0].key, &*state[0].value), ("b", b"3".as_slice()));
    assert_eq!(store.watermarks().unwrap(), [mark(7)]);
    let holes = store.holes().unwrap();
    assert_eq!(holes.len(), 1);
    assert_eq!(
        (holes[0].id, holes[0].from, holes[0].to),
        (2, at(3), Some(at(9)))
    );
    let clear = StateChange::Clear {
        scope: "script/storms".into(),
    };
    let commit = Commit {
        state: vec![clear],
        ..Commit::default()
    };
    store.commit(commit).await.unwrap();
    assert!(store.load_state("script/storms").unwrap().is_empty());
}

#[tokio::test]
async fn a_backlog_stays_on_disk_and_comes_back_in_order() {
    const PENDING: u64 = 20_000;
    let rig = Rig::new(64);
    let store = rig.open();
    for start in (1..=PENDING).step_by(500) {
        store.commit(to(&[0], start..start + 500)).await.unwrap();
    }
    assert!(store.shared.lane(0).window().len() <= 64);
    drop(store);
    let store = rig.open();
    let mut next = 1;
    while next <= PENDING {
        let claimed = store.claim(0, 100).await;
        for event in &claimed {
            assert_eq!(event.seq, next);
            next += 1;
        }
        assert!(store.shared.lane(0).window().len() <= 64);
        store.settle(0, delivered(&claimed)).await.unwrap();
    }
    let after = books(&store)[0];
    assert_eq!((after.pending, after.delivered), (0, PENDING));
    // Caught up: what comes now is in memory at once.
    store
        .commit(to(&[0], PENDING + 1..PENDING + 2))
        .await
        .unwrap();
    assert_eq!(store.claim(0, 9).await.len(), 1);
}

#[tokio::test]
async fn what_a_lane_had_in_its_hands_is_given_to_the_next() {
    let rig = Rig::new(100);
    let store = rig.open();
    store.commit(to(&[0], 1..5)).await.unwrap();
    assert_eq!(store.claim(0, 3).await.len(), 3);
    store.release(0).await;
    assert_eq!(seqs(&claim_all(&store, 0, 4).await), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_claim_that_is_given_up_leaves_the_next_one_its_events() {
    let rig = Rig::new(2);
    let store = rig.open();
    store.commit(to(&[0], 1..9)).await.unwrap();
    let mut next = 1;
    while next < 9 {
        let mut claim = Box::pin(store.claim(0, 2));
        if let std::task::Poll::Ready(events) = futures_util::poll!(claim.as_mut()) {
            next += events.len() as u64;
        }
        drop(claim);
        if next < 9 {
            let claimed = store.claim(0, 1).await;
            assert_eq!(seqs(&claimed), [next]);
            next += 1;
        }
    }
    assert_eq!(books(&store)[0].pending, 8);
}

#[tokio::test]
async fn a_pending_event_that_cannot_be_read_is_lost_and_holds_nobody_up() {
    let rig = Rig::new(100);
    let store = rig.open();
    store.commit(to(&[0], 1..5)).await.unwrap();
    with_writer(&store, |writer| {
        let sql = "UPDATE journal SET body = 'junk' WHERE seq = 2";
        writer.connection.execute(sql, []).unwrap();
        let sql = "DELETE FROM journal WHERE seq = 3";
        writer.connection.execute(sql, []).unwrap();
    })
    .await;
    drop(store);
    let store = rig.open();
    assert_eq!(seqs(&claim_all(&store, 0, 2).await), [1, 4]);
    with_writer(&store, |_| ()).await;
    let after = books(&store)[0];
    assert_eq!((after.pending, after.lost), (2, 2));
}

#[tokio::test]
async fn commits_that_wait_together_keep_their_order() {
    let rig = Rig::new(100);
    let store = rig.open();
    let commits = (0..20_u64).map(|start| store.commit(to(&[0, 1], start * 3 + 1..start * 3 + 4)));
    for done in futures_util::future::join_all(commits).await {
        done.unwrap();
    }
    let all: Vec<u64> = (1..61).collect();
    assert_eq!(seqs(&claim_all(&store, 0, 60).await), all);
    drop(store);
    let store = rig.open();
    assert_eq!(seqs(&claim_all(&store, 1, 60).await), all);
}
