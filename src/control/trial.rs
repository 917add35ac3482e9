//! A made-up event for one sink, to see whether it arrives.

use super::Board;
use crate::own_event::hashed_id;
use crate::router::Order;
use std::sync::Arc;
use tokio::sync::oneshot;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{Kind, Origin, Text};

/// A sink cannot be tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// The configuration has no such sink.
    #[error("there is no sink `{0}`")]
    NoSuchSink(String),
    /// The host is going down.
    #[error("herald is stopping")]
    Stopping,
}

impl Board {
    /// Commit a made-up event of `kind` for `sink` and for no other, behind what already waits for it; its id.
    ///
    /// # Errors
    /// When there is no such sink, or the host is going down.
    pub async fn try_sink(&self, sink: &str, kind: Kind) -> Result<Text, TrialError> {
        let cast = self.roster.now();
        let position = cast.sinks.iter().position(|(name, _)| &**name == sink);
        let Some(position) = position else {
            return Err(TrialError::NoSuchSink(sink.to_owned()));
        };
        let now = self.clock.wall();
        // Two in the same millisecond are two.
        let draw = fastrand::u64(..).to_string();
        let id = hashed_id(&["trial", sink, &draw], now);
        let built = EventBuilder::new(kind).id(&id).time(now);
        let mut event = built.site("herald", "test", "Test").build();
        event.received = now;
        event.origin = Origin::Derived;
        event.raw = None;
        event.summary = format!("Test: {}", event.summary).into();
        let id = event.id.clone();
        let (done, committed) = oneshot::channel();
        let order = Order::Trial(Arc::new(event), position, done);
        let sent = self.orders.send(order).await;
        sent.map_err(|_| TrialError::Stopping)?;
        committed.await.map_err(|_| TrialError::Stopping)?;
        Ok(id)
    }
}
