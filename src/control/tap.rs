//! Where the router shows what it has committed, to whoever watches right now.

use tokio::sync::broadcast;
use unifi_herald_plugin::BufferedEvent;

/// Events that may wait for a watcher; a slower one is told how many it missed.
const WAITING: usize = 1024;

/// The router's end. A copy shows to the same watchers.
#[derive(Clone, Debug)]
pub struct Tap(broadcast::Sender<BufferedEvent>);

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
    pub fn show(&self, events: Vec<BufferedEvent>) {
        for event in events {
            // The last watcher may have left.
            drop(self.0.send(event));
        }
    }

    /// What is shown from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<BufferedEvent> {
        self.0.subscribe()
    }
}
