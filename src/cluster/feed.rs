//! Brings a sink's share of a partition from the cluster to the sink's lane, as far as the lane has room.

use super::garbage::{Garbage, time_of};
use super::letters;
use super::link::{Link, Trouble};
use super::names::Partition;
use super::outlet::message as message_of;
use super::pull::{Pull, Source};
use super::queue::{Held, Retried, SinkQueue};
use async_nats::jetstream::AckKind;
use async_nats::jetstream::message::{Acker, Message};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use unifi_herald_plugin::BufferedEvent;

/// Most events at once.
const BATCH: usize = 64;

/// How long to wait when the cluster refuses.
const RETRY: Duration = Duration::from_secs(1);

/// One sink of one partition.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) link: Link,
    pub(super) partition: Partition,
    pub(super) tenure: u64,
    pub(super) queue: Arc<SinkQueue>,
}

impl Feed {
    /// Go on until dropped.
    pub(super) async fn run(&self) {
        let sink = &self.queue.name;
        let source = Source {
            stream: self.link.names.shares(),
            consumer: self.partition.sink_consumer(sink),
            subject: self.partition.share(sink),
        };
        let mut said = None;
        loop {
            if let Err(trouble) = self.read(&source).await
                && trouble != Trouble::of_a_new_connection()
                && said.as_ref() != Some(&trouble)
            {
                tracing::warn!(%sink, partition = %self.partition, %trouble, "sink's share is read anew");
                said = Some(trouble);
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn read(&self, source: &Source) -> Result<(), Trouble> {
        let mut pull = Pull::take(&self.link, source).await?;
        self.queue.read_from(pull.stream);
        loop {
            let place = self.places(1).await;
            let Some(message) = pull.next().await? else {
                continue;
            };
            self.hand_over(message, place).await?;
            loop {
                let count = self.queue.room.available_permits().clamp(1, BATCH);
                let mut places = self.places(count).await;
                let messages = pull.more(count).await?;
                let all = messages.len() == count;
                for message in messages {
                    if let Some(place) = places.as_mut().and_then(|places| places.split(1)) {
                        self.hand_over(message, Some(place)).await?;
                    }
                }
                if !all {
                    break;
                }
            }
        }
    }

    /// Room for so many; none only when the queue is closed, which it never is.
    async fn places(&self, count: usize) -> Option<OwnedSemaphorePermit> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Arc::clone(&self.queue.room)
            .acquire_many_owned(count)
            .await
            .ok()
    }

    async fn hand_over(
        &self,
        message: Message,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<(), Trouble> {
        let event = match serde_json::from_slice::<BufferedEvent>(&message.payload) {
            Ok(event) => event,
            Err(error) => return self.lose(&message, &error).await,
        };
        let info = message.info();
        let info = info.map(|info| (info.stream_sequence, time_of(&info)));
        let tried = letters::tried(&message);
        let (_, acker) = message.split();
        let (Ok((seq, at)), Some(place)) = (info, place) else {
            return Ok(());
        };
        let held = Held {
            event: BufferedEvent { seq, ..event },
            partition: self.partition.clone(),
            tenure: self.tenure,
            acker: Arc::new(acker),
            retried: tried.map(|attempts| Retried { attempts, at }),
            _place: place,
        };
        if let Some(acker) = self.queue.push(held) {
            acknowledge(&acker, AckKind::Ack).await;
        }
        Ok(())
    }

    /// Tell all sinks of the partition that one of them lost this, by way of its chains, and forget it.
    async fn lose(&self, message: &Message, error: &serde_json::Error) -> Result<(), Trouble> {
        let trouble = |error: &dyn std::fmt::Display| {
            let deed = "tell of a message that is no event";
            self.link.trouble(deed, &error.to_string())
        };
        let time = message.info().map(|info| time_of(&info));
        let time = time.map_err(|error| trouble(&error))?;
        let mut garbage = Garbage::default();
        garbage.add(message, time, error);
        if let Some(event) = garbage.told(&self.partition, time) {
            let subject = self.partition.subject_of(event.kind);
            let event = BufferedEvent {
                seq: 0,
                event: Arc::new(event),
            };
            let told = message_of(&event, &self.queue.name);
            let sent = self.link.jetstream.send_publish(subject, told).await;
            let answer = async { sent?.await };
            answer.await.map_err(|error| trouble(&error))?;
        }
        self.queue.lose();
        // Otherwise it is told once more, with the same id.
        if let Err(error) = message.ack_with(AckKind::Term).await {
            tracing::debug!(%error, "cluster did not hear an acknowledgement");
        }
        Ok(())
    }
}

/// Tell the cluster; what it does not hear it delivers again.
pub(super) async fn acknowledge(acker: &Acker, kind: AckKind) {
    if let Err(error) = acker.ack_with(kind).await {
        tracing::debug!(%error, "cluster did not hear an acknowledgement");
    }
}
