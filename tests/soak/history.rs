//! Kills with the histories that consoles have: the system log of a 10.x one, and none at all.

use super::Soak;
use crate::support::reckoning::missing_of;
use unifi_herald::demo::History;
use unifi_herald_plugin::Kind;

/// Slow enough that what a repair reads again, the minute before it, is remembered with its twins.
const RATE: f64 = 200.0;

#[test]
fn killed_with_the_system_log_only_nothing_that_it_keeps_is_lost() {
    let mut soak = Soak::new(History::SystemLogOnly);
    soak.storm(RATE, 200_000);
    let ledger = soak.simulator.ledger();
    let herald = soak.start();
    // What has no place in the log was only told once, perhaps to a herald that was killed before it was written down.
    soak.catch_up(|file| {
        let mut missing = missing_of(&ledger, file);
        missing.retain(|entry| entry.in_system_log());
        missing
    });
    let last = soak.emit(50);
    soak.arrive(&last);
    let lives = soak.kills + 1;
    let events = soak.end(herald, lives);
    let gaps = events
        .iter()
        .filter(|event| event.kind == Kind::HERALD_GAP)
        .count();
    assert_eq!(gaps, 0);
}

#[test]
fn killed_without_any_history_whatever_is_missing_lies_in_a_gap_that_was_told() {
    let mut soak = Soak::new(History::None);
    soak.storm(RATE, 200_000);
    let herald = soak.start();
    let last = soak.emit(50);
    soak.arrive(&last);
    let ledger = soak.simulator.ledger();
    let mut file = crate::support::tail::Tail::of(soak.rig.path("events.jsonl"));
    file.read();
    let missing = missing_of(&ledger, &file);
    let lives = soak.kills + 1;
    let events = soak.end(herald, lives);
    let gaps: Vec<_> = events
        .iter()
        .filter(|event| event.kind == Kind::HERALD_GAP)
        .collect();
    assert!(
        gaps.iter()
            .all(|gap| gap.reason.as_deref() == Some("history_unavailable"))
    );
    let holes: Vec<_> = gaps.iter().filter_map(|gap| gap.gap.as_deref()).collect();
    for entry in missing {
        assert!(
            holes
                .iter()
                .any(|hole| hole.from <= entry.time && entry.time <= hole.to),
            "{entry:?} is in none of {holes:?}"
        );
    }
}
