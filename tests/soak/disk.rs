//! A disk that is full for a while, between kills.

use super::{MISSED, Soak};
use crate::support::small_disk::SmallDisk;
use crate::support::{LIMIT, within};
use std::collections::BTreeSet;
use std::fs;
use unifi_herald::demo::{History, Pace};
use unifi_herald::store::{JournalQuery, Order, Reader};

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

#[test]
fn killed_while_the_disk_is_full_nothing_that_the_history_has_is_lost() {
    let soak = Soak::new(History::LegacyOnly);
    let Some(disk) = SmallDisk::at(soak.rig.path("herald-data"), 64) else {
        return;
    };
    let ledger = soak.simulator.ledger();
    let mut herald = soak.start();
    let before = soak.emit(500);
    soak.arrive(&before);
    // What is pending is in memory only, as the journal is.
    soak.hook.down(true);
    disk.fill();
    let mut begun = 0;
    // Each life begins with all that the others missed, and memory must have room for it.
    for _ in 0..soak.kills.min(5) {
        soak.simulator.play(Pace::PerSecond(1000.0));
        soak.go_on_until("the disk is full", || {
            soak.log()[begun..].contains("store is degraded")
        });
        soak.simulator.play(Pace::Still);
        let meanwhile = soak.emit(500);
        soak.reach_file(&meanwhile);
        drop(herald);
        // Others take what room there is.
        disk.fill();
        soak.simulator.emit("default", MISSED);
        begun = soak.log().len();
        herald = soak.start();
        soak.reach_file(&ledger.entries("default"));
    }
    disk.free();
    soak.hook.down(false);
    soak.arrive(&ledger.entries("default"));
    let last = soak.emit(100);
    soak.arrive(&last);
    assert!(herald.stop(), "{}", soak.log());

    let reader = Reader::open(&soak.rig.path("herald-data")).unwrap();
    let query = JournalQuery {
        order: Order::OldestFirst,
        ..JournalQuery::default()
    };
    let journal = reader.find(&query, usize::MAX).unwrap();
    let ids: BTreeSet<_> = journal.iter().map(|found| &*found.event.id).collect();
    assert_eq!(ids.len(), journal.len(), "each once");
    for entry in ledger.entries("default") {
        assert!(ids.contains(entry.id.as_deref().unwrap()), "{entry:?}");
    }
    let counted = journal.iter();
    let counted: Vec<_> = counted
        .filter_map(|found| found.event.fields.get("n")?.as_u64())
        .collect();
    let expected: Vec<_> = (1..=counted.len() as u64).collect();
    assert_eq!(
        counted, expected,
        "scripts remember what the journal has, and nothing else"
    );
}
