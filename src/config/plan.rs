//! What will run: the configuration after defaults, cross-checks and file reads.

mod alerts;
mod chains;
mod cluster;
mod sink;
mod source;
mod store;

pub use alerts::*;
pub use chains::*;
pub use cluster::{HostRole, JetstreamPlan};
pub use sink::{BatchPlan, RetryPlan, SinkPlan};
pub use source::SourcePlan;
pub use store::{StoreMode, StorePlan, SyncMode};

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{Revealed, Text};

/// A checked configuration. Nothing in it needs a file, a variable or a second look.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Folder of the configuration file; relative paths in plugin options start here.
    pub base: PathBuf,
    /// In the order of the file.
    pub controllers: Vec<ControllerPlan>,
    /// In the order of the file.
    pub sources: Vec<SourcePlan>,
    /// The ring between the socket and the chains.
    pub buffer: BufferPlan,
    /// Where batches are committed.
    pub store: StorePlan,
    /// By name.
    pub scripts: BTreeMap<Text, ScriptPlan>,
    /// By name.
    pub filters: BTreeMap<Text, PluginPlan>,
    /// In the order of the file; steps refer to them by position.
    pub alerts: Vec<AlertPlan>,
    /// In the order of the file; steps refer to them by position.
    pub digests: Vec<DigestPlan>,
    /// In the order of the file; steps refer to them by position.
    pub sinks: Vec<SinkPlan>,
    /// In the order of the file.
    pub chains: Vec<ChainPlan>,
    /// Time zone of `in_hours`, digests and file rotation by day.
    pub zone: jiff::tz::TimeZone,
    /// Whom to tell that all is well.
    pub heartbeat: Option<HeartbeatPlan>,
    /// How to log.
    pub log: LogPlan,
    /// Dashboard, metrics and health by HTTP, where they are wanted.
    pub server: Option<ServerPlan>,
    /// What deserves a word but stops nothing: `insecure = true`, a sink that no chain names.
    pub warnings: Vec<String>,
}

/// What a command must know that asks a running host or opens its store.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Where batches are committed.
    pub store: StorePlan,
    /// Name and, where it is written, kind, in the order of the file.
    pub controllers: Vec<(Text, Option<ControllerKind>)>,
    /// Names in the order of the file.
    pub sources: Vec<Text>,
    /// Names in the order of the file.
    pub sinks: Vec<Text>,
    /// Name and file of each script.
    pub scripts: Vec<(Text, PathBuf)>,
    /// Time zone of what people write and read.
    pub zone: jiff::tz::TimeZone,
}

/// One controller to listen to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerPlan {
    /// Its name in the configuration.
    pub name: Text,
    /// `https://host[:port]`, without a path or a slash at the end.
    pub url: String,
    /// What it is, when the configuration says so; otherwise it is found out.
    pub kind: Option<ControllerKind>,
    /// Which sites.
    pub sites: Sites,
    /// How to log in.
    pub auth: AuthPlan,
    /// Whom to trust; paths are absolute.
    pub tls: TlsOptions,
    /// Query string of the socket's URL, without `?`; empty for none.
    pub socket_query: String,
    /// What is fetched from its history.
    pub backfill: BackfillPlan,
}

/// What is fetched from a controller's history to fill holes in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackfillPlan {
    /// What is older is not fetched but reported as a `herald.gap`.
    pub max_age: Duration,
    /// What becomes of the history that herald finds when it meets a site for the first time.
    pub first_run: FirstRun,
    /// How much before the beginning of a hole is fetched as well: what was under way when the connection broke.
    pub overlap: Duration,
    /// After how long the end of a hole is fetched once more: the controller writes its history with a delay.
    pub settle: Duration,
    /// After how long without a frame a connected socket is suspected to have missed something.
    pub mute: Duration,
}

impl Default for BackfillPlan {
    fn default() -> Self {
        Self {
            max_age: Duration::from_hours(7 * 24),
            first_run: FirstRun::default(),
            overlap: Duration::from_secs(60),
            settle: Duration::from_secs(90),
            mute: Duration::from_mins(10),
        }
    }
}

/// What becomes of the history that is older than herald.
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
pub enum FirstRun {
    /// It goes to the journal, and scripts remember it, but no sink gets it.
    #[default]
    Seed,
    /// It goes to the sinks as if it had just happened.
    Deliver,
}

/// The two APIs a controller may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControllerKind {
    /// A UniFi OS console or UniFi OS Server.
    UnifiOs,
    /// The classic self-hosted Network application.
    SelfHosted,
}

impl ControllerKind {
    /// `unifi-os` or `self-hosted`, as in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnifiOs => "unifi-os",
            Self::SelfHosted => "self-hosted",
        }
    }
}

/// Which sites of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sites {
    /// Every site the account may see, found at login.
    All,
    /// These, by short name or display name.
    Named(Vec<Text>),
}

/// How to log in to a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthPlan {
    /// Account name.
    pub username: String,
    /// Its password.
    pub password: Revealed,
    /// Base32 secret of a time-based one-time password (RFC 6238).
    pub totp: Option<Revealed>,
    /// API key for REST; the socket does not take it.
    pub api_key: Option<Revealed>,
}

/// Bounds of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferPlan {
    /// Most events in the ring.
    pub capacity: usize,
    /// What happens when it is full.
    pub when_full: WhenFull,
    /// How long the source waits for room before the oldest is dropped.
    pub max_wait: Duration,
    /// Most bytes in the ring and all lanes together.
    pub max_bytes: u64,
}

/// What happens to an event that finds the ring full. Every loss is counted and becomes part of a `herald.gap`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// The source stops reading and TCP holds the rest; after `max_wait` as `DropOldest`.
    Wait,
    /// The oldest in the ring is lost.
    DropOldest,
    /// The new one is lost.
    DropNewest,
}

/// A script and its parameters.
#[derive(Clone, Debug)]
pub struct ScriptPlan {
    /// The file, absolute.
    pub file: PathBuf,
    /// What an error does to the event.
    pub on_error: OnError,
    /// Readable in the script as `params`.
    pub params: toml::Table,
}

/// What an error in a step does to the event that met it.
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
pub enum OnError {
    /// It goes on unchanged: an alert too many rather than one too few.
    #[default]
    Keep,
    /// It goes no further in this chain.
    Drop,
    /// It goes no further and is kept as a dead letter of every sink behind the step.
    DeadLetter,
}

/// A plugin and its options. Its `Debug` names the options and leaves their values out: some are secrets.
#[derive(Clone, PartialEq)]
pub struct PluginPlan {
    /// The plugin's name.
    pub plugin: String,
    /// Its table `options`.
    pub options: toml::Table,
    /// What an error does to the event; filters only.
    pub on_error: OnError,
}

impl fmt::Debug for PluginPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<&str> = self.options.keys().map(String::as_str).collect();
        f.debug_struct("PluginPlan")
            .field("plugin", &self.plugin)
            .field("options", &options)
            .field("on_error", &self.on_error)
            .finish()
    }
}

/// A dead man's switch: who hears nothing for longer than `every` raises the alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatPlan {
    /// Where to; its path is often a key.
    pub url: Revealed,
    /// How often.
    pub every: Duration,
}

/// Dashboard, metrics and health by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPlan {
    /// Where; loopback, or with a token.
    pub listen: SocketAddr,
    /// What opens it.
    pub token: Option<Revealed>,
    /// Names under which browsers reach it besides its address, in lower case.
    pub hosts: Vec<String>,
}

/// How to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPlan {
    /// Levels in the syntax of tracing's `EnvFilter`: `info,unifi_herald::source=debug`.
    pub filter: String,
    /// Form of a line.
    pub format: LogFormat,
}

/// Form of a log line.
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
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
    /// The journal of systemd, with fields; standard error where there is none.
    Journald,
}
