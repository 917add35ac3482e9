//! A webhook that is down all the time, over every kill, and then is there again.

use super::Soak;
use unifi_herald::demo::History;

#[test]
fn what_a_dead_webhook_missed_over_every_kill_reaches_it_in_order() {
    let mut soak = Soak::new(History::LegacyOnly);
    soak.hook.down(true);
    soak.storm(2000.0, 600_000);
    assert_eq!(soak.hook.ids(), Vec::<String>::new());
    let herald = soak.start();
    soak.hook.down(false);
    soak.arrive(&soak.simulator.ledger().entries("default"));
    let lives = soak.kills + 1;
    soak.end(herald, lives);
}
