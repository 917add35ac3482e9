//! The `syslog` sink: events to a collector by RFC 5424 over UDP, TCP or TLS, as JSON or as CEF.
//!
//! ```toml
//! [sinks.siem]
//! plugin = "syslog"
//!
//! [sinks.siem.options]
//! url      = "tls://siem.example.org"   # "udp://", "tcp://" (port 514), "tls://" (port 6514)
//! format   = "cef"                      # "json", "cef". Default: "json"
//! protocol = "rfc5424"                  # "rfc3164" for old collectors
//! facility = "local0"                   # the default
//! app_name = "unifi-herald"             # the default
//! hostname = "herald.example.org"       # default: the name of this machine
//! max_size = "64KiB"                    # longest message; default: 8KiB by UDP, else 64KiB
//! framing  = "octets"                   # "lines" for collectors that cannot count (RFC 6587, 3.4.2)
//! tls      = { ca_file = "ca.pem" }     # or { pin_sha256 = "…" }, { insecure = true }
//! ```
//!
//! Times are always UTC. `MSGID` is the kind; the structured data has the event's id, kind, controller and site. A message
//! that would be longer than `max_size` goes without `raw`, and is cut with an ellipsis if that is not enough.
//!
//! # What syslog can promise
//!
//! Syslog has no acknowledgements. By UDP nothing is known but that a datagram left this machine. By TCP and TLS an event
//! counts as delivered when the system took it for an open connection. If that connection turns out to be dead within five
//! seconds, what was written on it in that time is written again, once, on the next one: a collector may see an event
//! twice, and should go by its id. What a collector's machine swallows when it loses power is lost.

mod cef;
mod config;
mod cut;
mod frame;
mod message;
mod sink;
mod stream;
mod udp;

#[cfg(test)]
mod reader;

pub use config::Config;
pub use sink::Syslog;
