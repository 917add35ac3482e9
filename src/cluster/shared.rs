//! What lanes, store and manager of one process share: the sinks' queues, the connection, and what is wrong.

use super::desks::Desks;
use super::link::{Link, Trouble};
use super::queue::SinkQueue;
use crate::store::{KeptLetter, StoreHealth};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use unifi_herald_plugin::Timestamp;

/// Shared by all parts of one process.
#[derive(Debug)]
pub(super) struct Shared {
    /// In the order of the sinks.
    pub(super) queues: Vec<Arc<SinkQueue>>,
    /// Once there is one.
    pub(super) link: OnceLock<Link>,
    pub(super) desks: Desks,
    trouble: Mutex<Option<(Timestamp, String)>>,
    letters: Mutex<Vec<KeptLetter>>,
}

impl Shared {
    pub(super) fn new(queues: Vec<Arc<SinkQueue>>) -> Self {
        Self {
            queues,
            link: OnceLock::new(),
            desks: Desks::default(),
            trouble: Mutex::default(),
            letters: Mutex::default(),
        }
    }

    /// The cluster does what it is asked.
    pub(super) fn well(&self) {
        if self.lock().take().is_some() {
            tracing::info!("cluster is well again");
        }
    }

    /// It does not: said once for as long as it is the same.
    pub(super) fn complain(&self, trouble: &Trouble, now: Timestamp) {
        let mut known = self.lock();
        let since = known.as_ref().map_or(now, |(since, _)| *since);
        if known.as_ref().is_none_or(|(_, text)| *text != trouble.0) {
            tracing::error!(%trouble, "cluster cannot be used, trying again");
            *known = Some((since, trouble.0.clone()));
        }
    }

    pub(super) fn health(&self) -> StoreHealth {
        match &*self.lock() {
            None => StoreHealth::Ok,
            Some((since, reason)) => StoreHealth::Away {
                since: *since,
                reason: reason.clone(),
            },
        }
    }

    pub(super) fn letters(&self) -> Vec<KeptLetter> {
        self.letters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn forget_letter(&self, position: i64) {
        let letters = self.letters.lock();
        let mut letters = letters.unwrap_or_else(PoisonError::into_inner);
        letters.retain(|letter| letter.position != position);
    }

    pub(super) fn set_letters(&self, letters: Vec<KeptLetter>) {
        *self.letters.lock().unwrap_or_else(PoisonError::into_inner) = letters;
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Timestamp, String)>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
