//! From a plan to working parts: chains with compiled scripts, sinks that can be built again.

use crate::alert::{AlertError, SharedAlerts, assemble};
use crate::chain::{Action, Chain, Chains, FilterStep};
use crate::clock::Clock;
use crate::config::{
    self, ChainPlan, HeartbeatPlan, OnError, Plan, PluginPlan, SinkPlan, StoreMode,
};
use crate::digest::Digests;
use crate::lane::worker::SinkFactory;
use crate::registry::Registry;
use crate::script::{Engine, EngineOptions, Limits, Memories, ScriptStep};
use crate::services::{HostServices, lent_zone};
use crate::source::Resume;
use crate::store::{DiskStore, MemoryStore, OpenError, SharedStore, Store, StoreError};
use std::sync::Arc;
use unifi_herald_plugin::{BuildContext, HttpClient, HttpOptions, Services as _, Text};

/// A host that cannot start. A plan that was checked does not meet the first two, unless a file changed since.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A script does not compile.
    #[error(transparent)]
    Script(#[from] crate::script::ScriptError),
    /// An alert cannot be made of what is written.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// A sink or filter cannot be made of its options.
    #[error("{table}: {message}")]
    Plugin {
        /// `sinks.archive`.
        table: String,
        /// What is wrong.
        message: String,
    },
    /// What an earlier run remembered cannot be read.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The system refused a thread or a runtime.
    #[error("cannot start a thread: {0}")]
    System(#[from] std::io::Error),
}

/// The store of the plan; for `disk` it is locked against a second herald.
pub(super) fn store(plan: &Plan, sinks: &[Text], clock: &Clock) -> Result<SharedStore, StartError> {
    Ok(match plan.store.mode {
        StoreMode::Disk | StoreMode::Jetstream => Arc::new(DiskStore::open(
            &plan.store,
            sinks,
            &plan.buffer,
            clock.clone(),
        )?),
        StoreMode::Memory => Arc::new(MemoryStore::new(sinks, &plan.buffer, clock.clone())),
    })
}

/// What compiles the scripts of the plan.
pub(super) fn engine(plan: &Plan, clock: &Clock) -> Engine {
    Engine::new(EngineOptions {
        scripts_dir: Some(plan.base.join("scripts")),
        zone: plan.zone.clone(),
        clock: clock.clone(),
        limits: Limits::default(),
    })
}

/// Where the store says that everything stopped.
pub(super) fn resume(store: &dyn Store) -> Result<Resume, StoreError> {
    Ok(Resume {
        watermarks: store.watermarks()?,
        holes: store.holes()?,
    })
}

/// The chains, every script compiled once per step: state and health belong to the step.
pub(super) fn chains(
    plan: &Plan,
    registry: &Arc<Registry>,
    services: &Arc<HostServices>,
    engine: &Engine,
) -> Result<Chains, StartError> {
    let mut memories = Memories::default();
    let chain = |chain: &ChainPlan| {
        let steps = chain.steps.iter().enumerate().map(|(position, step)| {
            let action = match &step.action {
                config::Action::Sink(sink) => Action::Sink(*sink),
                config::Action::Alert(alert) => Action::Alert(*alert),
                config::Action::Digest(digest) => Action::Digest(*digest),
                config::Action::Where(source) => {
                    let step = ScriptStep::new(engine.compile_where(source)?, OnError::Drop);
                    let memory = memories.of_where(&chain.name, position);
                    Action::Script(Box::new(step.remembering_in(memory)))
                }
                config::Action::Script(name) => {
                    let script = plan
                        .scripts
                        .get(name)
                        .ok_or_else(|| missing("scripts", name))?;
                    let step = ScriptStep::new(engine.compile_file(name, script)?, script.on_error);
                    let memory = memories.of_script(name, &chain.name);
                    Action::Script(Box::new(step.remembering_in(memory)))
                }
                config::Action::Filter(name) => {
                    let filter = plan
                        .filters
                        .get(name)
                        .ok_or_else(|| missing("filters", name))?;
                    let context = BuildContext::new(
                        name.clone(),
                        &plan.base,
                        Arc::<HostServices>::clone(services),
                    )
                    .in_zone(lent_zone(&plan.zone));
                    let (registry, plan) = (Arc::clone(registry), filter.clone());
                    let factory = Box::new(move || {
                        registry
                            .build_filter(&plan.plugin, &plan.options, &context)
                            .map_err(|error| error.to_string())
                    });
                    let step = FilterStep::new(name.clone(), factory, filter.on_error);
                    Action::Filter(step.map_err(|error| plugin_error("filters", name, &error))?)
                }
            };
            Ok((step.when.clone(), action))
        });
        let steps = steps.collect::<Result<Vec<_>, StartError>>()?;
        Ok(Chain::new(chain.name.clone(), &chain.when, steps))
    };
    let chains = plan.chains.iter().map(chain);
    let chains = chains.collect::<Result<Vec<_>, StartError>>()?;
    let alerts = assemble(plan, engine, &mut memories)?;
    let digests = Digests::new(&plan.digests, plan.zone.clone());
    let chains = Chains::new(chains).remembering(memories);
    Ok(chains.watching(SharedAlerts::new(alerts), digests))
}

/// One factory per sink, each tried once so that a mistake shows at the start.
pub(super) fn sinks(
    plan: &Plan,
    registry: &Arc<Registry>,
    services: &Arc<HostServices>,
) -> Result<Vec<SinkFactory>, StartError> {
    plan.sinks
        .iter()
        .map(|sink| factory(plan, sink, registry, services))
        .collect()
}

fn factory(
    plan: &Plan,
    sink: &SinkPlan,
    registry: &Arc<Registry>,
    services: &Arc<HostServices>,
) -> Result<SinkFactory, StartError> {
    let context = BuildContext::new(
        sink.name.clone(),
        &plan.base,
        Arc::<HostServices>::clone(services),
    )
    .in_zone(lent_zone(&plan.zone));
    let PluginPlan {
        plugin, options, ..
    } = sink.plugin.clone();
    let registry = Arc::clone(registry);
    registry
        .build_sink(&plugin, &options, &context)
        .map_err(|error| plugin_error("sinks", &sink.name, &error))?;
    Ok(Box::new(move |storage| {
        let context = context.clone().storing_in(storage.clone());
        registry
            .build_sink(&plugin, &options, &context)
            .map_err(|error| error.to_string())
    }))
}

/// The heartbeat and what carries it.
pub(super) fn heartbeat(
    plan: &Plan,
    services: &HostServices,
) -> Result<Option<(HeartbeatPlan, HttpClient)>, StartError> {
    let Some(heartbeat) = &plan.heartbeat else {
        return Ok(None);
    };
    let http = services
        .http(&HttpOptions::default(), &plan.base)
        .map_err(|error| StartError::Plugin {
            table: "heartbeat".to_owned(),
            message: error.to_string(),
        })?;
    Ok(Some((heartbeat.clone(), http)))
}

fn missing(table: &str, name: &str) -> StartError {
    StartError::Plugin {
        table: format!("{table}.{name}"),
        message: "is not in the plan".to_owned(),
    }
}

pub(super) fn plugin_error(table: &str, name: &str, error: &impl std::fmt::Display) -> StartError {
    StartError::Plugin {
        table: format!("{table}.{name}"),
        message: error.to_string(),
    }
}
