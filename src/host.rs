//! The host: wires source, router and lanes together, each on its own thread, and takes them down in order.

mod assemble;
mod cluster;
mod courier;
mod drain;
mod heartbeat;
mod inlets;
mod lanes;
mod reload;
mod setup;
mod sources;

pub use assemble::StartError;
pub use courier::{Courier, fresh_chains};
pub use drain::{Stopped, Unwritten};
pub use reload::{PlanSource, ReloadError, Reloader};
pub use setup::Setup;

use crate::buffer::Limits;
use crate::chain::{ChainTally, Shape};
use crate::clock::Clock;
use crate::cluster::Running;
use crate::config::Plan;
use crate::control::protocol::Changes;
use crate::control::{self, Board, Tap};
use crate::desk::Desk;
use crate::inlet::SourceStatus;
use crate::intake::{Intake, ring};
use crate::measure::{BEAT, Measures};
use crate::newcomers::Newcomers;
use crate::registry::Registry;
use crate::roster::{Cast, Roster};
use crate::router::Router;
use crate::script::ScriptHealth;
use crate::server::Server;
use crate::services::HostServices;
use crate::source::{Directory, crew};
use crate::status::{ControllerStatus, LaneStatus};
use crate::store::{SharedStore, SinkBooks};
use crate::tasks::{Tasks, Thread};
use crate::unifi::timing::Timing;
use heartbeat::Heartbeat;
use inlets::Inlets;
use lanes::Lanes;
use reload::Keeper;
use sources::Sources;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::{self, Runtime};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::Text;

/// Threads that plugins share.
const PLUGIN_THREADS: usize = 2;

/// Orders that may wait for the router, and for those who listen to the controllers.
const ORDERS: usize = 8;

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
        let (plan, part) = cluster::part(plan, &clock);
        let plugins = runtime::Builder::new_multi_thread()
            .worker_threads(PLUGIN_THREADS)
            .thread_name("herald-plugin")
            .enable_all()
            .build()?;
        let inside = plugins.enter();
        let plugin_tasks = Tasks::new();
        let services = HostServices::new(clock.clone(), plugin_tasks.clone());
        let registry = Arc::new(registry);
        let engine = assemble::engine(&plan, &clock);
        let mut chains = assemble::chains(&plan, &registry, &services, &engine)?;
        let mut factories = assemble::sinks(&plan, &registry, &services)?;
        let inlet_factories = inlets::factories(&plan, &registry, &services)?;

        let pulse = assemble::heartbeat(&plan, &services)?;
        let (intake, outlet) = ring(
            Limits::new(&plan.buffer, plan.sinks.len() + 1),
            clock.clone(),
        );
        let names: Vec<Text> = plan.sinks.iter().map(|sink| sink.name.clone()).collect();
        let store = cluster::store(&plan, part.as_ref(), &names, &clock)?;
        let scripts = chains.script_health();
        let filters = chains.filter_health();
        let shape = Shape::of(&plan);
        let tallies = ChainTally::of(&shape);
        let measures = Arc::new(Measures::new(&clock));
        chains.load_state(|scope| store.load_state(scope))?;
        let scopes = store.scopes(crate::alert::SCOPES)?;
        chains.end_former_alerts(&scopes, |scope| store.load_state(scope))?;
        let mut newcomers = Newcomers::default();
        newcomers.load(|scope| store.load_state(scope))?;
        let resume = store.outlives_the_process();
        let resume = resume.then(|| assemble::resume(&*store)).transpose()?;
        let holes = resume.as_ref().map(|resume| resume.holes.clone());
        chains.begin(&holes.unwrap_or_default(), clock.wall());
        let desk = match &part {
            Some(part) => part.desk(),
            None => Desk::new(chains.alerts().clone(), clock.clone()),
        };
        let directory = Directory::default();
        chains
            .alerts()
            .lock()
            .look_up_in(Arc::new(directory.clone()));
        let (drain, abort) = (CancellationToken::new(), CancellationToken::new());
        let weather = Arc::new(Notify::new());

        let mut lanes = Lanes {
            store: Arc::clone(&store),
            clock: clock.clone(),
            intake: intake.clone(),
            weather: Arc::clone(&weather),
            drain: drain.clone(),
            abort: abort.clone(),
            tasks: plugin_tasks.clone(),
            running: Vec::new(),
            leaving: Vec::new(),
        };
        let numbers: Vec<usize> = (0..names.len()).collect();
        let sinks = lanes.change_to(&plan, &numbers, &mut factories, &mut Changes::default());

        let tap = Tap::default();
        let router_stop = CancellationToken::new();
        let (orders, obeyed) = mpsc::channel(ORDERS);
        let router = Router::new(
            outlet,
            chains,
            Arc::clone(&store),
            names.len(),
            clock.clone(),
            weather,
        )
        .knowing(newcomers)
        .shown_on(tap.clone())
        .serving(desk.clone())
        .measured_by(Arc::clone(&measures))
        .counting(tallies.clone())
        .recording(shape.clone())
        .obeying(obeyed);
        let router = Thread::run("herald-router", router.run(router_stop.clone()))?;

        let cluster = part.map(|part| part.start(&registry, &clock));
        let cluster = cluster.transpose()?;
        let socket = plan.store.socket.clone();
        let source_tasks = Tasks::new();
        let refused = Arc::new(Notify::new());
        let (crew_orders, crew_obeyed) = mpsc::channel(ORDERS);
        let reading = crew(crew_obeyed, source_tasks.clone());
        let reading = beating(reading, Arc::clone(&measures), clock.clone());
        let source = Thread::run("herald-source", reading)?;
        let mut sources = Sources {
            crew: crew_orders,
            router: orders.clone(),
            store: Arc::clone(&store),
            intake: intake.clone(),
            clock: clock.clone(),
            tasks: source_tasks.clone(),
            state_dir: plan.store.dir.clone(),
            refused: Arc::clone(&refused),
            timing: setup.timing,
            directory,
            running: Vec::new(),
        };
        let controllers = plugins.block_on(sources.begin(&plan, resume.as_ref()));
        let stop = source_tasks.stop_token();
        let mut inlets = Inlets::new(&intake, &clock, &plugin_tasks, stop);
        let mut changes = Changes::default();
        let begun = plugins.block_on(inlets.change_to(&plan, inlet_factories, &mut changes));
        let roster = Roster::new(Cast {
            controllers,
            sources: begun,
            sinks,
            scripts,
            filters,
            chains: shape.0.into_iter().zip(tallies).collect(),
            zone: plan.zone.clone(),
            engine,
        });
        let mut heartbeat = Heartbeat {
            roster: roster.clone(),
            store: Arc::clone(&store),
            clock: clock.clone(),
            tasks: plugin_tasks.clone(),
            stop: source_tasks.stop_token(),
            running: None,
        };
        heartbeat.change_to(pulse);
        let server = plan.server.clone();
        let (requests, asked) = mpsc::channel(reload::WAITING);
        let reloader = Reloader(requests);
        let keeper = Keeper {
            requests: asked,
            source: setup.source,
            plan,
            registry,
            services,
            clock: clock.clone(),
            store: Arc::clone(&store),
            intake: intake.clone(),
            roster: roster.clone(),
            router: orders.clone(),
            tasks: plugin_tasks.clone(),
            lanes,
            sources,
            inlets,
            heartbeat,
            stop: source_tasks.stop_token(),
        };
        let keeper = plugin_tasks.spawn(keeper.run());
        let board = Arc::new(Board {
            store: Arc::clone(&store),
            roster: roster.clone(),
            tap,
            reloader: reloader.clone(),
            orders,
            desk: desk.clone(),
            clock: clock.clone(),
            measures,
            ring: intake.clone(),
        });
        control::serve(&socket, &board, &plugin_tasks);
        let server = server.map(|plan| Server::start(plan, Arc::clone(&board)));
        let server = server.transpose()?;
        drop(inside);
        Ok(Self {
            clock,
            plugins,
            plugin_tasks,
            source,
            source_tasks,
            router,
            router_stop,
            keeper,
            reloader,
            drain,
            abort,
            store,
            intake,
            roster,
            refused,
            desk,
            board,
            server,
            cluster,
        })
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

/// Show again and again that the thread of the sources turns, as long as `reading` goes on.
async fn beating(reading: impl Future<Output = ()>, measures: Arc<Measures>, clock: Clock) {
    let beat = async {
        loop {
            measures.source.beat(clock.now());
            tokio::time::sleep(BEAT).await;
        }
    };
    tokio::select! {
        () = reading => {}
        () = beat => {}
    }
}

#[cfg(test)]
mod tests;
