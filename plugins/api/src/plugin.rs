//! How the host makes a sink, a filter or a source out of its table in the configuration.

use crate::{BuildContext, Filter, Sink, Source};
use serde::de::DeserializeOwned;
use std::fmt;

/// A sink that can be named in the configuration as `plugin = "<NAME>"`.
pub trait SinkPlugin: Sink + Sized {
    /// The name, `[a-z0-9_]+`.
    const NAME: &'static str;
    /// One line for `herald plugins list`: what it does.
    const SUMMARY: &'static str = "";
    /// The table `options`. Derive `Deserialize` with `deny_unknown_fields`, so that mistakes are found.
    type Config: DeserializeOwned;

    /// Make a sink. Called on start, on reload, by `herald check` and after a panic: it opens nothing.
    ///
    /// # Errors
    /// A [`BuildError`] that names the option and the fix.
    fn build(config: Self::Config, context: &BuildContext) -> Result<Self, BuildError>;
}

/// A filter that can be named in the configuration as `plugin = "<NAME>"`.
pub trait FilterPlugin: Filter + Sized {
    /// The name, `[a-z0-9_]+`.
    const NAME: &'static str;
    /// One line for `herald plugins list`: what it does.
    const SUMMARY: &'static str = "";
    /// The table `options`. Derive `Deserialize` with `deny_unknown_fields`, so that mistakes are found.
    type Config: DeserializeOwned;

    /// Make a filter.
    ///
    /// # Errors
    /// A [`BuildError`] that names the option and the fix.
    fn build(config: Self::Config, context: &BuildContext) -> Result<Self, BuildError>;
}

/// A source that can be named in the configuration as `plugin = "<NAME>"`.
pub trait SourcePlugin: Source + Sized {
    /// The name, `[a-z0-9_]+`.
    const NAME: &'static str;
    /// One line for `herald plugins list`: what it does.
    const SUMMARY: &'static str = "";
    /// The table `options`. Derive `Deserialize` with `deny_unknown_fields`, so that mistakes are found.
    type Config: DeserializeOwned;

    /// Make a source. Called before each time it is opened, and by `herald check`: it opens nothing.
    ///
    /// # Errors
    /// A [`BuildError`] that names the option and the fix.
    fn build(config: Self::Config, context: &BuildContext) -> Result<Self, BuildError>;
}

/// Options that parse but cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    option: String,
    message: String,
}

impl BuildError {
    /// `option` is the path inside `options` (`rotate.keep`), empty for the table as a whole; `message` says
    /// what is wrong and what to write instead. The host adds file, line and column.
    pub fn new(option: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            option: option.into(),
            message: message.into(),
        }
    }

    /// Path of the option inside `options`; empty for the table as a whole.
    #[must_use]
    pub fn option(&self) -> &str {
        &self.option
    }

    /// What is wrong and what to write instead.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.option.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "`{}`: {}", self.option, self.message)
        }
    }
}

impl std::error::Error for BuildError {}
