//! Sinks and their lanes, as they will run.

use super::PluginPlan;
use std::time::Duration;
use unifi_herald_plugin::Text;

/// One sink and its lane.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkPlan {
    /// Its name in the configuration.
    pub name: Text,
    /// The plugin and its options.
    pub plugin: PluginPlan,
    /// How events are put together.
    pub batch: BatchPlan,
    /// How failures are retried.
    pub retry: RetryPlan,
    /// Longest a delivery may take.
    pub timeout: Duration,
    /// Whether events carry `raw`.
    pub raw: bool,
    /// What is older when its turn comes is dropped, counted as filtered.
    pub max_age: Option<Duration>,
    /// Whether the news that an incident is over takes the place of what is still pending about it, which is counted as
    /// filtered.
    pub coalesce: bool,
}

/// How a lane puts events together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchPlan {
    /// Most events in one delivery.
    pub max: usize,
    /// How long the first event of a batch waits for others.
    pub wait: Duration,
}

/// How a lane retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPlan {
    /// First delay.
    pub min: Duration,
    /// Longest delay.
    pub max: Duration,
    /// What is older than this and fails is a dead letter; without it, retries go on for ever.
    pub give_up_after: Option<Duration>,
}
