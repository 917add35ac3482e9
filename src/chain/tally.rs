//! What each chain and step did since the start, counted while events are routed and read from other threads.

use super::shape::Shape;
use super::verdict::{DEEDS, Deed};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What one chain did.
#[derive(Debug)]
pub struct ChainTally {
    entered: AtomicU64,
    passed_by: AtomicU64,
    steps: Box<[StepTally]>,
}

/// What one step did.
#[derive(Debug, Default)]
pub struct StepTally {
    deeds: [AtomicU64; DEEDS.len()],
    failed: AtomicU64,
}

impl ChainTally {
    /// Of every chain of `shape`, which did nothing yet.
    #[must_use]
    pub fn of(shape: &Shape) -> Vec<Arc<Self>> {
        let chains = shape.0.iter();
        chains
            .map(|chain| Arc::new(Self::new(chain.steps.len())))
            .collect()
    }

    fn new(steps: usize) -> Self {
        Self {
            entered: AtomicU64::new(0),
            passed_by: AtomicU64::new(0),
            steps: (0..steps).map(|_| StepTally::default()).collect(),
        }
    }

    /// Events that entered it.
    #[must_use]
    pub fn entered(&self) -> u64 {
        self.entered.load(Ordering::Relaxed)
    }

    /// Events that did not.
    #[must_use]
    pub fn passed_by(&self) -> u64 {
        self.passed_by.load(Ordering::Relaxed)
    }

    /// Its steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[StepTally] {
        &self.steps
    }
}

impl StepTally {
    /// How often it did each thing.
    pub fn deeds(&self) -> impl Iterator<Item = (Deed, u64)> {
        let counts = self.deeds.iter().map(|count| count.load(Ordering::Relaxed));
        DEEDS.into_iter().zip(counts)
    }

    /// How often it failed, so that its `on_error` decided.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Where in the chains an event is, by what is recorded of it.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    tallies: Vec<Arc<ChainTally>>,
    /// How many chains the event has come to.
    chains: usize,
    /// The step that is next.
    position: usize,
    /// Behind which steps each of several goes on.
    branches: Vec<usize>,
}

impl Cursor {
    pub(super) fn at(tallies: Vec<Arc<ChainTally>>) -> Self {
        Self {
            tallies,
            ..Self::default()
        }
    }

    pub(super) fn chain(&mut self, entered: bool) {
        if let Some(tally) = self.tallies.get(self.chains) {
            add_one(if entered {
                &tally.entered
            } else {
                &tally.passed_by
            });
        }
        self.chains += 1;
        self.position = 0;
        self.branches.clear();
    }

    pub(super) fn step(&mut self, deed: Deed, failed: bool) {
        let chain = self.chains.checked_sub(1);
        let tally = chain.and_then(|chain| self.tallies.get(chain));
        if let Some(step) = tally.and_then(|tally| tally.steps.get(self.position)) {
            add_one(&step.deeds[deed.index()]);
            if failed {
                add_one(&step.failed);
            }
        }
        self.position += 1;
        if deed == Deed::Replaced {
            self.branches.push(self.position);
        }
    }

    pub(super) fn one_of_several(&mut self) {
        if let Some(behind) = self.branches.last() {
            self.position = *behind;
        }
    }

    pub(super) fn end_of_several(&mut self) {
        self.branches.pop();
    }

    /// The chain the event is in, the step that is next, and whether it is one of several there.
    pub(super) fn place(&self) -> (usize, usize, bool) {
        let chain = self.chains.saturating_sub(1);
        (chain, self.position, !self.branches.is_empty())
    }

    /// The event is through.
    pub(super) fn end(&mut self) {
        self.chains = 0;
    }
}

/// Only the router's thread counts: no locked instruction is needed.
fn add_one(count: &AtomicU64) {
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}
