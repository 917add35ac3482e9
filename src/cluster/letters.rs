//! Dead letters of a cluster: messages that no consumer takes, listed by whoever is asked.

use super::link::{Link, Trouble};
use super::names::Partition;
use super::outlet::message;
use super::shared::Shared;
use crate::store::{DeadLetter, KeptLetter, LetterFilter};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishAckFuture, PublishError};
use async_nats::jetstream::message::{Message, PublishMessage};
use async_nats::jetstream::stream::{LastRawMessageError, LastRawMessageErrorKind};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Event, Text, Timestamp};

/// Letters that are listed; the rest is seen when these are gone.
const LISTED: usize = 1000;

/// The subjects of all letters.
const ALL: &str = "herald.dead.>";

/// A letter as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    sink: Text,
    event: BufferedEvent,
    reason: String,
    attempts: u32,
    first: Timestamp,
    last: Timestamp,
}

impl Written {
    fn to_json(&self) -> Vec<u8> {
        // As for events: no field's type can fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A letter as a message of at most `room` bytes, and the id by which the stream knows it again. Of an event that is too
/// large, what is largest is left out, and the reason says so.
pub(super) fn written(sink: &Text, letter: &DeadLetter, room: usize) -> (String, Vec<u8>) {
    let event = &letter.event;
    let id = format!(
        "dead/{sink}/{}/{}/{}",
        event.controller, event.site, event.id
    );
    let mut written = Written {
        sink: sink.clone(),
        event: event.clone(),
        reason: letter.reason.clone(),
        attempts: letter.attempts,
        first: letter.first,
        last: letter.last,
    };
    let mut json = written.to_json();
    for slimmer in SLIMMERS {
        if json.len() <= room {
            break;
        }
        slimmer(Arc::make_mut(&mut written.event.event));
        if !written.reason.ends_with(LEFT_OUT) {
            written.reason.push_str(LEFT_OUT);
        }
        json = written.to_json();
    }
    (id, json)
}

/// Added to the reason of a letter whose event is not whole.
const LEFT_OUT: &str = "; not all of the event is kept here";

/// What is left out of an event that is too large, one after the other.
const SLIMMERS: [fn(&mut Event); 3] = [
    |event| {
        event.raw_truncated |= event.raw.is_some();
        event.raw = None;
    },
    |event| event.fields.clear(),
    |event| {
        let mut bare = Event::new(event.kind, event.id.clone(), event.time);
        bare.received = event.received;
        bare.controller = event.controller.clone();
        bare.site = event.site.clone();
        bare.severity = event.severity;
        bare.raw_truncated = event.raw_truncated;
        bare.summary = event.summary.chars().take(200).collect::<String>().into();
        *event = bare;
    },
];

/// Header of an event that was a dead letter: how often it was tried before it became pending again.
const TRIED: &str = "Herald-Tried";

/// How often the event was tried before it became pending again; nothing when it was no dead letter.
pub(super) fn tried(message: &Message) -> Option<u32> {
    let value = message.headers.as_ref()?.get(TRIED)?;
    value.as_str().parse().ok()
}

/// Keep a letter, of an event that may have been one before.
pub(super) async fn send(
    link: &Link,
    partition: &Partition,
    sink: &Text,
    letter: &DeadLetter,
    tried: Option<u32>,
) -> Result<PublishAckFuture, PublishError> {
    let mut letter = letter.clone();
    letter.attempts = letter.attempts.saturating_add(tried.unwrap_or_default());
    let (mut id, json) = written(sink, &letter, link.room());
    if tried.is_some() {
        // Another id than before: the stream may still know that of the letter that was.
        id.push_str(&format!("/again/{}", letter.event.seq));
    }
    let message = PublishMessage::build().payload(json.into()).message_id(id);
    link.jetstream
        .send_publish(partition.dead(sink), message)
        .await
}

/// The oldest letters of the cluster.
pub(super) async fn list(link: &Link) -> Result<Vec<KeptLetter>, Trouble> {
    behind(link, 0, LISTED).await
}

/// The number of the newest letter; 0 when there is none.
pub(super) async fn newest(link: &Link) -> Result<u64, Trouble> {
    let trouble =
        |error: &dyn std::fmt::Display| link.trouble("look for dead letters", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.shares()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    match stream.get_last_raw_message_by_subject(ALL).await {
        Ok(message) => Ok(message.sequence),
        Err(error) if is_none(&error) => Ok(0),
        Err(error) => Err(trouble(&error)),
    }
}

/// Whether there just is no such message.
fn is_none(error: &LastRawMessageError) -> bool {
    match error.kind() {
        LastRawMessageErrorKind::NoMessageFound => true,
        LastRawMessageErrorKind::JetStream(inner) => {
            inner.error_code() == ErrorCode::NO_MESSAGE_FOUND
        }
        _ => false,
    }
}

/// At most `max` letters of the cluster behind the position `after`.
async fn behind(link: &Link, after: i64, max: usize) -> Result<Vec<KeptLetter>, Trouble> {
    let trouble =
        |error: &dyn std::fmt::Display| link.trouble("list dead letters", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.shares()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let mut found = Vec::new();
    let mut next = number_of(after) + 1;
    while found.len() < max {
        let asked = stream
            .raw_message_builder()
            .sequence(next)
            .next_by_subject(ALL);
        let message = match asked.send().await {
            Ok(message) => message,
            Err(error) if is_none(&error) => break,
            Err(error) => return Err(trouble(&error)),
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
                position: position_of(message.sequence),
            });
        }
    }
    Ok(found)
}

/// Where letters of the cluster are in a list that begins with those of the embedded store.
const FIRST: i64 = 1 << 48;

fn position_of(sequence: u64) -> i64 {
    i64::try_from(sequence).map_or(i64::MAX, |sequence| FIRST.saturating_add(sequence))
}

/// The message of a letter; 0 for a place among those of the embedded store.
fn number_of(position: i64) -> u64 {
    u64::try_from(position.saturating_sub(FIRST)).unwrap_or_default()
}

/// What is done to letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Give the event to its sink once more.
    Retry,
    Drop,
}

/// Do something to every letter that `filter` describes; how many there were. What is given up again meanwhile is not
/// part of it, or a retry could go on for ever.
pub(super) async fn each(
    link: &Link,
    filter: &LetterFilter,
    shared: &Shared,
    deed: Deed,
) -> Result<u64, Trouble> {
    let trouble =
        |error: &dyn std::fmt::Display| link.trouble("list dead letters", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.shares()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let newest = position_of(stream.cached_info().state.last_sequence);
    let (mut count, mut after) = (0, 0);
    loop {
        let letters = behind(link, after, LISTED).await?;
        let Some(last) = letters.last() else {
            return Ok(count);
        };
        after = last.position;
        for letter in letters {
            if letter.position > newest {
                return Ok(count);
            }
            if matches(filter, &letter) {
                if deed == Deed::Retry {
                    send_again(link, &letter).await?;
                }
                forget(link, &letter).await?;
                shared.forget_letter(letter.position);
                count += 1;
            }
        }
    }
}

/// Whether `filter` describes `letter`.
pub(super) fn matches(filter: &LetterFilter, letter: &KeptLetter) -> bool {
    filter.sink.as_ref().is_none_or(|sink| *sink == letter.sink)
        && filter.id.as_ref().is_none_or(|id| *id == letter.event.id)
}

/// Give a letter's event to its sink once more.
async fn send_again(link: &Link, letter: &KeptLetter) -> Result<(), Trouble> {
    let trouble =
        |error: &dyn std::fmt::Display| link.trouble("retry a dead letter", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.shares()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let position = number_of(letter.position);
    let kept = stream.get_raw_message(position).await;
    let kept = kept.map_err(|error| trouble(&error))?;
    let Some(name) = kept.subject.rsplit('.').next().and_then(Partition::of_name) else {
        return Err(Trouble("a dead letter is of no partition".to_owned()));
    };
    // Another id than before: the stream may still know the event's.
    let message = message(&letter.event, &format!("{}/again/{position}", letter.sink));
    let message = message.header(TRIED, letter.attempts.to_string());
    let sent = link
        .jetstream
        .send_publish(name.share(&letter.sink), message)
        .await;
    let answer = async { sent?.await };
    answer.await.map(drop).map_err(|error| trouble(&error))
}

/// Forget a letter.
async fn forget(link: &Link, letter: &KeptLetter) -> Result<(), Trouble> {
    let trouble =
        |error: &dyn std::fmt::Display| link.trouble("forget a dead letter", &error.to_string());
    let stream = link.jetstream.get_stream(link.names.shares()).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let position = number_of(letter.position);
    let forgotten = stream.delete_message(position).await;
    forgotten.map(drop).map_err(|error| trouble(&error))
}
