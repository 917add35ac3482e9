//! What a sink must know again after a restart: read when its lane begins, written down before what it delivered counts.

use super::LaneWorker;
use crate::store::{Commit, StateChange, StateEntry};
use std::time::Duration;
use unifi_herald_plugin::{Storage, StorageChange, Text};

/// How long a value is kept that is not set anew.
const KEEP: Duration = Duration::from_secs(Storage::KEEP_DAYS * 86_400);

impl LaneWorker {
    /// What an earlier run, or the lane before this one, has left.
    pub(super) fn restored(&self) -> Storage {
        let mut entries = match self.store.load_state(&self.scope()) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(sink = %self.plan.name, %error, "what the sink kept cannot be read");
                Vec::new()
            }
        };
        entries.sort_by_key(|entry| entry.expires);
        Storage::restored(entries.into_iter().filter_map(value))
    }

    /// Write down what the sink changed.
    pub(super) async fn keep(&self, storage: &Storage) {
        let changes = storage.take_changes();
        if changes.is_empty() {
            return;
        }
        let (scope, expires) = (self.scope(), self.clock.wall() + KEEP);
        let change = |change| match change {
            StorageChange::Set { key, value } => StateChange::Set {
                scope: scope.clone(),
                key,
                value: value.as_bytes().to_vec(),
                expires: Some(expires),
            },
            StorageChange::Forget { key } => StateChange::Forget {
                scope: scope.clone(),
                key,
            },
        };
        let commit = Commit {
            state: changes.into_iter().map(change).collect(),
            ..Commit::default()
        };
        if let Err(rejected) = self.store.commit(commit).await {
            tracing::warn!(sink = %self.plan.name, error = %rejected.error, "what the sink keeps was not written down");
        }
    }

    fn scope(&self) -> Text {
        format!("sink/{}", self.plan.name).into()
    }
}

/// Nobody else writes there; what is no text is damage.
fn value(entry: StateEntry) -> Option<(Text, Text)> {
    let value = String::from_utf8(entry.value).ok()?;
    Some((entry.key, value.into()))
}
