//! A consumer that is its reader's alone: made anew when it is taken over, and when a delivery got lost on the way.
//!
//! Streams keep what nobody has acknowledged, so a consumer that is made anew delivers it from the oldest on. Each delivery
//! has a number; a number that is missing means that something was delivered to nobody, and what follows it would come
//! before it.

use super::link::{Link, Trouble};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::message::Message;
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::sync::watch;

/// How long a delivery may be in somebody's hands without a sign of life.
pub(super) const ACK_WAIT: Duration = Duration::from_mins(1);

/// How long the server is asked to wait for the next message.
const WAIT: Duration = Duration::from_secs(20);

/// How long the next of what is there now may take: that it was all may not be heard.
const REST: Duration = Duration::from_secs(1);

/// Deliveries that may be in somebody's hands.
const MAX_ACK_PENDING: i64 = 1024;

/// What a consumer reads.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) stream: String,
    pub(super) consumer: String,
    pub(super) subject: String,
}

/// A consumer with a gapless row of deliveries.
#[derive(Debug)]
pub(super) struct Pull {
    consumer: Consumer<pull::Config>,
    link: Link,
    /// The connection over which it waits.
    connections: watch::Receiver<u64>,
    /// When its stream was made, which tells it from another of the same name.
    pub(super) stream: i64,
    /// The number of the last delivery.
    last: u64,
}

impl Pull {
    /// Make the consumer; who used it before gets nothing any more.
    pub(super) async fn take(link: &Link, source: &Source) -> Result<Self, Trouble> {
        let deed = || format!("make the consumer {}", source.consumer);
        let mut connections = link.connections.clone();
        connections.mark_unchanged();
        let stream = link.jetstream.get_stream(&source.stream).await;
        let stream = stream.map_err(|error| link.trouble(&deed(), &error))?;
        let made = stream.cached_info().created.unix_timestamp_nanos() / 1_000_000;
        // It is not there the first time; what else is wrong is seen when it is made.
        drop(stream.delete_consumer(&source.consumer).await);
        let config = pull::Config {
            durable_name: Some(source.consumer.clone()),
            filter_subject: source.subject.clone(),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: MAX_ACK_PENDING,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await;
        let consumer = consumer.map_err(|error| link.trouble(&deed(), &error))?;
        Ok(Self {
            consumer,
            link: link.clone(),
            connections,
            stream: i64::try_from(made).unwrap_or_default(),
            last: 0,
        })
    }

    /// Wait for the next message, for some time; none when that is over.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, Trouble> {
        let batch = self.consumer.batch().max_messages(1).expires(WAIT);
        let batch = batch.messages().await;
        // The request ends by itself.
        Ok(self.read(batch, WAIT * 2).await?.pop())
    }

    /// What is there now, at most `max`.
    pub(super) async fn more(&mut self, max: usize) -> Result<Vec<Message>, Trouble> {
        let batch = self.consumer.fetch().max_messages(max).messages().await;
        self.read(batch, REST).await
    }

    async fn read<E: std::fmt::Display>(
        &mut self,
        batch: Result<pull::Batch, E>,
        patience: Duration,
    ) -> Result<Vec<Message>, Trouble> {
        let trouble = |error: &dyn std::fmt::Display| {
            let name = &self.consumer.cached_info().name;
            self.link
                .trouble(&format!("read by the consumer {name}"), &error.to_string())
        };
        let mut batch = batch.map_err(|error| trouble(&error))?;
        let mut messages = Vec::new();
        loop {
            let message = tokio::select! {
                biased;
                // Its sender is as old as the connection itself.
                _ = self.connections.changed() => return Err(Trouble::of_a_new_connection()),
                message = tokio::time::timeout(patience, batch.next()) => message,
            };
            // What comes after all is missing in the row, which is noticed.
            let Ok(Some(message)) = message else {
                break;
            };
            let message = message.map_err(|error| trouble(&error))?;
            let number = message.info().map_err(|error| trouble(&error))?;
            let number = number.consumer_sequence;
            if number != self.last + 1 {
                return Err(trouble(&"a delivery was lost on the way"));
            }
            self.last = number;
            messages.push(message);
        }
        Ok(messages)
    }
}

/// The subjects of a stream that have messages, and how many.
pub(super) async fn subjects(
    link: &Link,
    stream: &str,
    filter: &str,
) -> Result<Vec<(String, u64)>, Trouble> {
    let trouble = |error: &dyn std::fmt::Display| {
        link.trouble(
            &format!("look into the stream {stream}"),
            &error.to_string(),
        )
    };
    let stream = link.jetstream.get_stream_no_info(stream).await;
    let stream = stream.map_err(|error| trouble(&error))?;
    let mut info = stream
        .info_with_subjects(filter)
        .await
        .map_err(|error| trouble(&error))?;
    let mut found = Vec::new();
    while let Some(entry) = info.next().await {
        let (subject, count) = entry.map_err(|error| trouble(&error))?;
        found.push((subject, count as u64));
    }
    Ok(found)
}
