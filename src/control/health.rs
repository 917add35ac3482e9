//! Whether the host does its work, and whether everything it works with is in order.

use super::Board;
use crate::measure::{Pulse, STUCK};
use crate::store::StoreHealth;
use serde::{Deserialize, Serialize};

/// How the host is, for whoever decides about restarts and alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether the host's own threads make progress; when they do not, only a restart helps.
    pub alive: bool,
    /// Whether all is well besides: controllers, sources, sinks, scripts, filters and store.
    pub ready: bool,
    /// What is not well, a sentence each. No text of others is in it.
    pub reasons: Vec<String>,
}

impl Board {
    /// How the host is now.
    #[must_use]
    pub fn health(&self) -> Health {
        let now = self.clock.now();
        let stuck = |pulse: &Pulse| pulse.age(now) >= STUCK;
        let mut reasons = Vec::new();
        for (what, pulse) in [
            ("the reading of sockets", &self.measures.source),
            ("the routing of events", &self.measures.router),
        ] {
            if stuck(pulse) {
                let seconds = pulse.age(now).as_secs();
                reasons.push(format!("{what} has made no progress for {seconds} s"));
            }
        }
        let alive = reasons.is_empty();
        let cast = self.roster.now();
        for (name, status) in &cast.controllers {
            if !status.facts().connected() {
                reasons.push(format!("controller {name} is not connected"));
            }
        }
        for (name, status) in &cast.sources {
            if !status.facts().connected {
                reasons.push(format!("source {name} is not connected"));
            }
        }
        match self.store.health() {
            StoreHealth::Ok => {}
            StoreHealth::Degraded { held, .. } => reasons.push(format!(
                "the store does not take anything, {held} events are in memory only"
            )),
            StoreHealth::Away { .. } => {
                reasons.push("the cluster cannot be used, events wait".to_owned());
            }
        }
        for (name, lane) in &cast.sinks {
            let state = lane.facts().state;
            if !matches!(state, "" | "ok") {
                reasons.push(format!("sink {name} is {state}"));
            }
        }
        for (chain, script, health) in &cast.scripts {
            if health.trouble().is_some() {
                reasons.push(format!("script {script} of chain {chain} is bypassed"));
            }
        }
        for (chain, filter, health) in &cast.filters {
            if health.trouble().is_some() {
                reasons.push(format!("filter {filter} of chain {chain} is bypassed"));
            }
        }
        Health {
            alive,
            ready: reasons.is_empty(),
            reasons,
        }
    }
}
