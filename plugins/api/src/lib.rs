//! The contract between unifi-herald and its plugins.
//!
//! A plugin is a type that implements [`Sink`] (where events go) or [`Filter`] (a step of a chain), and
//! [`SinkPlugin`] or [`FilterPlugin`] (how it is made out of its table in `config.toml`). It sees this crate and
//! nothing else of the host. The host owns queueing, batching, timeouts, retries, health and dead letters.
//!
//! # A whole sink
//!
//! ```
//! use serde::Deserialize;
//! use unifi_herald_plugin::http::{HttpClient, HttpOptions, Request, TlsOptions};
//! use unifi_herald_plugin::{Batch, BuildContext, BuildError, DeliveryError, Revealed, Secret, Sink, SinkPlugin, async_trait};
//!
//! /// `[sinks.oncall.options]`
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! pub struct Config {
//!     url: String,
//!     token: Secret,
//!     #[serde(default)]
//!     tls: TlsOptions,
//! }
//!
//! /// Posts one line of text per event to a pager.
//! pub struct Pager {
//!     http: HttpClient,
//!     url: String,
//!     token: Revealed,
//! }
//!
//! impl SinkPlugin for Pager {
//!     const NAME: &'static str = "pager";
//!     const SUMMARY: &'static str = "posts each event to the pager";
//!     type Config = Config;
//!
//!     fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
//!         Ok(Self {
//!             http: context.http(&HttpOptions { tls: config.tls })?,
//!             token: context.reveal("token", &config.token)?,
//!             url: config.url,
//!         })
//!     }
//! }
//!
//! #[async_trait]
//! impl Sink for Pager {
//!     async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
//!         for (accepted, event) in batch.iter().enumerate() {
//!             let request = Request::post(&self.url)
//!                 .header("authorization", format!("Bearer {}", self.token.expose()))
//!                 .header("idempotency-key", &*event.id)
//!                 .body(event.summary.to_string().into())
//!                 .map_err(DeliveryError::misconfigured)?;
//!             self.http.deliver(request).await.map_err(|error| error.with_accepted(accepted))?;
//!         }
//!         Ok(())
//!     }
//! }
//! ```
//!
//! It becomes part of a herald by one line: `unifi_herald::builtin().sink::<Pager>()`.
//!
//! # A whole filter
//!
//! ```
//! use serde::Deserialize;
//! use unifi_herald_plugin::{BoxError, BuildContext, BuildError, Event, Filter, FilterPlugin, Severity, Verdict};
//!
//! /// `[filters.louder.options]`
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! pub struct Config {
//!     ssid: String,
//! }
//!
//! /// Makes everything about one network a warning at least.
//! pub struct Louder {
//!     ssid: String,
//! }
//!
//! impl FilterPlugin for Louder {
//!     const NAME: &'static str = "louder";
//!     const SUMMARY: &'static str = "makes events of one network warnings";
//!     type Config = Config;
//!
//!     fn build(config: Config, _: &BuildContext) -> Result<Self, BuildError> {
//!         Ok(Self { ssid: config.ssid })
//!     }
//! }
//!
//! impl Filter for Louder {
//!     fn apply(&mut self, event: &Event) -> Result<Verdict, BoxError> {
//!         if event.ssid.as_deref() != Some(&*self.ssid) || event.severity >= Severity::Warning {
//!             return Ok(Verdict::Keep);
//!         }
//!         // It keeps its id: it is the same event, changed.
//!         let mut event = event.clone();
//!         event.severity = Severity::Warning;
//!         Ok(Verdict::Replace(vec![event]))
//!     }
//! }
//! ```
//!
//! `unifi_herald::builtin().filter::<Louder>()` adds it; `[filters.louder]` with `plugin = "louder"` and a step
//! `{ filter = "louder" }` in a chain use it.
//!
//! # A source
//!
//! A type that implements [`Source`] and [`SourcePlugin`] brings the JSON of events from other programs;
//! `unifi_herald::builtin().source::<Mine>()` adds it, and `[sources.NAME]` uses it. The host parses, bounds, recognises what
//! comes twice, and says what became of it.
//!
//! # What the host does, in order
//!
//! 1. `build` at every start and reload, by `herald check`, and again after a panic. It opens nothing. Mistakes in the
//!    options are found before, by `Deserialize`, or here, as a [`BuildError`] that names the option.
//! 2. [`Sink::check`] when somebody asks whether the destination could be reached.
//! 3. [`Sink::deliver`] whenever there are events, one call at a time. A call that takes longer than the sink's `timeout` is
//!    dropped at an `await`, and its events come again with the same ids. [`DeliveryError`] says what arrived and whether to
//!    try again.
//! 4. [`Sink::wake`] at the time that [`Sink::wake_at`] names.
//! 5. [`Sink::close`] once, at the end.
//!
//! A plugin gets the time, tasks, HTTP and secrets from its [`BuildContext`], so that a test can play the host. A sink also
//! gets a [`Storage`] for what it must know again after a restart.
//!
//! A sink that can only block, because it writes files or uses a library without async, implements [`BlockingSink`] and
//! hands itself to a [`Blocking`], which keeps its books when a delivery is cancelled. Every sink should pass
//! `testing::assert_sink_contract` (feature `testing`).
//!
//! # Stability
//!
//! Versions follow Semantic Versioning, as `cargo semver-checks` reads it: what compiles with 0.1.0 compiles with every
//! 0.1.x. Traits get new methods only with a default; public structs that may grow are `non_exhaustive`. Kinds of events and
//! fields of their JSON may be added, and those that are there keep their meaning. The test kit may find more than before.
//!
//! Signatures use only this crate, the standard library, and the crates `async-trait`, `bytes`, `http`, `serde`,
//! `serde_json` and `tokio` (its two I/O traits), all of them 1.0 or behind this crate's own names.

mod blocking;
pub mod connect;
mod context;
mod event;
mod filter;
pub mod http;
mod plain;
mod plugin;
#[cfg(feature = "schema")]
mod schema;
mod secret;
mod sink;
mod source;
mod storage;
#[cfg(feature = "samples")]
pub mod testing;
mod units;
mod zone;

pub use async_trait::async_trait;
pub use blocking::{Blocking, BlockingSink};
pub use connect::{Connection, Connector};
pub use context::{BuildContext, Services};
pub use event::{
    Admin, Alert, AlertState, Band, BufferedEvent, Client, Device, Digest, DigestIncident,
    DigestTop, EVENT_VERSION, Endpoint, Event, Fields, Gap, InvalidMac, InvalidTimestamp, Kind,
    MAX_ALERT_EVENTS, MAX_RAW, Mac, Network, Origin, Place, Port, Raw, Severity, Text, Threat,
    Timestamp, UnknownKind, UnknownSeverity, Uplink, Voucher, Vpn, Wan,
};
pub use filter::{Filter, Verdict};
pub use http::{HttpClient, HttpOptions};
pub use plain::push_plain;
pub use plugin::{BuildError, FilterPlugin, SinkPlugin, SourcePlugin};
pub use secret::{Revealed, Secret, SecretError};
pub use sink::{Batch, DeliveryError, Fault, Retry, Sink};
pub use source::{Message, Settled, Source};
pub use storage::{Storage, StorageChange};
pub use units::{InvalidUnit, Size, Span};
pub use zone::Zone;

/// Any error, for the boundary between plugin and host.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A future that owns its way.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
