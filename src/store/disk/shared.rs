//! What the writer's thread and the callers of the store both see.

use super::window::Window;
use crate::buffer::Loss;
use crate::own_event::Scope;
use crate::store::{Books, StoreHealth};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use unifi_herald_plugin::{Gap, Text, Timestamp};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) lanes: Vec<Lane>,
    books: Mutex<Vec<Books>>,
    health: Mutex<StoreHealth>,
    losses: Mutex<Vec<Loss>>,
    pub(super) next_seq: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: Text,
    window: Mutex<Window>,
    pub(super) filled: Notify,
}

impl Shared {
    pub(super) fn new(lanes: Vec<Lane>, books: Vec<Books>, next_seq: u64) -> Self {
        Self {
            lanes,
            books: Mutex::new(books),
            health: Mutex::new(StoreHealth::Ok),
            losses: Mutex::new(Vec::new()),
            next_seq: AtomicU64::new(next_seq),
        }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Vec<Books>> {
        lock(&self.books)
    }

    pub(super) fn health(&self) -> MutexGuard<'_, StoreHealth> {
        lock(&self.health)
    }

    pub(super) fn take_losses(&self) -> Vec<Loss> {
        std::mem::take(&mut *lock(&self.losses))
    }

    /// Note that an event of this origin and time is lost to at least one sink.
    pub(super) fn note_loss(&self, scope: &Scope, time: Timestamp) {
        let mut losses = lock(&self.losses);
        let known = losses
            .iter_mut()
            .find(|loss| loss.controller == scope.controller && loss.site == scope.site);
        if let Some(loss) = known {
            loss.gap.from = loss.gap.from.min(time);
            loss.gap.to = loss.gap.to.max(time);
            loss.gap.count = loss.gap.count.map(|count| count + 1);
            return;
        }
        losses.push(Loss {
            controller: scope.controller.clone(),
            site: scope.site.clone(),
            site_name: scope.site_name.clone(),
            own: false,
            gap: Gap {
                from: time,
                to: time,
                count: Some(1),
            },
        });
    }
}

impl Lane {
    pub(super) fn new(name: Text, window: Window) -> Self {
        Self {
            name,
            window: Mutex::new(window),
            filled: Notify::new(),
        }
    }

    pub(super) fn window(&self) -> MutexGuard<'_, Window> {
        lock(&self.window)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
