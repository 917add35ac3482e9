//! When the file is set aside, and what becomes of those set aside: decisions only.
//!
//! A file set aside is called `events.jsonl.000042`, later `events.jsonl.000042.gz`. Its number is one more than the highest
//! there is and never changes, so that no crash can mix two files up, and a listing by name is a listing by age whatever
//! the clock did.

use serde::Deserialize;
use std::collections::BTreeMap;
use unifi_herald_plugin::{Timestamp, Zone};

/// The checked table `rotate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Most bytes in the file; one batch may be larger.
    pub(crate) size: Option<u64>,
    pub(crate) every: Option<Every>,
    /// How many are kept; all when `None`.
    pub(crate) keep: Option<usize>,
    pub(crate) compress: Compression,
}

/// A period of local time; a file holds events written in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Every {
    Hour,
    Day,
}

/// How files set aside are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    #[default]
    None,
    Gzip,
    Zstd,
}

/// A file beside the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Aside {
    pub(crate) number: u64,
    pub(crate) form: Form,
}

/// What a file set aside holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// Lines, or all of them compressed.
    Whole(Compression),
    /// A compression under way, or broken off.
    Partial(Compression),
}

/// What is to be done about one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chore {
    /// Remove these: too old, or left over.
    Remove(Vec<Aside>),
    /// The lines are there uncompressed: finish what a crash broke off, or begin.
    Settle { number: u64, compressed: bool },
}

impl Policy {
    /// Whether a file of `size` bytes, last written at `last`, must be set aside before `incoming` bytes are written at `now`.
    pub(crate) fn due(
        self,
        size: u64,
        incoming: u64,
        last: Timestamp,
        now: Timestamp,
        zone: &Zone,
    ) -> bool {
        let full = self
            .size
            .is_some_and(|most| size.saturating_add(incoming) > most);
        // Not when a clock was set back: the period of the last write is not over then.
        let over = self
            .every
            .is_some_and(|every| every.period(now, zone) > every.period(last, zone));
        size > 0 && (full || over)
    }

    /// What is to be done, oldest first, when these files are there.
    pub(crate) fn chores(self, found: &[Aside]) -> Vec<Chore> {
        let mut numbers: BTreeMap<u64, Vec<Aside>> = BTreeMap::new();
        for aside in found {
            numbers.entry(aside.number).or_default().push(*aside);
        }
        let whole = |files: &[Aside]| files.iter().any(|file| matches!(file.form, Form::Whole(_)));
        let count = numbers.values().filter(|files| whole(files)).count();
        let mut surplus = count.saturating_sub(self.keep.unwrap_or(usize::MAX));
        let mut chores = Vec::new();
        for (number, files) in numbers {
            if !whole(&files) {
                chores.push(Chore::Remove(files));
            } else if surplus > 0 {
                surplus -= 1;
                chores.push(Chore::Remove(files));
            } else if let Some(chore) = self.settle(number, &files) {
                chores.push(chore);
            }
        }
        chores
    }

    fn settle(self, number: u64, files: &[Aside]) -> Option<Chore> {
        let plain = |file: &Aside| file.form == Form::Whole(Compression::None);
        let compressed = files
            .iter()
            .any(|file| matches!(file.form, Form::Whole(_)) && !plain(file));
        let untidy = files.len() > 1 || self.compress != Compression::None;
        (untidy && files.iter().any(plain)).then_some(Chore::Settle { number, compressed })
    }
}

impl Every {
    /// Number of the period since 1970.
    fn period(self, at: Timestamp, zone: &Zone) -> i64 {
        let offset = i64::from(zone.offset(at));
        let (seconds, ahead) = match self {
            // An hour that comes twice, as in autumn, is two hours.
            Self::Hour => (3600, offset.rem_euclid(3600)),
            Self::Day => (86_400, offset),
        };
        (at.as_secs() + ahead).div_euclid(seconds)
    }
}

impl Compression {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Zstd];

    fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

impl Aside {
    /// The number after the highest there is.
    pub(crate) fn next_number(found: &[Self]) -> u64 {
        let highest = found.iter().map(|aside| aside.number).max();
        highest.unwrap_or(0).saturating_add(1)
    }

    /// What follows the live file's name: `.000042.gz`.
    pub(crate) fn suffix(self) -> String {
        let (compression, partial) = match self.form {
            Form::Whole(compression) => (compression, ""),
            Form::Partial(compression) => (compression, ".tmp"),
        };
        format!(".{:06}{}{partial}", self.number, compression.suffix())
    }

    /// The reverse; `None` for what is no file of ours.
    pub(crate) fn parse(suffix: &str) -> Option<Self> {
        let rest = suffix.strip_prefix('.')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[..digits].parse().ok()?;
        let forms = Compression::ALL
            .into_iter()
            .flat_map(|compression| [Form::Whole(compression), Form::Partial(compression)]);
        forms
            .map(|form| Self { number, form })
            .find(|aside| aside.suffix() == suffix)
    }
}

#[cfg(test)]
mod tests;
