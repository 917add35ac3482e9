//! What the control socket may look at: handles to the parts of a running host, none of which can hold it up.

use super::protocol::{ControllerState, Degraded, SinkState, Status};
use super::tap::Tap;
use crate::clock::Clock;
use crate::script::Engine;
use crate::status::{ControllerStatus, LaneStatus};
use crate::store::{SharedStore, StoreHealth};
use unifi_herald_plugin::Text;

/// The parts of a running host, for whoever asks.
#[derive(Debug)]
pub struct Board {
    /// Where batches are committed.
    pub store: SharedStore,
    /// Every controller, by name.
    pub controllers: Vec<(Text, ControllerStatus)>,
    /// Every sink's lane, by name, in the order of the plan.
    pub sinks: Vec<(Text, LaneStatus)>,
    /// Where the router shows what it commits.
    pub tap: Tap,
    /// Compiles the conditions of those who watch.
    pub engine: Engine,
    /// The host's clock.
    pub clock: Clock,
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
            }),
        };
        let books = self.store.books();
        let sinks = self.sinks.iter().map(|(name, lane)| {
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
            controllers: self
                .controllers
                .iter()
                .map(|(name, status)| controller(name, status))
                .collect(),
            sinks: sinks.collect(),
            degraded,
        }
    }
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
