//! What scripts remember is committed with the batch that changed it: a crash neither loses a count nor counts twice.

use super::*;
use crate::config::{OnError, StoreMode, StorePlan, SyncMode};
use crate::script::{Engine, EngineOptions, Memories, ScriptStep};
use crate::store::DiskStore;

const COUNTING: &str = r#"
fn filter(event) {
    event.fields.n = count("k", "1h");
    if event.id == "7" { throw "a run that fails does not count"; }
    true
}"#;

/// A router with one counting script, over the store as it is on disk.
pub(super) fn counting(plan: &StorePlan) -> Rig {
    let clock = Clock::manual(Timestamp::from_millis(1_780_000_000_000));
    let buffer = BufferPlan {
        capacity: 100,
        when_full: WhenFull::Wait,
        max_wait: Duration::ZERO,
        max_bytes: 1 << 25,
    };
    let store = DiskStore::open(plan, &["all".into()], &buffer, clock.clone()).unwrap();
    let store: SharedStore = Arc::new(store);
    let engine = Engine::new(EngineOptions {
        scripts_dir: None,
        zone: jiff::tz::TimeZone::UTC,
        clock: clock.clone(),
        limits: crate::script::Limits::default(),
    });
    let mut memories = Memories::default();
    let script = engine
        .compile_text("counting", COUNTING, &toml::Table::new())
        .unwrap();
    let step = ScriptStep::new(script, OnError::Drop);
    let step = step.remembering_in(memories.of_script("counting", "c"));
    let steps = vec![
        (When::default(), Action::Script(Box::new(step))),
        (When::default(), Action::Sink(0)),
    ];
    let chain = Chain::new("c".into(), &When::default(), steps);
    let mut chains = Chains::new(vec![chain]).remembering(memories);
    chains.load_state(|scope| store.load_state(scope)).unwrap();
    let (intake, outlet) = ring(Limits::new(&buffer, 1), clock.clone());
    let weather = Arc::new(Notify::new());
    let shared = (Arc::clone(&store), Arc::clone(&weather));
    let mut newcomers = Newcomers::default();
    newcomers.load(|scope| store.load_state(scope)).unwrap();
    let router = Router::new(outlet, chains, shared.0, 1, clock, shared.1).knowing(newcomers);
    Rig {
        intake,
        store,
        router,
        weather,
    }
}

/// What the sink gets: id and count.
async fn delivered(store: &SharedStore) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    while (found.len() as u64) < store.books()[0].books.pending {
        let claimed = store.claim(0, 100).await;
        let pairs = claimed.iter().map(|event| {
            let count = event.fields["n"].as_i64().unwrap();
            (event.id.to_string(), count)
        });
        found.extend(pairs);
    }
    found
}

pub(super) fn batch(events: Vec<Arc<Event>>) -> Batch {
    Batch {
        events: events
            .into_iter()
            .map(|event| (event, Way::Sinks))
            .collect(),
        ..Batch::default()
    }
}

#[tokio::test]
async fn a_crash_neither_loses_a_count_nor_counts_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut plan = StorePlan::new(StoreMode::Disk, dir.path().join("data"));
    plan.sync = SyncMode::Normal;
    let events =
        |ids: std::ops::Range<u64>| -> Vec<_> { ids.map(|id| event(id, Kind::WAN_DOWN)).collect() };

    let mut rig = counting(&plan);
    let commit = rig.router.decide(batch(events(1..4)));
    commit_until_taken(&rig.store, commit).await;
    // Decided, but the process dies before the commit.
    let lost = rig.router.decide(batch(events(4..6)));
    assert_eq!(lost.state.len(), 1);
    drop((lost, rig));

    // The events come again.
    let rig = counting(&plan);
    rig.intake.push(&mut events(4..9)).await;
    drain(rig.router).await;
    let expected = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (8, 7)];
    let expected: Vec<_> = expected
        .map(|(id, n): (u64, i64)| (id.to_string(), n))
        .into();
    assert_eq!(delivered(&rig.store).await, expected);
}

#[tokio::test]
async fn a_reset_reaches_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let plan = StorePlan::new(StoreMode::Disk, dir.path().join("data"));
    let mut rig = counting(&plan);
    let commit = rig.router.decide(batch(vec![event(1, Kind::WAN_DOWN)]));
    commit_until_taken(&rig.store, commit).await;
    assert_eq!(rig.store.load_state("script/counting/c").unwrap().len(), 1);
    assert_eq!(rig.router.chains.reset_script("other"), 0);
    assert_eq!(rig.router.chains.reset_script("counting"), 1);
    let commit = rig.router.decide(batch(Vec::new()));
    commit_until_taken(&rig.store, commit).await;
    assert_eq!(rig.store.load_state("script/counting/c").unwrap(), []);
}
