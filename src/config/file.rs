//! What the user wrote: one struct per table; the comments here are the reference of the configuration.
//!
//! Every key has a default or is optional, so that a file with mistakes can be read as far as it goes; what
//! must be there is demanded in the second stage.

mod alerts;
mod cluster;
mod server;
mod sinks;
mod sources;

pub(crate) use alerts::*;
pub(crate) use cluster::{HostTable, JetstreamTable};
pub(crate) use server::ServerTable;
pub(crate) use sinks::*;
pub(crate) use sources::SourceTable;

use super::plan::{
    BackfillPlan, FirstRun, LogFormat, OnError, StoreMode, StorePlan, SyncMode, WhenFull,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use unifi_herald_plugin::{Secret, Severity, Size, Span};

/// The whole file. Names of tables are `[a-z0-9_]+`.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct File {
    /// Names of presets: alerts and a chain that come with herald; see `herald presets list`.
    pub(crate) presets: Vec<String>,
    /// The sinks they send to; without it, every sink that no chain names.
    pub(crate) preset_sinks: Option<Vec<String>>,
    /// `[controllers.NAME]`: whom to listen to.
    pub(crate) controllers: BTreeMap<String, ControllerTable>,
    /// `[sources.NAME]`: where events of other programs come from.
    pub(crate) sources: BTreeMap<String, SourceTable>,
    /// `[host]`: this herald's part among several.
    pub(crate) host: HostTable,
    /// `[buffer]`: the ring between the socket and the chains.
    pub(crate) buffer: BufferTable,
    /// `[store]`: where events are kept until every sink has them.
    pub(crate) store: StoreTable,
    /// `[scripts.NAME]`: Rhai scripts that chains may use.
    pub(crate) scripts: BTreeMap<String, ScriptTable>,
    /// `[filters.NAME]`: filters written in Rust that chains may use.
    pub(crate) filters: BTreeMap<String, FilterTable>,
    /// `[alerts.NAME]`: what people are told of, and when.
    pub(crate) alerts: BTreeMap<String, AlertTable>,
    /// `[digests.NAME]`: what is told once a day.
    pub(crate) digests: BTreeMap<String, DigestTable>,
    /// `[sinks.NAME]`: where events go.
    pub(crate) sinks: BTreeMap<String, SinkTable>,
    /// `[chains.NAME]`: which events go through which steps.
    pub(crate) chains: BTreeMap<String, ChainTable>,
    /// `[time]`: how moments are read and written.
    pub(crate) time: TimeTable,
    /// `[heartbeat]`: whom to tell that all is well.
    pub(crate) heartbeat: Option<HeartbeatTable>,
    /// `[log]`: what herald says about itself, on standard error.
    pub(crate) log: LogTable,
    /// `[server]`: dashboard, metrics and health by HTTP; off unless the table is there.
    pub(crate) server: Option<ServerTable>,
}

/// `[controllers.NAME]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ControllerTable {
    /// Where it is: `https://host[:port]`, without a path. Required.
    pub(crate) url: Option<String>,
    /// What it is: `auto`, `unifi-os` or `self-hosted`.
    pub(crate) kind: KindKey,
    /// Short or display names of sites; `["*"]` for all that the account may see.
    pub(crate) sites: Vec<String>,
    /// The account. Required.
    pub(crate) auth: Option<AuthTable>,
    /// Whom to trust; without it, the system's certificate authorities.
    pub(crate) tls: TlsTable,
    /// Query string of the socket's URL, such as `clients=v2`; empty for none.
    pub(crate) socket_query: String,
    /// What is fetched from the controller's history to fill holes: after a reconnect, and after a start.
    pub(crate) backfill: BackfillTable,
}

/// `backfill` of a controller
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BackfillTable {
    /// What is older than this is not fetched but reported as a `herald.gap`.
    pub(crate) max_age: Span,
    /// What becomes of the history that herald finds when it meets a site for the first time: `seed` writes it to the
    /// journal and lets scripts remember it, `deliver` gives it to the sinks as well.
    pub(crate) first_run: FirstRun,
}

/// `kind` of a controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KindKey {
    /// Find out.
    #[default]
    Auto,
    /// A UniFi OS console or UniFi OS Server.
    UnifiOs,
    /// The classic Network application.
    SelfHosted,
}

/// `auth` of a controller
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthTable {
    /// Name of a local account; view-only is enough. Required.
    pub(crate) username: Option<String>,
    /// Its password. Required.
    #[serde(serialize_with = "masked")]
    pub(crate) password: Option<Secret>,
    /// Base32 secret of a time-based one-time password.
    #[serde(serialize_with = "masked")]
    pub(crate) totp: Option<Secret>,
    /// API key for REST requests; the socket does not take it.
    #[serde(serialize_with = "masked")]
    pub(crate) api_key: Option<Secret>,
}

/// `tls` of a controller: one of these
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsTable {
    /// SHA-256 of the certificate's DER in hex, colons allowed; nothing else is then checked.
    pub(crate) pin_sha256: Option<String>,
    /// A PEM file with further certificate authorities, or the certificate itself; relative to the configuration file.
    pub(crate) ca_file: Option<PathBuf>,
    /// Trust anybody. Warns at every start.
    pub(crate) insecure: bool,
}

/// `[buffer]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BufferTable {
    /// Most events in the ring.
    pub(crate) capacity: usize,
    /// What happens when it is full: `wait`, `drop_oldest` or `drop_newest`.
    pub(crate) when_full: WhenFull,
    /// With `wait`: how long the source waits for room before the oldest is dropped.
    pub(crate) max_wait: Span,
    /// Most bytes in the ring and all lanes together.
    pub(crate) max_bytes: Size,
}

/// `[store]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoreTable {
    /// How events are kept until every sink has them: `disk`, `memory`, or `jetstream` for several heralds on one cluster.
    pub(crate) mode: StoreMode,
    /// What a batch waits for before any sink sees it: `full` outlives a power cut, `normal` the process.
    pub(crate) sync: SyncMode,
    /// Folder for what outlives the process, relative to the configuration file. Default: `$STATE_DIRECTORY`, else
    /// `herald-data`.
    pub(crate) dir: Option<PathBuf>,
    /// How long the journal keeps what no sink awaits.
    pub(crate) keep: Span,
    /// Most bytes of the database; its log takes up to a sixteenth more. Beyond it the journal's oldest go, then the oldest
    /// of the longest backlog.
    pub(crate) max_size: Size,
    /// The NATS JetStream cluster, with `mode = "jetstream"`.
    pub(crate) jetstream: Option<JetstreamTable>,
}

/// `[scripts.NAME]`
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScriptTable {
    /// The script, relative to the configuration file. Required.
    pub(crate) file: Option<PathBuf>,
    /// What an error does to the event: `keep`, `drop` or `dead_letter`.
    pub(crate) on_error: OnError,
    /// Readable as `params` in every function of the script.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub(crate) params: toml::Table,
}

/// `[filters.NAME]`
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FilterTable {
    /// Name of the plugin; see `herald plugins list`. Required.
    pub(crate) plugin: Option<String>,
    /// What an error does to the event: `keep`, `drop` or `dead_letter`.
    pub(crate) on_error: OnError,
    /// The plugin's own keys; see `herald plugins show NAME`.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub(crate) options: toml::Table,
}

/// `[chains.NAME]`
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChainTable {
    /// Which events enter; without it, all.
    #[serde(skip_serializing_if = "WhenTable::is_empty")]
    pub(crate) when: WhenTable,
    /// What happens to them, in order. Required.
    pub(crate) steps: Vec<StepTable>,
}

/// A step of a chain: one of `script`, `where`, `filter`, `alert`, `digest` and `sink`
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StepTable {
    /// Name of a script under `[scripts]`.
    pub(crate) script: Option<String>,
    /// A script in one line; events for which it is false go no further.
    #[serde(rename = "where")]
    pub(crate) expression: Option<String>,
    /// Name of a filter under `[filters]`.
    pub(crate) filter: Option<String>,
    /// Name of an alert under `[alerts]`; it keeps the events it counts, and what it has to say goes on from here.
    pub(crate) alert: Option<String>,
    /// Name of a digest under `[digests]`; it keeps what comes, and what it has to say goes on from here.
    pub(crate) digest: Option<String>,
    /// Name of a sink under `[sinks]`; the event goes there and on to the next step.
    pub(crate) sink: Option<String>,
    /// Which events the step looks at; the others pass it by.
    #[serde(skip_serializing_if = "WhenTable::is_empty")]
    pub(crate) when: WhenTable,
}

/// `when` of a chain or a step; every key is optional, lists take `*` and `?`
#[derive(Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WhenTable {
    /// Names of controllers.
    pub(crate) controllers: Option<Vec<String>>,
    /// Short or display names of sites, optionally `controller/site`.
    pub(crate) sites: Option<Vec<String>>,
    /// Kinds of events: `device.*`.
    pub(crate) kinds: Option<Vec<String>>,
    /// MAC addresses, names or host names of clients.
    pub(crate) clients: Option<Vec<String>>,
    /// MAC addresses or names of devices.
    pub(crate) devices: Option<Vec<String>>,
    /// Names of wireless networks.
    pub(crate) ssids: Option<Vec<String>>,
    /// The mildest severity: `debug`, `info`, `notice`, `warning`, `error` or `critical`.
    pub(crate) min_severity: Option<Severity>,
}

/// `[time]`
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TimeTable {
    /// Name of a time zone such as `Europe/Berlin`; without it, the system's.
    pub(crate) zone: Option<String>,
}

/// `[heartbeat]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HeartbeatTable {
    /// Asked for while every controller is connected and heard, every source is connected, and the store keeps its promise:
    /// a dead man's switch behind it raises the alarm when that ends. Required.
    #[serde(serialize_with = "masked")]
    pub(crate) url: Option<Secret>,
    /// How often.
    pub(crate) every: Span,
}

/// `[log]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogTable {
    /// `error`, `warn`, `info`, `debug` or `trace`, and per module: `info,unifi_herald::source=debug`.
    pub(crate) level: String,
    /// Form of a line: `text` or `json`; `journald` writes to the journal of systemd, with fields.
    pub(crate) format: LogFormat,
}

impl WhenTable {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ControllerTable {
    fn default() -> Self {
        Self {
            url: None,
            kind: KindKey::Auto,
            sites: vec!["default".to_owned()],
            auth: None,
            tls: TlsTable::default(),
            socket_query: String::new(),
            backfill: BackfillTable::default(),
        }
    }
}

impl Default for BackfillTable {
    fn default() -> Self {
        let plan = BackfillPlan::default();
        Self {
            max_age: Span(plan.max_age),
            first_run: plan.first_run,
        }
    }
}

impl Default for BufferTable {
    fn default() -> Self {
        Self {
            capacity: 10_000,
            when_full: WhenFull::Wait,
            max_wait: Span(Duration::from_secs(5)),
            max_bytes: Size(32 << 20),
        }
    }
}

impl Default for StoreTable {
    fn default() -> Self {
        Self {
            mode: StoreMode::default(),
            sync: SyncMode::default(),
            dir: None,
            keep: Span(StorePlan::KEEP),
            max_size: Size(StorePlan::MAX_SIZE),
            jetstream: None,
        }
    }
}

impl Default for HeartbeatTable {
    fn default() -> Self {
        Self {
            url: None,
            every: Span(Duration::from_mins(1)),
        }
    }
}

impl Default for LogTable {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
        }
    }
}

/// `***` for any secret.
#[expect(clippy::ref_option, reason = "the signature serde asks for")]
fn masked<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some("***"),
        None => serializer.serialize_none(),
    }
}
