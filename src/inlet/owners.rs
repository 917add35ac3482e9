//! The controllers that this herald listens to itself: nobody else speaks for them.

use std::sync::{Arc, PoisonError, RwLock};
use unifi_herald_plugin::Text;

/// Their names. A copy speaks of the same ones.
#[derive(Clone, Debug, Default)]
pub struct Owners(Arc<RwLock<Arc<[Text]>>>);

impl Owners {
    /// These from now on.
    pub fn set(&self, names: impl IntoIterator<Item = Text>) {
        let names = names.into_iter().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// Those there are now.
    #[must_use]
    pub fn now(&self) -> Arc<[Text]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
