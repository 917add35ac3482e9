//! A stream read under a durable name: what is not acknowledged comes again.

use super::config::Stream;
use super::{BATCH, MAX_BYTES};
use crate::link::Link;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::{AckKind, ErrorCode, stream};
use futures_util::StreamExt as _;
use std::fmt;
use std::time::Duration;
use unifi_herald_plugin::{DeliveryError, Message, Settled};

/// How long the server is asked to wait for the next message.
const WAIT: Duration = Duration::from_secs(20);

/// After how long what nobody acknowledged comes again, unless it is said to be in hand: so long it may stay away after a
/// crash.
const ACK_WAIT: Duration = Duration::from_secs(15);

/// Room beside the largest payload, for what the server counts as well.
const MARGIN: usize = 64 << 10;

/// The consumer, and what it brought last.
pub(super) struct Inflow {
    consumer: Consumer<pull::Config>,
    max_bytes: usize,
    hands: Vec<Acker>,
}

/// The stream of this name.
pub(super) async fn find(link: &Link, name: &str) -> Result<stream::Stream, DeliveryError> {
    let found = link.jetstream().get_stream(name);
    let found = link.unless_it_failed(found).await?;
    found.map_err(|error| {
        let missing = matches!(error.kind(), GetStreamErrorKind::JetStream(error)
            if error.error_code() == ErrorCode::STREAM_NOT_FOUND);
        if missing {
            return DeliveryError::misconfigured(format!(
                "there is no stream {name}: create it, or leave `stream` out to hear only what is published meanwhile"
            ));
        }
        DeliveryError::later(format!("cannot look at the stream {name}: {error}"))
    })
}

impl Inflow {
    /// Find the consumer, or make it.
    pub(super) async fn of(
        link: &Link,
        stream: &Stream,
        subject: &str,
    ) -> Result<Self, DeliveryError> {
        let Stream { name, durable } = stream;
        let stream = find(link, name).await?;
        let config = pull::Config {
            durable_name: Some(durable.clone()),
            filter_subject: subject.to_owned(),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            ..pull::Config::default()
        };
        let found = stream.get_or_create_consumer(durable, config);
        let consumer = link.unless_it_failed(found).await?.map_err(|error| {
            DeliveryError::later(format!("cannot make the consumer {durable}: {error}"))
        })?;
        let there = &consumer.cached_info().config;
        if there.filter_subject != subject || there.ack_policy != AckPolicy::Explicit {
            return Err(DeliveryError::misconfigured(format!(
                "the consumer {durable} of the stream {name} is there and reads {:?}: choose another `durable`, or delete it",
                there.filter_subject
            )));
        }
        Ok(Self {
            consumer,
            max_bytes: MAX_BYTES.max(link.max_payload() + MARGIN),
            hands: Vec::new(),
        })
    }

    /// Wait for a message, and take what else is there.
    pub(super) async fn next(&mut self, link: &Link) -> Result<Vec<Message>, DeliveryError> {
        self.hands.clear();
        let mut messages = Vec::new();
        while messages.is_empty() {
            let one = self.consumer.batch().max_messages(1).expires(WAIT);
            let one = link.unless_it_failed(one.messages()).await?;
            let mut one = one.map_err(|error| self.trouble(&error))?;
            while let Some(message) = link.unless_it_failed(one.next()).await? {
                let message = message.map_err(|error| self.trouble(&error))?;
                self.take(message, &mut messages);
            }
        }
        let more = self.consumer.fetch().max_messages(BATCH - 1);
        let more = more.max_bytes(self.max_bytes).messages();
        let mut more = link
            .unless_it_failed(more)
            .await?
            .map_err(|error| self.trouble(&error))?;
        // An error is the end of what fits into so many bytes; any other comes again with the next call.
        while let Some(Ok(message)) = link.unless_it_failed(more.next()).await? {
            self.take(message, &mut messages);
        }
        Ok(messages)
    }

    fn take(&mut self, message: async_nats::jetstream::Message, messages: &mut Vec<Message>) {
        let (message, acker) = message.split();
        self.hands.push(acker);
        messages.push(Message::new(message.payload));
    }

    /// Say that what was brought last is in hand.
    pub(super) async fn hold(&self, link: &Link) -> Result<(), DeliveryError> {
        for acker in &self.hands {
            let told = acker.ack_with(AckKind::Progress);
            let told = link.unless_it_failed(told).await?;
            told.map_err(|error| unheard(&error))?;
        }
        link.flush().await
    }

    /// Acknowledge what was kept, and give back for good what was refused.
    pub(super) async fn settle(
        &mut self,
        link: &Link,
        settled: &[Settled],
    ) -> Result<(), DeliveryError> {
        for (acker, settled) in self.hands.drain(..).zip(settled) {
            let kind = match settled {
                Settled::Kept => AckKind::Ack,
                Settled::Refused => AckKind::Term,
            };
            let told = link.unless_it_failed(acker.ack_with(kind)).await?;
            told.map_err(|error| unheard(&error))?;
        }
        link.flush().await
    }

    fn trouble(&self, error: &dyn fmt::Display) -> DeliveryError {
        let name = &self.consumer.cached_info().name;
        DeliveryError::later(format!("cannot read by the consumer {name}: {error}"))
    }
}

fn unheard(error: &dyn fmt::Display) -> DeliveryError {
    DeliveryError::later(format!("cannot acknowledge to NATS: {error}"))
}

impl fmt::Debug for Inflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflow")
            .field("consumer", &self.consumer.cached_info().name)
            .finish_non_exhaustive()
    }
}
