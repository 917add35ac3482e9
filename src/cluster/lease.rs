//! The right to work on a partition: a key that its holder renews and that goes away by itself.

use super::link::{LEASE, Link, Trouble};
use super::names::Partition;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a holder believes in a lease that it could not renew: less than others wait.
const BELIEF: Duration = Duration::from_secs(10);

/// One time of holding a partition.
#[derive(Clone, Debug)]
pub(super) struct Tenure {
    /// Of this time alone, in the whole cluster.
    pub(super) owner: String,
    until: Arc<Mutex<Instant>>,
}

/// A lease that this worker holds.
#[derive(Debug)]
pub(super) struct Lease {
    subject: String,
    /// The key's revision, by which nobody else's renewal is taken for ours.
    revision: u64,
    pub(super) tenure: Tenure,
}

impl Tenure {
    /// Whether nobody else can hold the partition.
    pub(super) fn is_valid(&self, now: Instant) -> bool {
        now < *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extend(&self, from: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = from + BELIEF;
    }
}

impl Lease {
    /// Take the lease of a partition, unless somebody holds it.
    pub(super) async fn take(
        link: &Link,
        partition: &Partition,
        worker: &str,
        now: Instant,
    ) -> Result<Option<Self>, Trouble> {
        let subject = link.names.lease(partition);
        let Some(revision) = put(link, &subject, worker, Some(0)).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            subject,
            revision,
            tenure: Tenure {
                owner: format!("{worker}/{revision}"),
                until: Arc::new(Mutex::new(now + BELIEF)),
            },
        }))
    }

    /// Hold it longer, counted from `now`; false when it is somebody else's.
    pub(super) async fn renew(
        &mut self,
        link: &Link,
        worker: &str,
        now: Instant,
    ) -> Result<bool, Trouble> {
        match put(link, &self.subject, worker, Some(self.revision)).await? {
            Some(revision) => {
                self.revision = revision;
                self.tenure.extend(now);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Let others have it at once.
    pub(super) async fn give(self, link: &Link) {
        let Ok(stream) = link.jetstream.get_stream(link.names.lease_stream()).await else {
            return;
        };
        // Ours and no later one.
        let purge = stream
            .purge()
            .filter(&self.subject)
            .sequence(self.revision + 1);
        if let Err(error) = purge.await {
            tracing::debug!(%error, "a lease could not be given back, it ends by itself");
        }
    }
}

/// Show that a worker lives, and what it `holds` as JSON for the others to show.
pub(super) async fn show_life(link: &Link, worker: &str, holds: &str) -> Result<(), Trouble> {
    put(link, &link.names.worker(worker), holds, None)
        .await
        .map(drop)
}

/// What a worker showed last; nothing when it has just gone.
pub(super) async fn shown_by(link: &Link, worker: &str) -> Result<Option<Vec<u8>>, Trouble> {
    let stream = link.jetstream.get_stream_no_info(link.names.lease_stream());
    let stream = stream
        .await
        .map_err(|error| link.trouble("look at a worker", &error))?;
    let subject = link.names.worker(worker);
    let shown = stream.get_last_raw_message_by_subject(&subject);
    Ok(shown.await.ok().map(|shown| shown.payload.to_vec()))
}

/// Ask whoever holds an incident to acknowledge it; forgotten by itself when nobody does.
pub(super) async fn ask_for(link: &Link, incident: &str) -> Result<(), Trouble> {
    put(link, &link.names.asked(incident), incident, None)
        .await
        .map(drop)
}

/// It is acknowledged.
pub(super) async fn answered(link: &Link, incident: &str) {
    if let Ok(stream) = link.jetstream.get_stream(link.names.lease_stream()).await {
        // Otherwise it is asked for once more, which changes nothing.
        drop(stream.purge().filter(link.names.asked(incident)).await);
    }
}

/// Make it known that a worker is gone.
pub(super) async fn sign_off(link: &Link, worker: &str) {
    if let Ok(stream) = link.jetstream.get_stream(link.names.lease_stream()).await {
        // Otherwise it is forgotten by itself.
        drop(stream.purge().filter(link.names.worker(worker)).await);
    }
}

/// How long before it would be forgotten a sign of life is repeated.
pub(super) const RENEW: Duration = Duration::from_secs(LEASE.as_secs() / 5);

/// Write a key; `None` when it has another revision.
async fn put(
    link: &Link,
    subject: &str,
    value: &str,
    revision: Option<u64>,
) -> Result<Option<u64>, Trouble> {
    let message = PublishMessage::build().payload(value.to_owned().into());
    let message = match revision {
        Some(revision) => message.expected_last_subject_sequence(revision),
        None => message,
    };
    let sent = link
        .jetstream
        .send_publish(subject.to_owned(), message)
        .await;
    let answer = async { sent?.await };
    match answer.await {
        Ok(acknowledged) => Ok(Some(acknowledged.sequence)),
        Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(None),
        Err(error) => Err(link.trouble("write a lease", &error)),
    }
}
