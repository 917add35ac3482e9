//! The `webhook` sink: events by HTTP, as CloudEvents, plain JSON, or a template of one's own.
//!
//! ```toml
//! [sinks.ops]
//! plugin = "webhook"
//! batch  = { max = 20, wait = "2s" }
//!
//! [sinks.ops.options]
//! url     = "https://example.org/hook"          # or a secret: { file = "/run/secrets/url" }
//! format  = "cloudevents"                       # "cloudevents", "json", "template". Default: "cloudevents"
//! method  = "POST"                              # "POST", "PUT", "PATCH". Default: "POST"
//! headers = { x-team = "network", x-key = { env = "HOOK_KEY" } }
//! auth    = { bearer = { env = "HOOK_TOKEN" } } # or { username = "herald", password = { … } }
//! secret  = { file = "/run/secrets/hook" }      # signs by Standard Webhooks: "whsec_…", or any text
//! tls     = { ca_file = "ca.pem" }              # or { pin_sha256 = "…" }, { insecure = true }
//! ```
//!
//! - **cloudevents**: [CloudEvents 1.0](https://cloudevents.io) in structured mode, `application/cloudevents+json`; a
//!   batch of several is an array, `application/cloudevents-batch+json`. `type` is `io.unifi-herald.<kind>.v1`, `source` is
//!   `/unifi/<controller>/<site>`, `subject` is `client/<mac>`, `device/<mac>`, …, `data` is the event.
//! - **json**: the event; a batch of several is an array.
//! - **template**: see below.
//!
//! # Headers and signature
//!
//! `webhook-id` is the event's id, or for a batch a hash of its ids; it is the same on every try, so that a receiver can
//! tell a repetition. With `secret` the request carries `webhook-timestamp` and `webhook-signature` as
//! [Standard Webhooks](https://www.standardwebhooks.com) describes them.
//!
//! # Answers
//!
//! 2xx is success. 401, 403, 404 and redirects mean a wrong configuration, 410 that the hook is gone; 408, 425, 429 and 5xx are
//! tried again, as `Retry-After` says; any other 4xx makes the event a dead letter.
//!
//! # Templates
//!
//! ```toml
//! [sinks.chat]
//! plugin = "webhook"
//!
//! [sinks.chat.options]
//! url      = { file = "/run/secrets/chat_url" }
//! format   = "template"
//! template = '{"text": "{{ event.summary }}", "level": {{ event.level }}}'   # or { file = "chat.json.j2" }
//! content_type = "application/json"              # the default
//! ```
//!
//! A template that speaks of `event` makes one request per event; one that speaks of `events` makes one per batch. The
//! language is [minijinja](https://docs.rs/minijinja). In a JSON body text is escaped for the inside of a JSON string, so
//! `"{{ event.summary }}"` is right whatever strangers call their phones, and `{{ event.client | tojson }}` writes any value
//! whole. What is absent is empty at any depth, as in scripts; a name that no event has is an error when the
//! configuration is read. A template that fails on an event, or does not give valid JSON where JSON is promised, makes that
//! event a dead letter.

mod body;
mod cloudevents;
mod config;
mod signature;
mod sink;
mod template;

pub use config::Config;
pub use sink::Webhook;
