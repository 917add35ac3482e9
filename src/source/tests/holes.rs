//! What a hole costs the controller.

use super::*;
use crate::demo::{History, Pace};
use std::collections::HashSet;

fn backfilled(events: &[Arc<Event>]) -> usize {
    let is = |event: &&Arc<Event>| event.origin == Origin::Backfill;
    events.iter().filter(is).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_hole_costs_about_as_many_questions_as_it_has_pages() {
    let simulator = simulator(SimulatorOptions {
        history: History::LegacyOnly,
        alert_share: 0.0,
        missing_id_share: 0.0,
        ledger_capacity: 200_000,
        ..SimulatorOptions::default()
    });
    let mut plan = plan_for(&simulator);
    plan.sites = Sites::Named(vec!["default".into()]);
    let mut herald = Herald::start(plan, None);
    herald.until_connected(1).await;
    simulator.emit("default", 1);
    herald.until(|seen| !stream(seen).is_empty()).await;

    simulator.mischief().unplug(true);
    assert!(simulator.wait_for_sockets(0, LIMIT));
    let ledger = simulator.ledger();
    let before = ledger.made();
    simulator.play(Pace::PerSecond(5_000.0));
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    while ledger.made() < before + 30_000 {
        tick.tick().await;
    }
    simulator.play(Pace::Still);
    let made = ledger.entries("default");
    let missed = made.iter().filter(|entry| entry.number >= before);
    let wanted: HashSet<String> = missed.filter_map(|entry| entry.id.clone()).collect();
    let asked = || {
        let requests = simulator.stats().counts().requests;
        let history = requests
            .iter()
            .filter(|(path, _)| path.ends_with("/stat/event"));
        history.map(|(_, count)| count).sum::<u64>()
    };
    let asked_before = asked();
    simulator.mischief().unplug(false);
    // However slow the machine is, as long as it goes on.
    for part in 1..=10 {
        herald
            .until(|seen| backfilled(seen) >= wanted.len() / 10 * part)
            .await;
    }
    // Some of them came twice, and what was before the hole came as well.
    herald
        .until(|seen| {
            let ids: HashSet<&str> = seen.iter().map(|event| &*event.id).collect();
            wanted.iter().all(|id| ids.contains(&**id))
        })
        .await;
    let asked = asked() - asked_before;
    assert!(asked <= 70, "{asked} questions for 30 pages");
    herald.stop().await;
}
