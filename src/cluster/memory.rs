//! What a partition remembers, in a bucket: its scripts, alerts and digests, and which event changed it last.
//!
//! A batch changes many values, and either all or none of them may have happened. So it is written twice: whole into the
//! partition's head, which is the moment it happens, then value by value. Who takes the partition over reads the values,
//! and does again what the head says. The head's revision fences: whoever lost the partition cannot write another.

mod form;

use super::link::{Link, Trouble};
use super::names::Partition;
use super::seen::{self, Seen};
use crate::store::{StateChange, StateEntry};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use form::{Head, Part, StreamMark, Value};
use futures_util::StreamExt as _;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use unifi_herald_plugin::Text;

/// Changes in one message; more of them go into parts. No message is larger than half of what the server takes.
const PER_MESSAGE: usize = 500 << 10;

/// For the next of the values that are there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Values written at once.
const IN_FLIGHT: usize = 256;

/// A partition's memory, as its only writer sees it.
#[derive(Debug)]
pub(super) struct Memory {
    link: Link,
    partition: Partition,
    /// Who writes: different for every time the partition is taken.
    owner: String,
    /// The number of the last event that is in here.
    seq: u64,
    /// The stream that it counts in.
    stream: StreamMark,
    /// Revision of the head.
    head: u64,
    /// In which of two places its parts are.
    place: usize,
    values: HashMap<(String, String), (u64, Value)>,
    /// Who left parts of heads behind.
    part_owners: BTreeSet<String>,
    pub(super) seen: Seen,
}

/// A batch was not written.
#[derive(Debug)]
pub(super) enum WriteError {
    /// Somebody else has the partition.
    Lost,
    /// The cluster did not answer: try again.
    Later(Trouble),
}

impl Memory {
    /// Take over what is remembered, and shut out whoever wrote before.
    pub(super) async fn take(
        link: &Link,
        partition: &Partition,
        owner: &str,
    ) -> Result<Self, WriteError> {
        let mut memory = Self {
            link: link.clone(),
            partition: partition.clone(),
            owner: owner.to_owned(),
            seq: 0,
            stream: StreamMark::default(),
            head: 0,
            place: 0,
            values: HashMap::new(),
            part_owners: BTreeSet::new(),
            seen: Seen::default(),
        };
        let read = memory.read().await.map_err(WriteError::Later)?;
        let mut head = read.unwrap_or_default();
        memory.seq = head.seq;
        memory.stream = head.stream;
        memory.place = head.place;
        let changes = memory.parts_of(&mut head).await?;
        // The same changes again under another name: what the one before writes now is refused.
        memory.write_head(memory.seq, &changes).await?;
        memory.write_values(memory.seq, &changes).await?;
        for owner in std::mem::take(&mut memory.part_owners) {
            let parts = memory.link.names.head_parts(partition, &owner);
            memory.forget(&parts, None).await?;
        }
        let entries = memory.entries(seen::SCOPE);
        let entries = entries
            .into_iter()
            .map(|entry| (entry.key.to_string(), entry.value));
        memory.seen = Seen::load(entries);
        Ok(memory)
    }

    /// The number of the last event that is in here.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Read on in the stream that was made then; whether it is another than before.
    pub(super) fn read_from(&mut self, made: i64) -> bool {
        let another = self.stream.made != 0 && self.stream.made != made;
        if another {
            self.stream.base = self.seq;
        }
        self.stream.made = made;
        another
    }

    /// The number of a message among all that the partition ever had.
    pub(super) fn number(&self, sequence: u64) -> u64 {
        self.stream.base + sequence
    }

    /// What is remembered under `scope`.
    pub(super) fn entries(&self, scope: &str) -> Vec<StateEntry> {
        let values = self.values.iter();
        values
            .filter(|((of, _), _)| of == scope)
            .map(|((_, key), (_, value))| value.entry(key))
            .collect()
    }

    /// The scopes that begin with `prefix` and under which something is remembered.
    pub(super) fn scopes(&self, prefix: &str) -> Vec<Text> {
        let scopes = self.values.keys().map(|(scope, _)| scope.as_str());
        let wanted = scopes.filter(|scope| scope.starts_with(prefix));
        wanted
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(Text::from)
            .collect()
    }

    /// The batch that ends with `seq` changed this; again, after an error, with the same.
    pub(super) async fn write(
        &mut self,
        seq: u64,
        changes: &[StateChange],
    ) -> Result<(), WriteError> {
        self.write_head(seq, changes).await?;
        self.seq = seq;
        self.write_values(seq, changes).await
    }

    /// Read the values; the head, when there is one.
    async fn read(&mut self) -> Result<Option<Head>, Trouble> {
        let bucket = self.link.names.state_stream();
        let trouble = |error: &dyn std::fmt::Display| {
            let deed = format!("read the memory of {}", self.partition);
            self.link.trouble(&deed, &error.to_string())
        };
        let stream = self.link.jetstream.get_stream(&bucket).await;
        let stream = stream.map_err(|error| trouble(&error))?;
        let config = pull::Config {
            filter_subject: format!("{}.>", self.link.names.memory(&self.partition)),
            deliver_policy: DeliverPolicy::LastPerSubject,
            ack_policy: AckPolicy::None,
            inactive_threshold: Duration::from_secs(30),
            ..pull::Config::default()
        };
        let mut consumer = stream
            .create_consumer(config)
            .await
            .map_err(|error| trouble(&error))?;
        let mut left = consumer
            .info()
            .await
            .map_err(|error| trouble(&error))?
            .num_pending;
        let head_subject = self.link.names.head(&self.partition);
        let (mut head, mut values) = (None, Vec::new());
        while left > 0 {
            let batch = consumer.fetch().max_messages(IN_FLIGHT).messages().await;
            let mut batch = batch.map_err(|error| trouble(&error))?;
            let mut next = async || tokio::time::timeout(PATIENCE, batch.next()).await;
            while let Some(message) = next().await.map_err(|_| trouble(&"it takes too long"))? {
                let message = message.map_err(|error| trouble(&error))?;
                let revision = message
                    .info()
                    .map_err(|error| trouble(&error))?
                    .stream_sequence;
                left = left.saturating_sub(1);
                if *message.subject == *head_subject {
                    head = Some((revision, Head::parse(&message.payload)));
                } else if let ["part", owner, ..] =
                    message.subject.split('.').skip(3).collect::<Vec<_>>()[..]
                {
                    self.part_owners.insert(owner.to_owned());
                } else if let Some(value) = Value::parse(&message.payload) {
                    values.push((revision, value));
                }
                if left == 0 {
                    break;
                }
            }
        }
        for (revision, value) in values {
            self.values.insert(value.place(), (revision, value));
        }
        let Some((revision, head)) = head else {
            return Ok(None);
        };
        self.head = revision;
        match head {
            Some(head) => Ok(Some(head)),
            None => Err(Trouble(format!(
                "the memory of {} was written by another version of herald",
                self.partition
            ))),
        }
    }

    /// All changes of a head, those in its parts included.
    async fn parts_of(&self, head: &mut Head) -> Result<Vec<StateChange>, WriteError> {
        let mut changes = std::mem::take(&mut head.changes);
        let bucket = self.link.names.state_stream();
        for part in 0..head.parts {
            let names = &self.link.names;
            let subject = names.head_part(&self.partition, head.owner(), head.place, part);
            let read = async {
                let stream = self.link.jetstream.get_stream(&bucket).await.ok()?;
                let message = stream
                    .get_last_raw_message_by_subject(&subject)
                    .await
                    .ok()?;
                Part::parse(&message.payload).filter(|part| part.of == head.name)
            };
            match read.await {
                Some(part) => changes.extend(part.changes),
                None => {
                    let text = format!("a part of the memory of {} is not there", self.partition);
                    return Err(WriteError::Later(Trouble(text)));
                }
            }
        }
        Ok(changes.into_iter().map(StateChange::from).collect())
    }

    async fn write_head(&mut self, seq: u64, changes: &[StateChange]) -> Result<(), WriteError> {
        let name = format!("{}/{}", self.owner, self.head);
        let room = PER_MESSAGE.min(self.link.room() / 2);
        let (mut head, parts) = Head::new(&name, seq, changes, room);
        head.stream = self.stream;
        head.parts = parts.len();
        head.place = 1 - self.place.min(1);
        for (number, part) in parts.iter().enumerate() {
            let subject =
                self.link
                    .names
                    .head_part(&self.partition, &self.owner, head.place, number);
            self.put(&subject, part.to_json(), None)
                .await
                .map_err(|error| self.later(&error))?;
        }
        let subject = self.link.names.head(&self.partition);
        match self.put(&subject, head.to_json(), Some(self.head)).await {
            Ok(revision) => {
                (self.head, self.place) = (revision, head.place);
                Ok(())
            }
            // An answer may have been lost: then the head is ours already.
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                let bucket = self.link.names.state_stream();
                let stream = self.link.jetstream.get_stream(&bucket).await;
                let stream = stream.map_err(|error| self.later(&error))?;
                let found = stream.get_last_raw_message_by_subject(&subject).await;
                let found = found.map_err(|error| self.later(&error))?;
                match Head::parse(&found.payload) {
                    Some(written) if written.name == name => {
                        (self.head, self.place) = (found.sequence, head.place);
                        Ok(())
                    }
                    _ => Err(WriteError::Lost),
                }
            }
            Err(error) => Err(self.later(&error)),
        }
    }

    async fn write_values(&mut self, seq: u64, changes: &[StateChange]) -> Result<(), WriteError> {
        let mut last: HashMap<(String, String), Option<Value>> = HashMap::new();
        for change in changes {
            match change {
                StateChange::Set {
                    scope,
                    key,
                    value,
                    expires,
                } => {
                    let value = Value::new(seq, scope, key, value, *expires);
                    last.insert(value.place(), Some(value));
                }
                StateChange::Forget { scope, key } => {
                    last.insert((scope.to_string(), key.to_string()), None);
                }
                StateChange::Clear { scope } => {
                    let known = self.values.keys().chain(last.keys());
                    let all: Vec<_> = known.filter(|(of, _)| **of == **scope).cloned().collect();
                    last.extend(all.into_iter().map(|place| (place, None)));
                }
            }
        }
        let last: Vec<_> = last.into_iter().collect();
        for some in last.chunks(IN_FLIGHT) {
            let mut waiting = Vec::with_capacity(some.len());
            for (place, value) in some {
                let known = self.values.get(place).map_or(0, |(revision, _)| *revision);
                if let Some(value) = value {
                    let subject = self.link.names.value(&self.partition, &place.0, &place.1);
                    let sent = self.send(&subject, value.to_json(), Some(known)).await;
                    waiting.push((place, value, subject, sent));
                } else if known > 0 {
                    let subject = self.link.names.value(&self.partition, &place.0, &place.1);
                    self.forget(&subject, Some(known)).await?;
                    self.values.remove(place);
                }
            }
            for (place, value, subject, sent) in waiting {
                let answer = async { sent?.await };
                let revision = match answer.await {
                    Ok(acknowledged) => acknowledged.sequence,
                    Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                        self.overwrite(&subject, value).await?
                    }
                    Err(error) => return Err(self.later(&error)),
                };
                self.values.insert(place.clone(), (revision, value.clone()));
            }
        }
        Ok(())
    }

    /// Somebody has written this value meanwhile: what is older than ours goes, what is newer stays.
    async fn overwrite(&self, subject: &str, value: &Value) -> Result<u64, WriteError> {
        let bucket = self.link.names.state_stream();
        let stream = self.link.jetstream.get_stream(&bucket).await;
        let stream = stream.map_err(|error| self.later(&error))?;
        let found = stream.get_last_raw_message_by_subject(subject).await;
        let Ok(found) = found else {
            return Err(WriteError::Later(Trouble(
                "a value of the memory is gone".to_owned(),
            )));
        };
        if Value::parse(&found.payload).is_some_and(|found| found.seq >= value.seq) {
            return Ok(found.sequence);
        }
        let written = self
            .put(subject, value.to_json(), Some(found.sequence))
            .await;
        written.map_err(|error| self.later(&error))
    }

    /// Forget what is under `subject`, up to a revision: what somebody else wrote since then stays.
    async fn forget(&self, subject: &str, revision: Option<u64>) -> Result<(), WriteError> {
        let bucket = self.link.names.state_stream();
        let stream = self.link.jetstream.get_stream(&bucket).await;
        let stream = stream.map_err(|error| self.later(&error))?;
        let purge = stream.purge().filter(subject);
        let purged = match revision {
            Some(revision) => purge.sequence(revision + 1).await,
            None => purge.await,
        };
        purged.map(drop).map_err(|error| self.later(&error))
    }

    async fn put(
        &self,
        subject: &str,
        json: Vec<u8>,
        revision: Option<u64>,
    ) -> Result<u64, PublishError> {
        let written = self.send(subject, json, revision).await?.await?;
        Ok(written.sequence)
    }

    async fn send(
        &self,
        subject: &str,
        json: Vec<u8>,
        revision: Option<u64>,
    ) -> Result<PublishAckFuture, PublishError> {
        let message = PublishMessage::build().payload(json.into());
        let message = match revision {
            Some(revision) => message.expected_last_subject_sequence(revision),
            None => message,
        };
        self.link
            .jetstream
            .send_publish(subject.to_owned(), message)
            .await
    }

    fn later(&self, error: &impl std::fmt::Display) -> WriteError {
        let deed = format!("write the memory of {}", self.partition);
        WriteError::Later(self.link.trouble(&deed, error))
    }
}

#[cfg(test)]
mod tests;
