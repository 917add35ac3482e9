//! What a batch is to a service that takes one message at a time.

use crate::message::Message;
use crate::writer::Writer;
use unifi_herald_plugin::{Batch, DeliveryError, async_trait};

/// A service people read.
#[async_trait]
pub(crate) trait Service: Send {
    /// Who writes its messages.
    fn writer(&self) -> &Writer;

    /// Send one message, or bring what was sent before up to date.
    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError>;
}

/// Tell the events of `batch` one after the other; the first that fails ends it.
pub(crate) async fn tell_all<S: Service>(
    service: &mut S,
    batch: Batch<'_>,
) -> Result<(), DeliveryError> {
    for (accepted, event) in batch.iter().enumerate() {
        let told = match service.writer().write(event, batch.attempt()) {
            Ok(message) => service.tell(&message).await,
            Err(error) => Err(error),
        };
        told.map_err(|error| error.with_accepted(accepted))?;
    }
    Ok(())
}
