//! What the ring lost, on its way to whoever can fetch it again: at most one hole for each site that waits to be heard.

use crate::buffer::Loss;
use crate::store::Hole;
use crate::unifi::gap::RING_OVERFLOW;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use unifi_herald_plugin::Text;

/// Who listens, and what was not heard yet.
#[derive(Debug, Default)]
pub(super) struct Losses(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    sites: Mutex<Vec<Site>>,
    told: Notify,
}

#[derive(Debug)]
struct Site {
    controller: Text,
    site: Text,
    listeners: usize,
    unheard: Option<Hole>,
    /// How many events are lost in it.
    count: u64,
}

/// Hears of the losses of one site. Dropping it ends the listening.
#[derive(Debug)]
pub struct LossListener {
    shared: Arc<Shared>,
    controller: Text,
    site: Text,
}

impl Losses {
    pub(super) fn listen(&self, controller: &Text, site: &Text) -> LossListener {
        let mut sites = self.0.lock();
        match sites.iter_mut().find(|entry| entry.is(controller, site)) {
            Some(entry) => entry.listeners += 1,
            None => sites.push(Site {
                controller: controller.clone(),
                site: site.clone(),
                listeners: 1,
                unheard: None,
                count: 0,
            }),
        }
        LossListener {
            shared: Arc::clone(&self.0),
            controller: controller.clone(),
            site: site.clone(),
        }
    }

    /// A hole that was not heard of yet grows, and cannot be heard of until it is told again; otherwise it is a new one.
    pub(super) fn hole_of(&self, loss: &Loss) -> Option<Hole> {
        if loss.own {
            return None;
        }
        let mut sites = self.0.lock();
        let entry = sites
            .iter_mut()
            .find(|entry| entry.is(&loss.controller, &loss.site) && entry.listeners > 0)?;
        entry.count += loss.gap.count.unwrap_or_default();
        let (from, to) = (loss.gap.from, loss.gap.to);
        let hole = match entry.unheard.take() {
            Some(known) => Hole {
                from: known.from.min(from),
                to: known.to.max(Some(to)),
                ..known
            },
            None => Hole {
                id: hole_id(),
                controller: loss.controller.clone(),
                site: loss.site.clone(),
                from,
                to: Some(to),
                reason: RING_OVERFLOW.into(),
            },
        };
        Some(hole)
    }

    pub(super) fn tell(&self, holes: Vec<Hole>) {
        let mut sites = self.0.lock();
        for hole in holes {
            let known = sites
                .iter_mut()
                .find(|entry| entry.is(&hole.controller, &hole.site));
            if let Some(entry) = known {
                entry.unheard = Some(hole);
            }
        }
        drop(sites);
        self.0.told.notify_waiters();
    }
}

impl LossListener {
    /// Wait for the next hole, and how many events are lost in it. Cancel-safe.
    pub async fn heard(&self) -> (Hole, u64) {
        loop {
            // Registered before the look, so that nothing told in between is slept through.
            let told = self.shared.told.notified();
            let unheard = self
                .shared
                .lock()
                .iter_mut()
                .find(|entry| entry.is(&self.controller, &self.site))
                .and_then(|entry| Some((entry.unheard.take()?, std::mem::take(&mut entry.count))));
            if let Some(hole) = unheard {
                return hole;
            }
            told.await;
        }
    }
}

impl Drop for LossListener {
    fn drop(&mut self) {
        let mut sites = self.shared.lock();
        if let Some(entry) = sites
            .iter_mut()
            .find(|entry| entry.is(&self.controller, &self.site))
        {
            entry.listeners -= 1;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Site>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Site {
    fn is(&self, controller: &str, site: &str) -> bool {
        &*self.controller == controller && &*self.site == site
    }
}

/// A number for a hole that no other open hole has.
#[must_use]
pub fn hole_id() -> u64 {
    // Within the positive numbers of a database.
    fastrand::u64(1..=i64::MAX.unsigned_abs())
}
