//! A file with cases, as it is written.

use serde::Deserialize;
use std::path::PathBuf;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileTable {
    /// Where `corpus = "file:line"` looks, relative to this file.
    pub(super) corpus: Option<PathBuf>,
    /// For cases that say nothing else.
    pub(super) start: Option<String>,
    pub(super) zone: Option<String>,
    #[serde(default)]
    pub(super) params: toml::Table,
    #[serde(default, rename = "case")]
    pub(super) cases: Vec<CaseTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseTable {
    pub(super) name: String,
    /// When it begins; the time of made-up events otherwise.
    pub(super) start: Option<String>,
    /// The zone of `in_hours`; UTC otherwise.
    pub(super) zone: Option<String>,
    #[serde(default)]
    pub(super) params: toml::Table,
    pub(super) steps: Vec<StepTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepTable {
    /// Since the start of the case; as the step before otherwise.
    pub(super) at: Option<String>,
    pub(super) event: toml::Table,
    pub(super) expect: toml::Value,
}
