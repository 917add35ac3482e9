//! The chains of one partition: takes its events in their order, routes them, publishes each sink's share, writes down
//! what is remembered, and acknowledges; in this order, so that nothing is lost whenever it ends.

use super::garbage::{Garbage, made_anew, time_of};
use super::lease::Tenure;
use super::link::{Link, Trouble};
use super::memory::{Memory, WriteError};
use super::names::Partition;
use super::outlet::{Decided, Outlet};
use super::pull::{Pull, Source};
use crate::alert::SCOPES;
use crate::chain::{Chains, Now, Routing};
use crate::clock::Clock;
use crate::desk::Desk;
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
    /// Of the alerts of these chains.
    pub(super) desk: Desk,
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
        let scopes = memory.scopes(SCOPES);
        let former: Result<(), std::convert::Infallible> = self
            .chains
            .end_former_alerts(&scopes, |scope| Ok(memory.entries(scope)));
        match former {
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
                    () = self.due() => Batch::default(),
                    () = self.desk.changed() => Batch::default(),
                };
                let asked = self.desk.asked();
                if !self.process(&batch, &mut memory, &mut routing).await {
                    return;
                }
                self.desk.kept(asked);
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
    async fn process(&mut self, batch: &Batch, memory: &mut Memory, routing: &mut Routing) -> bool {
        let partition = &self.outlet.partition;
        let mut told = None;
        if let Some(made) = batch.stream
            && memory.read_from(made)
        {
            tracing::error!(%partition, "the stream of events was made anew, what waited in it is lost");
            told = Some(Arc::new(made_anew(partition, made, self.clock.wall())));
        }
        let (seq, mut events, garbage) = read_batch(&batch.messages, memory);
        events.extend(told);
        let mut decided = self.decide(events, garbage, memory, routing);
        let changed = seq > memory.seq() || !decided.state.is_empty();
        if changed || !decided.posts.is_empty() {
            let mut said = None;
            loop {
                if !self.tenure.is_valid(self.clock.now()) {
                    return false;
                }
                let now = self.clock.wall();
                match self.outlet.write(seq, &mut decided, memory, now).await {
                    Ok(()) => break,
                    Err(WriteError::Lost) => {
                        tracing::warn!(partition = %self.outlet.partition, "another worker has this partition");
                        return false;
                    }
                    Err(WriteError::Later(trouble)) => {
                        if said.as_ref() != Some(&trouble) {
                            tracing::warn!(partition = %self.outlet.partition, %trouble, "a batch waits for the cluster");
                            said = Some(trouble);
                        }
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
            self.outlet.enter(&decided);
        }
        for message in &batch.messages {
            if let Err(error) = message.ack_with(AckKind::Ack).await {
                tracing::debug!(%error, "cluster did not hear an acknowledgement");
            }
        }
        true
    }

    /// Run the chains; nothing has happened before it is written.
    fn decide(
        &mut self,
        mut events: Vec<Arc<Event>>,
        garbage: Garbage,
        memory: &mut Memory,
        routing: &mut Routing,
    ) -> Decided {
        let now = Now {
            instant: self.clock.now(),
            wall: self.clock.wall(),
        };
        let lost = garbage.count();
        let told = garbage.told(&self.outlet.partition, now.wall);
        events.extend(told.map(Arc::new));
        let mut duplicates = 0;
        for event in &events {
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
            lost,
            posts: self.outlet.posts(shares, dead),
            state,
        }
    }
}

/// What was read at once, and when its stream was made; nothing when something was due.
#[derive(Debug, Default)]
struct Batch {
    stream: Option<i64>,
    messages: Vec<Message>,
}

/// The events of a batch that are not in the memory yet, what is none, and the number of the last.
fn read_batch(batch: &[Message], memory: &Memory) -> (u64, Vec<Arc<Event>>, Garbage) {
    let mut seq = memory.seq();
    let (mut events, mut garbage) = (Vec::with_capacity(batch.len()), Garbage::default());
    for message in batch {
        let Ok(info) = message.info() else {
            continue;
        };
        // Its batch was written, and its acknowledgement got lost.
        let number = memory.number(info.stream_sequence);
        if number <= seq {
            continue;
        }
        seq = number;
        match serde_json::from_slice::<BufferedEvent>(&message.payload) {
            Ok(event) => events.push(event.event),
            Err(error) => garbage.add(message, time_of(&info), &error),
        }
    }
    (seq, events, garbage)
}

/// Read the partition's events ahead, for ever.
async fn read(link: &Link, partition: &Partition, ahead: mpsc::Sender<Batch>) {
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
        if trouble != Trouble::of_a_new_connection() && said.as_ref() != Some(&trouble) {
            tracing::warn!(%partition, %trouble, "events of a partition are read anew");
            said = Some(trouble);
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn read_on(link: &Link, source: &Source, ahead: &mpsc::Sender<Batch>) -> Result<(), Trouble> {
    let mut pull = Pull::take(link, source).await?;
    loop {
        let Some(first) = pull.next().await? else {
            continue;
        };
        let mut batch = vec![first];
        loop {
            batch.extend(pull.more(BATCH - batch.len()).await?);
            let full = batch.len() == BATCH;
            let batch = Batch {
                stream: Some(pull.stream),
                messages: std::mem::take(&mut batch),
            };
            if ahead.send(batch).await.is_err() {
                return Ok(());
            }
            if !full {
                break;
            }
        }
    }
}
