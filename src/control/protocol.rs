//! What is said over the control socket: one request, then answers, each a line of JSON.

use crate::store::Books;
use serde::{Deserialize, Serialize};
use unifi_herald_plugin::Timestamp;

/// Longest request, in bytes.
pub const MAX_REQUEST: usize = 64 << 10;

/// A question to a running host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How everything is; answered by one [`Answer::Status`].
    Status {},
}

/// One line of an answer. The last is [`Answer::Done`] or [`Answer::Failed`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// How everything is.
    Status(Box<Status>),
    /// That was all; for requests that change something, with how many things changed.
    Done(u64),
    /// It was not done, for this reason.
    Failed(String),
}

/// How everything is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the host.
    pub version: String,
    /// Its process.
    pub process: u32,
    /// In the order of the configuration.
    pub controllers: Vec<ControllerState>,
    /// In the order of the configuration.
    pub sinks: Vec<SinkState>,
    /// Why the store does not keep its promise, while it does not.
    pub degraded: Option<Degraded>,
}

/// How one controller is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerState {
    /// Its name in the configuration.
    pub name: String,
    /// Whether the sockets of all its sites are up.
    pub connected: bool,
    /// When the last data frame came.
    pub last_frame: Option<Timestamp>,
    /// Version of the Network application.
    pub version: Option<String>,
    /// `unifi-os` or `self-hosted`.
    pub kind: Option<String>,
    /// Why it is not connected, in one sentence.
    pub trouble: Option<String>,
}

/// How one sink is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkState {
    /// Its name in the configuration.
    pub name: String,
    /// `ok`, `retrying`, `parked`, `gone`; `stopped` when no host runs.
    pub state: String,
    /// Where every event went.
    pub books: Books,
    /// What the sink said when it failed last.
    pub last_error: Option<String>,
}

/// Why the store does not keep its promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// Since when.
    pub since: Timestamp,
    /// What the disk said, and what helps.
    pub reason: String,
    /// How many events are in memory only.
    pub held: u64,
}
