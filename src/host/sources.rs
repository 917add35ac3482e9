//! The controllers that are listened to: which go on over a reload, which are started anew, and which are let go.

use super::assemble;
use crate::clock::Clock;
use crate::config::{ControllerPlan, Plan, fingerprint};
use crate::control::protocol::Changes;
use crate::intake::Intake;
use crate::router::Order;
use crate::source::{CrewOrder, Directory, Link, Resume};
use crate::status::ControllerStatus;
use crate::store::{SharedStore, StoreError};
use crate::tasks::Tasks;
use crate::unifi::timing::Timing;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, oneshot};
use unifi_herald_plugin::Text;

/// What all controllers are connected to, and those that are listened to.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) crew: mpsc::Sender<CrewOrder>,
    pub(super) router: mpsc::Sender<Order>,
    pub(super) store: SharedStore,
    pub(super) intake: Intake,
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    pub(super) state_dir: PathBuf,
    pub(super) refused: Arc<Notify>,
    pub(super) timing: Timing,
    pub(super) directory: Directory,
    pub(super) running: Vec<SourceRun>,
}

/// A controller that is listened to.
#[derive(Debug)]
pub(super) struct SourceRun {
    plan: ControllerPlan,
    /// Of its CA file.
    files: [u8; 32],
    status: ControllerStatus,
}

impl Sources {
    /// Listen to the controllers of `plan`, the first time from where an earlier run stopped; their states, by name.
    pub(super) async fn begin(
        &mut self,
        plan: &Plan,
        resume: Option<&Resume>,
    ) -> Vec<(Text, ControllerStatus)> {
        for controller in &plan.controllers {
            self.start(controller, resume.cloned()).await;
        }
        self.states()
    }

    /// Listen to the controllers of `plan` from now on. Those that have not changed notice nothing.
    pub(super) async fn change_to(
        &mut self,
        plan: &Plan,
        changes: &mut Changes,
    ) -> Vec<(Text, ControllerStatus)> {
        let mut old = std::mem::take(&mut self.running);
        let mut fresh = Vec::new();
        let mut leaving = Vec::new();
        for controller in &plan.controllers {
            let place = old.iter().position(|run| run.plan.name == controller.name);
            let known = place.map(|place| old.swap_remove(place));
            let table = format!("controllers.{}", controller.name);
            match known {
                Some(run) if run.plan == *controller && run.files == files_of(controller) => {
                    self.running.push(run);
                }
                Some(run) => {
                    changes.changed.push(table);
                    leaving.push(run);
                    fresh.push(controller);
                }
                None => {
                    changes.added.push(table);
                    fresh.push(controller);
                }
            }
        }
        let removed = old.iter();
        let removed = removed.map(|run| format!("controllers.{}", run.plan.name));
        changes.removed.extend(removed);
        leaving.extend(old);
        self.let_go(leaving).await;
        if !fresh.is_empty() {
            // What they have heard of must be in the store before anybody asks it where they stopped.
            let (done, flushed) = oneshot::channel();
            if self.router.send(Order::Flush(done)).await.is_ok() {
                flushed.await.unwrap_or_default();
            }
        }
        for controller in fresh {
            let resume = self.resume(controller);
            self.start(controller, resume).await;
        }
        let order = |run: &SourceRun| {
            let mut names = plan.controllers.iter().map(|controller| &controller.name);
            names.position(|name| *name == run.plan.name)
        };
        self.running.sort_by_key(order);
        self.states()
    }

    async fn let_go(&self, leaving: Vec<SourceRun>) {
        let mut farewells = Vec::new();
        for run in leaving {
            let (done, gone) = oneshot::channel();
            let order = CrewOrder::Stop(run.plan.name, done);
            if self.crew.send(order).await.is_ok() {
                farewells.push(gone);
            }
        }
        futures_util::future::join_all(farewells).await;
    }

    async fn start(&mut self, controller: &ControllerPlan, resume: Option<Resume>) {
        let status = ControllerStatus::default();
        let link = Link {
            intake: self.intake.clone(),
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            status: status.clone(),
            state_dir: Some(self.state_dir.clone()),
            refused: Arc::clone(&self.refused),
            directory: self.directory.clone(),
            timing: self.timing,
            resume,
        };
        let order = CrewOrder::Start(Box::new(controller.clone()), link);
        if self.crew.send(order).await.is_err() {
            tracing::debug!(controller = %controller.name, "nobody listens any more, herald is stopping");
        }
        self.running.push(SourceRun {
            files: files_of(controller),
            plan: controller.clone(),
            status,
        });
    }

    /// Where it stopped. A store that forgets knows it of those that this process has listened to before.
    fn resume(&self, controller: &ControllerPlan) -> Option<Resume> {
        let resume = assemble::resume(&*self.store);
        let resume = resume.unwrap_or_else(|error: StoreError| {
            tracing::error!(%error, "store could not tell how far a controller has come");
            Resume::default()
        });
        let known = self.store.outlives_the_process()
            || resume
                .watermarks
                .iter()
                .any(|mark| mark.controller == controller.name);
        known.then_some(resume)
    }

    fn states(&self) -> Vec<(Text, ControllerStatus)> {
        let running = self.running.iter();
        running
            .map(|run| (run.plan.name.clone(), run.status.clone()))
            .collect()
    }
}

fn files_of(controller: &ControllerPlan) -> [u8; 32] {
    fingerprint(controller.tls.ca_file.iter())
}
