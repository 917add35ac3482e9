//! The forms in which a partition's memory is written: JSON, with values of scripts and alerts as Base64.

use crate::store::{StateChange, StateEntry};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use unifi_herald_plugin::Timestamp;

/// What the last batch changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Head {
    /// Of this version of the head alone: its owner and a number.
    pub(super) name: String,
    pub(super) seq: u64,
    #[serde(default)]
    pub(super) stream: StreamMark,
    pub(super) changes: Vec<Change>,
    /// In how many messages the rest of the changes is, and in which of two places.
    pub(super) parts: usize,
    pub(super) place: usize,
}

/// Which stream events are read from: one that is made anew counts from one again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cluster) struct StreamMark {
    /// When it was made, in milliseconds; 0 for none yet.
    pub(in crate::cluster) made: i64,
    /// The number of its first message, less one.
    pub(in crate::cluster) base: u64,
}

/// Changes that had no room in the head.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    /// Of which head.
    pub(super) of: String,
    pub(super) changes: Vec<Change>,
}

/// One change: without a key to all of the scope, without a value to forget it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Change {
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

/// One remembered value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Value {
    /// The stream sequence of the event that wrote it.
    pub(super) seq: u64,
    scope: String,
    key: String,
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
}

impl Head {
    /// A head with as many changes as fit into `room` bytes, and parts for the others.
    pub(super) fn new(
        name: &str,
        seq: u64,
        changes: &[StateChange],
        room: usize,
    ) -> (Self, Vec<Part>) {
        let mut heaps = vec![Vec::new()];
        let mut filled = 0;
        for change in changes {
            let change = Change::from(change);
            filled += change.weight();
            if filled > room && heaps.last().is_some_and(|heap| !heap.is_empty()) {
                heaps.push(Vec::new());
                filled = change.weight();
            }
            if let Some(heap) = heaps.last_mut() {
                heap.push(change);
            }
        }
        let mut heaps = heaps.into_iter();
        let head = Self {
            name: name.to_owned(),
            seq,
            stream: StreamMark::default(),
            changes: heaps.next().unwrap_or_default(),
            parts: 0,
            place: 0,
        };
        let parts = heaps.map(|changes| Part {
            of: name.to_owned(),
            changes,
        });
        (head, parts.collect())
    }

    /// Who wrote it.
    pub(super) fn owner(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(owner, _)| owner)
    }

    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // Text and numbers only: nothing of it can fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Part {
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // As for a head.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Change {
    fn weight(&self) -> usize {
        let texts = [Some(&self.scope), self.key.as_ref(), self.value.as_ref()];
        let bytes: usize = texts.into_iter().flatten().map(String::len).sum();
        bytes + 100
    }
}

impl From<&StateChange> for Change {
    fn from(change: &StateChange) -> Self {
        match change {
            StateChange::Set {
                scope,
                key,
                value,
                expires,
            } => Self {
                scope: scope.to_string(),
                key: Some(key.to_string()),
                value: Some(BASE64.encode(value)),
                expires: expires.map(Timestamp::as_millis),
            },
            StateChange::Forget { scope, key } => Self {
                scope: scope.to_string(),
                key: Some(key.to_string()),
                value: None,
                expires: None,
            },
            StateChange::Clear { scope } => Self {
                scope: scope.to_string(),
                key: None,
                value: None,
                expires: None,
            },
        }
    }
}

impl From<Change> for StateChange {
    fn from(change: Change) -> Self {
        let scope = change.scope.into();
        match (change.key, change.value) {
            (Some(key), Some(value)) => Self::Set {
                scope,
                key: key.into(),
                value: BASE64.decode(value).unwrap_or_default(),
                expires: change.expires.map(Timestamp::from_millis),
            },
            (Some(key), None) => Self::Forget {
                scope,
                key: key.into(),
            },
            (None, _) => Self::Clear { scope },
        }
    }
}

impl Value {
    pub(super) fn new(
        seq: u64,
        scope: &str,
        key: &str,
        value: &[u8],
        expires: Option<Timestamp>,
    ) -> Self {
        Self {
            seq,
            scope: scope.to_owned(),
            key: key.to_owned(),
            value: BASE64.encode(value),
            expires: expires.map(Timestamp::as_millis),
        }
    }

    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // As for a head.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Scope and key.
    pub(super) fn place(&self) -> (String, String) {
        (self.scope.clone(), self.key.clone())
    }

    pub(super) fn entry(&self, key: &str) -> StateEntry {
        StateEntry {
            key: key.into(),
            value: BASE64.decode(&self.value).unwrap_or_default(),
            expires: self.expires.map(Timestamp::from_millis),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Vec<StateChange> {
        let set = |key: &str, value: &[u8]| StateChange::Set {
            scope: "script/a/b".into(),
            key: key.into(),
            value: value.to_vec(),
            expires: Some(Timestamp::from_millis(5)),
        };
        let scope = "alert/x".into();
        vec![
            set("one", &[0, 255, 7]),
            StateChange::Forget {
                scope: "script/a/b".into(),
                key: "two".into(),
            },
            StateChange::Clear { scope },
            set("three", &[9; 400]),
        ]
    }

    #[test]
    fn what_is_written_is_what_is_read_however_many_parts_it_takes() {
        for (room, wanted) in [(10_000, 0), (1, 3)] {
            let (mut head, parts) = Head::new("me/7", 42, &changes(), room);
            head.parts = parts.len();
            assert_eq!(head.parts, wanted);
            let head = Head::parse(&head.to_json()).unwrap();
            assert_eq!((head.seq, &*head.name), (42, "me/7"));
            let rest = parts.iter().flat_map(|part| {
                let part = Part::parse(&part.to_json()).unwrap();
                assert_eq!(part.of, "me/7");
                part.changes
            });
            let all = head.changes.into_iter().chain(rest).map(StateChange::from);
            assert_eq!(all.collect::<Vec<_>>(), changes());
        }
    }
}
