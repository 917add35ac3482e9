//! What the user wrote about sources: where events of other programs come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[sources.NAME]`
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SourceTable {
    /// Name of the plugin; see `herald plugins list`. Required.
    pub(crate) plugin: Option<String>,
    /// The plugin's own keys; see `herald plugins show NAME`.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub(crate) options: toml::Table,
}
