//! The balance of a sink: received = duplicate + filtered + delivered + dead-lettered + pending + lost.

use super::Settled;
use serde::{Deserialize, Serialize};
use unifi_herald_plugin::Text;

/// Where every event that the host received went, as one sink sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Events the host received since the sink first appeared, those that scripts made included.
    pub received: u64,
    /// Came twice.
    pub duplicate: u64,
    /// No chain gave them to this sink, or they were too old when their turn came.
    pub filtered: u64,
    /// Acknowledged by the sink.
    pub delivered: u64,
    /// Given up, and kept.
    pub dead_lettered: u64,
    /// Waiting for the sink.
    pub pending: u64,
    /// Dropped for want of room.
    pub lost: u64,
}

/// A sink's name and books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkBooks {
    /// The sink's name in the configuration.
    pub name: Text,
    /// Its balance.
    pub books: Books,
}

impl Books {
    /// Whether the sum is right. It always is; a test that finds otherwise has found a bug.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.received
            == self.duplicate
                + self.filtered
                + self.delivered
                + self.dead_lettered
                + self.pending
                + self.lost
    }

    /// Enter a batch of `events` routed events, of which this sink got `given` and lost `dead` to a step; besides,
    /// `duplicates` came twice and `lost` never reached a chain.
    pub(super) fn enter_batch(
        &mut self,
        events: u64,
        duplicates: u64,
        lost: u64,
        given: u64,
        dead: u64,
    ) {
        self.received += events + duplicates + lost;
        self.duplicate += duplicates;
        self.lost += lost;
        self.pending += given;
        self.dead_lettered += dead;
        self.filtered += events.saturating_sub(given + dead);
    }

    /// Enter what became of one pending event.
    pub(super) fn settle(&mut self, settled: &Settled) {
        self.pending = self.pending.saturating_sub(1);
        match settled {
            Settled::Delivered { .. } => self.delivered += 1,
            Settled::Expired { .. } | Settled::Merged { .. } => self.filtered += 1,
            Settled::Dead(_) => self.dead_lettered += 1,
        }
    }

    /// Enter pending events that the sink will not get for want of room.
    pub(super) fn lose(&mut self, count: u64) {
        self.pending = self.pending.saturating_sub(count);
        self.lost += count;
    }
}
