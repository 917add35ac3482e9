//! The lanes at work: which go on over a reload, which are replaced, and which end.

use crate::clock::Clock;
use crate::config::{Plan, SinkPlan};
use crate::control::protocol::Changes;
use crate::intake::Intake;
use crate::lane::worker::{LaneWorker, Left, SinkFactory};
use crate::status::LaneStatus;
use crate::store::SharedStore;
use crate::tasks::Tasks;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::Text;

/// What all lanes work with, and the lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) store: SharedStore,
    pub(super) clock: Clock,
    pub(super) intake: Intake,
    pub(super) weather: Arc<Notify>,
    pub(super) drain: CancellationToken,
    pub(super) abort: CancellationToken,
    pub(super) tasks: Tasks,
    pub(super) running: Vec<LaneRun>,
    /// Lanes of sinks that left, as long as they have something in their hands.
    pub(super) leaving: Vec<(Text, JoinHandle<Left>)>,
}

/// A lane at work.
#[derive(Debug)]
pub(super) struct LaneRun {
    plan: SinkPlan,
    /// Of the files that its options name.
    files: [u8; 32],
    status: LaneStatus,
    reloaded: Arc<Notify>,
    retire: CancellationToken,
    pub(super) task: JoinHandle<Left>,
}

impl Lanes {
    /// Go on with the sinks of `plan`, which have these `numbers` in the store; their lanes' states, by name.
    pub(super) fn change_to(
        &mut self,
        plan: &Plan,
        numbers: &[usize],
        factories: &mut Vec<SinkFactory>,
        changes: &mut Changes,
    ) -> Vec<(Text, LaneStatus)> {
        self.leaving.retain(|(_, lane)| !lane.is_finished());
        let mut old = std::mem::take(&mut self.running);
        let sinks = plan.sinks.iter().zip(numbers).zip(factories.drain(..));
        for ((sink, number), factory) in sinks {
            let files = sink.plugin.fingerprint_of_files(&plan.base);
            let known = old.iter().position(|lane| lane.plan.name == sink.name);
            let known = known.map(|place| old.swap_remove(place));
            let table = format!("sinks.{}", sink.name);
            let lane = match known {
                Some(lane) if lane.plan == *sink && lane.files == files => {
                    lane.reloaded.notify_one();
                    lane
                }
                Some(lane) => {
                    changes.changed.push(table);
                    lane.retire.cancel();
                    self.start(sink, files, *number, factory, Some(lane.task))
                }
                None => {
                    changes.added.push(table);
                    // Back before its old lane has got the answer that it waits for.
                    let leaving = self.leaving.iter();
                    let place = leaving
                        .map(|(name, _)| name)
                        .position(|name| *name == sink.name);
                    let before = place.map(|place| self.leaving.swap_remove(place).1);
                    self.start(sink, files, *number, factory, before)
                }
            };
            self.running.push(lane);
        }
        for lane in old {
            changes.removed.push(format!("sinks.{}", lane.plan.name));
            lane.retire.cancel();
            self.leaving.push((lane.plan.name, lane.task));
        }
        let states = self.running.iter();
        states
            .map(|lane| (lane.plan.name.clone(), lane.status.clone()))
            .collect()
    }

    /// Start a lane, in the place of another when that has put down what it has in its hands.
    fn start(
        &self,
        sink: &SinkPlan,
        files: [u8; 32],
        number: usize,
        factory: SinkFactory,
        before: Option<JoinHandle<Left>>,
    ) -> LaneRun {
        let (status, reloaded) = (LaneStatus::default(), Arc::new(Notify::new()));
        let retire = CancellationToken::new();
        let worker = LaneWorker {
            index: number,
            plan: sink.clone(),
            factory,
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            status: status.clone(),
            intake: self.intake.clone(),
            weather: Arc::clone(&self.weather),
            reloaded: Arc::clone(&reloaded),
            retire: retire.clone(),
            drain: self.drain.clone(),
            abort: self.abort.clone(),
        };
        let store = Arc::clone(&self.store);
        let task = self.tasks.spawn(async move {
            if let Some(before) = before
                && let Err(error) = before.await
            {
                tracing::error!(%error, "the lane of a sink broke down");
            }
            // What the one before claimed and did not settle, in this configuration or an earlier one of this process.
            store.release(number).await;
            worker.run().await
        });
        LaneRun {
            plan: sink.clone(),
            files,
            status,
            reloaded,
            retire,
            task,
        }
    }

    /// All of them, to be waited for.
    pub(super) fn into_tasks(self) -> Vec<JoinHandle<Left>> {
        let running = self.running.into_iter().map(|lane| lane.task);
        let leaving = self.leaving.into_iter().map(|(_, lane)| lane);
        running.chain(leaving).collect()
    }
}
