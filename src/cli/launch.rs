//! A host in the foreground: until a signal, until its time is up, or until every controller refused the login.

use super::Exit;
use super::output::complain;
use crate::clock::Clock;
use crate::config::Plan;
use crate::host::{Host, StartError, Stopped};
use crate::registry::Registry;
use crate::tasks::thread;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// How long the lanes may take to deliver what they have once the host is told to stop: less than the ten seconds
/// after which container runtimes kill.
const DRAIN: Duration = Duration::from_secs(8);

/// Why a host ends.
enum End {
    Signal,
    TimeUp,
    AllRefused,
}

/// Run the host on `plan` until it is told to stop, at most for `length`.
pub(super) fn run(plan: Plan, registry: Registry, length: Option<Duration>) -> Exit {
    match try_run(plan, registry, length) {
        Ok(exit) => exit,
        Err(error) => {
            complain(&format!("error: {error}"));
            match error {
                StartError::System(_) | StartError::State(_) => Exit::Failed,
                StartError::Script(_) | StartError::Plugin { .. } | StartError::Store(_) => {
                    Exit::Config
                }
            }
        }
    }
}

fn try_run(plan: Plan, registry: Registry, length: Option<Duration>) -> Result<Exit, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let inside = runtime.enter();
    let mut signals = Signals::new()?;
    drop(inside);
    introduce(&plan);
    let host = Host::start(plan, registry, Clock::system())?;
    let end = runtime.block_on(async {
        tokio::select! {
            () = signals.next() => End::Signal,
            () = host.all_refused() => End::AllRefused,
            () = time_up(length) => End::TimeUp,
        }
    });
    tracing::info!("stopping, delivering what is pending");
    let (done, drained) = oneshot::channel();
    thread("herald-drain", move || done.send(host.stop(DRAIN)))?;
    let stopped = runtime.block_on(async {
        tokio::select! {
            stopped = drained => stopped.ok(),
            () = signals.next() => None,
        }
    });
    Ok(match (end, stopped) {
        (End::AllRefused, _) => Exit::Refused,
        (End::Signal | End::TimeUp, Some(stopped)) => report(&stopped),
        (End::Signal | End::TimeUp, None) => {
            tracing::warn!("stopped by a second signal, pending events are lost");
            Exit::Failed
        }
    })
}

/// SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn time_up(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}

/// Who runs with what, in a few lines.
fn introduce(plan: &Plan) {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "herald starts");
    for controller in &plan.controllers {
        tracing::info!(controller = %controller.name, url = controller.url, "will listen");
    }
    for sink in &plan.sinks {
        tracing::info!(sink = %sink.name, plugin = sink.plugin.plugin, "will deliver");
    }
    let chains: Vec<&str> = plan.chains.iter().map(|chain| &*chain.name).collect();
    tracing::info!(chains = chains.join(", "), "chains in order");
}

/// Say what was left, if anything was.
fn report(stopped: &Stopped) -> Exit {
    if stopped.left.is_empty() {
        tracing::info!("everything is delivered");
        return Exit::Done;
    }
    if stopped.safe {
        let count = stopped.total();
        tracing::info!(
            count,
            "pending events are safe in the store, the next start delivers them"
        );
        return Exit::Done;
    }
    for (sink, count) in &stopped.left {
        tracing::error!(sink = %sink, count, "events could not be delivered in time and are lost");
    }
    complain(&format!(
        "{} events could not be delivered in time and are lost",
        stopped.total()
    ));
    Exit::Failed
}
