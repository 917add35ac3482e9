//! The connection to the cluster, and what must be there before anything works: streams and buckets.

use super::names::Names;
use crate::config::JetstreamPlan;
use crate::source::tls::Tls;
use async_nats::connection::State;
use async_nats::jetstream::context::{ContextBuilder, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy};
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{Client, ClientError, ConnectOptions, Event, ServerError};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// For an answer of the cluster.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest pause between two tries to connect.
const RETRY: Duration = Duration::from_secs(2);

/// How often is looked whether there is a connection.
const GLANCE: Duration = Duration::from_millis(50);

/// The oldest server that has everything that is asked of it.
const OLDEST: (i64, i64, i64) = (2, 9, 0);

/// How long a lease is kept that nobody renews.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// The least that a message of the cluster must be able to have: what is remembered of an alert, with two events.
const LEAST_PAYLOAD: usize = 512 << 10;

/// What a message has besides what is written: the names of its headers, and the ids in them.
const HEADERS: usize = 4 << 10;

/// Said of an account that is not the right one.
const REFUSED: &str = "the server refuses the account; check store.jetstream.creds";

/// A connection that comes back by itself. A copy is the same one.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) jetstream: jetstream::Context,
    pub(super) names: Names,
    plan: JetstreamPlan,
    /// How often it came to be: a server that was away has forgotten who waits for messages.
    pub(super) connections: watch::Receiver<u64>,
    /// What the server or the way to it complained of last.
    complaint: Arc<Mutex<Option<String>>>,
}

/// Something that people must be told, since it does not go away by itself; or that the cluster cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Trouble(pub(super) String);

impl Trouble {
    /// The connection was made anew: nothing to tell anybody, who waited has to ask once more.
    pub(super) fn of_a_new_connection() -> Self {
        Self("the connection was made anew".to_owned())
    }
}

impl Link {
    /// Connect now or later; only what is configured can be wrong here.
    pub(super) async fn open(plan: &JetstreamPlan, base: &Path) -> Result<Self, Trouble> {
        let wrong = |error: String| Trouble(format!("store.jetstream: {error}"));
        let tls = Tls::new(&plan.tls.clone().unwrap_or_default(), base)
            .map_err(|error| wrong(error.to_string()))?;
        let complaint = Arc::new(Mutex::new(None));
        let note = Arc::clone(&complaint);
        let (connected, connections) = watch::channel(0);
        let options = account(plan).map_err(wrong)?;
        let client = options
            .name("unifi-herald")
            .tls_client_config((*tls.config()).clone())
            .require_tls(plan.tls.is_some())
            .connection_timeout(PATIENCE)
            .retry_on_initial_connect()
            .reconnect_delay_callback(|tries| RETRY.min(Duration::from_millis(50) * tries as u32))
            .event_callback(move |event| {
                if matches!(event, Event::Connected) {
                    connected.send_modify(|count| *count += 1);
                }
                let text = match event {
                    Event::Connected => Some(None),
                    Event::ServerError(error) => Some(Some(said(&error))),
                    Event::ClientError(error) => Some(Some(met(&error))),
                    _ => None,
                };
                if let Some(text) = text {
                    *note.lock().unwrap_or_else(PoisonError::into_inner) = text;
                }
                async {}
            })
            .connect(&plan.servers)
            .await
            .map_err(|error| wrong(error.to_string()))?;
        let jetstream = ContextBuilder::new()
            .timeout(PATIENCE)
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            names: Names::new(&plan.stream),
            plan: plan.clone(),
            connections,
            complaint,
        })
    }

    /// Find everything that is needed, or `make` it, and say in words for people what is in the way.
    pub(super) async fn prepare(&self, make: bool) -> Result<(), Trouble> {
        let (major, minor, patch) = OLDEST;
        let connected = async || {
            while self.client.connection_state() != State::Connected {
                tokio::time::sleep(GLANCE).await;
            }
        };
        if tokio::time::timeout(RETRY, connected()).await.is_err() {
            let why = self
                .complaint()
                .unwrap_or_else(|| "nobody answers".to_owned());
            return Err(Trouble(format!("no connection to the cluster: {why}")));
        }
        if !self.client.is_server_compatible(major, minor, patch) {
            let version = self.client.server_info().version;
            return Err(Trouble(format!(
                "nats-server {version} is too old: {major}.{minor} or later is needed"
            )));
        }
        let most = self.client.max_payload();
        if most < LEAST_PAYLOAD {
            return Err(Trouble(format!(
                "the server takes messages of {most} bytes only (`max_payload`): {LEAST_PAYLOAD} are needed"
            )));
        }
        for wanted in self.wanted() {
            self.find(wanted, make).await?;
        }
        Ok(())
    }

    fn wanted(&self) -> [stream::Config; 4] {
        let queue = |name: &str, subjects: &[&str]| stream::Config {
            name: name.to_owned(),
            subjects: subjects
                .iter()
                .map(|subject| (*subject).to_owned())
                .collect(),
            retention: RetentionPolicy::WorkQueue,
            // What is full refuses: then whoever publishes keeps it.
            discard: DiscardPolicy::New,
            max_bytes: self
                .plan
                .max_bytes
                .map_or(-1, |bytes| bytes.try_into().unwrap_or(i64::MAX)),
            num_replicas: self.plan.replicas,
            ..stream::Config::default()
        };
        let bucket = |name: &str, max_age: Duration| stream::Config {
            name: format!("KV_{name}"),
            subjects: vec![format!("$KV.{name}.>")],
            max_messages_per_subject: 1,
            max_age,
            allow_rollup: true,
            deny_delete: true,
            discard: DiscardPolicy::New,
            num_replicas: self.plan.replicas,
            duplicate_window: if max_age.is_zero() {
                Duration::from_mins(2)
            } else {
                max_age
            },
            ..stream::Config::default()
        };
        [
            queue(self.names.events(), &["herald.*.*.*.*"]),
            queue(&self.names.shares(), &["herald.out.*.*", "herald.dead.*.*"]),
            bucket(&self.names.state(), Duration::ZERO),
            bucket(&self.names.leases(), LEASE),
        ]
    }

    async fn find(&self, wanted: stream::Config, make: bool) -> Result<(), Trouble> {
        let name = wanted.name.clone();
        let found = match self.jetstream.get_stream(&name).await {
            Ok(found) => found.cached_info().config.clone(),
            Err(error) => {
                let missing = matches!(error.kind(), GetStreamErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::STREAM_NOT_FOUND);
                if !missing {
                    return Err(self.trouble(&format!("look at the stream {name}"), &error));
                }
                if !make {
                    return Ok(());
                }
                return match self.jetstream.create_stream(wanted).await {
                    Ok(_) => Ok(()),
                    Err(error) => {
                        let why = match error.kind() {
                            CreateStreamErrorKind::JetStream(error) => error.to_string(),
                            _ => error.to_string(),
                        };
                        Err(self.trouble(&format!("make the stream {name}"), &why))
                    }
                };
            }
        };
        if found.retention != wanted.retention
            || !wanted
                .subjects
                .iter()
                .all(|subject| found.subjects.contains(subject))
        {
            return Err(Trouble(format!(
                "the stream {name} is somebody else's (it has other subjects, or keeps what is acknowledged): choose another name in store.jetstream.stream"
            )));
        }
        if promises(&found) == promises(&wanted) || !make {
            return Ok(());
        }
        let changed = stream::Config {
            max_age: wanted.max_age,
            max_bytes: wanted.max_bytes,
            max_messages: wanted.max_messages,
            max_messages_per_subject: wanted.max_messages_per_subject,
            max_message_size: wanted.max_message_size,
            discard: wanted.discard,
            num_replicas: wanted.num_replicas,
            duplicate_window: found.duplicate_window,
            ..found
        };
        let updated = self.jetstream.update_stream(changed).await;
        updated
            .map(drop)
            .map_err(|error| self.trouble(&format!("change the stream {name}"), &error))
    }

    /// Whether streams may be full.
    pub(super) fn is_bounded(&self) -> bool {
        self.plan.max_bytes.is_some()
    }

    /// Bytes that may be written into one message.
    pub(super) fn room(&self) -> usize {
        self.client.max_payload().saturating_sub(HEADERS)
    }

    /// What an error means, together with what the server said aside: it does not answer who lacks a permission.
    pub(super) fn trouble(&self, deed: &str, error: &impl std::fmt::Display) -> Trouble {
        match self.complaint() {
            Some(complaint) => Trouble(format!("cannot {deed}: {error} ({complaint})")),
            None => Trouble(format!("cannot {deed}: {error}")),
        }
    }

    /// What the server said aside, since the connection came to be.
    pub(super) fn complaint(&self) -> Option<String> {
        let complaint = self.complaint.lock();
        complaint.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a stream keeps, and what it refuses: whatever else it were told would lose events that nobody counts.
fn promises(config: &stream::Config) -> (Duration, [i64; 4], DiscardPolicy, usize) {
    let limits = [
        config.max_bytes,
        config.max_messages,
        config.max_messages_per_subject,
        config.max_message_size.into(),
    ];
    // Servers write -1 where there is no limit, and take 0 for it.
    let limits = limits.map(|limit| limit.max(0));
    (config.max_age, limits, config.discard, config.num_replicas)
}

fn said(error: &ServerError) -> String {
    match error {
        ServerError::AuthorizationViolation => REFUSED.to_owned(),
        error => error.to_string(),
    }
}

/// What went wrong on the way. The library tells a refusal at the first connection as text only.
fn met(error: &ClientError) -> String {
    let text = error.to_string();
    if text.contains("authorization violation") {
        return REFUSED.to_owned();
    }
    text
}

fn account(plan: &JetstreamPlan) -> Result<ConnectOptions, String> {
    let Some(creds) = &plan.creds else {
        return Ok(ConnectOptions::new());
    };
    let text = std::fs::read_to_string(creds)
        .map_err(|error| format!("cannot read {}: {error}", creds.display()))?;
    // The library's error could show a part of the file.
    ConnectOptions::with_credentials(&text)
        .map_err(|_| format!("{} has no JWT and seed", creds.display()))
}
