//! What is said over the control socket: one request, then answers, each a line of JSON.

use super::Health;
use super::fate::{Fate, Routed};
use crate::alert::{Incident, NewSilence, Silence};
use crate::store::{Books, JournalQuery, KeptLetter, LetterFilter, Order, SinkBooks};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use unifi_herald_plugin::{Severity, Timestamp};

/// Longest request, in bytes.
pub const MAX_REQUEST: usize = 64 << 10;

/// A question to a running host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How everything is; answered by one [`Answer::Status`].
    Status {},
    /// Whether the host does its work; answered by one [`Answer::Health`].
    Health {},
    /// Search the journal; answered by [`Answer::Event`]s.
    Events {
        /// For what.
        query: Box<Query>,
    },
    /// What became of an event; answered by [`Answer::Fate`]s, one for each controller and site that has the id.
    Why {
        /// The event's id.
        id: String,
    },
    /// What is committed from now on; answered by one [`Answer::Watching`], then by [`Answer::Event`]s, or
    /// [`Answer::Routed`], and [`Answer::Skipped`] until the host stops.
    Tail {
        /// Of what.
        watch: Watch,
    },
    /// What was given up; answered by [`Answer::Letter`]s.
    DeadLetters {
        /// Which.
        filter: Letters,
    },
    /// Make dead letters pending again.
    RetryDeadLetters {
        /// Which.
        filter: Letters,
    },
    /// What is broken; answered by [`Answer::Incident`]s.
    Incidents {},
    /// Repeat an incident no more.
    Acknowledge {
        /// Its id.
        id: String,
    },
    /// What is kept quiet; answered by [`Answer::Silence`]s.
    Silences {},
    /// Keep something quiet; answered by one [`Answer::Silence`].
    Silence {
        /// What, and for how long.
        new: NewSilence,
    },
    /// End a silence before its time.
    EndSilence {
        /// Its id.
        id: String,
    },
    /// Forget dead letters.
    DropDeadLetters {
        /// Which.
        filter: Letters,
    },
    /// Read the configuration anew; answered by one [`Answer::Reloaded`] or [`Answer::Misconfigured`].
    Reload {},
    /// Make a script forget everything; done with how many keys.
    ForgetScript {
        /// Its name in the configuration.
        name: String,
    },
}

/// What to look for in the journal; what is absent or empty does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// At or after this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Of one of these kinds.
    pub kinds: Vec<String>,
    /// MAC address, name or host name of the client.
    pub client: Option<String>,
    /// MAC address or name of the device, or of one of the two that a client roams between.
    pub device: Option<String>,
    /// Short or display name of the site, optionally `controller/site`.
    pub site: Option<String>,
    /// At least as severe.
    pub severity: Option<Severity>,
    /// Somewhere in the summary, as it stands but for case.
    pub text: Option<String>,
    /// At most so many, the newest first; without it all, the oldest first.
    pub limit: Option<usize>,
    /// Leave `raw` out.
    pub no_raw: bool,
}

/// Which events to show as they are committed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// Of one of these kinds; empty for all.
    pub kinds: Vec<String>,
    /// For which this expression is true.
    pub condition: Option<String>,
    /// Leave `raw` out.
    pub no_raw: bool,
    /// With what each chain and step did: [`Answer::Routed`] instead of [`Answer::Event`].
    pub why: bool,
}

/// Which dead letters; what is absent does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Letters {
    /// Of the sink of this name.
    pub sink: Option<String>,
    /// Of the event with this id.
    pub id: Option<String>,
}

impl Query {
    /// In the words of the store. A kind that this version does not know is in no journal.
    #[must_use]
    pub fn to_store(&self) -> JournalQuery {
        JournalQuery {
            since: self.since,
            until: self.until,
            kinds: self
                .kinds
                .iter()
                .filter_map(|kind| kind.parse().ok())
                .collect(),
            client: self.client.clone(),
            device: self.device.clone(),
            site: self.site.clone(),
            controller: None,
            severity: self.severity,
            text: self.text.clone(),
            order: match self.limit {
                Some(_) => Order::NewestFirst,
                None => Order::OldestFirst,
            },
        }
    }
}

impl Letters {
    /// In the words of the store.
    #[must_use]
    pub fn to_store(&self) -> LetterFilter {
        LetterFilter {
            sink: self.sink.as_deref().map(Into::into),
            id: self.id.as_deref().map(Into::into),
        }
    }
}

/// A dead letter, as it is also printed for programs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    /// The event's id.
    pub id: String,
    /// Name of the sink that did not get it.
    pub sink: String,
    /// Why.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried first.
    pub first: Timestamp,
    /// When it was tried last.
    pub last: Timestamp,
    /// The event.
    pub event: Box<RawValue>,
}

impl Letter {
    /// A letter of the store; none when its event cannot be written, which cannot be.
    #[must_use]
    pub fn of(kept: &KeptLetter) -> Option<Self> {
        Some(Self {
            id: kept.event.id.to_string(),
            sink: kept.sink.to_string(),
            reason: kept.reason.clone(),
            attempts: kept.attempts,
            first: kept.first,
            last: kept.last,
            event: RawValue::from_string(kept.event.to_json()).ok()?,
        })
    }
}

/// One line of an answer. The last is [`Answer::Done`], [`Answer::Misasked`] or [`Answer::Failed`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// How everything is.
    Status(Box<Status>),
    /// Whether the host does its work.
    Health(Health),
    /// An event, in the form of every output.
    Event(Box<RawValue>),
    /// An event, and what the chains did with it.
    Routed(Box<Routed>),
    /// A dead letter.
    Letter(Letter),
    /// Something that is broken.
    Incident(Box<Incident>),
    /// Something that is kept quiet.
    Silence(Silence),
    /// What became of an event.
    Fate(Box<Fate>),
    /// What is committed from here on will be shown.
    Watching {},
    /// So many events were not shown, because they came faster than they were read.
    Skipped(u64),
    /// The configuration was read anew and is at work.
    Reloaded(Box<Changes>),
    /// The configuration is wrong, for these reasons; the former one is still at work.
    Misconfigured(String),
    /// That was all; for requests that change something, with how many things changed.
    Done(u64),
    /// It cannot be done as it was asked, for this reason.
    Misasked(String),
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
    /// Scripts that are bypassed because they keep hitting a limit.
    #[serde(default)]
    pub scripts: Vec<StepState>,
    /// Filters in Rust that are bypassed because they keep breaking down.
    #[serde(default)]
    pub filters: Vec<StepState>,
    /// In the order of the configuration.
    #[serde(default)]
    pub sources: Vec<SourceState>,
    /// A configuration that was not taken, unless another was taken since.
    #[serde(default)]
    pub refused_reload: Option<RefusedConfig>,
    /// Those that something is pending for and that are not configured.
    #[serde(default)]
    pub former_sinks: Vec<FormerSink>,
}

/// How a script or a filter that is bypassed is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepState {
    /// Its name in the configuration.
    pub name: String,
    /// The chain in which it is bypassed.
    pub chain: String,
    /// The limit a script hit last, with file, line and column; how a filter failed last.
    pub error: String,
}

/// A configuration that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedConfig {
    /// When.
    pub at: Timestamp,
    /// All that is wrong with it, for people.
    pub error: String,
}

/// What another configuration changed: names of tables, `sinks.ops`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Controllers, sources and sinks that are new.
    pub added: Vec<String>,
    /// Controllers, sources and sinks that are built anew.
    pub changed: Vec<String>,
    /// Controllers, sources and sinks that are no longer there.
    pub removed: Vec<String>,
    /// What deserves a word: warnings of the configuration, and what only a restart changes.
    pub warnings: Vec<String>,
    /// The sinks that something is pending for and that are not configured, those that left earlier included.
    #[serde(default)]
    pub former_sinks: Vec<FormerSink>,
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

/// How one source of other programs' events is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// Its name in the configuration.
    pub name: String,
    /// Whether it can receive.
    pub connected: bool,
    /// When the last event came.
    pub last_event: Option<Timestamp>,
    /// Events given to the chains since the start, those that came again included.
    pub received: u64,
    /// What was no event.
    pub refused: u64,
    /// Events of controllers that this herald listens to itself: not taken.
    pub own: u64,
    /// Messages that came faster than they were received.
    pub lost: u64,
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

/// A sink that left the configuration, and for which something is pending still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerSink {
    /// Its name while it was configured.
    pub name: String,
    /// How much it would get if it came back.
    pub pending: u64,
}

impl From<SinkBooks> for FormerSink {
    fn from(sink: SinkBooks) -> Self {
        Self {
            name: sink.name.to_string(),
            pending: sink.books.pending,
        }
    }
}

/// Why the store does not keep its promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// Since when.
    pub since: Timestamp,
    /// What the disk said, and what helps; or what is in the way to the cluster.
    pub reason: String,
    /// How many events are in memory only.
    pub held: u64,
    /// Whether it is a cluster that cannot be used: then events wait where they are.
    #[serde(default)]
    pub away: bool,
}
