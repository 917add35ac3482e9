//! What one script carries from run to run, and what the host functions know of the current run.

use super::error::Hit;
use super::hours::Hours;
use super::limits::{Limits, MAX_CACHED};
use super::log_gate::LogGate;
use super::memory::SharedMemory;
use crate::clock::Clock;
use jiff::tz::TimeZone;
use regex::Regex;
use rhai::ImmutableString;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use unifi_herald_plugin::{Text, Timestamp};

/// What a run is told from outside.
#[derive(Clone, Copy, Debug)]
pub struct RunContext<'a> {
    /// The script's `now()`: the event's time for what is repaired or replayed, the host's clock otherwise.
    pub now: Timestamp,
    /// Monotonic time, for the breaker and the log's rate.
    pub instant: Instant,
    /// Names the chain and the step. It goes into the ids of copies, so it must not change while the
    /// configuration does not.
    pub salt: &'a str,
}

/// Shared between a [`super::Script`] and the functions registered for it.
pub(super) struct Context {
    pub(super) name: Text,
    pub(super) zone: TimeZone,
    pub(super) limits: Limits,
    clock: Clock,
    run: Mutex<Run>,
    /// Whether the current run used its memory, so that others need not close it.
    remembered: AtomicBool,
}

/// The current run.
pub(super) struct Run {
    pub(super) now: Timestamp,
    pub(super) instant: Instant,
    pub(super) salt: String,
    /// Set by the first look at the clock, so that a short run never looks.
    deadline: Option<Instant>,
    pub(super) copies: usize,
    /// The limit that stopped a function, where it was hit first.
    pub(super) hit: Option<Hit>,
    pub(super) memory: SharedMemory,
    pub(super) log: LogGate,
    pub(super) patterns: Cache<Regex>,
    pub(super) hours: Cache<Hours>,
}

impl Context {
    pub(super) fn new(name: Text, zone: TimeZone, clock: Clock, limits: Limits) -> Arc<Self> {
        let run = Run {
            now: Timestamp::default(),
            instant: clock.now(),
            salt: String::new(),
            deadline: None,
            copies: 0,
            hit: None,
            memory: SharedMemory::new(Arc::clone(&name)),
            log: LogGate::default(),
            patterns: Cache::default(),
            hours: Cache::default(),
        };
        Arc::new(Self {
            name,
            zone,
            limits,
            clock,
            run: Mutex::new(run),
            remembered: AtomicBool::new(false),
        })
    }

    /// The current run. Never held while a script runs, only within one host function.
    pub(super) fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, cx: &RunContext<'_>) {
        let mut run = self.run();
        run.now = cx.now;
        run.instant = cx.instant;
        if run.salt != cx.salt {
            run.salt.clear();
            run.salt.push_str(cx.salt);
        }
        run.deadline = None;
        run.copies = 0;
        run.hit = None;
    }

    /// What the script remembers, and the time of the current run.
    pub(super) fn memory(&self) -> (SharedMemory, Timestamp) {
        self.remembered.store(true, Ordering::Relaxed);
        let run = self.run();
        (run.memory.clone(), run.now)
    }

    /// The run is over; what it remembered counts when it `succeeded`.
    pub(super) fn end(&self, succeeded: bool) {
        if self.remembered.load(Ordering::Relaxed) {
            self.remembered.store(false, Ordering::Relaxed);
            self.run().memory.lock().end_run(succeeded);
        }
    }

    /// A function was stopped by a limit. Those that called it are stopped with it and say so after it.
    pub(super) fn hit(&self, hit: impl FnOnce() -> Hit) {
        self.run().hit.get_or_insert_with(hit);
    }

    /// Whether the run has used up its time. The first call of a run only starts the watch.
    pub(super) fn out_of_time(&self) -> bool {
        let now = self.clock.now();
        let mut run = self.run();
        match run.deadline {
            Some(deadline) => now >= deadline,
            None => {
                run.deadline = Some(now + self.limits.time);
                false
            }
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What was made out of a text, by that text. It forgets everything when it is full, which a script reaches only by
/// making its patterns at run time.
pub(super) struct Cache<T>(HashMap<ImmutableString, T>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Cache<T> {
    pub(super) fn contains(&self, key: &ImmutableString) -> bool {
        self.0.contains_key(key)
    }

    /// The value for `key`, made by `make` when it is not there.
    pub(super) fn get_or_make<E>(
        &mut self,
        key: &ImmutableString,
        make: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<&T, E> {
        if !self.contains(key) {
            let value = make(key)?;
            if self.0.len() >= MAX_CACHED {
                self.0.clear();
            }
            self.0.insert(key.clone(), value);
        }
        Ok(&self.0[key])
    }
}
