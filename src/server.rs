//! The HTTP server of a running host: dashboard, its API, metrics and health.
//!
//! It has a thread of its own and only looks at the [`Board`]: whatever asks, however slowly, holds up no event.

mod access;
mod api;
mod assets;
mod attempts;
mod gate;
mod health;
mod listen;
mod metrics;
mod origin;
mod patience;

use crate::config::ServerPlan;
use crate::control::Board;
use crate::tasks::{Tasks, Thread};
use access::Access;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use origin::Names;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Longest body of a request.
const MAX_BODY: usize = 16 << 10;

/// Most browsers and programs that watch at the same time.
const MAX_WATCHERS: usize = 16;

/// Most searches of the journal at the same time.
const MAX_SEARCHES: usize = 4;

/// How long the server may take to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// The running server.
#[derive(Debug)]
pub struct Server {
    thread: Thread,
    tasks: Tasks,
    address: Arc<OnceLock<SocketAddr>>,
}

/// What all requests share.
#[derive(Debug)]
struct App {
    board: Arc<Board>,
    access: Access,
    names: Names,
    tasks: Tasks,
    watchers: Arc<Semaphore>,
    searches: Arc<Semaphore>,
}

impl Server {
    /// Start it. An address that is taken is tried again until it is free.
    ///
    /// # Errors
    /// When the system refuses a thread or random numbers.
    pub fn start(plan: ServerPlan, board: Arc<Board>) -> io::Result<Self> {
        let tasks = Tasks::new();
        let address = Arc::new(OnceLock::new());
        let app = Arc::new(App {
            board,
            access: Access::new(plan.token)?,
            names: Names::new(plan.listen, plan.hosts),
            tasks: tasks.clone(),
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            searches: Arc::new(Semaphore::new(MAX_SEARCHES)),
        });
        let serve = listen::serve(
            plan.listen,
            Arc::clone(&address),
            router(&app),
            tasks.clone(),
        );
        Ok(Self {
            thread: Thread::run("herald-server", serve)?,
            tasks,
            address,
        })
    }

    /// Where it listens, once it does.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// End every connection and wait for the thread.
    pub(crate) async fn stop(self, now: Instant) {
        self.tasks.stop();
        self.thread.end_by(now + FAREWELL).await;
    }
}

fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .nest("/api", api::router())
        .merge(assets::router())
        .fallback(api::nothing_here)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(app), gate::pass))
        .with_state(Arc::clone(app))
}
