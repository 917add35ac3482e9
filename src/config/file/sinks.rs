//! What the user wrote about sinks and their lanes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use unifi_herald_plugin::Span;

/// `[sinks.NAME]`
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SinkTable {
    /// Name of the plugin; see `herald plugins list`. Required.
    pub(crate) plugin: Option<String>,
    /// Longest a delivery may take before it is tried again.
    pub(crate) timeout: Span,
    /// Whether events carry `raw`, the item as the controller sent it.
    pub(crate) raw: bool,
    /// What is older than this when its turn comes is dropped, counted as filtered.
    pub(crate) max_age: Option<Span>,
    /// Whether an incident that begins and ends while the sink cannot be reached is told once: `alert.resolved` takes the
    /// place of the `alert.firing` and `alert.repeated` that are still pending, which are counted as filtered.
    pub(crate) coalesce: bool,
    /// How events are put together.
    pub(crate) batch: BatchTable,
    /// How failures are retried.
    pub(crate) retry: RetryTable,
    /// The plugin's own keys; see `herald plugins show NAME`.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub(crate) options: toml::Table,
}

/// `batch` of a sink
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BatchTable {
    /// Most events in one delivery.
    pub(crate) max: usize,
    /// How long the first event of a batch waits for others; `"0s"`: one event goes at once.
    pub(crate) wait: Span,
}

/// `retry` of a sink
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RetryTable {
    /// First delay.
    pub(crate) min: Span,
    /// Longest delay.
    pub(crate) max: Span,
    /// What is older and fails becomes a dead letter, and a dead letter that is retried has as long again; without it,
    /// retries go on for ever.
    pub(crate) give_up_after: Option<Span>,
}

impl Default for SinkTable {
    fn default() -> Self {
        Self {
            plugin: None,
            timeout: Span(Duration::from_secs(30)),
            raw: true,
            max_age: None,
            coalesce: false,
            batch: BatchTable::default(),
            retry: RetryTable::default(),
            options: toml::Table::new(),
        }
    }
}

impl Default for BatchTable {
    fn default() -> Self {
        Self {
            max: 100,
            wait: Span(Duration::ZERO),
        }
    }
}

impl Default for RetryTable {
    fn default() -> Self {
        Self {
            min: Span(Duration::from_secs(1)),
            max: Span(Duration::from_secs(30)),
            give_up_after: None,
        }
    }
}
