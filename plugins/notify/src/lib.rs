//! The sinks that reach people: `ntfy`, `slack`, `discord`, `telegram`, `pushover`, `pagerduty`, `email` and `apprise`.
//!
//! ```toml
//! [sinks.phone]
//! plugin  = "ntfy"
//! options = { topic = { env = "NTFY_TOPIC" }, token = { env = "NTFY_TOKEN" } }
//! ```
//!
//! `docs/sinks.md` has the options of each. All of them have:
//!
//! ```toml
//! [sinks.phone.options]
//! title = "{{ event.device.name }}: {{ event.kind }}"   # minijinja; default: the alert's title, else the summary
//! body  = "{{ event.summary }}"                         # default: the alert's body; facts follow in any case
//! link  = "https://192.168.1.1/network/default/devices" # where a tap leads
//! tls   = { ca_file = "ca.pem" }                        # or { pin_sha256 = "…" }, { insecure = true }
//! ```
//!
//! # How a message comes about
//!
//! `message` says what there is to say about an event, in plain text: a title, a body, facts, a severity, the incident. Each
//! service has a file that gives it the service's form: its limits, its escapes, its levels, as constants at the top; what an
//! answer means at the bottom. What is particular to a service is in its file and nowhere else.
//!
//! Text chosen by strangers is never markup: controls and characters that turn the direction of writing are taken out, and
//! each service escapes what it would otherwise obey. What is too long is cut with an ellipsis.
//!
//! # Incidents
//!
//! Messages of one incident belong together. ntfy replaces, PagerDuty resolves, mail threads by ids made of the incident's
//! id. Discord and Telegram edit the incident's newest message, and Pushover cancels by its receipt: their ids are kept in the
//! sink's storage, so a restart changes nothing there either. Where they are not known any more, with the memory store say,
//! the end of an incident is a message of its own (and Pushover cancels by tag).

mod api;
mod apprise;
mod discord;
mod email;
#[cfg(test)]
mod fake;
mod message;
mod ntfy;
mod pagerduty;
mod pushover;
mod service;
mod slack;
mod telegram;
mod template;
mod text;
mod writer;

pub use apprise::{Apprise, Config as AppriseConfig};
pub use discord::{Config as DiscordConfig, Discord};
pub use email::{Config as EmailConfig, Email};
pub use ntfy::{Config as NtfyConfig, Ntfy};
pub use pagerduty::{Config as PagerDutyConfig, PagerDuty};
pub use pushover::{Config as PushoverConfig, Pushover};
pub use slack::{Config as SlackConfig, Slack};
pub use telegram::{Config as TelegramConfig, Telegram};
