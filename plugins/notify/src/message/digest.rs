//! A digest as text.

use super::when::{length, moment};
use crate::text;
use std::fmt::Write as _;
use unifi_herald_plugin::Digest;

/// Longest a list of each sort may be; what is left out is counted.
const MOST: usize = 20;

/// Incidents, counts and who was named most.
pub(super) fn body(digest: &Digest) -> String {
    let mut out = format!("{} to {}", moment(digest.since), moment(digest.until));
    let incidents = digest.incidents.iter().map(|incident| {
        let title = text::line(&incident.title);
        let title = if title.is_empty() {
            text::line(&incident.name)
        } else {
            title
        };
        match incident.until {
            Some(until) => format!("{title} ({})", length(until.since(incident.since))),
            None => format!("{title} (since {}, still open)", moment(incident.since)),
        }
    });
    list(&mut out, "Incidents", incidents);
    let mut counts: Vec<_> = digest.counts.iter().collect();
    counts.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), (*kind).clone()));
    let counts = counts
        .into_iter()
        .map(|(kind, count)| format!("{count} × {}", text::line(kind)));
    list(&mut out, "Events", counts);
    let top = digest.top.iter().map(|top| {
        format!(
            "{} × {} ({})",
            top.count,
            text::line(&top.name),
            text::line(&top.what)
        )
    });
    list(&mut out, "Most named", top);
    out
}

fn list(out: &mut String, name: &str, items: impl ExactSizeIterator<Item = String>) {
    let count = items.len();
    if count == 0 {
        return;
    }
    // Writing to a string cannot fail.
    let _infallible = write!(out, "\n\n{name}:");
    for item in items.take(MOST) {
        let _infallible = write!(out, "\n• {item}");
    }
    if count > MOST {
        let _infallible = write!(out, "\n• and {} more", count - MOST);
    }
}
