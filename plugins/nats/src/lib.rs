//! The `nats` sink: events by subject, kept by JetStream or for whoever listens.
//!
//! ```toml
//! [sinks.bus]
//! plugin = "nats"
//!
//! [sinks.bus.options]
//! servers   = ["nats://n1.example.org", "nats://n2.example.org:4222"]   # or "tls://…"
//! creds     = "herald.creds"                 # or `username` and `password`, or `token`
//! tls       = { ca_file = "ca.pem" }         # or { pin_sha256 = "…" }, { insecure = true }
//! prefix    = "unifi"                        # the default
//! jetstream = true                           # the default
//! ```
//!
//! An event goes to `<prefix>.<controller>.<site>.<area>.<verb>`: `unifi.home.default.device.offline`. Names are in lower
//! case; what no subject may hold becomes `_`.
//!
//! With `jetstream` an event counts as delivered when the stream has acknowledged it, and carries its controller, site
//! and id as `Nats-Msg-Id`, by which the stream knows it again. Without, it counts when the server has taken it.

mod config;
mod fault;
mod link;
mod sink;
mod subject;

pub use config::Config;
pub use sink::Nats;
