//! unifi-herald: the event-processing host for UniFi networks.
//!
//! The way of an event, left to right, no loop back:
//!
//! ```text
//! socket → unifi (decode) → buffer (ring) → chain (scripts, filters, alerts) → store (one commit) → lane → sink
//! ```
//!
//! The deciding modules (`unifi`, `inlet`, `buffer`, `chain`, `alert`, `digest`, `newcomers`, `lane`, `backoff`) are pure: no
//! sockets, no files, no clock; they take `now` and say what to do next. The doing modules (`source`, `store`, `router`,
//! `lane::worker`, `inlet::worker`) are thin.

pub mod alert;
pub mod backoff;
pub mod buffer;
mod builtin;
pub mod chain;
mod cli;
pub mod clock;
mod cluster;
pub mod config;
pub mod control;
pub mod demo;
pub mod desk;
pub mod digest;
pub mod glob;
pub mod heartbeat;
pub mod host;
pub mod inlet;
pub mod intake;
pub mod lane;
pub mod measure;
mod moment;
pub mod newcomers;
pub mod own_event;
pub mod redact;
pub mod registry;
pub mod replay;
pub mod roster;
pub mod router;
pub mod script;
pub mod server;
pub mod services;
pub mod source;
pub mod status;
pub mod store;
pub mod tasks;
pub mod unifi;

pub use builtin::builtin;
pub use cli::cli;
pub use registry::Registry;
