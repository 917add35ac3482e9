//! A loss that nobody can repair becomes an event: `herald.gap`.

use crate::buffer::Loss;
use crate::own_event::{Scope, gap_event};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Timestamp};

/// The event that tells of events dropped because the ring was full.
pub(super) fn ring_overflow(loss: Loss, now: Timestamp) -> Arc<Event> {
    let count = loss.gap.count.unwrap_or_default();
    let summary = format!("{count} events were lost because herald could not keep up");
    of(loss, "ring_overflow", summary, now)
}

/// The event that tells of events that waited for a sink until the store had no room for them.
pub(super) fn store_full(loss: Loss, now: Timestamp) -> Arc<Event> {
    let count = loss.gap.count.unwrap_or_default();
    let summary = format!("{count} pending events were lost because the store was full");
    of(loss, "store_full", summary, now)
}

fn of(loss: Loss, reason: &str, summary: String, now: Timestamp) -> Arc<Event> {
    let scope = Scope {
        controller: loss.controller,
        site: loss.site,
        site_name: loss.site_name,
    };
    Arc::new(gap_event(&scope, loss.gap, reason, summary, now))
}
