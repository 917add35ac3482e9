//! A loss that nobody can repair becomes an event: `herald.gap`.

use crate::buffer::Loss;
use crate::own_event::{Scope, gap_event};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Timestamp};

/// The event that tells of events dropped because the ring was full.
pub(super) fn ring_overflow(loss: Loss, now: Timestamp) -> Arc<Event> {
    let count = loss.gap.count.unwrap_or_default();
    let scope = Scope {
        controller: loss.controller,
        site: loss.site,
        site_name: loss.site_name,
    };
    let summary = format!("{count} events were lost because herald could not keep up");
    Arc::new(gap_event(&scope, loss.gap, "ring_overflow", summary, now))
}
