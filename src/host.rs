//! The host: wires source, router and lanes together, each on its own thread, and takes them down in order.

mod assemble;
mod built;
mod cluster;
mod courier;
mod drain;
mod former;
mod heartbeat;
mod inlets;
mod lanes;
mod reload;
mod setup;
mod sources;
mod start;

pub use assemble::StartError;
pub use courier::{Courier, fresh_chains};
pub use drain::{Stopped, Unwritten};
pub use reload::{PlanSource, ReloadError, Reloader};
pub use setup::Setup;

use crate::clock::Clock;
use crate::cluster::Running;
use crate::config::Plan;
use crate::control::Board;
use crate::control::protocol::Changes;
use crate::desk::Desk;
use crate::inlet::SourceStatus;
use crate::intake::Intake;
use crate::registry::Registry;
use crate::roster::Roster;
use crate::script::ScriptHealth;
use crate::server::Server;
use crate::status::{ControllerStatus, LaneStatus};
use crate::store::{SharedStore, SinkBooks};
use crate::tasks::{Tasks, Thread};
use crate::unifi::timing::Timing;
use inlets::Inlets;
use lanes::Lanes;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::Text;

/// A running host. Dropping it stops nothing in order: call [`Host::stop`].
#[derive(Debug)]
pub struct Host {
    clock: Clock,
    plugins: Runtime,
    plugin_tasks: Tasks,
    source: Thread,
    source_tasks: Tasks,
    router: Thread,
    router_stop: CancellationToken,
    keeper: JoinHandle<(Lanes, Inlets)>,
    reloader: Reloader,
    drain: CancellationToken,
    abort: CancellationToken,
    store: SharedStore,
    intake: Intake,
    roster: Roster,
    refused: Arc<Notify>,
    desk: Desk,
    board: Arc<Board>,
    server: Option<Server>,
    cluster: Option<Running>,
}

impl Host {
    /// Start everything in `plan`.
    ///
    /// # Errors
    /// When a step or sink cannot be made, or the system refuses a thread. Nothing then runs.
    pub fn start(plan: Plan, registry: Registry, clock: Clock) -> Result<Self, StartError> {
        Self::start_with(plan, registry, clock, Setup::default())
    }

    /// The same, with sockets that are watched this closely.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub fn start_timed(
        plan: Plan,
        registry: Registry,
        clock: Clock,
        timing: Timing,
    ) -> Result<Self, StartError> {
        let setup = Setup {
            timing,
            source: None,
        };
        Self::start_with(plan, registry, clock, setup)
    }

    /// The same, set up like this.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub fn start_with(
        plan: Plan,
        registry: Registry,
        clock: Clock,
        setup: Setup,
    ) -> Result<Self, StartError> {
        start::start(plan, registry, clock, setup)
    }

    /// What may be asked about the host.
    #[must_use]
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Where the HTTP server listens, once it does.
    #[must_use]
    pub fn server_address(&self) -> Option<SocketAddr> {
        self.server.as_ref()?.address()
    }

    /// The balance of every sink.
    #[must_use]
    pub fn books(&self) -> Vec<SinkBooks> {
        self.store.books()
    }

    /// The state of every controller, by name.
    #[must_use]
    pub fn controllers(&self) -> Vec<(Text, ControllerStatus)> {
        self.roster.now().controllers.clone()
    }

    /// The state of every source, by name.
    #[must_use]
    pub fn sources(&self) -> Vec<(Text, SourceStatus)> {
        self.roster.now().sources.clone()
    }

    /// The state of every sink's lane, by name.
    #[must_use]
    pub fn sinks(&self) -> Vec<(Text, LaneStatus)> {
        self.roster.now().sinks.clone()
    }

    /// The scripts, for whoever asks which are degraded: chain, script, health.
    #[must_use]
    pub fn scripts(&self) -> Vec<(Text, Text, ScriptHealth)> {
        self.roster.now().scripts.clone()
    }

    /// What is at work, for whoever asks from elsewhere.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Where incidents and silences are looked at and changed.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The door for events, for whoever feeds a host by hand.
    #[must_use]
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Has the configuration read anew.
    #[must_use]
    pub fn reloader(&self) -> &Reloader {
        &self.reloader
    }

    /// Go on with another plan, and wait until that is done; not from within a runtime.
    ///
    /// # Errors
    /// When the plan is not taken; everything is then as it was.
    pub fn go_on_with(&self, plan: Plan) -> Result<Changes, ReloadError> {
        self.plugins.block_on(self.reloader.go_on_with(plan))
    }

    /// Resolves when every configured controller has refused the credentials beyond doubt, and there is no source.
    pub async fn all_refused(&self) {
        loop {
            let refused = self.refused.notified();
            let cast = self.roster.now();
            let mut all = cast.controllers.iter();
            let alone = cast.sources.is_empty() && !cast.controllers.is_empty();
            if alone && all.all(|(_, status)| status.facts().refused) {
                return;
            }
            refused.await;
        }
    }
}

#[cfg(test)]
mod tests;
