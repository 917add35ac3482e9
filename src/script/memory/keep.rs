//! How a run ends: its changes are kept, within the bounds, or taken back.

use super::Memory;
use super::record::{Record, Stored};
use std::sync::Arc;
use unifi_herald_plugin::Text;

/// One change of the current run.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) key: Text,
    /// When the record was used before.
    pub(super) at: i64,
    pub(super) undo: Undo,
}

/// How to take a change back.
#[derive(Debug)]
pub(super) enum Undo {
    Create,
    Touch,
    Seen,
    Count { window: u64, time: i64 },
    Pass { window: u64, before: Option<i64> },
    Value(Option<Stored>),
    Forget(Box<Record>),
}

impl Memory {
    /// The run is over: keep what it changed, or take it back.
    pub fn end_run(&mut self, keep: bool) {
        if self.run.is_empty() {
            return;
        }
        let mut steps = std::mem::take(&mut self.run);
        if keep {
            let mut last: Option<Text> = None;
            for Step { key, .. } in steps.drain(..) {
                if !last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &key)) {
                    self.settle(&key);
                    last = Some(key);
                }
            }
            self.make_room();
        } else {
            while let Some(step) = steps.pop() {
                self.take_back(step);
            }
        }
        // The room stays for the next run.
        self.run = steps;
    }

    pub(super) fn put(&mut self, key: Text, record: Record) {
        self.bytes += record.bytes;
        self.order.insert((record.ordered, Arc::clone(&key)));
        self.records.insert(key, record);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<(Text, Record)> {
        let (key, record) = self.records.remove_entry(key)?;
        self.bytes -= record.bytes;
        self.order.remove(&(record.ordered, Arc::clone(&key)));
        Some((key, record))
    }

    /// A run that is kept did something with `key`.
    fn settle(&mut self, key: &Text) {
        let Some(record) = self.records.get_mut(key) else {
            self.changed.push(Arc::clone(key));
            return;
        };
        if record.tidy() {
            self.bytes -= record.bytes;
            record.bytes = record.size(key);
            self.bytes += record.bytes;
            if !std::mem::replace(&mut record.changed, true) {
                self.changed.push(Arc::clone(key));
            }
        } else {
            self.remove(key);
            self.changed.push(Arc::clone(key));
        }
    }

    fn take_back(&mut self, Step { key, at, undo }: Step) {
        if let Undo::Forget(record) = undo {
            self.put(key, *record);
            return;
        }
        let Some(record) = self.records.get_mut(&key) else {
            return;
        };
        record.at = at;
        match undo {
            Undo::Create => {
                self.remove(&key);
            }
            Undo::Seen => record.seen = false,
            Undo::Count { window, time } => record.uncount(window, time),
            Undo::Pass { window, before } => record.unpass(window, before),
            Undo::Value(before) => record.value = before,
            Undo::Touch | Undo::Forget(_) => {}
        }
    }

    pub(super) fn make_room(&mut self) {
        while self.records.len() > self.limits.keys || self.bytes > self.limits.bytes {
            let Some(key) = self.oldest() else { return };
            self.remove(&key);
            self.changed.push(key);
            self.forgotten += 1;
        }
    }

    /// The key not used for longest. Records are put in order only here, so that using one costs nothing.
    fn oldest(&mut self) -> Option<Text> {
        loop {
            let (ordered, key) = self.order.pop_first()?;
            let Some(record) = self.records.get_mut(&key) else {
                continue;
            };
            if record.at == ordered {
                return Some(key);
            }
            record.ordered = record.at;
            self.order.insert((record.at, key));
        }
    }
}
