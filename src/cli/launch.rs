//! A host in the foreground: until a signal, until its time is up, or until every controller refused the login.

mod farewell;

use super::Exit;
use super::output::complain;
use super::service;
use super::watch::Watcher;
use crate::clock::Clock;
use crate::config::{Locator, LogFormat, Plan};
use crate::host::{Host, PlanSource, Setup, StartError, Stopped};
use crate::registry::Registry;
use crate::tasks::thread;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::unix::pipe::Sender;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// How long the lanes may take to deliver what they have once the host is told to stop: less than the ten seconds
/// after which container runtimes kill.
const DRAIN: Duration = Duration::from_secs(8);

/// The same when nobody reads what the demo prints: other sinks get the little that they still need.
const READER_GONE_DRAIN: Duration = Duration::from_secs(1);

/// A signal that comes so soon after the first one is its echo: `timeout` and shells signal a program and its group.
const ECHO: Duration = Duration::from_secs(1);

/// What a host runs for, which says when it ends by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occasion {
    /// Until told to stop, whatever becomes of its sinks, standard output included.
    Service,
    /// For somebody who looks: at most for this long, and no longer than anybody reads what it prints.
    Demo(Option<Duration>),
}

/// How the configuration is read anew while the host runs.
pub(super) struct Reading {
    /// Reads it.
    pub(super) source: PlanSource,
    /// Where it is, when it is to be read as soon as it changes.
    pub(super) watched: Option<Locator>,
}

/// Why a host ends.
enum End {
    Signal,
    TimeUp,
    AllRefused,
    ReaderGone,
}

/// Run the host on `plan` until it is told to stop, or the occasion is over.
pub(super) fn run(plan: Plan, registry: Registry, reading: Reading, occasion: Occasion) -> Exit {
    let format = plan.log.format;
    match try_run(plan, registry, reading, occasion) {
        Ok(exit) => exit,
        Err(error) => {
            match format {
                LogFormat::Text => complain(&format!("error: {error}")),
                LogFormat::Json | LogFormat::Journald => {
                    tracing::error!(%error, "herald cannot run");
                }
            }
            match error {
                StartError::System(_) | StartError::State(_) => Exit::Failed,
                StartError::Script(_)
                | StartError::Alert(_)
                | StartError::Plugin { .. }
                | StartError::Store(_) => Exit::Config,
            }
        }
    }
}

fn try_run(
    plan: Plan,
    registry: Registry,
    reading: Reading,
    occasion: Occasion,
) -> Result<Exit, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let inside = runtime.enter();
    let mut signals = Signals::new()?;
    let mut hangups = signal(SignalKind::hangup())?;
    drop(inside);
    introduce(&plan);
    let format = plan.log.format;
    let watcher = reading.watched.map(Watcher::new);
    let setup = Setup {
        source: Some(reading.source),
        ..Setup::default()
    };
    let host = Host::start_with(plan, registry, Clock::system(), setup)?;
    service::ready(host.board());
    let end = runtime.block_on(async {
        tokio::select! {
            never = service::watch(host.board()) => match never {},
            () = signals.next() => End::Signal,
            () = host.all_refused() => End::AllRefused,
            end = occasion.over() => end,
            () = reload(&mut hangups, watcher, &host) => End::Signal,
        }
    });
    service::stopping();
    let store = Arc::clone(&host.board().store);
    tracing::info!("stopping, delivering what is pending");
    let drain = match end {
        End::ReaderGone => READER_GONE_DRAIN,
        End::Signal | End::TimeUp | End::AllRefused => DRAIN,
    };
    let (done, drained) = oneshot::channel();
    thread("herald-drain", move || done.send(host.stop(drain)))?;
    let stopped = runtime.block_on(async {
        tokio::select! {
            stopped = drained => stopped.ok(),
            () = signals.insist() => None,
        }
    });
    Ok(match (end, stopped) {
        (End::AllRefused, stopped) => {
            if let Some(stopped) = stopped {
                farewell::report(&stopped, format);
            }
            Exit::Refused
        }
        // As everywhere, a reader who has gone is no failure.
        (End::ReaderGone, _) => Exit::Done,
        (End::Signal | End::TimeUp, Some(stopped)) => farewell::report(&stopped, format),
        (End::Signal | End::TimeUp, None) => {
            farewell::cut_short(&Stopped::with(&*store), format);
            Exit::Failed
        }
    })
}

/// Reload on SIGHUP and when what is watched changes, for ever. How it went is in the log and the status.
async fn reload(hangups: &mut Signal, watcher: Option<Watcher>, host: &Host) {
    let mut watcher = watcher;
    loop {
        tokio::select! {
            _ = hangups.recv() => tracing::info!("SIGHUP, reading the configuration anew"),
            () = changed(&mut watcher) => tracing::info!("the configuration has changed, reading it anew"),
        }
        service::reloading();
        drop(host.reloader().reload().await);
        service::ready(host.board());
    }
}

async fn changed(watcher: &mut Option<Watcher>) {
    match watcher {
        Some(watcher) => watcher.changed().await,
        None => std::future::pending().await,
    }
}

/// SIGTERM and Ctrl-C.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// One more after the first, by somebody who does not want to wait.
    async fn insist(&mut self) {
        let echo = tokio::time::sleep(ECHO);
        tokio::pin!(echo);
        loop {
            tokio::select! {
                () = &mut echo => break,
                () = self.next() => {}
            }
        }
        self.next().await;
    }
}

impl Occasion {
    async fn over(self) -> End {
        let Self::Demo(length) = self else {
            return std::future::pending().await;
        };
        tokio::select! {
            () = time_up(length) => End::TimeUp,
            () = reader_gone() => End::ReaderGone,
        }
    }
}

async fn time_up(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}

/// Resolves when standard output is a pipe that nobody reads any more; never for anything else.
async fn reader_gone() {
    let copy = io::stdout().as_fd().try_clone_to_owned();
    // Only watched, never written to: the mode of the file is left alone. What cannot be watched, such as a file, has
    // no reader who could go.
    if let Ok(watched) = copy.and_then(Sender::from_owned_fd_unchecked)
        && watched.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Who runs with what, in a few lines.
fn introduce(plan: &Plan) {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "herald starts");
    for controller in &plan.controllers {
        tracing::info!(controller = %controller.name, url = controller.url, "will listen");
    }
    for source in &plan.sources {
        tracing::info!(source_name = %source.name, plugin = source.plugin.plugin, "will receive");
    }
    for sink in &plan.sinks {
        tracing::info!(sink = %sink.name, plugin = sink.plugin.plugin, "will deliver");
    }
    let chains: Vec<&str> = plan.chains.iter().map(|chain| &*chain.name).collect();
    tracing::info!(chains = chains.join(", "), "chains in order");
}
