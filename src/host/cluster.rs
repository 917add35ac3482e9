//! This host's part in a cluster: what it runs itself, its store, and what works for the cluster.

use super::assemble::{self, StartError};
use super::courier::fresh_chains;
use crate::clock::Clock;
use crate::cluster::{ChainsFactory, Cluster, OUTBOX, Running, front};
use crate::config::{Plan, StoreMode};
use crate::desk::Desk;
use crate::registry::Registry;
use crate::store::SharedStore;
use std::sync::Arc;
use unifi_herald_plugin::Text;

/// A host's part in a cluster.
pub(super) struct Part {
    cluster: Cluster,
    /// What all hosts of the cluster were given.
    everybodys: Plan,
}

/// What of `plan` runs in this host, and its part where there is a cluster.
pub(super) fn part(plan: Plan, clock: &Clock) -> (Plan, Option<Part>) {
    let Some(jetstream) = &plan.store.jetstream else {
        return (plan, None);
    };
    let mut own = front(&plan, jetstream);
    let sinks = own.sinks.iter().map(|sink| sink.name.clone());
    let sinks: Vec<Text> = sinks.filter(|name| **name != *OUTBOX).collect();
    let cluster = Cluster::new(jetstream, &plan.base, &sinks, &plan.buffer, clock.clone());
    own.store.mode = if jetstream.role.collects() {
        StoreMode::Disk
    } else {
        // All it has of its own is what it says about itself.
        StoreMode::Memory
    };
    let part = Part {
        cluster,
        everybodys: plan,
    };
    (own, Some(part))
}

/// The store of the plan, and of the part in a cluster.
pub(super) fn store(
    plan: &Plan,
    part: Option<&Part>,
    names: &[Text],
    clock: &Clock,
) -> Result<SharedStore, StartError> {
    match part {
        None => assemble::store(plan, names, clock),
        Some(part) => {
            let embedded = assemble::store(plan, &[OUTBOX.into()], clock)?;
            Ok(part.cluster.store(embedded))
        }
    }
}

impl Part {
    /// Where incidents and silences are looked at and changed.
    pub(super) fn desk(&self) -> Desk {
        self.cluster.desk()
    }

    /// Begin to work for the cluster.
    pub(super) fn start(
        self,
        registry: &Arc<Registry>,
        clock: &Clock,
    ) -> Result<Running, StartError> {
        let Self {
            cluster,
            everybodys,
        } = self;
        let processes = everybodys.store.jetstream.as_ref();
        let processes = processes.is_some_and(|jetstream| jetstream.role.processes());
        let chains: Option<ChainsFactory> = if processes {
            // A mistake shows at the start.
            fresh_chains(&everybodys, registry, clock)?;
            let (registry, clock) = (Arc::clone(registry), clock.clone());
            Some(Box::new(move || {
                fresh_chains(&everybodys, &registry, &clock).map_err(|error| error.to_string())
            }))
        } else {
            None
        };
        Ok(cluster.start(chains)?)
    }
}
