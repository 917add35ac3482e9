//! The store on a JetStream cluster, and this herald's part in it.

use std::path::PathBuf;
use unifi_herald_plugin::http::TlsOptions;

/// What one herald of several does.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Deserialize,
    serde::Serialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum HostRole {
    /// Listen to controllers, run chains, deliver.
    #[default]
    All,
    /// Listen to controllers, and put what comes into the stream.
    Collect,
    /// Run chains over what is in the stream, and deliver.
    Process,
}

impl HostRole {
    /// Whether it listens to controllers.
    #[must_use]
    pub fn collects(self) -> bool {
        matches!(self, Self::All | Self::Collect)
    }

    /// Whether it runs chains and delivers.
    #[must_use]
    pub fn processes(self) -> bool {
        matches!(self, Self::All | Self::Process)
    }
}

/// A JetStream cluster that keeps events until every sink has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JetstreamPlan {
    /// What this herald does.
    pub role: HostRole,
    /// `nats://host[:port]` or `tls://host[:port]`; at least one.
    pub servers: Vec<String>,
    /// File of credentials, absolute.
    pub creds: Option<PathBuf>,
    /// Whom to trust; `None` allows connections in the clear.
    pub tls: Option<TlsOptions>,
    /// Name of the stream.
    pub stream: String,
    /// On how many servers each event is.
    pub replicas: usize,
    /// Most bytes that wait.
    pub max_bytes: Option<u64>,
}

impl JetstreamPlan {
    /// Name of the stream unless told otherwise.
    pub const STREAM: &'static str = "herald";
}
