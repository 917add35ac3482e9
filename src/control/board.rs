//! What the control socket may look at: handles to the parts of a running host, none of which can hold it up.

use super::protocol::{
    ControllerState, Degraded, FormerSink, RefusedConfig, SinkState, SourceState, Status, StepState,
};
use super::tap::Tap;
use crate::chain::FilterHealth;
use crate::clock::Clock;
use crate::desk::Desk;
use crate::host::Reloader;
use crate::inlet::SourceStatus;
use crate::intake::Intake;
use crate::measure::Measures;
use crate::roster::Roster;
use crate::router::Order;
use crate::script::ScriptHealth;
use crate::status::ControllerStatus;
use crate::store::{SharedStore, Store, StoreHealth};
use std::sync::Arc;
use tokio::sync::mpsc;
use unifi_herald_plugin::Text;

/// The parts of a running host, for whoever asks.
#[derive(Debug)]
pub struct Board {
    /// Where batches are committed.
    pub store: SharedStore,
    /// What is at work.
    pub roster: Roster,
    /// Where the router shows what it commits.
    pub tap: Tap,
    /// Has the configuration read anew.
    pub reloader: Reloader,
    /// Has things done between two batches.
    pub orders: mpsc::Sender<Order>,
    /// Where incidents and silences are looked at and changed.
    pub desk: Desk,
    /// The host's clock.
    pub clock: Clock,
    /// What the host measures.
    pub measures: Arc<Measures>,
    /// The ring in front of the chains.
    pub ring: Intake,
}

impl Board {
    /// How everything is now.
    #[must_use]
    pub fn status(&self) -> Status {
        let degraded = match self.store.health() {
            StoreHealth::Ok => None,
            StoreHealth::Degraded {
                since,
                reason,
                held,
            } => Some(Degraded {
                since,
                reason,
                held,
                away: false,
            }),
            StoreHealth::Away { since, reason } => Some(Degraded {
                since,
                reason,
                held: 0,
                away: true,
            }),
        };
        let books = self.store.books();
        let cast = self.roster.now();
        let sinks = cast.sinks.iter().map(|(name, lane)| {
            let facts = lane.facts();
            let entry = books.iter().find(|sink| sink.name == *name);
            SinkState {
                name: name.to_string(),
                // A lane that has not delivered yet has nothing to complain of.
                state: if facts.state.is_empty() {
                    "ok".to_owned()
                } else {
                    facts.state.to_owned()
                },
                books: entry.map(|sink| sink.books).unwrap_or_default(),
                last_error: facts.last_error,
            }
        });
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            controllers: cast
                .controllers
                .iter()
                .map(|(name, status)| controller(name, status))
                .collect(),
            sources: cast
                .sources
                .iter()
                .map(|(name, status)| source(name, status))
                .collect(),
            sinks: sinks.collect(),
            degraded,
            scripts: cast.scripts.iter().filter_map(script).collect(),
            filters: cast.filters.iter().filter_map(filter).collect(),
            refused_reload: self.roster.refused().map(|refused| RefusedConfig {
                at: refused.at,
                error: refused.error,
            }),
            former_sinks: former_sinks(&*self.store),
        }
    }
}

/// The sinks that left the configuration while something was pending for them: it waits, and nobody delivers it.
pub(crate) fn former_sinks(store: &dyn Store) -> Vec<FormerSink> {
    let former = store.former_sinks().unwrap_or_else(|error| {
        tracing::warn!(%error, "store could not tell what is pending for sinks that are not configured");
        Vec::new()
    });
    former.into_iter().map(FormerSink::from).collect()
}

fn controller(name: &str, status: &ControllerStatus) -> ControllerState {
    let facts = status.facts();
    ControllerState {
        name: name.to_owned(),
        connected: facts.connected(),
        last_frame: facts.last_frame,
        version: facts.version,
        kind: facts.kind.map(|kind| kind.as_str().to_owned()),
        trouble: facts.trouble,
    }
}

fn source(name: &str, status: &SourceStatus) -> SourceState {
    let facts = status.facts();
    SourceState {
        name: name.to_owned(),
        connected: facts.connected,
        last_event: facts.last_event,
        received: facts.received,
        refused: facts.refused,
        own: facts.own,
        lost: facts.lost,
        trouble: facts.trouble,
    }
}

/// A filter that is bypassed; the others need no word.
fn filter((chain, name, health): &(Text, Text, FilterHealth)) -> Option<StepState> {
    Some(StepState {
        name: name.to_string(),
        chain: chain.to_string(),
        error: health.trouble()?.error,
    })
}

/// A script that is bypassed; the others need no word.
fn script((chain, name, health): &(Text, Text, ScriptHealth)) -> Option<StepState> {
    let trouble = health.trouble()?;
    Some(StepState {
        name: name.to_string(),
        chain: chain.to_string(),
        error: trouble.error.to_string(),
    })
}
