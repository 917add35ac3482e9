//! Sinks that need no host around them, with the host's own TLS and against what their pages in docs/sinks promise.

mod docs;
mod mqtt;
mod nats;
mod syslog;
