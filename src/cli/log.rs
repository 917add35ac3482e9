//! Logging: to standard error, or to the journal of systemd.

use super::output::colour;
use crate::config::{LogFormat, LogPlan};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Crates that see what goes over the wire, and write it into their log at the finest level: cookies, payloads.
const WIRE: [&str; 6] = [
    "tungstenite",
    "tokio_tungstenite",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
];

/// Log as `plan` says, from now on. Without effect when a log was started before.
pub(super) fn start(plan: &LogPlan) {
    let filter = filter_of(plan);
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let discreet = filter_fn(is_discreet);
    let started = match plan.format {
        LogFormat::Text => {
            let lines = lines.compact().with_ansi(colour());
            lines.finish().with(discreet).try_init()
        }
        LogFormat::Json => {
            let lines = lines
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false);
            lines.finish().with(discreet).try_init()
        }
        LogFormat::Journald => match tracing_journald::layer() {
            Ok(journal) => {
                let filter = filter_of(plan);
                let registry = tracing_subscriber::registry().with(filter);
                registry.with(journal).with(discreet).try_init()
            }
            Err(error) => {
                let started = lines.compact().with_ansi(false).finish().with(discreet);
                let started = started.try_init();
                tracing::warn!(%error, "the journal cannot be reached, logging to standard error");
                started
            }
        },
    };
    drop(started);
}

/// What is asked for. A library that complains of every try to connect is not heard unless it is named: what it says is
/// said once, in our words, by whoever uses it.
fn filter_of(plan: &LogPlan) -> EnvFilter {
    EnvFilter::builder().parse_lossy(format!("async_nats=off,{}", plan.filter))
}

/// Whether this may be said. Nothing of the wire is, whatever level is asked for.
fn is_discreet(what: &Metadata<'_>) -> bool {
    let source = what.target().split("::").next().unwrap_or_default();
    *what.level() <= LevelFilter::DEBUG || !WIRE.contains(&source)
}
