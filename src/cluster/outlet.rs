//! Where the decisions about a batch go: each sink's share into the stream of shares, and what is remembered into the bucket.

use super::letters;
use super::link::Link;
use super::memory::{Memory, WriteError};
use super::names::Partition;
use super::queue::SinkQueue;
use crate::store::{DeadLetter, Share, StateChange};
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use std::sync::Arc;
use unifi_herald_plugin::BufferedEvent;

/// Publications that wait for their acknowledgement at once.
const IN_FLIGHT: usize = 512;

/// A publication that is under way, unless it could not be sent.
type Sent = Result<PublishAckFuture, PublishError>;

/// The way from the chains of a partition to its sinks.
#[derive(Debug)]
pub(super) struct Outlet {
    pub(super) link: Link,
    pub(super) partition: Partition,
    /// In the order of the sinks.
    pub(super) queues: Vec<Arc<SinkQueue>>,
}

/// What a batch comes to.
#[derive(Debug, Default)]
pub(super) struct Decided {
    pub(super) events: u64,
    pub(super) duplicates: u64,
    pub(super) shares: Vec<Share>,
    pub(super) dead: Vec<DeadLetter>,
    pub(super) state: Vec<StateChange>,
}

impl Outlet {
    /// Publish and write down; again, after an error, with the same.
    pub(super) async fn write(
        &self,
        seq: u64,
        decided: &Decided,
        memory: &mut Memory,
    ) -> Result<(), WriteError> {
        let mut waiting = Vec::new();
        for share in &decided.shares {
            let sink = &self.queues[share.sink].name;
            let subject = self.partition.share(sink);
            for event in &share.events {
                let message = message(event, &format!("{sink}/{}", self.partition));
                waiting.push(
                    self.link
                        .jetstream
                        .send_publish(subject.clone(), message)
                        .await,
                );
                if waiting.len() == IN_FLIGHT {
                    self.acknowledged(&mut waiting).await?;
                }
            }
        }
        for letter in &decided.dead {
            let sink = &self.queues[letter.sink].name;
            waiting.push(letters::send(&self.link, &self.partition, sink, letter).await);
            if waiting.len() == IN_FLIGHT {
                self.acknowledged(&mut waiting).await?;
            }
        }
        self.acknowledged(&mut waiting).await?;
        memory.write(seq, &decided.state).await
    }

    /// Wait until the stream has what was sent.
    async fn acknowledged(&self, waiting: &mut Vec<Sent>) -> Result<(), WriteError> {
        for sent in waiting.drain(..) {
            let answer = async { sent?.await };
            match answer.await {
                Ok(_) => {}
                // Nobody will ever take it: the server's limit is smaller than an event may be.
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    tracing::error!(partition = %self.partition, "an event is larger than the server's max_payload, a sink does not get it");
                }
                Err(error) => {
                    let deed = format!("publish a sink's share of {}", self.partition);
                    return Err(WriteError::Later(self.link.trouble(&deed, &error)));
                }
            }
        }
        Ok(())
    }

    /// Enter a batch in the books of the sinks.
    pub(super) fn enter(&self, decided: &Decided) {
        for (sink, queue) in self.queues.iter().enumerate() {
            let share = decided.shares.iter().find(|share| share.sink == sink);
            let given = share.map_or(0, |share| share.events.len() as u64);
            let dead = decided.dead.iter().filter(|letter| letter.sink == sink);
            queue.enter(
                decided.events,
                decided.duplicates,
                given,
                dead.count() as u64,
            );
        }
    }
}

/// An event for a sink, by which the stream knows it again.
pub(super) fn message(event: &BufferedEvent, whose: &str) -> PublishMessage {
    let mut json = Vec::with_capacity(1024);
    event.write_json(&mut json);
    let id = format!("{whose}/{}/{}/{}", event.controller, event.site, event.id);
    PublishMessage::build().payload(json.into()).message_id(id)
}
