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
//! A sink that can only block, because it writes files or uses a library without async, implements [`BlockingSink`] and
//! hands itself to a [`Blocking`], which keeps its books when a delivery is cancelled. Every sink should pass
//! `testing::assert_sink_contract` (feature `testing`).
//!
//! # Stability
//!
//! Signatures use only this crate, the standard library, and the crates `async-trait`, `bytes`, `http`, `serde` and
//! `serde_json`, all of them 1.0 or behind this crate's own names. Public structs that may grow are
//! `non_exhaustive`.

mod blocking;
mod context;
mod event;
mod filter;
pub mod http;
mod plain;
mod plugin;
mod secret;
mod sink;
#[cfg(feature = "samples")]
pub mod testing;
mod units;

pub use async_trait::async_trait;
pub use blocking::{Blocking, BlockingSink};
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
pub use plugin::{BuildError, FilterPlugin, SinkPlugin};
pub use secret::{Revealed, Secret, SecretError};
pub use sink::{Batch, DeliveryError, Fault, Retry, Sink};
pub use units::{InvalidUnit, Size, Span};

/// Any error, for the boundary between plugin and host.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A future that owns its way.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
