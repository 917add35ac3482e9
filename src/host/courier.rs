//! Delivers what a replay would have sent: the sinks of a plan with lanes over memory, and nothing else of a host.

use super::assemble::{self, StartError};
use super::lanes::Lanes;
use crate::buffer::Limits;
use crate::chain::Chains;
use crate::clock::Clock;
use crate::config::{BufferPlan, Plan};
use crate::control::protocol::Changes;
use crate::intake::ring;
use crate::registry::Registry;
use crate::services::HostServices;
use crate::store::{Commit, MemoryStore, SharedStore, SinkBooks};
use crate::tasks::Tasks;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{self, Runtime};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Events that may wait for a sink.
const WAITING: u64 = 512;

/// How often it is looked whether there is room.
const LOOK: Duration = Duration::from_millis(5);

/// The chains of `plan`, with nothing remembered, for a replay.
///
/// # Errors
/// When a script does not compile or a filter cannot be made.
pub fn fresh_chains(
    plan: &Plan,
    registry: &Arc<Registry>,
    clock: &Clock,
) -> Result<Chains, StartError> {
    let services = HostServices::new(clock.clone(), Tasks::new());
    let engine = assemble::engine(plan, clock);
    assemble::chains(plan, registry, &services, &engine)
}

/// The sinks of a plan, delivering.
#[derive(Debug)]
pub struct Courier {
    runtime: Runtime,
    store: SharedStore,
    lanes: Lanes,
    clock: Clock,
}

impl Courier {
    /// Build the sinks of `plan`.
    ///
    /// # Errors
    /// When one cannot be made, or the system refuses a thread.
    pub fn new(plan: &Plan, registry: &Arc<Registry>, clock: Clock) -> Result<Self, StartError> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let inside = runtime.enter();
        let mut plan = plan.clone();
        for sink in &mut plan.sinks {
            // What is replayed is old, and wanted nevertheless.
            sink.max_age = None;
            sink.retry.give_up_after = None;
        }
        let plan = &plan;
        let tasks = Tasks::new();
        let services = HostServices::new(clock.clone(), tasks.clone());
        let mut factories = assemble::sinks(plan, registry, &services)?;
        // More than is ever waited for: a full queue would lose the oldest.
        let buffer = BufferPlan {
            capacity: usize::MAX,
            max_bytes: u64::MAX,
            ..plan.buffer
        };
        let names: Vec<_> = plan.sinks.iter().map(|sink| sink.name.clone()).collect();
        let store: SharedStore = Arc::new(MemoryStore::new(&names, &buffer, clock.clone()));
        let (intake, _nobody) = ring(Limits::new(&plan.buffer, 1), clock.clone());
        let mut lanes = Lanes {
            store: Arc::clone(&store),
            clock: clock.clone(),
            intake,
            weather: Arc::new(Notify::new()),
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
            tasks,
            running: Vec::new(),
            leaving: Vec::new(),
        };
        let numbers: Vec<usize> = (0..names.len()).collect();
        lanes.change_to(plan, &numbers, &mut factories, &mut Changes::default());
        drop(inside);
        Ok(Self {
            runtime,
            store,
            lanes,
            clock,
        })
    }

    /// Give the sinks what is theirs, waiting while one of them has much to do; false when that took longer than
    /// `patience` and nothing was given.
    pub fn send(&self, commit: Commit, patience: Duration) -> bool {
        let room = |sink: &SinkBooks| sink.books.pending < WAITING;
        if !self.wait(patience, |books| books.iter().all(room)) {
            return false;
        }
        // Memory takes everything.
        self.runtime.block_on(self.store.commit(commit)).is_ok()
    }

    /// Wait until everything is delivered, for at most `patience`, and close the sinks; their balance.
    #[must_use]
    pub fn finish(self, patience: Duration) -> Vec<SinkBooks> {
        self.wait(patience, |books| {
            books.iter().all(|sink| sink.books.pending == 0)
        });
        self.lanes.drain.cancel();
        self.lanes.abort.cancel();
        let tasks = self.lanes.into_tasks();
        let all = futures_util::future::join_all(tasks);
        let ended = async { tokio::time::timeout(patience, all).await };
        if self.runtime.block_on(ended).is_err() {
            tracing::warn!("a sink did not stop in time");
        }
        self.store.books()
    }

    fn wait(&self, patience: Duration, done: impl Fn(&[SinkBooks]) -> bool) -> bool {
        let deadline = self.clock.now() + patience;
        self.runtime.block_on(async {
            loop {
                if done(&self.store.books()) {
                    return true;
                }
                if self.clock.now() >= deadline {
                    return false;
                }
                tokio::time::sleep(LOOK).await;
            }
        })
    }
}
