//! The sources at work: which go on over a reload, which are replaced, and which end.

use super::assemble::{StartError, plugin_error};
use crate::clock::Clock;
use crate::config::{Plan, SourcePlan};
use crate::control::protocol::Changes;
use crate::inlet::worker::{SourceFactory, SourceWorker};
use crate::inlet::{Owners, SourceStatus};
use crate::intake::Intake;
use crate::registry::Registry;
use crate::services::{HostServices, lent_zone};
use crate::tasks::Tasks;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{BuildContext, Text};

/// What all sources are connected to, and those at work.
#[derive(Debug)]
pub(super) struct Inlets {
    intake: Intake,
    clock: Clock,
    tasks: Tasks,
    stop: CancellationToken,
    owners: Owners,
    running: Vec<InletRun>,
}

/// A source at work.
#[derive(Debug)]
struct InletRun {
    plan: SourcePlan,
    /// Of the files that its options name.
    files: [u8; 32],
    status: SourceStatus,
    retire: CancellationToken,
    task: JoinHandle<()>,
}

impl Inlets {
    /// None yet; they will run among `tasks`, on the plugins' runtime, until `stop`.
    pub(super) fn new(
        intake: &Intake,
        clock: &Clock,
        tasks: &Tasks,
        stop: CancellationToken,
    ) -> Self {
        Self {
            intake: intake.clone(),
            clock: clock.clone(),
            tasks: tasks.clone(),
            stop,
            owners: Owners::default(),
            running: Vec::new(),
        }
    }

    /// Receive from the sources of `plan` from now on, whose controllers nobody else speaks for; their states, by name.
    pub(super) async fn change_to(
        &mut self,
        plan: &Plan,
        factories: Vec<SourceFactory>,
        changes: &mut Changes,
    ) -> Vec<(Text, SourceStatus)> {
        let controllers = plan.controllers.iter();
        self.owners
            .set(controllers.map(|controller| controller.name.clone()));
        let mut old = std::mem::take(&mut self.running);
        for (source, factory) in plan.sources.iter().zip(factories) {
            let files = source.plugin.fingerprint_of_files(&plan.base);
            let known = old.iter().position(|run| run.plan.name == source.name);
            let known = known.map(|place| old.swap_remove(place));
            let table = format!("sources.{}", source.name);
            let run = match known {
                Some(run) if run.plan == *source && run.files == files => run,
                Some(run) => {
                    changes.changed.push(table);
                    run.end().await;
                    self.start(source, files, factory)
                }
                None => {
                    changes.added.push(table);
                    self.start(source, files, factory)
                }
            };
            self.running.push(run);
        }
        for run in old {
            changes.removed.push(format!("sources.{}", run.plan.name));
            run.end().await;
        }
        let states = self.running.iter();
        states
            .map(|run| (run.plan.name.clone(), run.status.clone()))
            .collect()
    }

    fn start(&self, source: &SourcePlan, files: [u8; 32], factory: SourceFactory) -> InletRun {
        let (status, retire) = (SourceStatus::default(), self.stop.child_token());
        let worker = SourceWorker {
            name: source.name.clone(),
            factory,
            intake: self.intake.clone(),
            clock: self.clock.clone(),
            status: status.clone(),
            owners: self.owners.clone(),
            stop: retire.clone(),
        };
        InletRun {
            plan: source.clone(),
            files,
            status,
            retire,
            task: self.tasks.spawn(worker.run()),
        }
    }

    /// All of them, to be waited for.
    pub(super) fn into_tasks(self) -> Vec<JoinHandle<()>> {
        self.running.into_iter().map(|run| run.task).collect()
    }
}

impl InletRun {
    /// Have it put down what it has in its hands.
    async fn end(self) {
        self.retire.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a source broke down");
        }
    }
}

/// One factory per source, each tried once so that a mistake shows at the start.
pub(super) fn factories(
    plan: &Plan,
    registry: &Arc<Registry>,
    services: &Arc<HostServices>,
) -> Result<Vec<SourceFactory>, StartError> {
    let factory = |source: &SourcePlan| {
        let context = BuildContext::new(
            source.name.clone(),
            &plan.base,
            Arc::<HostServices>::clone(services),
        )
        .in_zone(lent_zone(&plan.zone));
        let (registry, plugin) = (Arc::clone(registry), source.plugin.clone());
        let factory: SourceFactory = Box::new(move || {
            registry
                .build_source(&plugin.plugin, &plugin.options, &context)
                .map_err(|error| error.to_string())
        });
        factory().map_err(|error| plugin_error("sources", &source.name, &error))?;
        Ok(factory)
    };
    plan.sources.iter().map(factory).collect()
}
