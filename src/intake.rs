//! The door between the source's thread and the router's: the ring with a lock and two bells.

mod losses;

pub use losses::{LossListener, hole_id};

use crate::buffer::{HoleNews, Item, Limits, Loss, Offer, Ring};
use crate::clock::Clock;
use crate::newcomers::Roll;
use crate::store::Hole;
use losses::Losses;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use unifi_herald_plugin::{Event, Text};

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
    losses: Losses,
    /// The newest receipt whose events are committed.
    receipted: watch::Sender<u64>,
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
        losses: Losses::default(),
        receipted: watch::Sender::new(0),
    });
    (Intake(Arc::clone(&shared)), Outlet(shared))
}

impl Intake {
    /// Put `events` into the ring, in order, waiting for room as `[buffer]` says; `events` is empty afterwards. Where
    /// much waits already it lets the router go first for a moment.
    ///
    /// When the future is dropped, what was not yet pushed is still in `events`.
    pub async fn push(&self, events: &mut Vec<Arc<Event>>) {
        while !events.is_empty() {
            // Registered before the ring is looked at, so that room made in between is not slept through.
            let room = self.0.room.notified();
            let Some(deadline) = self.offer(events) else {
                return;
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
        self.0.push_now(event);
    }

    /// Put pieces of history and changes to holes into the ring, in order, waiting without limit while it is more than
    /// half full; `items` is empty afterwards.
    ///
    /// When the future is dropped, what was not yet pushed is still in `items`.
    pub async fn push_history(&self, items: &mut VecDeque<Item>) {
        while !items.is_empty() {
            let room = self.0.room.notified();
            if !self.offer_history(items) {
                room.await;
            }
        }
    }

    /// Resolves when everything that was pushed before the first poll is committed, and the store keeps its promise.
    pub async fn committed(&self) {
        let mut receipted = self.0.receipted.subscribe();
        let number = self.0.lock().ask_for_receipt();
        self.0.filled.notify_one();
        // The sender is beside the ring, so it does not go away.
        drop(receipted.wait_for(|newest| *newest >= number).await);
    }

    /// Put a change to a hole into the ring at once.
    pub fn push_hole(&self, news: HoleNews) {
        self.put(Item::Hole(Box::new(news)));
    }

    /// Put the clients of a site into the ring at once.
    pub fn push_roll(&self, roll: Roll) {
        self.put(Item::Roll(Box::new(roll)));
    }

    /// What is no event always has room.
    fn put(&self, item: Item) {
        let refused = self.0.lock().offer_history(item);
        debug_assert!(refused.is_ok(), "{refused:?}");
        self.0.filled.notify_one();
    }

    /// Hear of what the ring loses of a controller's site, and answer for it: it is a hole for the listener to repair
    /// from then on, no longer a `herald.gap` at once.
    #[must_use]
    pub fn listen_for_losses(&self, controller: &Text, site: &Text) -> LossListener {
        self.0.losses.listen(controller, site)
    }

    /// Hold no more than this from now on.
    pub fn set_limits(&self, limits: Limits) {
        self.0.lock().set_limits(limits);
        // What found no room may find it now.
        self.0.room.notify_waiters();
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

    /// Whether at least one was taken.
    fn offer_history(&self, items: &mut VecDeque<Item>) -> bool {
        let mut ring = self.0.lock();
        let mut taken = false;
        while let Some(item) = items.pop_front() {
            if let Err(item) = ring.offer_history(item) {
                items.push_front(item);
                break;
            }
            taken = true;
        }
        drop(ring);
        if taken {
            self.0.filled.notify_one();
        }
        taken
    }

    /// Offer as many as there is room for. When some are left: the time at which the first may push out the oldest. When
    /// none is: until when to let the router go first, if at all.
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
        let wait = full.or_else(|| ring.pause(now));
        drop(ring);
        events.drain(..taken);
        if taken > 0 {
            self.0.filled.notify_one();
        }
        wait
    }
}

impl Outlet {
    /// Put one of herald's own events into the ring without waiting, as [`Intake::push_now`] does.
    pub fn put(&self, event: &Arc<Event>) {
        self.0.push_now(event);
    }

    /// Wait until something is in the ring, then move at most `max` items to `items`, and return what was lost.
    ///
    /// Cancel-safe: nothing is taken before the future is ready.
    pub async fn take(&mut self, max: usize, items: &mut Vec<Item>) -> Vec<Loss> {
        loop {
            let filled = self.0.filled.notified();
            if let Some(losses) = self.try_take(max, items) {
                self.0.room.notify_waiters();
                return losses;
            }
            filled.await;
        }
    }

    /// The hole that `loss` is for whoever listens for it; nothing when nobody does. It is told by
    /// [`Outlet::tell`], once it is committed.
    #[must_use]
    pub fn hole_of(&self, loss: &Loss) -> Option<Hole> {
        self.0.losses.hole_of(loss)
    }

    /// Tell whoever listens that these holes are committed.
    pub fn tell(&self, holes: Vec<Hole>) {
        self.0.losses.tell(holes);
    }

    /// Tell whoever waits for a receipt up to this one that everything in front of it is committed.
    pub fn receipt(&self, number: u64) {
        self.0.receipted.send_replace(number);
    }

    /// How many events and changes to holes wait now.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.0.lock().backlog()
    }

    /// Whether nothing waits, not even a change to a hole.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    fn try_take(&self, max: usize, items: &mut Vec<Item>) -> Option<Vec<Loss>> {
        let mut ring = self.0.lock();
        if ring.is_empty() {
            return None;
        }
        ring.take(max, items);
        Some(ring.take_losses())
    }
}

impl Shared {
    fn push_now(&self, event: &Arc<Event>) {
        self.lock().force(event);
        self.filled.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
