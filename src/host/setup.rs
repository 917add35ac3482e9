//! What a host may be told besides its plan.

use super::PlanSource;
use crate::unifi::timing::Timing;
use std::fmt;

/// What a host may be told besides its plan.
#[derive(Clone, Default)]
pub struct Setup {
    /// How closely sockets are watched: a test cannot wait for what takes minutes.
    pub timing: Timing,
    /// Reads the configuration anew when that is asked for.
    pub source: Option<PlanSource>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}
