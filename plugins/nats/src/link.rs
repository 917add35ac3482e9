//! One connection: it ends with the first trouble, and the next delivery opens another.

use crate::access::Servers;
use crate::fault;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::{self, message::PublishMessage};
use async_nats::{Client, Event as Happening, ServerError, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use unifi_herald_plugin::{DeliveryError, Fault};

/// For a connection, and for an answer to what was sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the server has to show that it is there: one that is gone without a word is noticed by whoever only listens.
const PING: Duration = Duration::from_secs(20);

/// Messages that wait for whoever listens; beyond it they are lost.
const UNHEARD: usize = 1024;

/// Publications that wait for their acknowledgement at once.
const IN_FLIGHT: usize = 512;

/// What a refusal of a message to ourselves has in it; nothing but a round trip sends one.
const TO_OURSELVES: &str = "Publish to \"_INBOX.";

/// A message of an event.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) id: String,
    pub(crate) payload: Bytes,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Link {
    client: Client,
    jetstream: jetstream::Context,
    trouble: watch::Receiver<Option<Trouble>>,
    /// What the server said last of a message to ourselves that it does not permit.
    refused: watch::Receiver<String>,
    /// Messages that came faster than they were heard.
    lost: Arc<AtomicU64>,
}

/// Why a connection is of no more use.
#[derive(Clone, Debug)]
enum Trouble {
    Lost,
    Said(ServerError),
}

impl Link {
    pub(crate) async fn open(servers: &Servers) -> Result<Self, DeliveryError> {
        let (tell, trouble) = watch::channel(None);
        let (refuse, refused) = watch::channel(String::new());
        let lost = Arc::new(AtomicU64::new(0));
        let dropped = Arc::clone(&lost);
        let options = servers
            .options()
            .connection_timeout(PATIENCE)
            .ping_interval(PING)
            .subscription_capacity(UNHEARD)
            // The lane decides when to try again; what waits in a library's buffer would come twice.
            .max_reconnects(1)
            .event_callback(move |happening| {
                let trouble = match happening {
                    Happening::Disconnected | Happening::Closed => Some(Trouble::Lost),
                    Happening::ServerError(ServerError::Other(said))
                        if said.contains(TO_OURSELVES) =>
                    {
                        refuse.send_replace(said);
                        None
                    }
                    Happening::ServerError(error) => Some(Trouble::Said(error)),
                    Happening::SlowConsumer(_) => {
                        dropped.fetch_add(1, Ordering::Relaxed);
                        None
                    }
                    _ => None,
                };
                if let Some(trouble) = trouble {
                    tell.send_if_modified(|known| {
                        let first = known.is_none();
                        known.get_or_insert(trouble);
                        first
                    });
                }
                async {}
            });
        let connecting = options.connect(servers.addresses());
        let client = match tokio::time::timeout(PATIENCE * 2, connecting).await {
            Ok(connected) => {
                connected.map_err(|error| fault::connect(&error, &servers.connector))?
            }
            Err(_) => return Err(DeliveryError::later("no NATS server answered in time")),
        };
        let jetstream = ContextBuilder::new()
            .timeout(PATIENCE)
            .max_ack_inflight(IN_FLIGHT)
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            trouble,
            refused,
            lost,
        })
    }

    /// Whether nothing has happened to it yet.
    pub(crate) fn is_up(&self) -> bool {
        self.trouble.borrow().is_none()
    }

    /// Have a stream acknowledge every message; an error says how many it did from the front.
    pub(crate) async fn store(&self, messages: &[Message]) -> Result<(), DeliveryError> {
        let mut accepted = 0;
        for part in messages.chunks(IN_FLIGHT) {
            let mut waiting = Vec::with_capacity(part.len());
            for message in part {
                let publication = PublishMessage::build()
                    .payload(message.payload.clone())
                    .message_id(&message.id);
                let subject = message.subject.clone();
                waiting.push(self.jetstream.send_publish(subject, publication).await);
            }
            for (message, answer) in part.iter().zip(waiting) {
                let answer = async { answer?.await };
                let acknowledged = tokio::select! {
                    biased;
                    answer = answer => answer.map_err(|error| fault::publish(&error, &message.subject)),
                    error = self.failed() => Err(error),
                };
                acknowledged.map_err(|error| error.with_accepted(accepted))?;
                accepted += 1;
            }
        }
        Ok(())
    }

    /// Hand every message to the server and wait until it has read them.
    pub(crate) async fn send(&self, messages: &[Message]) -> Result<(), DeliveryError> {
        for message in messages {
            let mut headers = async_nats::HeaderMap::new();
            headers.insert("Nats-Msg-Id", &*message.id);
            let (subject, payload) = (message.subject.clone(), message.payload.clone());
            let sent = self.client.publish_with_headers(subject, headers, payload);
            if let Err(error) = sent.await {
                let why = format!("cannot publish on {}: {error}", message.subject);
                return Err(match error.kind() {
                    async_nats::client::PublishErrorKind::MaxPayloadExceeded
                        if messages.len() == 1 =>
                    {
                        DeliveryError::never(why)
                    }
                    _ => DeliveryError::later(why).with_fault(Fault::Unavailable),
                });
            }
        }
        self.settled().await
    }

    /// Listen to `subject`.
    pub(crate) async fn subscribe(&self, subject: &str) -> Result<Subscriber, DeliveryError> {
        let heard = self.client.subscribe(subject.to_owned()).await;
        heard.map_err(|error| DeliveryError::later(format!("cannot listen to {subject}: {error}")))
    }

    /// Wait until the server has read what was sent and refused what it does not permit.
    pub(crate) async fn settled(&self) -> Result<(), DeliveryError> {
        // A refusal comes before the answer, and is told by a task of its own, which has run by the second answer.
        self.round_trip().await?;
        self.round_trip().await
    }

    /// Send what waits to be sent.
    pub(crate) async fn flush(&self) -> Result<(), DeliveryError> {
        let sent = self.unless_it_failed(self.client.flush()).await?;
        sent.map_err(|error| DeliveryError::later(format!("cannot send to NATS: {error}")))
    }

    /// What is asked of streams.
    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }

    /// The largest message that the server takes.
    pub(crate) fn max_payload(&self) -> usize {
        self.client.server_info().max_payload
    }

    /// How many messages were lost since the last call, at least, because nobody heard them in time.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    /// What comes of `work`, unless something happens to the connection before.
    pub(crate) async fn unless_it_failed<T>(
        &self,
        work: impl IntoFuture<Output = T>,
    ) -> Result<T, DeliveryError> {
        tokio::select! {
            biased;
            done = work.into_future() => Ok(done),
            error = self.failed() => Err(error),
        }
    }

    /// Wait until the server has answered; it answers in order.
    pub(crate) async fn round_trip(&self) -> Result<(), DeliveryError> {
        let inbox = self.client.new_inbox();
        let mut refused = self.refused.clone();
        // The library tells of no PONG, and that a flush or a drained subscription is over is no word from the server.
        let echo = async {
            let mut heard = self.client.subscribe(inbox.clone()).await.ok()?;
            let sent = self.client.publish(inbox.clone(), Bytes::new()).await;
            sent.ok()?;
            tokio::select! {
                echo = heard.next() => echo.map(drop),
                // An account that may not write to itself is told so, in order as well.
                refused = refused.wait_for(|said| said.contains(&inbox)) => refused.ok().map(drop),
            }
        };
        let answered = tokio::select! {
            biased;
            error = self.failed() => return Err(error),
            answered = tokio::time::timeout(PATIENCE, echo) => answered,
        };
        if !self.is_up() {
            return Err(self.failed().await);
        }
        match answered {
            Ok(Some(())) => Ok(()),
            _ => Err(DeliveryError::later(
                "the NATS server did not answer in time",
            )),
        }
    }

    /// Whether a stream takes `subject`.
    pub(crate) async fn look_up(&self, subject: &str) -> Result<(), DeliveryError> {
        let found = tokio::select! {
            biased;
            found = self.jetstream.stream_by_subject(subject) => found,
            error = self.failed() => return Err(error),
        };
        found.map(drop).map_err(|error| {
            DeliveryError::misconfigured(format!("no stream takes {subject}: {error}"))
        })
    }

    /// Resolves when something has happened to the connection.
    pub(crate) async fn failed(&self) -> DeliveryError {
        let mut trouble = self.trouble.clone();
        let known = trouble.wait_for(Option::is_some).await;
        match known.ok().and_then(|known| known.clone()) {
            Some(Trouble::Said(error)) => fault::said(&error),
            Some(Trouble::Lost) | None => DeliveryError::later("the connection to NATS broke"),
        }
    }
}
