//! What a plan is made into before any of it runs, at the start and at each reload: here it shows whether it can be made.

use super::assemble::{self, StartError};
use super::inlets;
use crate::chain::{ChainTally, Chains, Shape};
use crate::clock::Clock;
use crate::config::{HeartbeatPlan, Plan};
use crate::inlet::worker::SourceFactory;
use crate::lane::worker::SinkFactory;
use crate::registry::Registry;
use crate::roster::Cast;
use crate::services::HostServices;
use std::sync::Arc;
use unifi_herald_plugin::{HttpClient, Text};

/// The parts of a plan.
pub(super) struct Built {
    pub(super) chains: Chains,
    /// One per sink, in the order of the plan.
    pub(super) sinks: Vec<SinkFactory>,
    /// One per source, in the order of the plan.
    pub(super) inlets: Vec<SourceFactory>,
    /// The heartbeat and what carries it.
    pub(super) pulse: Option<(HeartbeatPlan, HttpClient)>,
    /// Of the sinks, in the order of the plan.
    pub(super) names: Vec<Text>,
    pub(super) shape: Shape,
    /// One per chain of the shape.
    pub(super) tallies: Vec<Arc<ChainTally>>,
    /// Without those that show only at work: controllers, sources and sinks.
    pub(super) cast: Cast,
}

impl Built {
    /// Make the parts of `plan`.
    pub(super) fn of(
        plan: &Plan,
        registry: &Arc<Registry>,
        services: &Arc<HostServices>,
        clock: &Clock,
    ) -> Result<Self, StartError> {
        let engine = assemble::engine(plan, clock);
        let chains = assemble::chains(plan, registry, services, &engine)?;
        let sinks = assemble::sinks(plan, registry, services)?;
        let inlets = inlets::factories(plan, registry, services)?;
        let pulse = assemble::heartbeat(plan, services)?;
        let names = plan.sinks.iter().map(|sink| sink.name.clone());
        let shape = Shape::of(plan);
        let tallies = ChainTally::of(&shape);
        let counted = shape.0.iter().cloned().zip(tallies.iter().cloned());
        let cast = Cast {
            controllers: Vec::new(),
            sources: Vec::new(),
            sinks: Vec::new(),
            scripts: chains.script_health(),
            filters: chains.filter_health(),
            chains: counted.collect(),
            zone: plan.zone.clone(),
            engine,
        };
        Ok(Self {
            names: names.collect(),
            chains,
            sinks,
            inlets,
            pulse,
            shape,
            tallies,
            cast,
        })
    }
}
