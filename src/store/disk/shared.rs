//! What the writer's thread and the callers of the store both see.

use super::window::Window;
use crate::clock::Clock;
use crate::store::losses::Losses;
use crate::store::room::Hold;
use crate::store::{Books, Share, StoreHealth};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::Notify;
use unifi_herald_plugin::{BufferedEvent, Text};

#[derive(Debug)]
pub(super) struct Shared {
    /// By number; they only ever become more.
    lanes: RwLock<Vec<Arc<Lane>>>,
    books: Mutex<Vec<Books>>,
    health: Mutex<StoreHealth>,
    losses: Mutex<Losses>,
    pub(super) next_seq: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: Text,
    window: Mutex<Window>,
    pub(super) filled: Notify,
    /// Rings when the lane took something out of the window.
    pub(super) taken: Notify,
    /// How many of its pending events are in memory only.
    pub(super) unsaved: AtomicU64,
    /// Whether the sink has left the configuration.
    gone: AtomicBool,
}

impl Shared {
    pub(super) fn new(lanes: Vec<Lane>, books: Vec<Books>, next_seq: u64) -> Self {
        Self {
            lanes: RwLock::new(lanes.into_iter().map(Arc::new).collect()),
            books: Mutex::new(books),
            health: Mutex::new(StoreHealth::Ok),
            losses: Mutex::default(),
            next_seq: AtomicU64::new(next_seq),
        }
    }

    /// The lane of this number. Whoever names a number got it from here.
    pub(super) fn lane(&self, sink: usize) -> Arc<Lane> {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&lanes[sink])
    }

    /// All of them, by number.
    pub(super) fn lanes(&self) -> Vec<Arc<Lane>> {
        let lanes = self.lanes.read().unwrap_or_else(PoisonError::into_inner);
        lanes.clone()
    }

    pub(super) fn add_lane(&self, lane: Lane) {
        let mut lanes = self.lanes.write().unwrap_or_else(PoisonError::into_inner);
        lanes.push(Arc::new(lane));
    }

    /// Give the lanes that keep up a moment to make room for these.
    pub(super) async fn make_room(&self, shares: &[Share], clock: &Clock) {
        let hold = Hold::begin(clock.now());
        for share in shares {
            let lane = self.lane(share.sink);
            lane.wait_for_room(&share.events, &hold, clock).await;
        }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Vec<Books>> {
        lock(&self.books)
    }

    pub(super) fn health(&self) -> MutexGuard<'_, StoreHealth> {
        lock(&self.health)
    }

    pub(super) fn losses(&self) -> MutexGuard<'_, Losses> {
        lock(&self.losses)
    }
}

impl Lane {
    pub(super) fn new(name: Text, window: Window) -> Self {
        Self {
            name,
            window: Mutex::new(window),
            filled: Notify::new(),
            taken: Notify::new(),
            unsaved: AtomicU64::new(0),
            gone: AtomicBool::new(false),
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    pub(super) fn set_gone(&self, gone: bool) {
        self.gone.store(gone, Ordering::Relaxed);
    }

    async fn wait_for_room(&self, events: &[BufferedEvent], hold: &Hold, clock: &Clock) {
        let (mut now, mut waited) = (clock.now(), false);
        loop {
            let taken = self.taken.notified();
            let Some(until) = hold.look(&mut *self.window(), events, waited, now) else {
                return;
            };
            waited = true;
            now = tokio::select! {
                () = taken => clock.now(),
                () = tokio::time::sleep_until(until.into()) => until,
            };
        }
    }

    pub(super) fn window(&self) -> MutexGuard<'_, Window> {
        lock(&self.window)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
