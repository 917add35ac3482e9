//! The memories of all scripts in all chains, by scope.

use super::record::scope;
use super::{Memory, MemoryLimits};
use crate::store::{StateChange, StateEntry};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use unifi_herald_plugin::Text;

/// A memory, shared by the steps of one chain that run the same script.
#[derive(Clone, Debug)]
pub struct SharedMemory(Arc<Mutex<Memory>>);

/// Every script's memory in every chain.
#[derive(Debug, Default)]
pub struct Memories(Vec<SharedMemory>);

impl SharedMemory {
    /// An empty one under the store's `scope`.
    #[must_use]
    pub fn new(scope: Text) -> Self {
        let memory = Memory::new(scope, MemoryLimits::default());
        Self(Arc::new(Mutex::new(memory)))
    }

    /// The memory. Held for one function of a script, never while it runs.
    pub fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memories {
    /// What the script `name` remembers in `chain`.
    pub fn of_script(&mut self, name: &str, chain: &str) -> SharedMemory {
        self.of_scope(scope(name, chain))
    }

    /// What the expression at `position` of `chain` remembers: it has no name of its own.
    pub fn of_where(&mut self, chain: &str, position: usize) -> SharedMemory {
        self.of_scope(format!("where/{chain}/{position}").into())
    }

    fn of_scope(&mut self, scope: Text) -> SharedMemory {
        if let Some(known) = self.0.iter().find(|known| *known.lock().scope() == scope) {
            return known.clone();
        }
        let memory = SharedMemory::new(scope);
        self.0.push(memory.clone());
        memory
    }

    /// Remember what was committed before, as `load` gives it by scope.
    ///
    /// # Errors
    /// When `load` fails.
    pub fn load<E>(
        &self,
        mut load: impl FnMut(&str) -> Result<Vec<StateEntry>, E>,
    ) -> Result<(), E> {
        for memory in &self.0 {
            let mut memory = memory.lock();
            let scope = memory.scope().clone();
            let unreadable = memory.load(load(&scope)?);
            if unreadable > 0 {
                tracing::warn!(scope = %scope, unreadable, "some of what a script remembered cannot be read and is forgotten");
            }
        }
        Ok(())
    }

    /// What changed since the last call, for the commit of the batch.
    #[must_use]
    pub fn take_changes(&self) -> Vec<StateChange> {
        let mut changes = Vec::new();
        for memory in &self.0 {
            memory.lock().take_changes(&mut changes);
        }
        changes
    }

    /// Take over from `old` what was remembered under the scopes that are here as well, changes not taken yet
    /// included.
    pub fn inherit(&self, old: &Self) {
        for memory in &self.0 {
            // A memory that is in both already would wait for itself.
            let others = old.0.iter().filter(|old| !Arc::ptr_eq(&old.0, &memory.0));
            for old in others {
                let (mut memory, mut old) = (memory.lock(), old.lock());
                if old.scope() == memory.scope() {
                    std::mem::swap(&mut *old, &mut *memory);
                }
            }
        }
    }

    /// Make the script `name` forget everything, in every chain; returns in how many it had something to forget.
    pub fn reset(&self, name: &str) -> usize {
        let prefix = scope(name, "");
        let mut reset = 0;
        for memory in &self.0 {
            let mut memory = memory.lock();
            if memory.scope().starts_with(&*prefix) {
                reset += usize::from(!memory.is_empty());
                memory.clear();
            }
        }
        reset
    }

    /// How many keys are remembered, and how many were forgotten for want of room, by scope.
    pub fn sizes(&self) -> impl Iterator<Item = (Text, usize, u64)> {
        self.0.iter().map(|memory| {
            let memory = memory.lock();
            (memory.scope().clone(), memory.len(), memory.forgotten())
        })
    }
}
