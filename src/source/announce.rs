//! Herald's own events about a site: its socket is up, lost or mute, and what of its holes stays.

use super::Link;
use crate::buffer::HoleNews;
use crate::own_event::{Scope, gap_event};
use crate::store::HoleChange;
use crate::unifi::Site;
use crate::unifi::gap::{self, News};
use sha1::{Digest as _, Sha1};
use std::fmt::Write as _;
use std::sync::Arc;
use unifi_herald_plugin::{Event, Gap, Kind, Origin, Text, Timestamp};

/// The socket of `site` came to life at `time`, for the first time in this run or again, as `reason` says.
pub(super) fn connected(
    controller: &Text,
    site: &Site,
    time: Timestamp,
    reason: &str,
) -> Arc<Event> {
    let summary = format!("herald is connected to {} on {controller}", site.display);
    event(
        Kind::HERALD_CONNECTED,
        controller,
        site,
        time,
        summary,
        Some(reason.into()),
    )
}

/// The socket of `site` was lost at `time`, for this reason.
pub(super) fn disconnected(
    controller: &Text,
    site: &Site,
    time: Timestamp,
    reason: &str,
) -> Arc<Event> {
    let summary = format!(
        "herald lost its connection to {} on {controller}: {reason}",
        site.display
    );
    event(
        Kind::HERALD_DISCONNECTED,
        controller,
        site,
        time,
        summary,
        Some(reason.into()),
    )
}

/// The socket of `site` has been mute since `since`, while the history has something newer.
pub(super) fn blind(
    controller: &Text,
    site: &Site,
    since: Timestamp,
    time: Timestamp,
) -> Arc<Event> {
    let minutes = time.since(since).as_secs() / 60;
    let summary = format!(
        "herald hears nothing of {} on {controller} although it is connected: silent for {minutes} min, and things have happened",
        site.display
    );
    let reason = Some("socket mute".into());
    event(Kind::HERALD_BLIND, controller, site, time, summary, reason)
}

/// Put changes to holes into the ring, each with the event that tells of what stays a hole.
pub(super) fn holes(link: &Link, (controller, site): (&Text, &Site), news: Vec<News>) {
    for News { change, gap } in news {
        let gap = gap.map(|(gap, reason)| {
            tracing::warn!(%controller, site = %site.name, reason, from = %gap.from, to = %gap.to, "a hole stays: what happened in it cannot be fetched");
            let scope = Scope {
                controller: controller.clone(),
                site: site.name.clone(),
                site_name: site.display.clone(),
            };
            let summary = summary_of_gap(site, &gap, reason);
            Arc::new(gap_event(&scope, gap, reason, summary, link.clock.wall()))
        });
        if let HoleChange::Open(hole) = &change {
            tracing::info!(%controller, site = %site.name, reason = %hole.reason, from = %hole.from, "a hole is to be filled from the history");
        }
        link.intake.push_hole(HoleNews { change, gap });
    }
}

fn summary_of_gap(site: &Site, gap: &Gap, reason: &str) -> String {
    if let (gap::RING_OVERFLOW, Some(count)) = (reason, gap.count) {
        return format!(
            "herald could not keep up with {} and dropped events; {count} of them are not in its history",
            site.display
        );
    }
    let why = match reason {
        gap::TOO_OLD => "it is longer ago than backfill.max_age",
        _ => "the controller gives no history of it",
    };
    format!(
        "What happened on {} from {} to {} may be missing: {why}",
        site.display, gap.from, gap.to
    )
}

fn event(
    kind: Kind,
    controller: &Text,
    site: &Site,
    time: Timestamp,
    summary: String,
    reason: Option<Text>,
) -> Arc<Event> {
    let mut event = Event::new(kind, id(kind, controller, site, time), time);
    event.controller = controller.clone();
    event.site = site.name.clone();
    event.site_name = site.display.clone();
    event.origin = Origin::Derived;
    event.summary = summary.into();
    event.reason = reason;
    Arc::new(event)
}

/// The same for the same event, whoever computes it.
fn id(kind: Kind, controller: &Text, site: &Site, time: Timestamp) -> String {
    let mut hash = Sha1::new();
    for part in [controller, &site.name, kind.as_str()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(time.as_millis().to_be_bytes());
    hash.finalize()
        .iter()
        .take(12)
        .fold(String::with_capacity(24), |mut out, byte| {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_and_differ_by_what_they_are_about() {
        let site = Site {
            name: "default".into(),
            display: "Home".into(),
        };
        let home: Text = "home".into();
        let at = Timestamp::from_millis(1_790_000_000_000);
        let up = connected(&home, &site, at, "start");
        assert_eq!(up.reason.as_deref(), Some("start"));
        assert_eq!(up.id, connected(&home, &site, at, "start").id);
        assert_eq!(up.id.len(), 24);
        assert_eq!(
            (up.kind, up.origin, &*up.site, &*up.site_name),
            (Kind::HERALD_CONNECTED, Origin::Derived, "default", "Home")
        );
        let down = disconnected(&home, &site, at, "no answer to pings");
        assert_eq!(down.reason.as_deref(), Some("no answer to pings"));
        assert_eq!(down.severity, Kind::HERALD_DISCONNECTED.default_severity());
        let later = connected(
            &home,
            &site,
            Timestamp::from_millis(1_790_000_000_001),
            "start",
        );
        let other = connected(&"lab".into(), &site, at, "start");
        let ids = [&up.id, &down.id, &later.id, &other.id];
        for (n, id) in ids.iter().enumerate() {
            assert!(!ids[n + 1..].contains(id));
        }
    }
}
