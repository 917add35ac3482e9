//! The store of a herald in a cluster: what its own router commits goes through an embedded store to the stream of events,
//! and what its lanes claim comes from the stream of shares.

use super::letters::{self, Deed, matches};
use super::link::Link;
use super::shared::Shared;
use crate::buffer::Loss;
use crate::store::{
    Commit, Hole, KeptLetter, LetterFilter, OpenError, Reader, Rejected, Settled, SharedStore,
    SinkBooks, StateEntry, Store, StoreError, StoreHealth, Stretch, Watermark,
};
use async_nats::jetstream::AckKind;
use async_trait::async_trait;
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Text, Timestamp};

/// Sinks of the cluster come first, and the outbox to it last.
#[derive(Debug)]
pub(crate) struct ClusterStore {
    /// Has one sink: the outbox.
    embedded: SharedStore,
    shared: Arc<Shared>,
}

impl ClusterStore {
    pub(super) fn new(embedded: SharedStore, shared: Arc<Shared>) -> Self {
        Self { embedded, shared }
    }

    /// Do something to letters of the cluster, as far as this herald works for the sinks that gave them up.
    async fn move_letters(&self, filter: &LetterFilter, deed: Deed) -> Result<u64, StoreError> {
        if self.shared.queues.is_empty() {
            return Ok(0);
        }
        let moved = letters::each(self.link()?, filter, &self.shared, deed).await;
        moved.map_err(|trouble| StoreError {
            message: trouble.to_string(),
        })
    }

    fn link(&self) -> Result<&Link, StoreError> {
        self.shared.link.get().ok_or_else(|| StoreError {
            message: "there is no connection to the cluster yet".to_owned(),
        })
    }
}

#[async_trait]
impl Store for ClusterStore {
    /// Chains of the cluster run elsewhere: here everything is for the outbox, the embedded store's only sink.
    async fn commit(&self, mut commit: Commit) -> Result<(), Rejected> {
        let outbox = self.shared.queues.len();
        for share in &mut commit.shares {
            share.sink -= outbox;
        }
        for letter in &mut commit.dead {
            letter.sink -= outbox;
        }
        let committed = self.embedded.commit(commit).await;
        committed.map_err(|mut rejected| {
            for share in &mut rejected.commit.shares {
                share.sink += outbox;
            }
            for letter in &mut rejected.commit.dead {
                letter.sink += outbox;
            }
            rejected
        })
    }

    async fn claim(&self, sink: usize, max: usize) -> Vec<BufferedEvent> {
        match self.shared.queues.get(sink) {
            Some(queue) => queue.claim(max).await,
            None => self.embedded.claim(0, max).await,
        }
    }

    async fn settle(&self, sink: usize, settled: Vec<Settled>) -> Result<(), StoreError> {
        let Some(queue) = self.shared.queues.get(sink) else {
            return self.embedded.settle(0, settled).await;
        };
        let dead = settled.iter().filter_map(|settled| match settled {
            Settled::Dead(letter) => Some(letter),
            Settled::Delivered { .. } | Settled::Expired { .. } | Settled::Merged { .. } => None,
        });
        for letter in dead {
            let Some((partition, tried)) = queue.origin_of(letter) else {
                continue;
            };
            let sent = letters::send(self.link()?, &partition, &queue.name, letter, tried).await;
            let answer = async { sent?.await };
            answer.await.map_err(|error| StoreError {
                message: format!("the cluster did not keep a dead letter: {error}"),
            })?;
        }
        for acker in queue.settle(&settled) {
            if let Err(error) = acker.ack_with(AckKind::Ack).await {
                tracing::debug!(%error, "cluster did not hear an acknowledgement");
            }
        }
        Ok(())
    }

    async fn release(&self, sink: usize) {
        match self.shared.queues.get(sink) {
            Some(queue) => queue.release(),
            None => self.embedded.release(0).await,
        }
    }

    fn books(&self) -> Vec<SinkBooks> {
        let ours = self.shared.queues.iter().map(|queue| SinkBooks {
            name: queue.name.clone(),
            books: queue.books(),
        });
        ours.chain(self.embedded.books()).collect()
    }

    /// Those of this herald's own store. What waits in the cluster waits for whoever knows the sink.
    fn former_sinks(&self) -> Result<Vec<SinkBooks>, StoreError> {
        self.embedded.former_sinks()
    }

    fn next_seq(&self) -> u64 {
        self.embedded.next_seq()
    }

    fn health(&self) -> StoreHealth {
        match self.embedded.health() {
            StoreHealth::Ok => self.shared.health(),
            trouble @ (StoreHealth::Degraded { .. } | StoreHealth::Away { .. }) => trouble,
        }
    }

    /// What waits for a sink is in the cluster. What waits to get there may be in memory only.
    fn outlives_the_process(&self) -> bool {
        self.embedded.outlives_the_process()
            || self
                .embedded
                .books()
                .iter()
                .all(|outbox| outbox.books.pending == 0)
    }

    fn unsaved(&self, sink: &str) -> u64 {
        let ours = self.shared.queues.iter().any(|queue| *queue.name == *sink);
        if ours { 0 } else { self.embedded.unsaved(sink) }
    }

    async fn save(&self) {
        self.embedded.save().await;
    }

    fn take_losses(&self, all: bool) -> Vec<Loss> {
        self.embedded.take_losses(all)
    }

    fn known(&self, controller: &str, site: &str, ids: &[Text]) -> Vec<bool> {
        self.embedded.known(controller, site, ids)
    }

    fn recent(
        &self,
        controller: &str,
        site: &str,
        stretch: &Stretch,
        max: usize,
    ) -> Vec<BufferedEvent> {
        self.embedded.recent(controller, site, stretch, max)
    }

    fn load_state(&self, scope: &str) -> Result<Vec<StateEntry>, StoreError> {
        self.embedded.load_state(scope)
    }

    fn watermarks(&self) -> Result<Vec<Watermark>, StoreError> {
        self.embedded.watermarks()
    }

    fn holes(&self) -> Result<Vec<Hole>, StoreError> {
        self.embedded.holes()
    }

    fn wants_verdicts(&self) -> bool {
        self.embedded.wants_verdicts()
    }

    fn journal(&self) -> Result<Option<Reader>, OpenError> {
        self.embedded.journal()
    }

    /// Those of the outbox come first.
    fn dead_letters(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<KeptLetter>, StoreError> {
        let mut found = self.embedded.dead_letters(filter, after, limit)?;
        let letters = self.shared.letters().into_iter();
        let wanted = letters.filter(|letter| letter.position > after && matches(filter, letter));
        found.extend(wanted.take(limit - found.len().min(limit)));
        Ok(found)
    }

    async fn retry_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let own = self.embedded.retry_dead_letters(filter).await?;
        Ok(own + self.move_letters(filter, Deed::Retry).await?)
    }

    fn retried_at(&self, sink: usize, seq: u64) -> Result<Option<Timestamp>, StoreError> {
        match self.shared.queues.get(sink) {
            Some(queue) => Ok(queue.retried_at(seq)),
            None => self.embedded.retried_at(0, seq),
        }
    }

    async fn drop_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        let own = self.embedded.drop_dead_letters(filter).await?;
        Ok(own + self.move_letters(filter, Deed::Drop).await?)
    }
}
