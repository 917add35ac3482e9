//! Dead letters of a cluster: messages that no consumer takes, listed by whoever is asked.

use super::link::{Link, Trouble};
use super::names::Partition;
use super::outlet::message;
use crate::store::{DeadLetter, KeptLetter, LetterFilter};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishAckFuture, PublishError};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use serde::{Deserialize, Serialize};
use unifi_herald_plugin::{BufferedEvent, Text, Timestamp};

/// Letters that are listed; the rest is seen when these are gone.
const LISTED: usize = 1000;

/// A letter as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    sink: Text,
    event: BufferedEvent,
    reason: String,
    attempts: u32,
    first: Timestamp,
    last: Timestamp,
}

/// Keep a letter.
pub(super) async fn send(
    link: &Link,
    partition: &Partition,
    sink: &Text,
    letter: &DeadLetter,
) -> Result<PublishAckFuture, PublishError> {
    let written = Written {
        sink: sink.clone(),
        event: letter.event.clone(),
        reason: letter.reason.clone(),
        attempts: letter.attempts,
        first: letter.first,
        last: letter.last,
    };
    // As for events: no field's type can fail.
    let json = serde_json::to_vec(&written).unwrap_or_default();
    let event = &letter.event;
    let id = format!(
        "dead/{sink}/{}/{}/{}",
        event.controller, event.site, event.id
    );
    let message = PublishMessage::build().payload(json.into()).message_id(id);
    link.jetstream
        .send_publish(partition.dead(sink), message)
        .await
}

/// The oldest letters of the cluster.
pub(super) async fn list(link: &Link) -> Result<Vec<KeptLetter>, Trouble> {
    let trouble =
        |error: &dyn std::fmt::Display| link.trouble("list dead letters", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.shares()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let (mut found, mut next) = (Vec::new(), 1);
    while found.len() < LISTED {
        let asked = stream
            .raw_message_builder()
            .sequence(next)
            .next_by_subject("herald.dead.>");
        let message = match asked.send().await {
            Ok(message) => message,
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => break,
                LastRawMessageErrorKind::JetStream(inner)
                    if inner.error_code() == ErrorCode::NO_MESSAGE_FOUND =>
                {
                    break;
                }
                _ => return Err(trouble(&error)),
            },
        };
        next = message.sequence + 1;
        if let Ok(written) = serde_json::from_slice::<Written>(&message.payload) {
            found.push(KeptLetter {
                sink: written.sink,
                event: written.event,
                reason: written.reason,
                attempts: written.attempts,
                first: written.first,
                last: written.last,
                position: i64::try_from(message.sequence).unwrap_or(i64::MAX),
            });
        }
    }
    Ok(found)
}

/// Whether `filter` describes `letter`.
pub(super) fn matches(filter: &LetterFilter, letter: &KeptLetter) -> bool {
    filter.sink.as_ref().is_none_or(|sink| *sink == letter.sink)
        && filter.id.as_ref().is_none_or(|id| *id == letter.event.id)
}

/// Give a letter's event to its sink once more.
pub(super) async fn retry(link: &Link, letter: &KeptLetter) -> Result<(), Trouble> {
    let trouble =
        |error: &dyn std::fmt::Display| link.trouble("retry a dead letter", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.shares()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let position = u64::try_from(letter.position).unwrap_or_default();
    let kept = stream.get_raw_message(position).await;
    let kept = kept.map_err(|error| trouble(&error))?;
    let Some(name) = kept.subject.rsplit('.').next().and_then(Partition::of_name) else {
        return Err(Trouble("a dead letter is of no partition".to_owned()));
    };
    // Another id than before: the stream may still know the event's.
    let message = message(&letter.event, &format!("{}/again/{position}", letter.sink));
    let sent = link
        .jetstream
        .send_publish(name.share(&letter.sink), message)
        .await;
    let answer = async { sent?.await };
    answer.await.map_err(|error| trouble(&error))?;
    forget(link, letter).await
}

/// Forget a letter.
pub(super) async fn forget(link: &Link, letter: &KeptLetter) -> Result<(), Trouble> {
    let trouble =
        |error: &dyn std::fmt::Display| link.trouble("forget a dead letter", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.shares()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let position = u64::try_from(letter.position).unwrap_or_default();
    let forgotten = stream.delete_message(position).await;
    forgotten.map(drop).map_err(|error| trouble(&error))
}
