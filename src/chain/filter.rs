//! A step written in Rust: panics contained, errors treated like a script's.

use crate::config::OnError;
use crate::own_event::hashed_id;
use crate::script::{Breaker, RunContext, StepOutcome};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use unifi_herald_plugin::{Event, Filter, Origin, Text, Verdict};

/// Most events that a filter may put in the place of one, as for scripts.
const MAX_REPLACEMENTS: usize = 64;

/// Failures of one filter are written to the log at most this often.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Makes a filter: at the start, and anew after a panic.
pub type FilterFactory = Box<dyn Fn() -> Result<Box<dyn Filter>, String> + Send>;

/// A filter in a chain.
pub struct FilterStep {
    name: Text,
    /// None after a panic, until it could be built anew.
    filter: Option<Box<dyn Filter>>,
    factory: FilterFactory,
    on_error: OnError,
    breaker: Breaker,
    shown: FilterHealth,
    failures: u64,
    logged: Option<Instant>,
    unlogged: u64,
}

/// Why a filter is bypassed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterTrouble {
    /// When the bypass began.
    pub since: Instant,
    /// How it failed last.
    pub error: String,
}

/// Why a filter is bypassed, for whoever asks from another thread. A copy speaks of the same step.
#[derive(Clone, Debug, Default)]
pub struct FilterHealth(Arc<Mutex<Option<FilterTrouble>>>);

impl FilterHealth {
    /// Why the filter is bypassed, while it is.
    #[must_use]
    pub fn trouble(&self) -> Option<FilterTrouble> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<FilterTrouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a filter failed.
enum Failure {
    /// It said so, or what it said cannot be: it is as good as before.
    Error(String),
    /// It broke down in the middle of something.
    Panic(String),
}

impl FilterStep {
    /// The filter that `factory` makes, under its name in the configuration.
    ///
    /// # Errors
    /// When it makes none.
    pub fn new(name: Text, factory: FilterFactory, on_error: OnError) -> Result<Self, String> {
        Ok(Self {
            name,
            filter: Some(factory()?),
            factory,
            on_error,
            breaker: Breaker::default(),
            shown: FilterHealth::default(),
            failures: 0,
            logged: None,
            unlogged: 0,
        })
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &Text {
        &self.name
    }

    /// How often `on_error` decided in its place.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Why it is bypassed, for other threads, now and later.
    #[must_use]
    pub fn watch(&self) -> FilterHealth {
        self.shown.clone()
    }

    /// What becomes of `event`.
    pub fn apply(&mut self, event: &Arc<Event>, context: &RunContext<'_>) -> StepOutcome {
        if !self.breaker.admits(context.instant) {
            let trouble = self.shown.trouble().map(|trouble| trouble.error);
            return self.failed(event, &trouble.unwrap_or_default());
        }
        match self.run(event, context) {
            Ok(outcome) => {
                self.sound();
                outcome
            }
            Err(Failure::Error(error)) => {
                self.sound();
                self.log(&error, context.instant);
                self.failed(event, &error)
            }
            Err(Failure::Panic(error)) => {
                // Whatever it was in the middle of, it is not to be trusted any more.
                self.filter = None;
                self.log(&error, context.instant);
                self.broken(&error, context.instant);
                self.failed(event, &error)
            }
        }
    }

    fn run(
        &mut self,
        event: &Arc<Event>,
        context: &RunContext<'_>,
    ) -> Result<StepOutcome, Failure> {
        let filter = match &mut self.filter {
            Some(filter) => filter,
            none => none.insert((self.factory)().map_err(Failure::Panic)?),
        };
        match catch_unwind(AssertUnwindSafe(|| filter.apply(event))) {
            Ok(Ok(Verdict::Keep)) => Ok(StepOutcome::Keep(Arc::clone(event))),
            Ok(Ok(Verdict::Drop)) => Ok(StepOutcome::Drop),
            Ok(Ok(Verdict::Replace(events))) if events.len() <= MAX_REPLACEMENTS => {
                Ok(StepOutcome::Many(adopt(events, event, context)))
            }
            Ok(Ok(Verdict::Replace(events))) => Err(Failure::Error(format!(
                "put {} events in the place of one, {MAX_REPLACEMENTS} are allowed",
                events.len()
            ))),
            Ok(Err(error)) => Err(Failure::Error(error.to_string())),
            Err(_panic) => Err(Failure::Panic("the filter panicked".to_owned())),
        }
    }

    fn failed(&mut self, event: &Arc<Event>, error: &str) -> StepOutcome {
        self.failures += 1;
        match self.on_error {
            OnError::Keep => StepOutcome::Keep(Arc::clone(event)),
            OnError::Drop => StepOutcome::Drop,
            OnError::DeadLetter => {
                StepOutcome::DeadLetter(format!("filter `{}`: {error}", self.name))
            }
        }
    }

    fn sound(&mut self) {
        if self.breaker.within_limits() {
            *self.shown.lock() = None;
            tracing::info!(filter = %self.name, "filter works again");
        }
    }

    fn broken(&mut self, error: &str, now: Instant) {
        let began = self.breaker.limit_hit(now);
        let mut shown = self.shown.lock();
        if began {
            tracing::warn!(filter = %self.name, error, "filter bypassed: it keeps breaking down");
            *shown = Some(FilterTrouble {
                since: now,
                error: error.to_owned(),
            });
        } else if let Some(trouble) = &mut *shown {
            error.clone_into(&mut trouble.error);
        }
    }

    fn log(&mut self, error: &str, now: Instant) {
        if self
            .logged
            .is_some_and(|logged| now.saturating_duration_since(logged) < LOG_EVERY)
        {
            self.unlogged += 1;
            return;
        }
        self.logged = Some(now);
        let unlogged = std::mem::take(&mut self.unlogged);
        tracing::warn!(filter = %self.name, error, unlogged, "filter failed");
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
