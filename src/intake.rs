//! The door between the source's thread and the router's: the ring with a lock and two bells.

use crate::buffer::{Limits, Loss, Offer, Ring};
use crate::clock::Clock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use unifi_herald_plugin::Event;

/// The end that sources push into. A copy pushes into the same ring.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Shared>);

/// The end that the router takes from.
#[derive(Debug)]
pub struct Outlet(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    clock: Clock,
    filled: Notify,
    room: Notify,
}

/// The two ends of a new ring.
#[must_use]
pub fn ring(limits: Limits, clock: Clock) -> (Intake, Outlet) {
    let ring = Mutex::new(Ring::new(limits));
    let shared = Arc::new(Shared {
        ring,
        clock,
        filled: Notify::new(),
        room: Notify::new(),
    });
    (Intake(Arc::clone(&shared)), Outlet(shared))
}

impl Intake {
    /// Put `events` into the ring, in order, waiting for room as `[buffer]` says; `events` is empty afterwards.
    ///
    /// When the future is dropped, what was not yet pushed is still in `events`.
    pub async fn push(&self, events: &mut Vec<Arc<Event>>) {
        while !events.is_empty() {
            // Registered before the ring is looked at, so that room made in between is not slept through.
            let room = self.0.room.notified();
            let Some(deadline) = self.offer(events) else {
                continue;
            };
            // The runtime's timer and the clock agree on real time; under a manual clock only room ends the wait.
            tokio::select! {
                () = room => {}
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
    }

    /// Put one of herald's own events into the ring without waiting; where there is no room the oldest is lost
    /// and counted.
    pub fn push_now(&self, event: &Arc<Event>) {
        self.0.lock().force(event);
        self.0.filled.notify_one();
    }

    /// How many events are waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Offer as many as there is room for; when some are left, the time at which the first may push out the oldest.
    fn offer(&self, events: &mut Vec<Arc<Event>>) -> Option<std::time::Instant> {
        let now = self.0.clock.now();
        let mut ring = self.0.lock();
        let mut full = None;
        let mut taken = 0;
        for event in events.iter() {
            if let Offer::Full(deadline) = ring.offer(event, now) {
                full = Some(deadline);
                break;
            }
            taken += 1;
        }
        drop(ring);
        events.drain(..taken);
        if taken > 0 {
            self.0.filled.notify_one();
        }
        full
    }
}

impl Outlet {
    /// Wait until something is in the ring, then move at most `max` events to `events`, and return what was lost.
    ///
    /// Cancel-safe: nothing is taken before the future is ready.
    pub async fn take(&mut self, max: usize, events: &mut Vec<Arc<Event>>) -> Vec<Loss> {
        loop {
            let filled = self.0.filled.notified();
            if let Some(losses) = self.try_take(max, events) {
                self.0.room.notify_waiters();
                return losses;
            }
            filled.await;
        }
    }

    fn try_take(&self, max: usize, events: &mut Vec<Arc<Event>>) -> Option<Vec<Loss>> {
        let mut ring = self.0.lock();
        if ring.is_empty() {
            return None;
        }
        ring.take(max, events);
        Some(ring.take_losses())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
