//! Which controllers, sinks, scripts and filters there are at the moment, for whoever asks while a reload may change it.

use crate::chain::{ChainShape, ChainTally, FilterHealth};
use crate::inlet::SourceStatus;
use crate::script::{Engine, ScriptHealth};
use crate::status::{ControllerStatus, LaneStatus};
use std::sync::{Arc, PoisonError, RwLock};
use unifi_herald_plugin::{Text, Timestamp};

/// What is at work. A copy speaks of the same host.
#[derive(Clone, Debug)]
pub struct Roster(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    cast: RwLock<Arc<Cast>>,
    refused: RwLock<Option<RefusedReload>>,
}

/// What one configuration put to work.
#[derive(Debug)]
pub struct Cast {
    /// Every controller, by name, in the order of the configuration.
    pub controllers: Vec<(Text, ControllerStatus)>,
    /// Every source, by name, in the order of the configuration.
    pub sources: Vec<(Text, SourceStatus)>,
    /// Every sink's lane, by name, in the order of the configuration.
    pub sinks: Vec<(Text, LaneStatus)>,
    /// The scripts: chain, script, health.
    pub scripts: Vec<(Text, Text, ScriptHealth)>,
    /// The filters in Rust: chain, filter, health.
    pub filters: Vec<(Text, Text, FilterHealth)>,
    /// What every chain does, with the names of its steps, in the order of the configuration.
    pub chains: Vec<(ChainShape, Arc<ChainTally>)>,
    /// Time zone of what people write.
    pub zone: jiff::tz::TimeZone,
    /// Compiles the conditions of those who watch.
    pub engine: Engine,
}

/// A configuration that was not taken: the one before it is still at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedReload {
    /// When.
    pub at: Timestamp,
    /// All that is wrong with it, for people.
    pub error: String,
}

impl Roster {
    /// With this at work.
    #[must_use]
    pub fn new(cast: Cast) -> Self {
        Self(Arc::new(Shared {
            cast: RwLock::new(Arc::new(cast)),
            refused: RwLock::new(None),
        }))
    }

    /// Without scripts and filters, for whoever is tested without a host.
    #[cfg(test)]
    pub(crate) fn testing(
        controllers: Vec<(Text, ControllerStatus)>,
        sinks: Vec<(Text, LaneStatus)>,
    ) -> Self {
        use crate::script::{EngineOptions, Limits};
        Self::new(Cast {
            controllers,
            sources: Vec::new(),
            sinks,
            scripts: Vec::new(),
            filters: Vec::new(),
            chains: Vec::new(),
            zone: jiff::tz::TimeZone::UTC,
            engine: Engine::new(EngineOptions {
                scripts_dir: None,
                zone: jiff::tz::TimeZone::UTC,
                clock: crate::clock::Clock::system(),
                limits: Limits::default(),
            }),
        })
    }

    /// What is at work now.
    #[must_use]
    pub fn now(&self) -> Arc<Cast> {
        let cast = self.0.cast.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&cast)
    }

    /// The configuration that was refused last, unless another was taken since.
    #[must_use]
    pub fn refused(&self) -> Option<RefusedReload> {
        let refused = self.0.refused.read();
        refused.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, cast: Cast) {
        let cast = Arc::new(cast);
        *self.0.cast.write().unwrap_or_else(PoisonError::into_inner) = cast;
    }

    pub(crate) fn set_refused(&self, refused: Option<RefusedReload>) {
        let place = self.0.refused.write();
        *place.unwrap_or_else(PoisonError::into_inner) = refused;
    }
}
