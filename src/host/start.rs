//! Starts a host: builds everything that may refuse, then wires it, then lets it run, what listens last.

use super::assemble::{self, StartError};
use super::built::Built;
use super::heartbeat::Heartbeat;
use super::inlets::Inlets;
use super::lanes::Lanes;
use super::reload::{self, Keeper, Reloader};
use super::setup::Setup;
use super::sources::Sources;
use super::{Host, cluster, former};
use crate::alert::SCOPES;
use crate::buffer::Limits;
use crate::chain::Chains;
use crate::clock::Clock;
use crate::config::Plan;
use crate::control::protocol::Changes;
use crate::control::{self, Board, Tap};
use crate::desk::Desk;
use crate::intake::ring;
use crate::measure::{BEAT, Measures};
use crate::newcomers::Newcomers;
use crate::registry::Registry;
use crate::roster::{Cast, Roster};
use crate::router::Router;
use crate::server::Server;
use crate::services::HostServices;
use crate::source::{Directory, Resume, crew};
use crate::store::SharedStore;
use crate::tasks::{Tasks, Thread};
use std::sync::Arc;
use tokio::runtime::{self, Runtime};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Threads that plugins share.
const PLUGIN_THREADS: usize = 2;

/// Orders that may wait for the router, and for those who listen to the controllers.
const ORDERS: usize = 8;

/// As [`Host::start_with`].
pub(super) fn start(
    plan: Plan,
    registry: Registry,
    clock: Clock,
    setup: Setup,
) -> Result<Host, StartError> {
    let (plan, part) = cluster::part(plan, &clock);
    let plugins = plugins()?;
    let inside = plugins.enter();
    let plugin_tasks = Tasks::new();
    let services = HostServices::new(clock.clone(), plugin_tasks.clone());
    let registry = Arc::new(registry);
    let Built {
        mut chains,
        mut sinks,
        inlets: inlet_factories,
        pulse,
        names,
        shape,
        tallies,
        cast,
    } = Built::of(&plan, &registry, &services, &clock)?;

    let limits = Limits::new(&plan.buffer, plan.sinks.len() + 1);
    let (intake, outlet) = ring(limits, clock.clone());
    let store = cluster::store(&plan, part.as_ref(), &names, &clock)?;
    former::say(&*store);
    let Past { newcomers, resume } = remember(&mut chains, &store, &clock)?;
    let directory = Directory::default();
    chains
        .alerts()
        .lock()
        .look_up_in(Arc::new(directory.clone()));
    let desk = match &part {
        Some(part) => part.desk(),
        None => Desk::new(chains.alerts().clone(), clock.clone()),
    };

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
    let sinks = lanes.change_to(&plan, &numbers, &mut sinks, &mut Changes::default());

    let measures = Arc::new(Measures::new(&clock));
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
    .counting(tallies)
    .recording(shape)
    .obeying(obeyed);
    let router = Thread::run("herald-router", router.run(router_stop.clone()))?;
    let cluster = part.map(|part| part.start(&registry, &clock));
    let cluster = cluster.transpose()?;

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
        ..cast
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

    let (socket, server) = (plan.store.socket.clone(), plan.server.clone());
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
    Ok(Host {
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

/// What the plugins, the lanes and the server run on.
fn plugins() -> std::io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(PLUGIN_THREADS)
        .thread_name("herald-plugin")
        .enable_all()
        .build()
}

/// What an earlier run left in the store, besides what belongs to the chains.
struct Past {
    newcomers: Newcomers,
    /// Where it stopped; nothing where the store forgets.
    resume: Option<Resume>,
}

/// Let everything remember what it knew when the last run ended.
fn remember(chains: &mut Chains, store: &SharedStore, clock: &Clock) -> Result<Past, StartError> {
    chains.load_state(|scope| store.load_state(scope))?;
    let scopes = store.scopes(SCOPES)?;
    chains.end_former_alerts(&scopes, |scope| store.load_state(scope))?;
    let mut newcomers = Newcomers::default();
    newcomers.load(|scope| store.load_state(scope))?;
    let resume = store.outlives_the_process();
    let resume = resume.then(|| assemble::resume(&**store)).transpose()?;
    let holes = resume.as_ref().map(|resume| resume.holes.clone());
    chains.begin(&holes.unwrap_or_default(), clock.wall());
    Ok(Past { newcomers, resume })
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
