//! The table `options` of a file sink, and what it becomes once checked.

use serde::Deserialize;
use serde::de::Error as _;
use std::path::PathBuf;
use unifi_herald_plugin::{BuildContext, BuildError};

/// The table `options` of a file sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    path: PathBuf,
    #[serde(default)]
    sync: Sync,
    #[serde(default)]
    mode: Mode,
}

/// When an event counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sync {
    /// When the system has it: it survives a crash of herald, not a power cut.
    #[default]
    None,
    /// When the disk has it.
    Batch,
}

/// Permission bits of new files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mode(u32);

impl Default for Mode {
    fn default() -> Self {
        Self(0o640)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom("expected permission bits such as \"0640\"");
        let digits = (3..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let bits = u32::from_str_radix(&text, 8).map_err(|_| wrong())?;
        if digits && bits <= 0o777 {
            Ok(Self(bits))
        } else {
            Err(wrong())
        }
    }
}

/// Checked options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Absolute.
    pub(crate) path: PathBuf,
    pub(crate) sync: Sync,
    pub(crate) mode: u32,
}

impl Config {
    pub(crate) fn resolve(self, context: &BuildContext) -> Result<Settings, BuildError> {
        if self.path.file_name().is_none() {
            return Err(BuildError::new(
                "path",
                "it names no file; write something like \"events.jsonl\"",
            ));
        }
        Ok(Settings {
            path: context.path(&self.path),
            sync: self.sync,
            mode: self.mode.0,
        })
    }
}
