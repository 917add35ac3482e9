//! The door between the source's thread and the router's: a bounded ring with two ends.

use std::sync::Arc;
use unifi_herald_plugin::Event;

/// The end that sources push into. A copy pushes into the same ring.
#[derive(Clone, Debug)]
pub struct Intake;

impl Intake {
    /// Put `events` into the ring, in order, waiting for room as `[buffer]` says; `events` is empty afterwards.
    ///
    /// Not cancel-safe: what was not yet pushed is still in `events`.
    pub async fn push(&self, events: &mut Vec<Arc<Event>>) {
        events.clear();
    }
}
