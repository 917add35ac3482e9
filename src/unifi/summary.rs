//! One line for people about every event.

mod lines;
mod pieces;
mod rendered;

use super::item::Item;
use super::names::Names;
use super::subjects::Details;
use super::text::{clean, cut};
use unifi_herald_plugin::{Event, Text};

/// Longest summary, in characters.
const MAX_SUMMARY: usize = 512;

/// The summary of `event`, whose subjects are filled: herald's own sentence where the pieces for it exist, else the
/// controller's words with names in them, else the key. It is put together in `line`, which is kept for its capacity.
pub(super) fn summary(
    line: &mut String,
    event: &Event,
    item: &Item<'_>,
    details: &Details<'_>,
    names: &mut Names,
) -> Text {
    line.clear();
    if !lines::write(line, event, details) {
        line.clear();
        if !rendered::write(line, item, names) {
            lines::fall_back(line, event);
        }
    }
    // Details and the controller's words come as they are; names are clean already.
    clean(cut(line, 4 * MAX_SUMMARY), MAX_SUMMARY)
        .as_ref()
        .into()
}

/// Seconds as people say them, in at most two units: `45s`, `3m 21s`, `2h 5m`, `4d`.
pub(super) fn duration(seconds: u64) -> String {
    let units = [
        (seconds / 86_400, 'd'),
        (seconds / 3600 % 24, 'h'),
        (seconds / 60 % 60, 'm'),
        (seconds % 60, 's'),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown: Vec<String> = units[first..]
        .iter()
        .take(2)
        .enumerate()
        .filter(|(place, (count, _))| *place == 0 || *count > 0)
        .map(|(_, (count, unit))| format!("{count}{unit}"))
        .collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests;
