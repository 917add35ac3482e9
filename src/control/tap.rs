//! Where the router shows what it has committed, to whoever watches right now.

use crate::chain::Shape;
use std::sync::Arc;
use tokio::sync::broadcast;
use unifi_herald_plugin::BufferedEvent;

/// Events that may wait for a watcher; a slower one is told how many it missed.
const WAITING: usize = 1024;

/// The router's end. A copy shows to the same watchers.
#[derive(Clone, Debug)]
pub struct Tap(broadcast::Sender<Shown>);

/// An event that was committed, and what the chains did with it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The event.
    pub event: BufferedEvent,
    /// What [`crate::chain::verdict::read`] reads; empty for what a script or filter made and no sink got.
    pub record: Arc<[u8]>,
    /// The names in the record.
    pub shape: Arc<Shape>,
}

impl Default for Tap {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl Tap {
    /// Whether anybody watches; nothing need be shown otherwise.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Show these events, without waiting for anybody.
    pub fn show(&self, events: Vec<Shown>) {
        for event in events {
            // The last watcher may have left.
            drop(self.0.send(event));
        }
    }

    /// What is shown from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Shown> {
        self.0.subscribe()
    }
}
