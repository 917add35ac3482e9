//! The host: wires source, router and lanes together, each on its own thread, and takes them down in order.

mod assemble;
mod drain;

pub use assemble::StartError;
pub use drain::Stopped;

use crate::buffer::Limits;
use crate::chain::Shape;
use crate::clock::Clock;
use crate::config::Plan;
use crate::control::{Board, Server, Tap};
use crate::heartbeat::worker::HeartbeatWorker;
use crate::intake::{Intake, ring};
use crate::lane::worker::{LaneWorker, Left};
use crate::registry::Registry;
use crate::router::Router;
use crate::script::ScriptHealth;
use crate::services::HostServices;
use crate::source::{self, Link};
use crate::status::{ControllerStatus, LaneStatus};
use crate::store::{SharedStore, SinkBooks};
use crate::tasks::{Tasks, thread};
use crate::unifi::timing::Timing;
use drain::Thread;
use std::sync::Arc;
use tokio::runtime::{self, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::Text;

/// Threads that plugins share.
const PLUGIN_THREADS: usize = 2;

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
    lanes: Vec<JoinHandle<Left>>,
    drain: CancellationToken,
    abort: CancellationToken,
    store: SharedStore,
    intake: Intake,
    controllers: Vec<(Text, ControllerStatus)>,
    sinks: Vec<(Text, LaneStatus)>,
    refused: Arc<Notify>,
    scripts: Vec<(Text, Text, ScriptHealth)>,
}

impl Host {
    /// Start everything in `plan`.
    ///
    /// # Errors
    /// When a step or sink cannot be made, or the system refuses a thread. Nothing then runs.
    pub fn start(plan: Plan, registry: Registry, clock: Clock) -> Result<Self, StartError> {
        Self::start_timed(plan, registry, clock, Timing::default())
    }

    /// The same, with sockets that are watched this closely: a test cannot wait for what takes minutes.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub fn start_timed(
        plan: Plan,
        registry: Registry,
        clock: Clock,
        timing: Timing,
    ) -> Result<Self, StartError> {
        let plugins = runtime::Builder::new_multi_thread()
            .worker_threads(PLUGIN_THREADS)
            .thread_name("herald-plugin")
            .enable_all()
            .build()?;
        let _inside = plugins.enter();
        let plugin_tasks = Tasks::new();
        let services = HostServices::new(clock.clone(), plugin_tasks.clone());
        let registry = Arc::new(registry);
        let engine = assemble::engine(&plan, &clock);
        let mut chains = assemble::chains(&plan, &registry, &services, &engine)?;
        let factories = assemble::sinks(&plan, &registry, &services)?;

        let heartbeat = assemble::heartbeat(&plan, &services)?;
        let (intake, outlet) = ring(
            Limits::new(&plan.buffer, plan.sinks.len() + 1),
            clock.clone(),
        );
        let names: Vec<Text> = plan.sinks.iter().map(|sink| sink.name.clone()).collect();
        let store = assemble::store(&plan, &names, &clock)?;
        let scripts = chains.script_health();
        chains.load_state(|scope| store.load_state(scope))?;
        let resume = assemble::resume(&plan, &*store)?;
        let (drain, abort) = (CancellationToken::new(), CancellationToken::new());
        let weather = Arc::new(Notify::new());

        let mut lanes = Vec::new();
        let mut sinks = Vec::new();
        for (index, (sink, factory)) in plan.sinks.iter().zip(factories).enumerate() {
            let status = LaneStatus::default();
            sinks.push((sink.name.clone(), status.clone()));
            let worker = LaneWorker {
                index,
                plan: sink.clone(),
                factory,
                store: Arc::clone(&store),
                clock: clock.clone(),
                status,
                intake: intake.clone(),
                weather: Arc::clone(&weather),
                drain: drain.clone(),
                abort: abort.clone(),
            };
            lanes.push(plugin_tasks.spawn(worker.run()));
        }

        let tap = Tap::default();
        let router_stop = CancellationToken::new();
        let router = Router::new(
            outlet,
            chains,
            Arc::clone(&store),
            names.len(),
            clock.clone(),
            weather,
        )
        .shown_on(tap.clone())
        .recording(Shape::of(&plan));
        let router = start("herald-router", router.run(router_stop.clone()))?;

        let socket = plan.store.socket.clone();
        let source_tasks = Tasks::new();
        let refused = Arc::new(Notify::new());
        let mut controllers = Vec::new();
        let mut running = Vec::new();
        for controller in plan.controllers {
            let status = ControllerStatus::default();
            controllers.push((controller.name.clone(), status.clone()));
            let link = Link {
                intake: intake.clone(),
                clock: clock.clone(),
                tasks: source_tasks.clone(),
                status,
                state_dir: Some(plan.store.dir.clone()),
                refused: Arc::clone(&refused),
                timing,
                resume: resume.clone(),
            };
            running.push(source::run(controller, link));
        }
        let source = start("herald-source", async move {
            futures_util::future::join_all(running).await;
        })?;
        if let Some((plan, http)) = heartbeat {
            let worker = HeartbeatWorker {
                plan,
                http,
                controllers: controllers.clone(),
                store: Arc::clone(&store),
                clock: clock.clone(),
                stop: source_tasks.stop_token(),
            };
            drop(plugin_tasks.spawn(worker.run()));
        }
        let board = Board {
            store: Arc::clone(&store),
            controllers: controllers.clone(),
            sinks: sinks.clone(),
            tap,
            engine,
            clock: clock.clone(),
        };
        match Server::bind(&socket, board, plugin_tasks.clone()) {
            Ok(server) => drop(plugin_tasks.spawn(server.serve())),
            Err(error) => {
                tracing::warn!(%error, "commands such as `herald status` cannot ask this herald");
            }
        }
        drop(_inside);
        Ok(Self {
            clock,
            plugins,
            plugin_tasks,
            source,
            source_tasks,
            router,
            router_stop,
            lanes,
            drain,
            abort,
            store,
            intake,
            controllers,
            sinks,
            refused,
            scripts,
        })
    }

    /// The balance of every sink.
    #[must_use]
    pub fn books(&self) -> Vec<SinkBooks> {
        self.store.books()
    }

    /// The state of every controller, by name.
    #[must_use]
    pub fn controllers(&self) -> &[(Text, ControllerStatus)] {
        &self.controllers
    }

    /// The state of every sink's lane, by name.
    #[must_use]
    pub fn sinks(&self) -> &[(Text, LaneStatus)] {
        &self.sinks
    }

    /// The scripts, for whoever asks which are degraded: chain, script, health.
    #[must_use]
    pub fn scripts(&self) -> &[(Text, Text, ScriptHealth)] {
        &self.scripts
    }

    /// The door for events, for whoever feeds a host by hand.
    #[must_use]
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Resolves when every configured controller has refused the credentials beyond doubt.
    pub async fn all_refused(&self) {
        loop {
            let refused = self.refused.notified();
            if !self.controllers.is_empty()
                && self
                    .controllers
                    .iter()
                    .all(|(_, status)| status.facts().refused)
            {
                return;
            }
            refused.await;
        }
    }
}

/// Run `task` on a thread and a runtime of its own.
fn start(
    name: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<Thread> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (done, ended) = tokio::sync::oneshot::channel();
    thread(name, move || {
        runtime.block_on(task);
        // Nobody waits when the host gave up on this thread.
        done.send(()).unwrap_or_default();
    })?;
    Ok(Thread { name, ended })
}
