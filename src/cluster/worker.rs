//! The chains of one partition: takes its events in their order, routes them, publishes each sink's share, writes down
//! what is remembered, and acknowledges; in this order, so that nothing is lost whenever it ends.

use super::lease::Tenure;
use super::link::{Link, Trouble};
use super::memory::{Memory, WriteError};
use super::names::Partition;
use super::outlet::{Decided, Outlet};
use super::pull::{Pull, Source};
use crate::chain::{Chains, Now, Routing};
use crate::clock::Clock;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::message::Message;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use unifi_herald_plugin::{BufferedEvent, Event};

/// Most events in one batch.
const BATCH: usize = 256;

/// Batches that are read ahead.
const AHEAD: usize = 1;

/// How long to wait when the cluster refuses.
const RETRY: Duration = Duration::from_millis(500);

/// The one writer of a partition.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) outlet: Outlet,
    pub(super) tenure: Tenure,
    pub(super) chains: Chains,
    pub(super) clock: Clock,
}

impl Worker {
    /// Work until the partition is lost, or until dropped.
    pub(super) async fn run(mut self) -> Result<(), Trouble> {
        let taken = Memory::take(
            &self.outlet.link,
            &self.outlet.partition,
            &self.tenure.owner,
        )
        .await;
        let mut memory = match taken {
            Ok(memory) => memory,
            Err(WriteError::Lost) => return Ok(()),
            Err(WriteError::Later(trouble)) => return Err(trouble),
        };
        let loaded: Result<(), std::convert::Infallible> =
            self.chains.load_state(|scope| Ok(memory.entries(scope)));
        match loaded {
            Ok(()) => {}
            Err(never) => match never {},
        }
        self.chains.begin(&[], self.clock.wall());
        let mut routing = Routing::new(self.outlet.queues.len(), 1);
        let (ahead, mut batches) = mpsc::channel(AHEAD);
        let (link, partition) = (self.outlet.link.clone(), self.outlet.partition.clone());
        let reader = read(&link, &partition, ahead);
        let work = async {
            loop {
                let batch = tokio::select! {
                    biased;
                    batch = batches.recv() => batch.unwrap_or_default(),
                    () = self.due() => Vec::new(),
                };
                if !self.process(&batch, &mut memory, &mut routing).await {
                    return;
                }
            }
        };
        tokio::select! {
            // It ends with the channel, which this function holds.
            () = reader => {}
            () = work => {}
        }
        Ok(())
    }

    /// Resolves when an alert or a digest has something to say of its own.
    fn due(&self) -> impl Future<Output = ()> + use<> {
        let (instant, wall) = (self.clock.now(), self.clock.wall());
        let wake = self.chains.wake_at(wall).map(|at| instant + at.since(wall));
        async move {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Do everything with a batch; false when the partition is somebody else's.
    async fn process(
        &mut self,
        batch: &[Message],
        memory: &mut Memory,
        routing: &mut Routing,
    ) -> bool {
        let mut seq = memory.seq();
        let mut events = Vec::with_capacity(batch.len());
        for message in batch {
            let Ok(number) = message.info().map(|info| info.stream_sequence) else {
                continue;
            };
            // Its batch was written, and its acknowledgement got lost.
            if number <= seq {
                continue;
            }
            seq = number;
            match serde_json::from_slice::<BufferedEvent>(&message.payload) {
                Ok(event) => events.push(event.event),
                Err(error) => {
                    tracing::warn!(subject = %message.subject, number, %error, "what came is no event, it is dropped");
                }
            }
        }
        let decided = self.decide(&events, memory, routing);
        let changed = seq > memory.seq() || !decided.state.is_empty();
        if changed || !decided.shares.is_empty() || !decided.dead.is_empty() {
            loop {
                if !self.tenure.is_valid(self.clock.now()) {
                    return false;
                }
                match self.outlet.write(seq, &decided, memory).await {
                    Ok(()) => break,
                    Err(WriteError::Lost) => {
                        tracing::warn!(partition = %self.outlet.partition, "another worker has this partition");
                        return false;
                    }
                    Err(WriteError::Later(trouble)) => {
                        tracing::warn!(partition = %self.outlet.partition, %trouble, "a batch waits for the cluster");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
            self.outlet.enter(&decided);
        }
        for message in batch {
            if let Err(error) = message.ack_with(AckKind::Ack).await {
                tracing::debug!(%error, "cluster did not hear an acknowledgement");
            }
        }
        true
    }

    /// Run the chains; nothing has happened before it is written.
    fn decide(
        &mut self,
        events: &[Arc<Event>],
        memory: &mut Memory,
        routing: &mut Routing,
    ) -> Decided {
        let now = Now {
            instant: self.clock.now(),
            wall: self.clock.wall(),
        };
        let mut duplicates = 0;
        for event in events {
            if memory.seen.admit(&event.id) {
                self.chains.route(event, now, routing);
            } else {
                duplicates += 1;
            }
        }
        self.chains.tick(now, routing);
        let mut state = self.chains.take_state();
        state.extend(memory.seen.take_changes());
        let (events, shares, dead) = routing.take(now.wall);
        Decided {
            events: events.len() as u64,
            duplicates,
            shares,
            dead,
            state,
        }
    }
}

/// Read the partition's events ahead, for ever.
async fn read(link: &Link, partition: &Partition, ahead: mpsc::Sender<Vec<Message>>) {
    let source = Source {
        stream: link.names.events().to_owned(),
        consumer: partition.chain_consumer(),
        subject: partition.events(),
    };
    let mut said = None;
    loop {
        let Err(trouble) = read_on(link, &source, &ahead).await else {
            return;
        };
        if said.as_ref() != Some(&trouble) {
            tracing::warn!(%partition, %trouble, "events of a partition are read anew");
            said = Some(trouble);
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn read_on(
    link: &Link,
    source: &Source,
    ahead: &mpsc::Sender<Vec<Message>>,
) -> Result<(), Trouble> {
    let mut pull = Pull::take(link, source).await?;
    loop {
        let Some(first) = pull.next().await? else {
            continue;
        };
        let mut batch = vec![first];
        loop {
            batch.extend(pull.more(BATCH - batch.len()).await?);
            let full = batch.len() == BATCH;
            if ahead.send(std::mem::take(&mut batch)).await.is_err() {
                return Ok(());
            }
            if !full {
                break;
            }
        }
    }
}
