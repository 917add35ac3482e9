//! What the router is asked to do between two batches: other chains, and what else may not happen within one.

use super::{MAX_BATCH, Router, commit_until_taken, keep_shape};
use crate::buffer::Item;
use crate::chain::{ChainTally, Chains, Routing, Shape};
use crate::config::BufferPlan;
use crate::store::{Commit, StoreError};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use unifi_herald_plugin::{Event, Text};

/// Where orders come from.
pub type Orders = mpsc::Receiver<Order>;

/// Something to do between two batches.
#[derive(Debug)]
pub enum Order {
    /// Go on with other chains; answered by the store's numbers of their sinks, or by why all stays as it is.
    Swap(Box<Swap>, oneshot::Sender<Result<Vec<usize>, StoreError>>),
    /// Commit what is in the ring now.
    Flush(oneshot::Sender<()>),
    /// Make the script of this name forget everything; answered by how many keys it had.
    Forget(String, oneshot::Sender<usize>),
    /// Give this event to the sink at this position of the plan and to no other: somebody tries the sink.
    Trial(Arc<Event>, usize, oneshot::Sender<()>),
}

/// Other chains, and the sinks that their steps name by position.
#[derive(Debug)]
pub struct Swap {
    /// The chains; what those that are there already remember, they go on with.
    pub chains: Chains,
    /// Their names.
    pub shape: Shape,
    /// Where what they do is counted.
    pub tallies: Vec<Arc<ChainTally>>,
    /// The sinks, in the order of the plan.
    pub sinks: Vec<Text>,
    /// What the lanes share.
    pub buffer: BufferPlan,
}

/// The next order; never when there can be none. Cancel-safe.
pub(super) async fn next(orders: &mut Option<Orders>) -> Order {
    if let Some(open) = orders {
        if let Some(order) = open.recv().await {
            return order;
        }
        *orders = None;
    }
    std::future::pending().await
}

impl Router {
    /// Do it, and say so. Whoever gave the order may not wait for the answer any more.
    pub(super) async fn obey(&mut self, order: Order, taken: &mut Vec<Item>) {
        match order {
            Order::Swap(swap, done) => drop(done.send(self.swap(*swap).await)),
            Order::Flush(done) => {
                self.flush(taken).await;
                done.send(()).unwrap_or_default();
            }
            Order::Forget(script, done) => {
                let forgotten = self.forget(&script).await;
                done.send(forgotten).unwrap_or_default();
            }
            Order::Trial(event, sink, done) => {
                self.try_sink(&event, sink).await;
                done.send(()).unwrap_or_default();
            }
        }
    }

    async fn swap(&mut self, swap: Swap) -> Result<Vec<usize>, StoreError> {
        let Swap {
            mut chains,
            shape,
            tallies,
            sinks,
            buffer,
        } = swap;
        let numbers = self.store.set_sinks(&sinks, &buffer).await?;
        chains.inherit_state(&self.chains);
        self.chains = chains;
        // The last batch is committed, so there is nothing in the old one but the number to go on with.
        self.routing = Routing::to(numbers.clone(), self.routing.next_seq());
        self.routing.count(tallies);
        keep_shape(&self.store, &shape).await;
        self.shape = Arc::new(shape);
        Ok(numbers)
    }

    async fn try_sink(&mut self, event: &Arc<Event>, sink: usize) {
        let watched = self.record();
        let begun = self.clock.now();
        self.routing.give_alone(sink, event);
        let verdicts = self.routing.take_verdicts();
        let (events, shares, dead) = self.routing.take(self.clock.wall());
        let commit = Commit {
            events,
            shares,
            dead,
            verdicts,
            ..Commit::default()
        };
        self.commit(begun, commit, watched).await;
    }

    async fn flush(&mut self, taken: &mut Vec<Item>) {
        // No more than that: others may come faster than they are taken.
        let mut left = self.outlet.backlog();
        while left > 0 && !self.outlet.is_empty() {
            let losses = self.outlet.take(MAX_BATCH, taken).await;
            left = left.saturating_sub(taken.len());
            self.round(losses, taken, false).await;
        }
    }

    async fn forget(&mut self, script: &str) -> usize {
        let prefix = format!("script/{script}/");
        let sizes = self.chains.memories().sizes();
        let own = sizes.filter(|(scope, _, _)| scope.starts_with(&prefix));
        let keys = own.map(|(_, keys, _)| keys).sum();
        self.chains.reset_script(script);
        let commit = Commit {
            state: self.chains.take_state(),
            ..Commit::default()
        };
        commit_until_taken(&self.store, commit).await;
        keys
    }
}
