//! A disk that is full for a while, between kills.

use super::Soak;
use crate::support::small_disk::SmallDisk;
use crate::support::{LIMIT, within};
use std::fs;
use unifi_herald::demo::{History, Pace};

#[test]
fn while_the_disk_is_full_herald_goes_on_says_so_and_catches_up() {
    let mut soak = Soak::new(History::LegacyOnly);
    // Who may not mount has the same without a file system: `store::disk::tests::degraded`.
    // With room for what so many kills leave there; it is to be full only when it is filled.
    let size = 48 + 8 * soak.kills;
    let Some(disk) = SmallDisk::at(soak.rig.path("herald-data"), size) else {
        return;
    };
    soak.storm(2000.0, 600_000);

    let herald = soak.start();
    soak.arrive(&soak.simulator.ledger().entries("default"));
    assert!(!soak.log().contains("store is degraded"));
    disk.fill();
    // Until what is left of the log is full as well.
    soak.simulator.play(Pace::PerSecond(1000.0));
    soak.go_on_until("the disk is full", || {
        soak.log().contains("store is degraded")
    });
    // What is still on its way comes first, and is no more than it was.
    soak.simulator.play(Pace::Still);
    soak.go_on_until("it says that the disk is full", || {
        fs::read_to_string(soak.rig.path("events.jsonl"))
            .unwrap()
            .contains(r#""kind":"herald.store_degraded""#)
    });
    // In memory, to both sinks.
    let meanwhile = soak.emit(500);
    soak.arrive(&meanwhile);
    disk.free();
    soak.simulator.play(Pace::PerSecond(20.0));
    // It tries the less often the longer a try takes.
    within(LIMIT * 5, "it notices that there is room again", || {
        soak.log().contains("store is on disk again")
    });
    soak.simulator.play(Pace::Still);
    let after = soak.emit(500);
    soak.arrive(&after);
    drop(herald);

    let herald = soak.start();
    soak.arrive(&soak.simulator.ledger().entries("default"));
    let lives = soak.kills + 2;
    soak.end(herald, lives);
    drop(disk);
}
