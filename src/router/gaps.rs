//! A loss becomes an event: `herald.gap`.

use crate::buffer::Loss;
use crate::own_event::{Scope, own_event};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Kind, Timestamp};

/// The event that tells of events dropped because the ring was full.
pub(super) fn ring_overflow(loss: Loss, now: Timestamp) -> Arc<Event> {
    let Loss {
        controller,
        site,
        site_name,
        gap,
    } = loss;
    let count = gap.count.unwrap_or_default();
    tracing::error!(controller = %controller, site = %site, count, "the ring was full, events are lost");
    let scope = Scope {
        controller,
        site,
        site_name,
    };
    let mut event = own_event(Kind::HERALD_GAP, &scope, "ring_overflow", now);
    event.summary = format!("{count} events were lost because herald could not keep up").into();
    event.reason = Some("ring_overflow".into());
    event.gap = Some(Box::new(gap));
    Arc::new(event)
}
