//! The one line of a digest.

use std::fmt::Write;
use unifi_herald_plugin::{Digest, Text};

/// `Digest daily: 2 incidents, 1 of them open; 345 events, most of them client.roamed (200)`.
pub(super) fn summary(digest: &Digest) -> Text {
    let mut text = format!("Digest {}: ", digest.name);
    let open = digest.incidents.iter().filter(|one| one.until.is_none());
    let open = open.count();
    _ = match digest.incidents.len() {
        0 => Ok(()),
        1 if open == 1 => write!(text, "1 incident, still open; "),
        1 => write!(text, "1 incident; "),
        all if open == 0 => write!(text, "{all} incidents; "),
        all => write!(text, "{all} incidents, {open} of them open; "),
    };
    let total: u64 = digest.counts.values().sum();
    let most = digest.counts.iter().rev().max_by_key(|(_, count)| **count);
    _ = match (total, most) {
        (0, _) | (_, None) => write!(text, "no event"),
        (1, Some((kind, _))) => write!(text, "1 event, {kind}"),
        (_, Some((kind, count))) if *count == total => write!(text, "{total} events, all {kind}"),
        (_, Some((kind, count))) => {
            write!(text, "{total} events, most of them {kind} ({count})")
        }
    };
    text.into()
}
