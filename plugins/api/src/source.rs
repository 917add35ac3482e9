//! A source: where events of other programs come from.

use crate::DeliveryError;
use async_trait::async_trait;
use bytes::Bytes;

/// Brings the JSON of events from another program. The host reads it, bounds it, and tells what became of it.
///
/// The host opens a source, receives and settles in turn until something fails, drops it, and builds another after a while.
#[async_trait]
pub trait Source: Send + 'static {
    /// Connect, so that what is sent from then on can be received.
    ///
    /// # Errors
    /// When that is not possible now; the host tries again with longer and longer pauses.
    async fn open(&mut self) -> Result<(), DeliveryError>;

    /// Wait for what comes next, oldest first: at least one message, and no more than memory is good for. What was
    /// received before is settled, unless the source [does not care](Source::redelivers).
    ///
    /// Cancelled, it has received nothing.
    ///
    /// # Errors
    /// When the connection is of no more use.
    async fn receive(&mut self) -> Result<Vec<Message>, DeliveryError>;

    /// Whether what was received and not settled comes again. The host then settles it once it is in the store.
    fn redelivers(&self) -> bool {
        false
    }

    /// What was received last is still in hand. The host says so every few seconds until it settles it.
    ///
    /// # Errors
    /// When the connection is of no more use.
    async fn hold(&mut self) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// What became of the messages that were received last, in their order.
    ///
    /// # Errors
    /// When it could not be told; they may come again.
    async fn settle(&mut self, settled: &[Settled]) -> Result<(), DeliveryError> {
        let _ = settled;
        Ok(())
    }

    /// How many messages were lost since the last call because they came faster than they were received.
    fn take_lost(&mut self) -> u64 {
        0
    }

    /// Whether it could be opened and would receive something, without receiving anything.
    ///
    /// # Errors
    /// When it could not.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        self.open().await
    }
}

/// A message, which may or may not be the JSON of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// What came.
    pub payload: Bytes,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is in the store, or was before.
    Kept,
    /// It is no event, and will be none when it comes again.
    Refused,
}

impl Message {
    /// With this in it.
    #[must_use]
    pub fn new(payload: Bytes) -> Self {
        Self { payload }
    }
}
