//! What a new client makes is committed with the event that names it, through the same chains; a crash repeats it.

use super::state::{batch, counting};
use super::*;
use crate::config::{StoreMode, StorePlan};
use crate::newcomers::Roll;
use unifi_herald_plugin::{Client, Mac};

fn joins(id: u64, client: u8) -> Arc<Event> {
    let mut event = (*event(id, Kind::CLIENT_CONNECTED)).clone();
    event.client = Some(Client {
        mac: Some(Mac::new([2, 0, 0, 0, 0, client])),
        ..Client::default()
    });
    Arc::new(event)
}

fn roll(clients: &[u8]) -> Roll {
    Roll {
        controller: "home".into(),
        site: "default".into(),
        clients: clients
            .iter()
            .map(|client| Mac::new([2, 0, 0, 0, 0, *client]))
            .collect(),
    }
}

fn kinds(events: &[BufferedEvent]) -> Vec<Kind> {
    events.iter().map(|event| event.kind).collect()
}

const BOTH: [Kind; 2] = [Kind::CLIENT_CONNECTED, Kind::CLIENT_FIRST_SEEN];

#[tokio::test]
async fn it_is_in_the_same_commit_and_the_same_after_a_crash_and_no_more_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let plan = StorePlan::new(StoreMode::Disk, dir.path().join("data"));
    let mut rig = counting(&plan);
    let mut met = batch(vec![joins(1, 1)]);
    met.rolls.push(roll(&[1]));
    let commit = rig.router.decide(met);
    assert_eq!(kinds(&commit.events), BOTH[..1]);
    commit_until_taken(&rig.store, commit).await;
    // Decided, but the process dies before the commit.
    let lost = rig.router.decide(batch(vec![joins(2, 2)]));
    assert_eq!(kinds(&lost.events), BOTH);
    assert_eq!(kinds(&lost.shares[0].events), BOTH);
    let id = lost.events[1].id.clone();
    drop((lost, rig));

    let mut rig = counting(&plan);
    let again = rig.router.decide(batch(vec![joins(2, 2)]));
    assert_eq!(kinds(&again.events), BOTH);
    assert_eq!(again.events[1].id, id);
    commit_until_taken(&rig.store, again).await;
    drop(rig);

    let mut rig = counting(&plan);
    let mut met = batch(vec![joins(3, 1), joins(4, 2), joins(5, 3)]);
    met.rolls.push(roll(&[1, 2, 3]));
    let commit = rig.router.decide(met);
    let told: Vec<_> = commit
        .events
        .iter()
        .filter(|event| event.kind == BOTH[1])
        .map(|event| event.client.as_ref().unwrap().mac.unwrap())
        .collect();
    assert_eq!(told, [Mac::new([2, 0, 0, 0, 0, 3])]);
}

#[tokio::test(start_paused = true)]
async fn a_roll_in_the_ring_is_heard_before_what_stands_behind_it() {
    let rig = rig(100);
    rig.intake.push_roll(roll(&[1]));
    let events = [joins(1, 1), joins(2, 2), joins(3, 2)];
    rig.intake.push(&mut events.to_vec()).await;
    drain(rig.router).await;
    let claimed = rig.store.claim(0, 100).await;
    let joined = Kind::CLIENT_CONNECTED;
    assert_eq!(
        kinds(&claimed),
        [joined, joined, Kind::CLIENT_FIRST_SEEN, joined]
    );
    assert_eq!(books(&rig.store).received, 4);
}

#[tokio::test(start_paused = true)]
async fn history_from_before_herald_makes_nobody_new() {
    let rig = rig(100);
    rig.intake.push_roll(roll(&[]));
    let mut history = VecDeque::from([Item::Seed(joins(1, 1))]);
    rig.intake.push_history(&mut history).await;
    rig.intake.push(&mut vec![joins(2, 1)]).await;
    drain(rig.router).await;
    let claimed = rig.store.claim(0, 100).await;
    assert_eq!(kinds(&claimed), [Kind::CLIENT_CONNECTED]);
}
