//! Kills with a console that has no history at all.

use super::Soak;
use crate::support::reckoning::missing_of;
use unifi_herald::demo::History;
use unifi_herald_plugin::Kind;

#[test]
fn killed_without_any_history_whatever_is_missing_lies_in_a_gap_that_was_told() {
    let mut soak = Soak::new(History::None);
    soak.storm(200.0, 200_000);
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
