//! What the store has to say of itself becomes events: `herald.store_degraded`.

use crate::own_event::{Scope, own_event};
use crate::store::{Store, StoreHealth};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Kind, Timestamp};

/// Remembers what was told.
#[derive(Debug, Default)]
pub(super) struct StoreWatch {
    degraded: bool,
}

impl StoreWatch {
    /// The event that tells what has changed with `store` since the last look.
    pub(super) fn look(&mut self, store: &dyn Store, now: Timestamp) -> Option<Arc<Event>> {
        match store.health() {
            StoreHealth::Ok => {
                self.degraded = false;
                None
            }
            StoreHealth::Degraded { reason, .. } => {
                let what = "The store does not take anything, events are kept in memory";
                self.degraded(what, reason, now)
            }
            StoreHealth::Away { reason, .. } => {
                let what = "The cluster cannot be used, events wait until it can";
                self.degraded(what, reason, now)
            }
        }
    }

    /// Told once, for as long as it lasts.
    fn degraded(&mut self, what: &str, reason: String, now: Timestamp) -> Option<Arc<Event>> {
        if std::mem::replace(&mut self.degraded, true) {
            return None;
        }
        let mut event = own_event(Kind::HERALD_STORE_DEGRADED, &Scope::default(), "", now);
        event.summary = format!("{what}: {reason}").into();
        event.reason = Some(reason.into());
        Some(Arc::new(event))
    }
}
