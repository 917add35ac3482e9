//! Says in the log, at the start and after a reload, for which sinks events wait that nobody delivers.

use crate::control::former_sinks;
use crate::control::protocol::FormerSink;
use crate::store::Store;

/// Say it of each sink that is not configured and that something is pending for; all of them.
pub(super) fn say(store: &dyn Store) -> Vec<FormerSink> {
    let former = former_sinks(store);
    for FormerSink { name, pending } in &former {
        tracing::warn!(sink = %name, pending, "events are pending for a sink that is not configured");
    }
    former
}
