//! What a script remembers in one chain: bounded, taken back when a run fails, collected for the batch's commit.
//!
//! Pure: takes `now`, the script's time. The store keeps one value per key, in the form of [`record`]; what is in
//! memory and what was committed give the same answers, so a crash changes nothing.

mod form;
mod keep;
mod record;
mod series;
mod shelf;

pub use shelf::{Memories, SharedMemory};

use crate::store::{StateChange, StateEntry};
use foldhash::HashMap;
use keep::{Step, Undo};
use record::{Record, Stored};
use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Text, Timestamp};

/// Longest key, in bytes.
pub(super) const MAX_KEY: usize = 256;
/// Largest value, as JSON text in bytes.
pub(super) const MAX_VALUE: usize = 4096;
/// Most windows of `count`, and of `throttle`, for one key.
pub(super) const MAX_WINDOWS: usize = 8;
/// Most changes of one run.
pub(super) const MAX_CHANGES: usize = 1024;

/// A key that is only read is kept fresh by writing it down again this often, so that what is in use is not the
/// oldest.
const REFRESH_MS: i64 = 3_600_000;

/// How much one script remembers in one chain. Beyond it the key not used for longest is forgotten, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Most keys.
    pub keys: usize,
    /// Most bytes, as far as they can be told.
    pub bytes: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            keys: 50_000,
            bytes: 8 << 20,
        }
    }
}

/// Why something is not remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// The key is too long.
    #[error("a key may have {MAX_KEY} bytes")]
    Key,
    /// The value is too large.
    #[error("a remembered value may have {MAX_VALUE} bytes as JSON")]
    Value,
    /// One key is counted in too many windows.
    #[error("one key may have {MAX_WINDOWS} windows")]
    Windows,
    /// One run changes too much.
    #[error("one run may change what it remembers {MAX_CHANGES} times")]
    Changes,
}

/// What one script remembers in one chain.
#[derive(Debug)]
pub struct Memory {
    scope: Text,
    limits: MemoryLimits,
    records: HashMap<Text, Record>,
    /// By last use, oldest first. A record may have been used since it was put in order; see `oldest`.
    order: BTreeSet<(i64, Text)>,
    bytes: usize,
    /// What the current run did, to take it back.
    run: Vec<Step>,
    /// Keys whose record is not what was taken last.
    changed: Vec<Text>,
    cleared: bool,
    forgotten: u64,
}

impl Memory {
    /// Nothing remembered yet, under the store's `scope`.
    #[must_use]
    pub fn new(scope: Text, limits: MemoryLimits) -> Self {
        Self {
            scope,
            limits,
            records: HashMap::default(),
            order: BTreeSet::new(),
            bytes: 0,
            run: Vec::new(),
            changed: Vec::new(),
            cleared: false,
            forgotten: 0,
        }
    }

    /// Its scope in the store.
    #[must_use]
    pub fn scope(&self) -> &Text {
        &self.scope
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many keys were forgotten for want of room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Whether this is the first call with `key`.
    ///
    /// # Errors
    /// When a bound is hit.
    pub fn first_seen(&mut self, key: &str, now: Timestamp) -> Result<bool, MemoryError> {
        let (key, record, run) = self.open(key, now)?;
        if !record.seen {
            record.seen = true;
            step(run, key, record, now, Undo::Seen);
            return Ok(true);
        }
        if now.as_millis() - record.at >= REFRESH_MS {
            step(run, key, record, now, Undo::Touch);
        }
        Ok(false)
    }

    /// How many calls with `key` and `window` there were in the window that ends `now`, this one included. Each
    /// window of a key counts for itself.
    ///
    /// # Errors
    /// When a bound is hit.
    pub fn count(
        &mut self,
        key: &str,
        window: Duration,
        now: Timestamp,
    ) -> Result<u64, MemoryError> {
        let (window, time) = (millis(window), now.as_millis());
        let (key, record, run) = self.open(key, now)?;
        let series = record.series(window).ok_or(MemoryError::Windows)?;
        series.insert(time);
        let count = series.within(window, time);
        step(run, key, record, now, Undo::Count { window, time });
        Ok(count)
    }

    /// Whether the last call with `key` and `window` that gave true is at least `window` away.
    ///
    /// # Errors
    /// When a bound is hit.
    pub fn throttle(
        &mut self,
        key: &str,
        window: Duration,
        now: Timestamp,
    ) -> Result<bool, MemoryError> {
        let (window, time) = (millis(window), now.as_millis());
        let (key, record, run) = self.open(key, now)?;
        let before = record.passed(window);
        if before.is_some_and(|before| before.abs_diff(time) < window) {
            return Ok(false);
        }
        if !record.pass(window, time) {
            return Err(MemoryError::Windows);
        }
        step(run, key, record, now, Undo::Pass { window, before });
        Ok(true)
    }

    /// The value of `key` as JSON, unless its time is over.
    pub fn get(&mut self, key: &str, now: Timestamp) -> Option<&str> {
        let time = now.as_millis();
        let used = self.records.get(key)?;
        let value = used.value.as_ref()?;
        if value.expires.is_some_and(|expires| time >= expires) {
            return None;
        }
        if time - used.at >= REFRESH_MS
            && let Ok((key, record, run)) = self.open(key, now)
        {
            step(run, key, record, now, Undo::Touch);
        }
        let value = self.records.get(key)?.value.as_ref()?;
        Some(&value.json)
    }

    /// Remember `json` under `key`, for `ttl` or for good; without it the value is absent again.
    ///
    /// # Errors
    /// When a bound is hit.
    pub fn set(
        &mut self,
        key: &str,
        json: Option<&str>,
        ttl: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), MemoryError> {
        if json.is_some_and(|json| json.len() > MAX_VALUE) {
            return Err(MemoryError::Value);
        }
        let value = json.map(|json| Stored {
            json: json.into(),
            expires: ttl.map(|ttl| (now + ttl).as_millis()),
        });
        let (key, record, run) = self.open(key, now)?;
        let before = std::mem::replace(&mut record.value, value);
        step(run, key, record, now, Undo::Value(before));
        Ok(())
    }

    /// Forget everything about `key`: its value, that it was seen, its counts and throttles.
    ///
    /// # Errors
    /// When a bound is hit.
    pub fn forget(&mut self, key: &str) -> Result<bool, MemoryError> {
        if self.run.len() >= MAX_CHANGES {
            return Err(MemoryError::Changes);
        }
        let Some((key, record)) = self.remove(key) else {
            return Ok(false);
        };
        let at = record.at;
        let undo = Undo::Forget(Box::new(record));
        self.run.push(Step { key, at, undo });
        Ok(true)
    }

    /// Append what changed since the last call, for the commit of the batch.
    pub fn take_changes(&mut self, changes: &mut Vec<StateChange>) {
        let scope = &self.scope;
        if std::mem::take(&mut self.cleared) {
            changes.push(StateChange::Clear {
                scope: scope.clone(),
            });
        }
        for key in self.changed.drain(..) {
            match self.records.get_mut(&key) {
                Some(record) if record.changed => {
                    record.changed = false;
                    changes.push(StateChange::Set {
                        scope: scope.clone(),
                        value: form::encode(record),
                        expires: record.expires(),
                        key,
                    });
                }
                Some(_) => {}
                None => changes.push(StateChange::Forget {
                    scope: scope.clone(),
                    key,
                }),
            }
        }
    }

    /// Remember what was committed before; returns how many entries could not be read.
    pub fn load(&mut self, entries: Vec<StateEntry>) -> usize {
        let mut unreadable = 0;
        for StateEntry { key, value, .. } in entries {
            let Some(mut record) = form::decode(&value) else {
                unreadable += 1;
                continue;
            };
            record.bytes = record.size(&key);
            record.ordered = record.at;
            self.remove(&key);
            self.put(key, record);
        }
        self.make_room();
        unreadable
    }

    /// Forget everything.
    pub fn clear(&mut self) {
        let scope = Arc::clone(&self.scope);
        let forgotten = self.forgotten;
        *self = Self::new(scope, self.limits);
        self.cleared = true;
        self.forgotten = forgotten;
    }

    /// The record of `key`, made when there is none, and the list of what the run does.
    fn open(
        &mut self,
        key: &str,
        now: Timestamp,
    ) -> Result<(Text, &mut Record, &mut Vec<Step>), MemoryError> {
        if self.run.len() + 1 >= MAX_CHANGES {
            return Err(MemoryError::Changes);
        }
        if key.len() > MAX_KEY {
            return Err(MemoryError::Key);
        }
        let key = match self.records.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None => key.into(),
        };
        let record = match self.records.entry(Arc::clone(&key)) {
            Entry::Occupied(record) => record.into_mut(),
            Entry::Vacant(vacant) => {
                let at = now.as_millis();
                self.order.insert((at, Arc::clone(&key)));
                self.run.push(Step {
                    key: Arc::clone(&key),
                    at,
                    undo: Undo::Create,
                });
                vacant.insert(Record::new(at))
            }
        };
        Ok((key, record, &mut self.run))
    }
}

/// Note a change, to be able to take it back; the record is in use `now`.
fn step(run: &mut Vec<Step>, key: Text, record: &mut Record, now: Timestamp, undo: Undo) {
    let at = record.at;
    run.push(Step { key, at, undo });
    record.at = at.max(now.as_millis());
}

fn millis(window: Duration) -> u64 {
    u64::try_from(window.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
