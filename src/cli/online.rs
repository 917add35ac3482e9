//! `herald check --online`: logs in to every controller and lets every sink and every source check the other end.

use super::Exit;
use super::output::print;
use crate::clock::Clock;
use crate::cluster::examine;
use crate::config::{ControllerPlan, Plan, SinkPlan};
use crate::registry::Registry;
use crate::services::{HostServices, lent_zone};
use crate::source::{Probe, ProbeError, probe};
use crate::tasks::Tasks;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use unifi_herald_plugin::BuildContext;

/// Longest a controller may take to answer everything it is asked.
const PATIENCE: Duration = Duration::from_secs(60);

/// Check everything in `plan`, one line each; the worst outcome is the exit code.
pub(super) fn check(plan: &Plan, registry: &Registry) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(error = %error, "cannot start a runtime");
            return Exit::Failed;
        }
    };
    runtime.block_on(async {
        let mut worst = Exit::Done;
        for controller in &plan.controllers {
            worst = worse(worst, check_controller(controller).await);
        }
        if let Some(jetstream) = &plan.store.jetstream {
            let (text, exit) = match examine(jetstream, &plan.base).await {
                Ok(()) => ("ok".to_owned(), Exit::Done),
                Err(error) => (format!("failed: {error}"), Exit::Failed),
            };
            worst = worse(worst, worse(exit, print(&format!("cluster: {text}\n"))));
        }
        try_sinks(plan, registry, |name, tried| {
            let (text, exit) = match tried {
                Ok(()) => ("ok".to_owned(), Exit::Done),
                Err((error, exit)) => (format!("failed: {error}"), exit),
            };
            let exit = worse(exit, print(&format!("sink {name}: {text}\n")));
            worst = worse(worst, exit);
        })
        .await;
        try_sources(plan, registry, |name, tried| {
            let (text, exit) = match tried {
                Ok(()) => ("ok".to_owned(), Exit::Done),
                Err((error, exit)) => (format!("failed: {error}"), exit),
            };
            let exit = worse(exit, print(&format!("source {name}: {text}\n")));
            worst = worse(worst, exit);
        })
        .await;
        worst
    })
}

async fn check_controller(controller: &ControllerPlan) -> Exit {
    let looked = timeout(PATIENCE, probe(controller, &Clock::system())).await;
    let (text, exit) = match looked {
        Ok(Ok(found)) => (describe(&found), Exit::Done),
        Ok(Err(error)) => (format!("failed: {error}"), class(&error)),
        Err(_elapsed) => (
            "failed: it did not answer in time".to_owned(),
            Exit::Unavailable,
        ),
    };
    worse(
        exit,
        print(&format!("controller {}: {text}\n", controller.name)),
    )
}

/// The exit code of a trouble with a controller.
pub(super) fn class(error: &ProbeError) -> Exit {
    match error {
        ProbeError::Login(_) | ProbeError::SecondFactor(_) => Exit::Refused,
        ProbeError::Unavailable(_) => Exit::Unavailable,
    }
}

fn describe(found: &Probe) -> String {
    let version = found.version.as_deref().unwrap_or("of unknown version");
    let sites: Vec<&str> = found.sites.iter().map(|site| &*site.display).collect();
    format!(
        "ok, {} {version}, sites: {}",
        found.kind.as_str(),
        sites.join(", ")
    )
}

/// Build every sink of `plan`, one after the other, and let it check its destination; `tell` hears how each did.
pub(super) async fn try_sinks(
    plan: &Plan,
    registry: &Registry,
    mut tell: impl FnMut(&str, Result<(), (String, Exit)>),
) {
    let services = HostServices::new(Clock::system(), Tasks::new());
    for sink in &plan.sinks {
        let services = Arc::<HostServices>::clone(&services);
        let context = BuildContext::new(sink.name.clone(), &plan.base, services)
            .in_zone(lent_zone(&plan.zone));
        tell(&sink.name, try_sink(sink, registry, &context).await);
    }
}

async fn try_sink(
    sink: &SinkPlan,
    registry: &Registry,
    context: &BuildContext,
) -> Result<(), (String, Exit)> {
    let mut built = registry
        .build_sink(&sink.plugin.plugin, &sink.plugin.options, context)
        .map_err(|error| (error.to_string(), Exit::Config))?;
    match timeout(sink.timeout, built.check()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err((error.to_string(), Exit::Failed)),
        Err(_elapsed) => Err(("it did not answer in time".to_owned(), Exit::Failed)),
    }
}

/// Build every source of `plan`, one after the other, and let it check whether it would receive something; `tell` hears
/// how each did. Nothing is received.
pub(super) async fn try_sources(
    plan: &Plan,
    registry: &Registry,
    mut tell: impl FnMut(&str, Result<(), (String, Exit)>),
) {
    let services = HostServices::new(Clock::system(), Tasks::new());
    for source in &plan.sources {
        let services = Arc::<HostServices>::clone(&services);
        let context = BuildContext::new(source.name.clone(), &plan.base, services);
        let built = registry.build_source(&source.plugin.plugin, &source.plugin.options, &context);
        let tried = match built {
            Err(error) => Err((error.to_string(), Exit::Config)),
            Ok(mut built) => match timeout(PATIENCE, built.check()).await {
                Ok(checked) => checked.map_err(|error| (error.to_string(), Exit::Failed)),
                Err(_elapsed) => Err(("it did not answer in time".to_owned(), Exit::Failed)),
            },
        };
        tell(&source.name, tried);
    }
}

/// The first trouble counts; the rest is on the screen.
fn worse(before: Exit, now: Exit) -> Exit {
    if before == Exit::Done { now } else { before }
}
