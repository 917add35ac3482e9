//! Logging to standard error.

use super::output::colour;
use crate::config::{LogFormat, LogPlan};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Log as `plan` says, from now on. Without effect when a log was started before.
pub(super) fn start(plan: &LogPlan) {
    let filter = EnvFilter::builder().parse_lossy(&plan.filter);
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match plan.format {
        LogFormat::Text => lines.compact().with_ansi(colour()).try_init(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
    };
    drop(started);
}
