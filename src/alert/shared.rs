//! All alerts, shared by the chains and whoever looks at them.

use super::Alerts;
use jiff::tz::TimeZone;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The alerts of a running host. A copy is of the same ones, also after a reload.
#[derive(Clone, Debug)]
pub struct SharedAlerts(Arc<Mutex<Alerts>>);

impl Default for SharedAlerts {
    fn default() -> Self {
        Self::new(Alerts::new(TimeZone::UTC))
    }
}

impl SharedAlerts {
    /// Share `alerts`.
    #[must_use]
    pub fn new(alerts: Alerts) -> Self {
        Self(Arc::new(Mutex::new(alerts)))
    }

    /// The alerts. Held for one event, or one look.
    pub fn lock(&self) -> MutexGuard<'_, Alerts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Take over what those of `old` remember, and their place: whoever shares them sees these from now on.
    pub fn inherit(&mut self, old: &Self) {
        if Arc::ptr_eq(&self.0, &old.0) {
            return;
        }
        let (mut new, mut was) = (self.lock(), old.lock());
        new.inherit(&mut was);
        std::mem::swap(&mut *new, &mut *was);
        drop((new, was));
        *self = old.clone();
    }
}
