//! Beyond one machine: the store on a NATS JetStream cluster that several heralds share.
//!
//! Collectors put every event into the stream `herald.<controller>.<site>.<area>.<verb>`, by way of an embedded store and a
//! sink of their own, so that what the cluster does not take waits where everything else waits. Workers hold partitions, a
//! controller and a site each, by leases. For each partition one worker runs the chains, publishes what each sink shall get
//! to `herald.out.<sink>.<partition>`, writes down what is remembered, and acknowledges; its lanes deliver what is there.

mod desks;
mod feed;
mod garbage;
mod lease;
mod letters;
mod link;
mod manager;
mod memory;
mod names;
mod outbox;
mod outlet;
mod permits;
mod pull;
mod queue;
mod seen;
mod shared;
mod silences;
mod spread;
mod store;
mod worker;

pub(crate) use manager::ChainsFactory;
pub(crate) use outbox::{OUTBOX, front};

use crate::clock::Clock;
use crate::config::{BufferPlan, JetstreamPlan};
use crate::desk::Desk;
use crate::store::SharedStore;
use crate::tasks::{Tasks, Thread};
use desks::ClusterDesk;
use link::{Link, Trouble};
use manager::Manager;
use queue::SinkQueue;
use shared::Shared;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::ClusterStore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::Text;

/// How long to wait when the cluster is not as it should be.
const RETRY: Duration = Duration::from_secs(2);

/// Bytes that an event is taken to have, where their number has to bound their weight.
const WEIGHT: u64 = 4096;

/// The cluster as one process sees it: its store, and what works for it.
#[derive(Debug)]
pub(crate) struct Cluster {
    shared: Arc<Shared>,
    plan: JetstreamPlan,
    base: PathBuf,
    clock: Clock,
}

/// Whether the cluster can be used as far as can be seen without changing anything in it; what is in the way otherwise.
pub(crate) async fn examine(plan: &JetstreamPlan, base: &Path) -> Result<(), String> {
    let link = Link::open(plan, base).await;
    let link = link.map_err(|trouble| trouble.to_string())?;
    let examined = async {
        link.prepare(false).await?;
        permits::examine(&link, plan.role).await
    };
    examined
        .await
        .map_err(|trouble: Trouble| trouble.to_string())
}

/// What works for the cluster, until it is stopped.
#[derive(Debug)]
pub(crate) struct Running {
    thread: Thread,
    stop: CancellationToken,
    /// Cancelled when the lanes have ended.
    finish: CancellationToken,
}

impl Cluster {
    /// With lanes for these sinks, which is none for who only collects.
    pub(crate) fn new(
        plan: &JetstreamPlan,
        base: &Path,
        sinks: &[Text],
        buffer: &BufferPlan,
        clock: Clock,
    ) -> Self {
        let share = buffer.max_bytes / (sinks.len() as u64 + 1) / WEIGHT;
        let room = usize::try_from(share).unwrap_or(usize::MAX);
        let room = room.min(buffer.capacity).max(1);
        let queues = sinks
            .iter()
            .map(|name| Arc::new(SinkQueue::new(name.clone(), room)));
        Self {
            shared: Arc::new(Shared::new(queues.collect())),
            plan: plan.clone(),
            base: base.to_owned(),
            clock,
        }
    }

    /// The store, over an embedded one whose only sink is the outbox.
    pub(crate) fn store(&self, embedded: SharedStore) -> SharedStore {
        Arc::new(ClusterStore::new(embedded, Arc::clone(&self.shared)))
    }

    /// Where incidents and silences are looked at and changed.
    pub(crate) fn desk(&self) -> Desk {
        let desk = ClusterDesk {
            shared: Arc::clone(&self.shared),
            clock: self.clock.clone(),
            processes: self.plan.role.processes(),
        };
        Desk::of(Arc::new(desk), self.clock.clone())
    }

    /// Begin to work: make what has to be there and, with `chains`, hold partitions.
    pub(crate) fn start(self, chains: Option<ChainsFactory>) -> io::Result<Running> {
        let (stop, finish) = (CancellationToken::new(), CancellationToken::new());
        let work = self.run(chains, stop.clone(), finish.clone());
        let thread = Thread::run("herald-cluster", work)?;
        Ok(Running {
            thread,
            stop,
            finish,
        })
    }

    async fn run(
        self,
        chains: Option<ChainsFactory>,
        stop: CancellationToken,
        finish: CancellationToken,
    ) {
        let Some(link) = stop.run_until_cancelled(self.prepared()).await else {
            return;
        };
        let Some(chains) = chains else {
            return;
        };
        let tasks = Tasks::new();
        let manager = Manager {
            shared: self.shared,
            chains,
            clock: self.clock,
            tasks: tasks.clone(),
            name: format!("{:016x}", fastrand::u64(..)),
        };
        manager.run(link, stop, finish).await;
        tasks.stop();
        tasks.ended().await;
    }

    /// The connection, once everything is there. What is in the way is said until then.
    async fn prepared(&self) -> Link {
        let link = loop {
            match Link::open(&self.plan, &self.base).await {
                Ok(link) => break link,
                Err(trouble) => self.wait(&trouble).await,
            }
        };
        let role = self.plan.role;
        let prepare = async || {
            link.prepare(true).await?;
            permits::examine(&link, role).await
        };
        while let Err(trouble) = prepare().await {
            self.wait(&trouble).await;
        }
        self.shared.well();
        tracing::info!(stream = self.plan.stream, "cluster is ready");
        // Whoever set it before us has set the same.
        drop(self.shared.link.set(link.clone()));
        link
    }

    async fn wait(&self, trouble: &Trouble) {
        self.shared.complain(trouble, self.clock.wall());
        tokio::time::sleep(RETRY).await;
    }
}

impl Running {
    /// Take nothing more; what lanes have claimed can still be acknowledged.
    pub(crate) fn retire(&self) {
        self.stop.cancel();
    }

    /// Give back what is held; leave it behind at `deadline`.
    pub(crate) async fn stop(self, deadline: Instant) {
        self.stop.cancel();
        self.finish.cancel();
        self.thread.end_by(deadline).await;
    }
}
