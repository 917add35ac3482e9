//! Counts values by size, for Prometheus.

use std::sync::{Mutex, PoisonError};

/// How often values came, by upper bounds.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    state: Mutex<Snapshot>,
}

/// What a histogram has seen so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Upper bounds and how many values were at most that much.
    pub buckets: Vec<(f64, u64)>,
    /// How many values there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

impl Histogram {
    /// An empty one with these upper bounds, rising.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        let buckets = bounds.iter().map(|bound| (*bound, 0)).collect();
        Self {
            bounds,
            state: Mutex::new(Snapshot {
                buckets,
                ..Snapshot::default()
            }),
        }
    }

    /// Note a value.
    pub fn note(&self, value: f64) {
        let first = self.bounds.partition_point(|bound| *bound < value);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, count) in &mut state.buckets[first..] {
            *count += 1;
        }
        state.count += 1;
        state.sum += value;
    }

    /// What was seen so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_every_bucket_that_is_large_enough() {
        let histogram = Histogram::new(&[1.0, 10.0]);
        for value in [1.0, 2.0, 50.0] {
            histogram.note(value);
        }
        let seen = histogram.snapshot();
        assert_eq!(seen.buckets, [(1.0, 1), (10.0, 2)]);
        assert_eq!(seen.count, 3);
        assert!((seen.sum - 53.0).abs() < 1e-9);
    }
}
