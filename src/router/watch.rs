//! What the store has to say of itself becomes events: `herald.store_degraded`, and `herald.gap` for what it lost.

use crate::buffer::Loss;
use crate::own_event::{Scope, gap_event, own_event};
use crate::store::{Store, StoreHealth};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Kind, Timestamp};

/// Remembers what was told.
#[derive(Debug, Default)]
pub(super) struct StoreWatch {
    degraded: bool,
}

impl StoreWatch {
    /// The events that tell what has changed with `store` since the last look.
    pub(super) fn look(&mut self, store: &dyn Store, now: Timestamp) -> Vec<Arc<Event>> {
        let mut events: Vec<_> = store
            .take_losses()
            .into_iter()
            .map(|loss| store_full(loss, now))
            .collect();
        match store.health() {
            StoreHealth::Ok => self.degraded = false,
            StoreHealth::Degraded { reason, .. } => {
                let what = "The store does not take anything, events are kept in memory";
                events.extend(self.degraded(what, reason, now));
            }
            StoreHealth::Away { reason, .. } => {
                let what = "The cluster cannot be used, events wait until it can";
                events.extend(self.degraded(what, reason, now));
            }
        }
        events
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

fn store_full(loss: Loss, now: Timestamp) -> Arc<Event> {
    let count = loss.gap.count.unwrap_or_default();
    let scope = Scope {
        controller: loss.controller,
        site: loss.site,
        site_name: loss.site_name,
    };
    let summary = format!("{count} pending events were lost because the store was full");
    Arc::new(gap_event(&scope, loss.gap, "store_full", summary, now))
}
