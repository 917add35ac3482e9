//! Where events are kept, as it will run.

use super::JetstreamPlan;
use std::path::PathBuf;
use std::time::Duration;

/// Where batches are committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorePlan {
    /// How.
    pub mode: StoreMode,
    /// When a batch counts as written; disk only.
    pub sync: SyncMode,
    /// Folder for what outlives the process, absolute; made when first needed.
    pub dir: PathBuf,
    /// How long the journal keeps what no sink awaits, and pending events of sinks that left the configuration.
    pub keep: Duration,
    /// Most bytes on disk. Beyond it the journal's oldest go, then the oldest of the longest backlog.
    pub max_size: u64,
    /// The cluster, with [`StoreMode::Jetstream`] and only then.
    pub jetstream: Option<JetstreamPlan>,
    /// Where a running host answers commands, absolute.
    pub socket: PathBuf,
}

/// Name of the socket at which a running host answers commands.
const SOCKET: &str = "herald.sock";

impl StorePlan {
    /// How long the journal is kept unless told otherwise.
    pub const KEEP: Duration = Duration::from_hours(30 * 24);
    /// How large the store may grow unless told otherwise.
    pub const MAX_SIZE: u64 = 1 << 30;

    /// The store in `dir` with everything else at its default.
    #[must_use]
    pub fn new(mode: StoreMode, dir: PathBuf) -> Self {
        Self {
            socket: dir.join(SOCKET),
            mode,
            sync: SyncMode::default(),
            dir,
            keep: Self::KEEP,
            max_size: Self::MAX_SIZE,
            jetstream: None,
        }
    }

    /// Where a running host may answer: a service has no folder of the session, and whoever asks may have one.
    #[must_use]
    pub fn sockets(&self) -> Vec<PathBuf> {
        let mut sockets = vec![self.socket.clone()];
        let other = self.dir.join(SOCKET);
        if other != self.socket {
            sockets.push(other);
        }
        sockets
    }

    /// With the socket in the folder for what lives as long as the session, where there is one and the store is not
    /// a folder anyway.
    #[must_use]
    pub(crate) fn with_runtime_dir(mut self, folder: Option<&str>) -> Self {
        if let Some(folder) = folder.filter(|folder| folder.starts_with('/'))
            && self.mode == StoreMode::Memory
        {
            self.socket = PathBuf::from(folder).join(SOCKET);
        }
        self
    }
}

/// How batches are kept until every sink has them.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Deserialize,
    serde::Serialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StoreMode {
    /// In a database file: a restart goes on where the last run stopped.
    #[default]
    Disk,
    /// In memory: a restart forgets what is pending.
    Memory,
    /// On a NATS JetStream cluster that several heralds share; what a collector could not give it yet is in a file.
    Jetstream,
}

/// What a commit waits for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// The batch is on the disk before any sink sees it: it outlives a power cut.
    #[default]
    Full,
    /// The system has the batch: it outlives the process; a power cut may take the last moments back.
    Normal,
}
