//! A step written in Rust: panics contained, errors treated like a script's.

use crate::config::OnError;
use crate::own_event::hashed_id;
use crate::script::{RunContext, StepOutcome};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use unifi_herald_plugin::{Event, Filter, Origin, Text, Verdict};

/// Most events that a filter may put in the place of one, as for scripts.
const MAX_REPLACEMENTS: usize = 64;

/// A filter in a chain.
pub struct FilterStep {
    name: Text,
    filter: Box<dyn Filter>,
    on_error: OnError,
}

impl FilterStep {
    /// `filter` under its name in the configuration.
    #[must_use]
    pub fn new(name: Text, filter: Box<dyn Filter>, on_error: OnError) -> Self {
        Self {
            name,
            filter,
            on_error,
        }
    }

    /// What becomes of `event`.
    pub fn apply(&mut self, event: &Arc<Event>, context: &RunContext<'_>) -> StepOutcome {
        let error = match catch_unwind(AssertUnwindSafe(|| self.filter.apply(event))) {
            Ok(Ok(Verdict::Keep)) => return StepOutcome::Keep(Arc::clone(event)),
            Ok(Ok(Verdict::Drop)) => return StepOutcome::Drop,
            Ok(Ok(Verdict::Replace(events))) if events.len() <= MAX_REPLACEMENTS => {
                return StepOutcome::Many(adopt(events, event, context));
            }
            Ok(Ok(Verdict::Replace(events))) => {
                format!("put {} events in the place of one", events.len())
            }
            Ok(Err(error)) => error.to_string(),
            Err(_panic) => "the filter panicked".to_owned(),
        };
        tracing::debug!(filter = %self.name, error, "filter failed on an event");
        match self.on_error {
            OnError::Keep => StepOutcome::Keep(Arc::clone(event)),
            OnError::Drop => StepOutcome::Drop,
            OnError::DeadLetter => {
                StepOutcome::DeadLetter(format!("filter {}: {error}", self.name))
            }
        }
    }
}

/// Give what the filter made ids of their own; one event may keep the id of the one given.
fn adopt(events: Vec<Event>, parent: &Event, context: &RunContext<'_>) -> Vec<Arc<Event>> {
    let mut parent_kept = false;
    let adopt = |(index, mut event): (usize, Event)| {
        if event.id == parent.id && !std::mem::replace(&mut parent_kept, true) {
            return Arc::new(event);
        }
        event.id = hashed_id(&[&parent.id, context.salt, &index.to_string()], parent.time).into();
        event.origin = Origin::Derived;
        Arc::new(event)
    };
    events.into_iter().enumerate().map(adopt).collect()
}

impl std::fmt::Debug for FilterStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilterStep")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
