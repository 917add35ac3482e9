//! What a sink needs again after a restart: the id of the message to edit, a receipt.

use crate::Text;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A few short texts by name, which the host keeps for a sink. A copy is the same storage.
///
/// What a delivery changes is written down before the delivery counts as done, so what was sent and acknowledged is known
/// after a restart. It is kept as long as the host's store is: on disk over restarts, in memory until the process ends. A
/// value that nobody sets anew is forgotten after [`KEEP_DAYS`](Self::KEEP_DAYS) days. In a cluster each host has its own.
///
/// It is no database: there are at most [`MAX_ENTRIES`](Self::MAX_ENTRIES), and the one that was set longest ago makes room.
#[derive(Clone, Default)]
pub struct Storage(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// The one that was set last is the last.
    entries: VecDeque<(Text, Text)>,
    changes: Vec<StorageChange>,
}

/// What a host has to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageChange {
    /// This value is there, in place of one of the same name.
    Set {
        /// Its name.
        key: Text,
        /// The value.
        value: Text,
    },
    /// There is no value of this name any more.
    Forget {
        /// Its name.
        key: Text,
    },
}

impl Storage {
    /// Most values.
    pub const MAX_ENTRIES: usize = 1024;

    /// Most bytes of a name and its value together.
    pub const MAX_BYTES: usize = 1024;

    /// How many days a value is kept.
    pub const KEEP_DAYS: u64 = 90;

    /// For hosts and tests: with what an earlier run has left, the one that was set last at the end.
    #[must_use]
    pub fn restored(entries: impl IntoIterator<Item = (Text, Text)>) -> Self {
        let storage = Self::default();
        for (key, value) in entries {
            storage.set(key, value);
        }
        drop(storage.take_changes());
        storage
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Text> {
        let inner = self.lock();
        let found = inner
            .entries
            .iter()
            .rev()
            .find(|(known, _)| **known == *key);
        found.map(|(_, value)| value.clone())
    }

    /// Keep `value` by this name, in place of what was there. One that is too long is not kept: then there is no value of
    /// this name.
    pub fn set(&self, key: impl Into<Text>, value: impl Into<Text>) {
        let (key, value) = (key.into(), value.into());
        if key.len() + value.len() > Self::MAX_BYTES {
            return self.forget(&key);
        }
        let mut inner = self.lock();
        inner.remove(&key);
        if inner.entries.len() == Self::MAX_ENTRIES
            && let Some((key, _)) = inner.entries.pop_front()
        {
            inner.note(StorageChange::Forget { key });
        }
        inner.entries.push_back((key.clone(), value.clone()));
        inner.note(StorageChange::Set { key, value });
    }

    /// Keep no value by this name.
    pub fn forget(&self, key: &str) {
        let mut inner = self.lock();
        if let Some(key) = inner.remove(key) {
            inner.note(StorageChange::Forget { key });
        }
    }

    /// For hosts: what was changed since the last call, one change for each name.
    #[must_use = "what was changed is not told again"]
    pub fn take_changes(&self) -> Vec<StorageChange> {
        std::mem::take(&mut self.lock().changes)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remove(&mut self, key: &str) -> Option<Text> {
        let at = self
            .entries
            .iter()
            .rposition(|(known, _)| **known == *key)?;
        self.entries.remove(at).map(|(key, _)| key)
    }

    /// The last word about a name is the only one, so that what nobody takes stays as small as the entries are.
    fn note(&mut self, change: StorageChange) {
        self.changes.retain(|known| known.key() != change.key());
        self.changes.push(change);
    }
}

impl StorageChange {
    fn key(&self) -> &Text {
        match self {
            Self::Set { key, .. } | Self::Forget { key } => key,
        }
    }
}

impl fmt::Debug for Storage {
    /// Not the values: a receipt may be worth something.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage")
            .field("entries", &self.lock().entries.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: &str) -> StorageChange {
        StorageChange::Set {
            key: key.into(),
            value: value.into(),
        }
    }

    fn forgotten(key: &str) -> StorageChange {
        StorageChange::Forget { key: key.into() }
    }

    #[test]
    fn the_last_word_about_a_name_is_told_once() {
        let storage = Storage::restored([("a".into(), "1".into()), ("b".into(), "2".into())]);
        assert_eq!(storage.take_changes(), []);
        storage.set("a", "3");
        storage.set("c", "4");
        storage.forget("a");
        storage.forget("unknown");
        assert_eq!(storage.take_changes(), [set("c", "4"), forgotten("a")]);
        assert_eq!(storage.take_changes(), []);
        assert_eq!(storage.get("a"), None);
        assert_eq!(storage.get("b").as_deref(), Some("2"));
    }

    #[test]
    fn the_one_that_was_set_longest_ago_makes_room() {
        let storage = Storage::default();
        for number in 0..Storage::MAX_ENTRIES {
            storage.set(format!("k{number}"), "x");
        }
        storage.set("k0", "again");
        drop(storage.take_changes());
        storage.set("one more", "x");
        assert_eq!(
            storage.take_changes(),
            [forgotten("k1"), set("one more", "x")]
        );
        assert_eq!(storage.get("k1"), None);
        assert_eq!(storage.get("k0").as_deref(), Some("again"));
    }

    #[test]
    fn what_is_too_long_is_not_kept_and_neither_is_what_it_was_to_replace() {
        let storage = Storage::restored([("a".into(), "old".into())]);
        storage.set("a", "x".repeat(Storage::MAX_BYTES));
        assert_eq!(storage.get("a"), None);
        assert_eq!(storage.take_changes(), [forgotten("a")]);
        storage.set("b", "x".repeat(Storage::MAX_BYTES - 1));
        assert!(storage.get("b").is_some());
    }
}
