//! The table `options` of a file sink, and what it becomes once checked.

use crate::rotation::{Compression, Every, Policy};
use serde::Deserialize;
use serde::de::Error as _;
use std::path::PathBuf;
use unifi_herald_plugin::{BuildContext, BuildError, Size};

/// The table `options` of a file sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    path: PathBuf,
    rotate: Option<Rotate>,
    #[serde(default)]
    sync: Sync,
    #[serde(default)]
    mode: Mode,
}

/// The table `rotate`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rotate {
    size: Option<Size>,
    every: Option<Every>,
    keep: Option<usize>,
    compress: Compression,
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
    pub(crate) rotate: Option<Policy>,
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
            rotate: self.rotate.map(Rotate::resolve).transpose()?,
            sync: self.sync,
            mode: self.mode.0,
        })
    }
}

impl Rotate {
    fn resolve(self) -> Result<Policy, BuildError> {
        const SMALLEST: Size = Size(4096);
        if self.size.is_none() && self.every.is_none() {
            return Err(BuildError::new(
                "rotate",
                "it needs `size = \"64MiB\"`, `every = \"day\"`, or both",
            ));
        }
        if self.size.is_some_and(|size| size < SMALLEST) {
            return Err(BuildError::new(
                "rotate.size",
                "it must be at least \"4KiB\"",
            ));
        }
        if self.keep == Some(0) {
            return Err(BuildError::new(
                "rotate.keep",
                "it must be at least 1; leave it out to keep every file",
            ));
        }
        Ok(Policy {
            size: self.size.map(|size| size.0),
            every: self.every,
            keep: self.keep,
            compress: self.compress,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::path::Path;
    use unifi_herald_plugin::testing::TestContext;

    fn resolve(options: Value) -> Result<Settings, String> {
        let config: Config = serde_json::from_value(options).map_err(|error| error.to_string())?;
        let context = TestContext::new().build_context("archive", Path::new("/etc/herald"));
        config.resolve(&context).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_start_at_the_configuration_and_defaults_are_filled_in() {
        let settings = resolve(json!({"path": "events.jsonl"})).unwrap();
        let expected = Settings {
            path: "/etc/herald/events.jsonl".into(),
            rotate: None,
            sync: Sync::None,
            mode: 0o640,
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn all_options_are_read() {
        let settings = resolve(json!({
            "path": "/var/log/e", "sync": "batch", "mode": "0600",
            "rotate": {"size": "64MiB", "every": "day", "keep": 10, "compress": "gzip"},
        }));
        let expected = Settings {
            path: "/var/log/e".into(),
            rotate: Some(Policy {
                size: Some(64 << 20),
                every: Some(Every::Day),
                keep: Some(10),
                compress: Compression::Gzip,
            }),
            sync: Sync::Batch,
            mode: 0o600,
        };
        assert_eq!(settings, Ok(expected));
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let said = |options| resolve(options).unwrap_err();
        let rotate = |rotate: Value| said(json!({"path": "e", "rotate": rotate}));
        assert!(rotate(json!({})).starts_with("`rotate`: it needs `size"));
        assert!(rotate(json!({"size": "1B"})).starts_with("`rotate.size`: it must be at least"));
        assert!(rotate(json!({"every": "day", "keep": 0})).starts_with("`rotate.keep`: "));
        assert!(rotate(json!({"evry": "day"})).contains("unknown field `evry`"));
        assert!(said(json!({"path": "/"})).starts_with("`path`: it names no file"));
        for mode in ["640", "0640"] {
            assert!(resolve(json!({"path": "e", "mode": mode})).is_ok());
        }
        for mode in ["0888", "1777", "rw", "", "+640"] {
            let said = said(json!({"path": "e", "mode": mode}));
            assert!(
                said.contains("permission bits such as \"0640\""),
                "{mode}: {said}"
            );
        }
    }
}
