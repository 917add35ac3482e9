//! Another configuration while the host runs: built whole beside the running one, swapped in between two batches.

use super::assemble::StartError;
use super::built::Built;
use super::former;
use super::heartbeat::Heartbeat;
use super::inlets::Inlets;
use super::lanes::Lanes;
use super::sources::Sources;
use crate::buffer::Limits;
use crate::clock::Clock;
use crate::config::{ConfigErrors, Plan};
use crate::control::protocol::Changes;
use crate::intake::Intake;
use crate::own_event::{Scope, own_event};
use crate::registry::Registry;
use crate::roster::{Cast, RefusedReload, Roster};
use crate::router::{Order, Swap};
use crate::services::HostServices;
use crate::store::{SharedStore, StoreError};
use crate::tasks::Tasks;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{Kind, Severity};

/// Reads the configuration anew.
pub type PlanSource = Arc<dyn Fn(&Registry) -> Result<Plan, ConfigErrors> + Send + Sync>;

/// Requests that may wait while a reload is under way.
pub(super) const WAITING: usize = 8;

/// Another configuration was not taken: everything is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// It looked right and cannot be built, for a file that changed meanwhile say.
    #[error(transparent)]
    Build(#[from] StartError),
    /// The store could not take it over.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no configuration to read.
    #[error("this herald was not started from a configuration file, it cannot read it anew")]
    NoSource,
    /// It is right, and the host is one of a cluster.
    #[error(
        "a herald of a cluster does not change while it runs: restart it with the new configuration, the others go on meanwhile"
    )]
    OfCluster,
    /// The host is going down.
    #[error("herald is stopping")]
    Stopping,
}

impl ReloadError {
    /// Whether the configuration is to blame.
    #[must_use]
    pub fn is_config(&self) -> bool {
        match self {
            Self::Config(_) => true,
            Self::Build(error) => {
                matches!(error, StartError::Script(_) | StartError::Plugin { .. })
            }
            Self::Store(_) | Self::NoSource | Self::OfCluster | Self::Stopping => false,
        }
    }

    /// In one line, without the lines of the file.
    fn line(&self) -> String {
        let Self::Config(errors) = self else {
            return self.to_string();
        };
        let count = errors.iter().count();
        let first = errors.iter().next().map(|error| {
            let file = error.file.as_ref().map(|file| file.display().to_string());
            let place = match (file, error.line, error.column) {
                (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
                (Some(file), _, _) => format!("{file}: "),
                (None, _, _) => String::new(),
            };
            let key = if error.key.is_empty() {
                String::new()
            } else {
                format!("`{}`: ", error.key)
            };
            format!("{place}{key}{}", error.message)
        });
        let first = first.unwrap_or_default();
        match count {
            0 | 1 => first,
            count => format!("{first} (and {} more)", count - 1),
        }
    }
}

/// Has the configuration read anew. A copy speaks to the same host.
#[derive(Clone, Debug)]
pub struct Reloader(pub(super) mpsc::Sender<Request>);

/// A plan, or that the source shall give one; and who waits.
#[derive(Debug)]
pub(super) struct Request {
    plan: Option<Box<Plan>>,
    done: oneshot::Sender<Result<Changes, ReloadError>>,
}

impl Reloader {
    /// Speaks to no host, for a socket that is tested without one.
    #[cfg(test)]
    pub(crate) fn to_nobody() -> Self {
        Self(mpsc::channel(1).0)
    }

    /// Read the configuration anew, and go on with it; what it changed.
    ///
    /// # Errors
    /// When it is not taken; everything is as it was, and said so in the log, in the status and as an event.
    pub async fn reload(&self) -> Result<Changes, ReloadError> {
        self.ask(None).await
    }

    /// Go on with this plan.
    ///
    /// # Errors
    /// As [`Reloader::reload`].
    pub async fn go_on_with(&self, plan: Plan) -> Result<Changes, ReloadError> {
        self.ask(Some(Box::new(plan))).await
    }

    async fn ask(&self, plan: Option<Box<Plan>>) -> Result<Changes, ReloadError> {
        let (done, answer) = oneshot::channel();
        let request = Request { plan, done };
        let sent = self.0.send(request).await;
        sent.map_err(|_| ReloadError::Stopping)?;
        answer.await.map_err(|_| ReloadError::Stopping)?
    }
}

/// What a reload works with.
pub(super) struct Keeper {
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) source: Option<PlanSource>,
    pub(super) plan: Plan,
    pub(super) registry: Arc<Registry>,
    pub(super) services: Arc<HostServices>,
    pub(super) clock: Clock,
    pub(super) store: SharedStore,
    pub(super) intake: Intake,
    pub(super) roster: Roster,
    pub(super) router: mpsc::Sender<Order>,
    pub(super) tasks: Tasks,
    pub(super) lanes: Lanes,
    pub(super) sources: Sources,
    pub(super) inlets: Inlets,
    pub(super) heartbeat: Heartbeat,
    pub(super) stop: CancellationToken,
}

impl Keeper {
    /// Serve requests one after the other until told to stop; then lanes and sources are the caller's.
    pub(super) async fn run(mut self) -> (Lanes, Inlets) {
        let stop = self.stop.clone();
        // A reload under way is brought to its end: it may have changed something.
        while let Some(Some(request)) = stop.run_until_cancelled(self.requests.recv()).await {
            let Request { plan, done } = request;
            let outcome = match self.plan(plan).await {
                Ok(plan) => self.go_on_with(plan).await,
                Err(error) => Err(error),
            };
            match &outcome {
                Ok(changes) => self.taken(changes),
                Err(error) => self.refused(error),
            }
            drop(done.send(outcome));
        }
        (self.lanes, self.inlets)
    }

    async fn plan(&self, given: Option<Box<Plan>>) -> Result<Plan, ReloadError> {
        if let Some(plan) = given {
            return Ok(*plan);
        }
        let source = self.source.clone().ok_or(ReloadError::NoSource)?;
        let registry = Arc::clone(&self.registry);
        // Files are read and scripts compiled: others go on meanwhile.
        let read = self.tasks.blocking(move || source(&registry));
        let plan = read.await.map_err(|_| ReloadError::Stopping)?;
        Ok(plan?)
    }

    async fn go_on_with(&mut self, plan: Plan) -> Result<Changes, ReloadError> {
        if self.plan.store.jetstream.is_some() {
            return Err(ReloadError::OfCluster);
        }
        let mut changes = Changes {
            warnings: plan.warnings.clone(),
            ..Changes::default()
        };
        changes.warnings.extend(self.only_a_restart_changes(&plan));
        let Built {
            mut chains,
            mut sinks,
            inlets,
            pulse,
            names,
            shape,
            tallies,
            cast,
        } = Built::of(&plan, &self.registry, &self.services, &self.clock)?;
        let state = chains.load_state(|scope| self.store.load_state(scope));
        state.map_err(StartError::State)?;

        let (done, swapped) = oneshot::channel();
        let swap = Swap {
            chains,
            shape,
            tallies,
            sinks: names,
            buffer: plan.buffer,
        };
        let order = Order::Swap(Box::new(swap), done);
        let sent = self.router.send(order).await;
        sent.map_err(|_| ReloadError::Stopping)?;
        let numbers = swapped.await.map_err(|_| ReloadError::Stopping)??;

        // From here on nothing can fail.
        self.intake
            .set_limits(Limits::new(&plan.buffer, plan.sinks.len() + 1));
        let sinks = self
            .lanes
            .change_to(&plan, &numbers, &mut sinks, &mut changes);
        // Before the controllers: what it may bring of one of them must be in the store when that one is met.
        let begun = self.inlets.change_to(&plan, inlets, &mut changes).await;
        let controllers = self.sources.change_to(&plan, &mut changes).await;
        self.roster.set(Cast {
            controllers,
            sources: begun,
            sinks,
            ..cast
        });
        self.sources.refused.notify_one();
        self.heartbeat.change_to(pulse);
        self.plan = plan;
        changes.former_sinks = former::say(&*self.store);
        Ok(changes)
    }

    /// What is different in `plan` and stays as it is until the next start.
    fn only_a_restart_changes(&self, plan: &Plan) -> Vec<String> {
        let parts = [
            ("[store]", self.plan.store != plan.store),
            ("[log]", self.plan.log != plan.log),
            ("[server]", self.plan.server != plan.server),
        ];
        let changed = parts.into_iter().filter(|(_, changed)| *changed);
        changed
            .map(|(table, _)| format!("{table} has changed: that takes a restart"))
            .collect()
    }

    fn taken(&self, changes: &Changes) {
        self.roster.set_refused(None);
        let (added, changed, removed) = (
            changes.added.join(", "),
            changes.changed.join(", "),
            changes.removed.join(", "),
        );
        tracing::info!(added, changed, removed, "configuration reloaded");
        for warning in &changes.warnings {
            tracing::warn!(warning, "configuration deserves a word");
        }
    }

    fn refused(&self, error: &ReloadError) {
        if matches!(error, ReloadError::Stopping | ReloadError::NoSource) {
            return;
        }
        if matches!(error, ReloadError::OfCluster) {
            // The new configuration may be right, and the former one stays until the restart.
            self.roster.set_refused(None);
            tracing::warn!(reason = %error, "configuration not reloaded");
            return;
        }
        let (at, line) = (self.clock.wall(), error.line());
        tracing::error!(
            error = line,
            "configuration not reloaded, the former one stays"
        );
        self.roster.set_refused(Some(RefusedReload {
            at,
            error: error.to_string(),
        }));
        let mut event = own_event(Kind::SYSTEM_NOTICE, &Scope::default(), "reload", at);
        event.severity = Severity::Error;
        event.summary =
            format!("The new configuration is not used, the former one stays: {line}").into();
        event.reason = Some("config_refused".into());
        self.intake.push_now(&Arc::new(event));
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}
