//! The `nats` sink and source: events by subject, kept by JetStream or for whoever listens.
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
//!
//! And the `nats` source: what others publish as the JSON of events, from a stream or as it comes.
//!
//! ```toml
//! [sources.building]
//! plugin = "nats"
//!
//! [sources.building.options]
//! servers = ["nats://n1.example.org"]        # and an account and TLS, as above
//! subject = "events.>"
//! stream  = "EVENTS"                         # left out: what is published while nobody listens is lost
//! durable = "herald-building"                # the name under which the stream remembers how far it was read
//! ```

mod access;
mod config;
mod fault;
mod link;
mod sink;
mod source;
mod subject;

pub use config::Config;
pub use sink::Nats;
pub use source::{NatsSource, SourceConfig};

#[cfg(test)]
mod tests;
