//! `[server]` as it is written.

use super::masked;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unifi_herald_plugin::Secret;

/// `[server]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerTable {
    /// Address and port; any but loopback wants a `token`.
    pub(crate) listen: String,
    /// What browsers log in with, and what programs send as `Authorization: Bearer`.
    #[serde(serialize_with = "masked")]
    pub(crate) token: Option<Secret>,
    /// Names under which browsers reach it besides its address: that of the machine, or of a reverse proxy.
    pub(crate) hosts: Vec<String>,
}

impl Default for ServerTable {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8480".to_owned(),
            token: None,
            hosts: Vec::new(),
        }
    }
}
