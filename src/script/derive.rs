//! Copies of an event, with ids that are the same on every run.

use super::node::Node;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use unifi_herald_plugin::Origin;

/// A copy of the event in `node`. Its id follows from the parent's, from `salt` (chain and step) and from how many
/// copies of this parent were made before it, so that a replay makes the same events.
pub(super) fn copy(node: &Node, salt: &str) -> Node {
    let mut draft = node.draft();
    let mut event = (*draft.event).clone();
    event.id = id(&event.id, salt, draft.copies).into();
    event.origin = Origin::Derived;
    draft.copies += 1;
    Node::new(Arc::new(event))
}

/// 24 hexadecimal digits, the form of a controller's own ids.
fn id(parent: &str, salt: &str, index: u32) -> String {
    let mut hash = Sha256::new();
    for part in [parent, salt] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.update(index.to_be_bytes());
    let mut text = String::with_capacity(24);
    for byte in hash.finalize().iter().take(12) {
        // Writing to text cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::{Event, Kind, Timestamp};

    #[test]
    fn ids_follow_from_parent_salt_and_index() {
        let parent = Event::new(Kind::WAN_DOWN, "5ee9", Timestamp::from_millis(7));
        let ids = |salt: &str| -> Vec<String> {
            let node = Node::new(Arc::new(parent.clone()));
            (0..3)
                .map(|_| copy(&node, salt).event().id.to_string())
                .collect()
        };
        assert_eq!(ids("outages/1"), ids("outages/1"));
        let mut all = ids("outages/1");
        all.extend(ids("outages/2"));
        all.push("5ee9".to_owned());
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        // Written down: these must not change from one version to the next.
        assert_eq!(id("5ee9", "outages/1", 0), "ed54a188adad368475a20e54");
    }

    #[test]
    fn a_copy_is_derived_and_independent() {
        let parent = Arc::new(Event::new(
            Kind::WAN_DOWN,
            "5ee9",
            Timestamp::from_millis(7),
        ));
        let node = Node::new(Arc::clone(&parent));
        let copied = copy(&node, "a/0");
        copied.change(|event| event.summary = "changed".into());
        assert_eq!(copied.event().origin, Origin::Derived);
        assert_eq!(copied.event().time, parent.time);
        assert!(Arc::ptr_eq(&node.event(), &parent));
    }
}
