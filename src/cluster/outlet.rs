//! Where the decisions about a batch go: each sink's share into the stream of shares, and what is remembered into the bucket.

use super::letters;
use super::link::Link;
use super::memory::{Memory, WriteError};
use super::names::Partition;
use super::queue::{Entry, SinkQueue};
use crate::store::{DeadLetter, Share, StateChange};
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use futures_util::future::join_all;
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Text, Timestamp};

/// Publications that wait for their acknowledgement at once.
const IN_FLIGHT: usize = 512;

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
    /// Messages that were no events.
    pub(super) lost: u64,
    pub(super) posts: Vec<Post>,
    pub(super) state: Vec<StateChange>,
}

/// What one sink gets, or has lost to the dead letters.
#[derive(Debug)]
pub(super) struct Post {
    sink: usize,
    event: BufferedEvent,
    subject: String,
    /// By which the stream knows it again.
    id: String,
    payload: Bytes,
    dead: bool,
    /// Whether the stream has it.
    stored: bool,
}

impl Outlet {
    /// What the chains gave to the sinks and what they gave up, ready to be sent.
    pub(super) fn posts(&self, shares: Vec<Share>, dead: Vec<DeadLetter>) -> Vec<Post> {
        let shares = shares.into_iter().flat_map(|share| {
            let events = share.events.into_iter();
            events.map(move |event| (share.sink, event))
        });
        let shares = shares.map(|(sink, event)| {
            Post::share(sink, &self.queues[sink].name, &self.partition, event)
        });
        let room = self.link.room();
        let dead = dead.into_iter().map(|letter| {
            let sink = &self.queues[letter.sink].name;
            Post::letter(sink, &self.partition, &letter, room)
        });
        shares.chain(dead).collect()
    }

    /// Publish and write down; again, after an error, with the same. What the stream has already is not sent again.
    pub(super) async fn write(
        &self,
        seq: u64,
        decided: &mut Decided,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let room = self.link.room();
        let mut left: Vec<&mut Post> = decided
            .posts
            .iter_mut()
            .filter(|post| !post.stored)
            .collect();
        // A full stream refuses what is large and takes what is small behind it.
        let at_once = if self.link.is_bounded() { 1 } else { IN_FLIGHT };
        for some in left.chunks_mut(at_once) {
            let mut waiting = Vec::with_capacity(some.len());
            for post in some {
                let sink = &self.queues[post.sink].name;
                if post.bury_if_larger(room, sink, &self.partition, now) {
                    tracing::error!(partition = %self.partition, %sink, room, "an event is larger than a message of the cluster may be, it is a dead letter");
                }
                let sent = self
                    .link
                    .jetstream
                    .send_publish(post.subject.clone(), post.message());
                waiting.push((&mut post.stored, sent.await));
            }
            // All at once: what a server that died has not answered is waited for together.
            let answers = waiting.into_iter().map(async |(stored, sent)| {
                let answer = async { sent?.await };
                answer.await.map(|_| *stored = true)
            });
            let answers = join_all(answers).await;
            let refused = answers.into_iter().find_map(Result::err);
            if let Some(error) = refused {
                let deed = format!("publish a sink's share of {}", self.partition);
                return Err(WriteError::Later(self.link.trouble(&deed, &error)));
            }
        }
        memory.write(seq, &decided.state).await
    }

    /// Enter a batch in the books of the sinks.
    pub(super) fn enter(&self, decided: &Decided) {
        for (sink, queue) in self.queues.iter().enumerate() {
            let own = decided.posts.iter().filter(|post| post.sink == sink);
            let (dead, given): (Vec<_>, Vec<_>) = own.partition(|post| post.dead);
            queue.enter(Entry {
                events: decided.events,
                duplicates: decided.duplicates,
                lost: decided.lost,
                given: given.len() as u64,
                dead: dead.len() as u64,
            });
        }
    }
}

impl Post {
    fn share(sink: usize, name: &Text, partition: &Partition, event: BufferedEvent) -> Self {
        Self {
            sink,
            subject: partition.share(name),
            id: share_id(&event, &format!("{name}/{partition}")),
            payload: event.to_json().into(),
            dead: false,
            stored: false,
            event,
        }
    }

    fn letter(name: &Text, partition: &Partition, letter: &DeadLetter, room: usize) -> Self {
        let (id, payload) = letters::written(name, letter, room);
        Self {
            sink: letter.sink,
            subject: partition.dead(name),
            id,
            payload: payload.into(),
            dead: true,
            stored: false,
            event: letter.event.clone(),
        }
    }

    /// Make a dead letter of what no message of the cluster can hold; whether it became one now.
    fn bury_if_larger(
        &mut self,
        room: usize,
        name: &Text,
        partition: &Partition,
        now: Timestamp,
    ) -> bool {
        if self.dead || self.payload.len() <= room {
            return false;
        }
        let letter = DeadLetter {
            sink: self.sink,
            event: self.event.clone(),
            reason: format!(
                "the event has {} bytes, and a message of the cluster {room} at most: `max_payload` of nats-server",
                self.payload.len()
            ),
            attempts: 0,
            first: now,
            last: now,
        };
        *self = Self::letter(name, partition, &letter, room);
        true
    }

    fn message(&self) -> PublishMessage {
        PublishMessage::build()
            .payload(self.payload.clone())
            .message_id(&self.id)
    }
}

fn share_id(event: &BufferedEvent, whose: &str) -> String {
    format!("{whose}/{}/{}/{}", event.controller, event.site, event.id)
}

/// An event for a sink, by which the stream knows it again.
pub(super) fn message(event: &BufferedEvent, whose: &str) -> PublishMessage {
    PublishMessage::build()
        .payload(event.to_json().into())
        .message_id(share_id(event, whose))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::Kind;
    use unifi_herald_plugin::testing::EventBuilder;

    #[test]
    fn what_no_message_can_hold_becomes_a_dead_letter_that_one_can() {
        let partition = Partition::of_name("hq=a").unwrap();
        let (sink, now) = ("ops".into(), Timestamp::from_millis(7));
        let event = EventBuilder::new(Kind::CLIENT_CONNECTED).site("hq", "a", "A");
        let event = event.with(|event| {
            event
                .fields
                .insert("long".to_owned(), "x".repeat(5000).into());
        });
        let mut post = Post::share(0, &sink, &partition, event.buffered(1));
        assert!(!post.bury_if_larger(10_000, &sink, &partition, now));
        assert!(post.bury_if_larger(2000, &sink, &partition, now));
        assert!(!post.bury_if_larger(2000, &sink, &partition, now));
        assert_eq!(post.subject, "herald.dead.ops.hq=a");
        assert!(post.dead && post.payload.len() <= 2000);
    }
}
