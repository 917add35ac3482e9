//! `[host]` and `store.jetstream` as they are written.

use super::TlsTable;
use crate::config::plan::{HostRole, JetstreamPlan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use unifi_herald_plugin::{Size, Span};

/// `[host]`
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HostTable {
    /// What this herald does with `store.mode = "jetstream"`: `collect` listens to controllers, `process` runs chains and
    /// sinks, `all` does both.
    pub(crate) role: HostRole,
}

/// `jetstream` of `[store]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JetstreamTable {
    /// Addresses of the cluster: `nats://host[:port]` or `tls://host[:port]`. Required.
    pub(crate) servers: Vec<String>,
    /// A file of credentials as `nsc generate creds` writes it, relative to the configuration file.
    pub(crate) creds: Option<PathBuf>,
    /// Whom to trust; where it is given nothing is sent in the clear.
    pub(crate) tls: Option<TlsTable>,
    /// Name of the stream; herald makes it, and buckets whose names begin with it.
    pub(crate) stream: String,
    /// On how many servers each event is: 1, 3 or 5.
    pub(crate) replicas: usize,
    /// No sink gets what is older when its turn comes: the longest that `max_age` of a sink can be.
    pub(crate) max_age: Option<Span>,
    /// Most bytes that wait in the cluster. When it is full, collectors keep what comes.
    pub(crate) max_bytes: Option<Size>,
}

impl Default for JetstreamTable {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            creds: None,
            tls: None,
            stream: JetstreamPlan::STREAM.to_owned(),
            replicas: 1,
            max_age: None,
            max_bytes: None,
        }
    }
}
