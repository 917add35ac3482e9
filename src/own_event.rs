//! Herald's own events: what it has to say of itself, shaped like any other event.

use sha2::{Digest, Sha256};
use unifi_herald_plugin::{Event, Gap, Kind, Origin, Text, Timestamp};

/// Where an event of herald's own belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Name of the controller; empty when it is about none.
    pub controller: Text,
    /// Short name of the site; empty when it is about none.
    pub site: Text,
    /// Name of the site for people.
    pub site_name: Text,
}

impl Scope {
    /// Where this event belongs.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            controller: event.controller.clone(),
            site: event.site.clone(),
            site_name: event.site_name.clone(),
        }
    }
}

/// An event of `kind` about `subject` (a sink's name, a reason), with an id that is the same whenever it is made
/// of the same parts.
#[must_use]
pub fn own_event(kind: Kind, scope: &Scope, subject: &str, time: Timestamp) -> Event {
    let parts = [kind.as_str(), &scope.controller, &scope.site, subject];
    let mut event = Event::new(kind, hashed_id(&parts, time), time);
    event.controller = scope.controller.clone();
    event.site = scope.site.clone();
    event.site_name = scope.site_name.clone();
    event.origin = Origin::Derived;
    event
}

/// The event that tells of a hole that stays: `herald.gap`. Told again of the same hole, it has the same id.
#[must_use]
pub fn gap_event(scope: &Scope, gap: Gap, reason: &str, summary: String, now: Timestamp) -> Event {
    let mut event = own_event(Kind::HERALD_GAP, scope, reason, now);
    let (from, to) = (gap.from.as_millis(), gap.to.as_millis());
    let parts = [
        Kind::HERALD_GAP.as_str(),
        &scope.controller,
        &scope.site,
        reason,
        &from.to_string(),
    ];
    event.id = hashed_id(&parts, Timestamp::from_millis(to)).into();
    event.summary = summary.into();
    event.reason = Some(reason.into());
    event.gap = Some(Box::new(gap));
    event
}

/// 24 hex digits made of `parts` and `time`, in the manner of the controller's own ids.
#[must_use]
pub fn hashed_id(parts: &[&str], time: Timestamp) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps ["ab", "c"] and ["a", "bc"] apart.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(time.as_millis().to_le_bytes());
    hash.finalize()[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_depends_on_every_part_and_nothing_else() {
        let time = Timestamp::from_millis(5);
        let id = hashed_id(&["ab", "c"], time);
        assert_eq!(id.len(), 24);
        assert_eq!(id, hashed_id(&["ab", "c"], time));
        assert_ne!(id, hashed_id(&["a", "bc"], time));
        assert_ne!(id, hashed_id(&["ab", "c"], Timestamp::from_millis(6)));
    }
}
