//! A script as a step of a chain: what an error does to the event, when it is bypassed, and what is said about it.

use super::breaker::Breaker;
use super::context::RunContext;
use super::error::RunError;
use super::{Outcome, Script, SharedMemory};
use crate::config::OnError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use unifi_herald_plugin::Event;

/// Errors of one script are written to the log at most this often.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// A script with its policy for errors.
#[derive(Debug)]
pub struct ScriptStep {
    script: Script,
    on_error: OnError,
    breaker: Breaker,
    trouble: Option<ScriptTrouble>,
    /// What is in `trouble`, changed only when that is: looking at it costs a run nothing.
    shown: ScriptHealth,
    counts: ScriptCounts,
    logged: Option<Instant>,
    unlogged: u64,
}

/// What becomes of an event at a script.
#[derive(Clone, Debug, PartialEq)]
pub enum StepOutcome {
    /// It goes on; the same `Arc` when nothing was changed.
    Keep(Arc<Event>),
    /// It goes no further.
    Drop,
    /// These go on, in this order.
    Many(Vec<Arc<Event>>),
    /// It goes no further and is kept as a dead letter, for this reason.
    DeadLetter(String),
}

/// Why a script is bypassed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptTrouble {
    /// When the bypass began.
    pub since: Instant,
    /// The limit that was hit last.
    pub error: RunError,
}

/// Why a script is bypassed, for whoever asks from another thread. A copy speaks of the same step.
#[derive(Clone, Debug, Default)]
pub struct ScriptHealth(Arc<Mutex<Option<ScriptTrouble>>>);

impl ScriptHealth {
    /// Why the script is bypassed, while it is.
    #[must_use]
    pub fn trouble(&self) -> Option<ScriptTrouble> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<ScriptTrouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a script did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptCounts {
    /// Events it was run for.
    pub runs: u64,
    /// Runs that ended in an error.
    pub errors: u64,
    /// Events it was not run for because it was bypassed.
    pub bypassed: u64,
}

impl ScriptStep {
    /// `script`, whose errors do `on_error` to the event.
    #[must_use]
    pub fn new(script: Script, on_error: OnError) -> Self {
        Self {
            script,
            on_error,
            breaker: Breaker::default(),
            trouble: None,
            shown: ScriptHealth::default(),
            counts: ScriptCounts::default(),
            logged: None,
            unlogged: 0,
        }
    }

    /// Remember in `memory`, which other steps may share.
    #[must_use]
    pub fn remembering_in(mut self, memory: SharedMemory) -> Self {
        self.script.remember_in(memory);
        self
    }

    /// Run the script for `event`.
    pub fn apply(&mut self, event: &Arc<Event>, cx: &RunContext<'_>) -> StepOutcome {
        if !self.breaker.admits(cx.instant) {
            self.counts.bypassed += 1;
            return self.failed(event, self.trouble.as_ref().map(|trouble| &trouble.error));
        }
        self.counts.runs += 1;
        match self.script.run(event, cx) {
            Ok(outcome) => {
                self.within_limits();
                match outcome {
                    Outcome::Keep(event) => StepOutcome::Keep(event),
                    Outcome::Drop => StepOutcome::Drop,
                    Outcome::Many(events) => StepOutcome::Many(events),
                }
            }
            Err(error) => {
                self.counts.errors += 1;
                self.log(&error, cx.instant);
                if error.kind.is_limit() {
                    self.limit_hit(&error, cx.instant);
                } else {
                    self.within_limits();
                }
                self.failed(event, Some(&error))
            }
        }
    }

    /// Why the script is bypassed, while it is.
    #[must_use]
    pub fn health(&self) -> Option<&ScriptTrouble> {
        self.trouble.as_ref()
    }

    /// The same for other threads, now and later.
    #[must_use]
    pub fn watch(&self) -> ScriptHealth {
        self.shown.clone()
    }

    /// What the script did since it was made.
    #[must_use]
    pub fn counts(&self) -> ScriptCounts {
        self.counts
    }

    /// The script.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.script
    }

    fn failed(&self, event: &Arc<Event>, error: Option<&RunError>) -> StepOutcome {
        match self.on_error {
            OnError::Keep => StepOutcome::Keep(Arc::clone(event)),
            OnError::Drop => StepOutcome::Drop,
            OnError::DeadLetter => {
                let reason = error.map(ToString::to_string).unwrap_or_default();
                StepOutcome::DeadLetter(format!("script `{}`: {reason}", self.script.name()))
            }
        }
    }

    fn within_limits(&mut self) {
        if self.breaker.within_limits() {
            self.trouble = None;
            *self.shown.lock() = None;
            tracing::info!(
                script = self.script.name(),
                "script keeps within its limits again"
            );
        }
    }

    fn limit_hit(&mut self, error: &RunError, now: Instant) {
        if self.breaker.limit_hit(now) {
            let error = error.clone();
            tracing::warn!(script = self.script.name(), %error, "script bypassed: it keeps hitting a limit");
            self.trouble = Some(ScriptTrouble { since: now, error });
            self.shown.lock().clone_from(&self.trouble);
        } else if let Some(trouble) = &mut self.trouble {
            trouble.error = error.clone();
            self.shown.lock().clone_from(&self.trouble);
        }
    }

    fn log(&mut self, error: &RunError, now: Instant) {
        if self
            .logged
            .is_some_and(|logged| now.saturating_duration_since(logged) < LOG_EVERY)
        {
            self.unlogged += 1;
            return;
        }
        self.logged = Some(now);
        let unlogged = std::mem::take(&mut self.unlogged);
        tracing::warn!(script = self.script.name(), %error, unlogged, "script failed");
    }
}
