//! What the controller's keys mean: key → kind and severity.

mod legacy;
mod meaning;
mod system_log;

pub(super) use meaning::meaning;

use foldhash::HashMap;
use std::sync::LazyLock;
use unifi_herald_plugin::{Kind, Severity, Text};

/// What herald knows about a key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key as listed, shared by all its events.
    pub(super) key: Text,
    /// What it means. Some fields can change that: see `subjects`.
    pub(super) kind: Kind,
    /// How much it matters, unless the item says otherwise.
    pub(super) severity: Severity,
}

/// One line of the tables; without a severity the kind's own is meant.
type Row = (&'static str, Kind, Option<Severity>);

/// Both tables, since a controller may send either shape by either way. Built once.
static ENTRIES: LazyLock<HashMap<&'static str, Entry>> = LazyLock::new(|| {
    let rows = legacy::rows().chain(system_log::ROWS.iter().copied());
    rows.map(|(key, kind, severity)| {
        let entry = Entry {
            key: key.into(),
            kind,
            severity: severity.unwrap_or(kind.default_severity()),
        };
        (key, entry)
    })
    .collect()
});

/// The entry of exactly this key.
pub(super) fn exact(key: &str) -> Option<&'static Entry> {
    ENTRIES.get(key)
}

/// The entry of a system-log key: as it is, else without the endings that tell versions and variants of one
/// event apart (`_2`, `_V3`, `_KNOWN_SOURCE_CLIENT`).
pub(super) fn system(key: &str) -> Option<&'static Entry> {
    let mut key = key;
    loop {
        if let Some(entry) = exact(key) {
            return Some(entry);
        }
        key = system_log::without_ending(key)?;
    }
}

/// Which part of the network a legacy key speaks of: `WU` of `EVT_WU_Roam`.
pub(super) fn family(key: &str) -> &str {
    let rest = key.strip_prefix("EVT_").unwrap_or_default();
    rest.split_once('_').map_or("", |(family, _)| family)
}

#[cfg(test)]
mod tests;
