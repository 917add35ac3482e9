//! Who takes which partitions, decided by each worker from what all can see: pure.

use super::names::Partition;
use std::collections::BTreeSet;

/// What a worker sees of the cluster.
#[derive(Debug, Default)]
pub(super) struct View {
    /// All partitions that have events, shares or a memory.
    pub(super) partitions: BTreeSet<Partition>,
    /// Those that somebody holds.
    pub(super) leased: BTreeSet<Partition>,
    /// How many workers there are, this one included.
    pub(super) workers: usize,
}

/// What to do about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    /// Try to take these.
    pub(super) take: Vec<Partition>,
    /// Give these to others.
    pub(super) give: Vec<Partition>,
}

/// What a worker that holds `mine` does. Each holds a fair share, rounded up; `dice` is between 0 and 1, so that not all
/// reach for the same.
pub(super) fn moves(view: &View, mine: &BTreeSet<Partition>, dice: f64) -> Moves {
    let total = view.partitions.union(mine).count();
    let fair = total.div_ceil(view.workers.max(1));
    if mine.len() > fair {
        let give = mine.iter().skip(fair).cloned().collect();
        return Moves {
            give,
            ..Moves::default()
        };
    }
    let free: Vec<&Partition> = view
        .partitions
        .iter()
        .filter(|partition| !view.leased.contains(partition) && !mine.contains(partition))
        .collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list, chosen by chance"
    )]
    let start = (free.len() as f64 * dice) as usize;
    let chosen = free.iter().cycle().skip(start).take(free.len());
    Moves {
        take: chosen
            .take(fair - mine.len())
            .map(|partition| (*partition).clone())
            .collect(),
        give: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn partitions(count: usize) -> BTreeSet<Partition> {
        let names = (0..count).map(|number| format!("c={number:04}"));
        names.filter_map(|name| Partition::of_name(&name)).collect()
    }

    /// Let workers act one after the other until nobody moves; what each has then.
    fn settle(count: usize, workers: &mut [BTreeSet<Partition>], dice: f64) -> usize {
        for round in 0..50 {
            let mut moved = false;
            for me in 0..workers.len() {
                let view = View {
                    partitions: partitions(count),
                    leased: workers.iter().flatten().cloned().collect(),
                    workers: workers.len(),
                };
                let moves = moves(&view, &workers[me], dice);
                moved |= moves != Moves::default();
                for given in &moves.give {
                    workers[me].remove(given);
                }
                workers[me].extend(moves.take);
            }
            if !moved {
                return round;
            }
        }
        panic!("they never settle: {workers:?}");
    }

    proptest! {
        #[test]
        fn everything_is_held_once_and_fairly(count in 0_usize..40, workers in 1_usize..6, dice in 0.0..1.0) {
            let mut held = vec![BTreeSet::new(); workers];
            // The first was alone for a while.
            held[0] = partitions(count);
            settle(count, &mut held, dice);
            let sizes: Vec<usize> = held.iter().map(BTreeSet::len).collect();
            prop_assert_eq!(sizes.iter().sum::<usize>(), count);
            prop_assert_eq!(held.iter().flatten().collect::<BTreeSet<_>>().len(), count);
            prop_assert!(sizes.iter().all(|size| *size <= count.div_ceil(workers)));
        }
    }

    #[test]
    fn who_is_alone_takes_everything_that_nobody_holds() {
        let view = View {
            partitions: partitions(3),
            leased: partitions(1),
            workers: 1,
        };
        let moves = moves(&view, &BTreeSet::new(), 0.9);
        assert_eq!(moves.take.len(), 2);
    }
}
