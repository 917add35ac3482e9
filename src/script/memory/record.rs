//! Everything that is remembered under one key.

use super::MAX_WINDOWS;
use super::series::Series;
use std::time::Duration;
use unifi_herald_plugin::{Text, Timestamp};

/// How long the store keeps what no window reaches any more: history may still bring events of that time.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// What is remembered under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// When it was last used, by the script's time.
    pub(super) at: i64,
    /// Under which time it stands in the order; never after `at`.
    pub(super) ordered: i64,
    /// Its share of the memory's bytes.
    pub(super) bytes: usize,
    /// Whether it is not what the store has.
    pub(super) changed: bool,
    pub(super) seen: bool,
    pub(super) value: Option<Stored>,
    /// By window, in milliseconds.
    pub(super) counts: Vec<(u64, Series)>,
    /// By window: when it let something pass.
    pub(super) passes: Vec<(u64, i64)>,
}

/// A value that a script set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) json: Box<str>,
    /// From then on it is absent.
    pub(super) expires: Option<i64>,
}

impl Record {
    pub(super) fn new(at: i64) -> Self {
        Self {
            at,
            ordered: at,
            ..Self::default()
        }
    }

    /// What was counted in `window`; `None` when there are too many windows.
    pub(super) fn series(&mut self, window: u64) -> Option<&mut Series> {
        let known = self.counts.iter().position(|(known, _)| *known == window);
        let at = match known {
            Some(at) => at,
            None if self.counts.len() >= MAX_WINDOWS => return None,
            None => {
                self.counts.push((window, Series::default()));
                self.counts.len() - 1
            }
        };
        self.counts.get_mut(at).map(|(_, series)| series)
    }

    pub(super) fn uncount(&mut self, window: u64, time: i64) {
        if let Some((_, series)) = self.counts.iter_mut().find(|(known, _)| *known == window) {
            series.remove(time);
        }
        self.counts.retain(|(_, series)| !series.is_empty());
    }

    /// When something passed in `window`.
    pub(super) fn passed(&self, window: u64) -> Option<i64> {
        let found = self.passes.iter().find(|(known, _)| *known == window);
        found.map(|(_, time)| *time)
    }

    /// Something passes at `time`; false when there are too many windows.
    pub(super) fn pass(&mut self, window: u64, time: i64) -> bool {
        let room = self.passes.len() < MAX_WINDOWS;
        match self.passes.iter_mut().find(|(known, _)| *known == window) {
            Some((_, passed)) => *passed = time,
            None if room => self.passes.push((window, time)),
            None => return false,
        }
        true
    }

    pub(super) fn unpass(&mut self, window: u64, before: Option<i64>) {
        match before {
            Some(before) => {
                self.pass(window, before);
            }
            None => self.passes.retain(|(known, _)| *known != window),
        }
    }

    /// Drop what no window reaches; false when nothing is left.
    pub(super) fn tidy(&mut self) -> bool {
        for (window, series) in &mut self.counts {
            series.tidy(*window);
        }
        self.seen || self.value.is_some() || !self.counts.is_empty() || !self.passes.is_empty()
    }

    /// About how many bytes it takes under `key`, which is held twice.
    pub(super) fn size(&self, key: &str) -> usize {
        let counts = self.counts.iter().map(|(_, series)| 64 + 16 * series.len());
        let value = self.value.as_ref().map_or(0, |value| value.json.len());
        size_of::<Self>() + 96 + key.len() + value + counts.sum::<usize>() + 16 * self.passes.len()
    }

    /// When nothing in it matters any more.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        if self.seen {
            return None;
        }
        let mut latest = self.at;
        if let Some(value) = &self.value {
            latest = latest.max(value.expires?);
        }
        let counts = self.counts.iter();
        let counts = counts.filter_map(|(window, series)| Some((*window, series.newest()?)));
        for (window, time) in counts.chain(self.passes.iter().copied()) {
            latest = latest.max(time.saturating_add_unsigned(window));
        }
        Some(Timestamp::from_millis(latest) + GRACE)
    }
}

/// The name under which the store keeps what a script of `name` remembers in `chain`.
pub(super) fn scope(name: &str, chain: &str) -> Text {
    format!("script/{name}/{chain}").into()
}
