//! Kills with a console whose only history is the v2 system log, which tells everything in another form, and with one
//! that has both histories.

use super::Soak;
use crate::support::reckoning::missing_of;
use unifi_herald::demo::History;

#[test]
fn killed_with_the_system_log_only_nothing_that_it_tells_is_lost() {
    nothing_kept_is_lost(History::SystemLogOnly);
}

#[test]
fn killed_with_both_histories_nothing_is_lost() {
    nothing_kept_is_lost(History::Both);
}

fn nothing_kept_is_lost(history: History) {
    let mut soak = Soak::new(history);
    soak.storm(2000.0, 600_000);
    let herald = soak.start();
    let ledger = soak.simulator.ledger();
    soak.catch_up(|file| {
        let mut missing = missing_of(&ledger, file);
        missing.retain(|entry| entry.in_system_log() || history == History::Both);
        missing
    });
    let lives = soak.kills + 1;
    soak.end(herald, lives);
}
