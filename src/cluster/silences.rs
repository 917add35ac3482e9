//! The silences of a cluster: one key each in the bucket of what is remembered, read again and again by every worker.

use super::link::{Link, Trouble};
use super::pull::subjects;
use crate::alert::Silence;
use async_nats::jetstream::message::PublishMessage;
use unifi_herald_plugin::Timestamp;

/// Make all workers go by a silence.
pub(super) async fn keep(link: &Link, silence: &Silence) -> Result<(), Trouble> {
    // Cannot fail: it has no map whose keys are not text.
    let json = serde_json::to_vec(silence).unwrap_or_default();
    let message = PublishMessage::build().payload(json.into());
    let subject = link.names.silence(&silence.id);
    let sent = link.jetstream.send_publish(subject, message).await;
    let answer = async { sent?.await };
    answer
        .await
        .map(drop)
        .map_err(|error| link.trouble("keep a silence", &error))
}

/// Make no worker go by it any more.
pub(super) async fn end(link: &Link, id: &str) -> Result<(), Trouble> {
    let trouble = |error: &dyn std::fmt::Display| link.trouble("end a silence", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.state_stream()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let purged = stream.purge().filter(link.names.silence(id)).await;
    purged.map(drop).map_err(|error| trouble(&error))
}

/// All that last at `now`, the newest last, of which `known` need not be read; those that are over are forgotten.
pub(super) async fn all(
    link: &Link,
    known: &[Silence],
    now: Timestamp,
) -> Result<Vec<Silence>, Trouble> {
    let bucket = link.names.state_stream();
    let mut found = Vec::new();
    for (subject, _) in subjects(link, &bucket, &link.names.silence("*")).await? {
        let Some(id) = subject.rsplit('.').next() else {
            continue;
        };
        let silence = match known.iter().find(|silence| silence.id == id) {
            Some(known) => Some(known.clone()),
            None => read(link, &subject).await?,
        };
        match silence {
            Some(silence) if now < silence.until => found.push(silence),
            Some(_) => end(link, id).await?,
            // Ended a moment ago, or of another version of herald.
            None => {}
        }
    }
    found.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
    Ok(found)
}

async fn read(link: &Link, subject: &str) -> Result<Option<Silence>, Trouble> {
    let stream = link.jetstream.get_stream(link.names.state_stream()).await;
    let stream = stream.map_err(|error| link.trouble("read a silence", &error))?;
    let kept = stream.get_last_raw_message_by_subject(subject).await;
    Ok(kept
        .ok()
        .and_then(|kept| serde_json::from_slice(&kept.payload).ok()))
}
