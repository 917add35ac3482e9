//! The task of a source: receives, gives to the ring, and settles when that is in the store.

use super::complaint::Complaint;
use super::{Inlet, Owners, Reading, SourceStatus};
use crate::backoff::Backoff;
use crate::buffer::Item;
use crate::clock::Clock;
use crate::intake::Intake;
use crate::own_event::{Scope, gap_event, own_event};
use futures_util::FutureExt as _;
use std::collections::VecDeque;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{DeliveryError, Gap, Kind, Message, Settled, Source, Text, Timestamp};

/// The pauses between two tries.
const MIN_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// For opening, and for settling.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a source is told that what it brought is still in hand.
const HOLD: Duration = Duration::from_secs(3);

/// How long what is in hand may take to get into the store once the source is told to stop: what is not settled by then
/// comes again.
const GRACE: Duration = Duration::from_secs(5);

/// Builds the source anew, as often as wanted.
pub type SourceFactory = Box<dyn Fn() -> Result<Box<dyn Source>, String> + Send + Sync>;

/// One source, and what it works with.
pub struct SourceWorker {
    /// Its name in the configuration.
    pub name: Text,
    /// Makes it.
    pub factory: SourceFactory,
    /// Where events go.
    pub intake: Intake,
    /// The host's clock.
    pub clock: Clock,
    /// Where its state is shown.
    pub status: SourceStatus,
    /// The controllers whose events it may not bring.
    pub owners: Owners,
    /// Ends it.
    pub stop: CancellationToken,
}

/// What lasts from one connection to the next.
#[derive(Debug, Default)]
struct Memory {
    inlet: Inlet,
    refused: Complaint,
    lost: Complaint,
    /// Whether it was told that the source is connected, once something was told.
    told: Option<bool>,
}

impl SourceWorker {
    /// Receive until told to stop.
    pub async fn run(self) {
        let mut memory = Memory::default();
        let mut pauses = Backoff::between(MIN_PAUSE, MAX_PAUSE);
        loop {
            let served = AssertUnwindSafe(self.serve(&mut memory, &mut pauses));
            let trouble = match served.catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(_) => "the plugin broke down".to_owned(),
            };
            self.disconnected(&mut memory, trouble);
            let pause = pauses.fail(fastrand::f64());
            if self.stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Receive until the connection is of no more use, or until told to stop.
    async fn serve(&self, memory: &mut Memory, pauses: &mut Backoff) -> Result<(), String> {
        let mut source = (self.factory)()?;
        let opened = self.unless_stopped(within(source.open())).await;
        let Some(opened) = opened else { return Ok(()) };
        opened?;
        pauses.reset();
        self.connected(memory);
        loop {
            let Some(messages) = self.unless_stopped(source.receive()).await else {
                return Ok(());
            };
            let messages = messages.map_err(|error| error.to_string())?;
            let (mut events, settled) = self.read(&messages, memory);
            self.count_lost(source.take_lost(), memory);
            let keeps = source.redelivers();
            let handed = async {
                self.intake.push_history(&mut events).await;
                if keeps {
                    self.intake.committed().await;
                }
            };
            let mut handed = pin!(self.before_the_end(handed));
            let done = loop {
                match timeout(HOLD, handed.as_mut()).await {
                    Ok(done) => break done,
                    Err(_elapsed) => within(source.hold()).await?,
                }
            };
            if done.is_none() {
                return Ok(());
            }
            if keeps {
                within(source.settle(&settled)).await?;
            }
        }
    }

    /// What goes into the ring, and what becomes of each message once that is in the store.
    fn read(&self, messages: &[Message], memory: &mut Memory) -> (VecDeque<Item>, Vec<Settled>) {
        let (owners, now) = (self.owners.now(), self.clock.wall());
        let (mut events, mut refused, mut own) = (VecDeque::new(), 0, 0);
        let settled = messages.iter().map(|message| {
            match memory.inlet.read(&message.payload, &owners, now) {
                Reading::Event(event) => events.push_back(Item::Handed(Arc::new(*event))),
                Reading::Own => own += 1,
                Reading::Refused(refusal) => {
                    refused += 1;
                    if memory.refused.is_new(self.clock.now()) {
                        tracing::warn!(source_name = %self.name, reason = %refusal, "what came is no event, it is dropped and counted, and so is what follows like it");
                    }
                    return Settled::Refused;
                }
            }
            Settled::Kept
        });
        let settled = settled.collect();
        self.status.update(|facts| {
            facts.received += events.len() as u64;
            facts.refused += refused;
            facts.own += own;
            if !events.is_empty() {
                facts.last_event = Some(now);
            }
        });
        (events, settled)
    }

    /// Count what was lost, and make an event of it.
    fn count_lost(&self, count: u64, memory: &mut Memory) {
        if count == 0 {
            return;
        }
        let now = self.clock.wall();
        self.status.update(|facts| facts.lost += count);
        if memory.lost.is_new(self.clock.now()) {
            tracing::error!(source_name = %self.name, count, "events came faster than they were received and are lost");
        }
        let gap = Gap {
            from: now,
            to: now,
            count: Some(count),
        };
        let summary = format!(
            "{count} messages of the source {} were lost because they came faster than they were received",
            self.name
        );
        let event = gap_event(&self.scope(), gap, "source_overrun", summary, now);
        self.intake.push_now(&Arc::new(event));
    }

    fn connected(&self, memory: &mut Memory) {
        self.status.update(|facts| {
            facts.connected = true;
            facts.trouble = None;
        });
        if memory.told.replace(true) == Some(true) {
            return;
        }
        tracing::info!(source_name = %self.name, "source is connected");
        let summary = format!("herald is connected to the source {}", self.name);
        self.tell(Kind::HERALD_CONNECTED, summary, None);
    }

    fn disconnected(&self, memory: &mut Memory, trouble: String) {
        let mut changed = false;
        self.status.update(|facts| {
            facts.connected = false;
            changed = facts.trouble.as_ref() != Some(&trouble);
            facts.trouble = Some(trouble.clone());
        });
        if changed {
            tracing::warn!(source_name = %self.name, trouble, "source is not connected");
        }
        if memory.told.replace(false) == Some(false) {
            return;
        }
        let summary = format!(
            "herald is not connected to the source {}: {trouble}",
            self.name
        );
        self.tell(Kind::HERALD_DISCONNECTED, summary, Some(trouble));
    }

    fn tell(&self, kind: Kind, summary: String, reason: Option<String>) {
        let now: Timestamp = self.clock.wall();
        let mut event = own_event(kind, &self.scope(), "source", now);
        event.summary = summary.into();
        event.reason = reason.map(Into::into);
        self.intake.push_now(&Arc::new(event));
    }

    /// A source stands where a controller does.
    fn scope(&self) -> Scope {
        Scope {
            controller: self.name.clone(),
            ..Scope::default()
        }
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(work).await
    }

    /// What is in hand is brought to its end, unless that takes too long once told to stop.
    async fn before_the_end<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let end = async {
            self.stop.cancelled().await;
            sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = end => None,
        }
    }
}

/// What came of `work`, in words, within the time it may take.
async fn within(work: impl Future<Output = Result<(), DeliveryError>>) -> Result<(), String> {
    match timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_elapsed) => Err("it did not answer in time".to_owned()),
    }
}

impl fmt::Debug for SourceWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceWorker")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
