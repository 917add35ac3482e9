//! Thousands of events a second, sockets that break, a webhook that fails now and then, and `kill -9`.

use super::Soak;
use unifi_herald::demo::History;

#[test]
fn killed_at_random_moments_nothing_is_lost() {
    let mut soak = Soak::new(History::LegacyOnly);
    soak.storm(2000.0, 600_000);
    let herald = soak.start();
    soak.arrive(&soak.simulator.ledger().entries("default"));
    let lives = soak.kills + 1;
    soak.end(herald, lives);
}
