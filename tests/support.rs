//! What the end-to-end tests share: a host in a folder of its own, a receiver for webhooks, waiting on conditions.

pub mod browser;
pub mod guarded;
pub mod herald;
pub mod http;
pub mod nats;
pub mod proxy;
pub mod receiver;
pub mod reckoning;
pub mod rig;
pub mod small_disk;
pub mod tail;

use std::time::Duration;
use unifi_herald::clock::Clock;

/// Longer than anything takes on a machine ten times slower.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A script whose memory shows every event it ever saw.
pub const COUNTER: &str = r#"
fn filter(event) {
    let n = get("n");
    if n == () { n = 0; }
    n += 1;
    set("n", n);
    event.fields.n = n;
    true
}
"#;

/// Wait until `condition` holds.
///
/// # Panics
/// With `what` when it does not hold in time.
pub fn eventually(what: &str, condition: impl FnMut() -> bool) {
    within(LIMIT, what, condition);
}

/// Wait until `condition` holds, where that may take as long as `limit`.
///
/// # Panics
/// With `what` when it does not hold in time.
pub fn within(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let clock = Clock::system();
    let deadline = clock.now() + limit;
    while !condition() {
        assert!(clock.now() < deadline, "not in time: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
