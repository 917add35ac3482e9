//! What a batch is to a service that takes one message at a time.

use crate::message::Message;
use crate::writer::Writer;
use unifi_herald_plugin::{AlertState, Batch, DeliveryError, Storage, Text, async_trait};

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

/// A service whose messages can be edited.
#[async_trait]
pub(crate) trait Editor: Send {
    /// The newest message of each open incident, by the incident.
    fn sent(&self) -> &Storage;

    /// Send a message of its own; its id, where the service gives one that can be used.
    async fn say(&mut self, message: &Message) -> Result<Option<Text>, DeliveryError>;

    /// Put `message` in place of the one with this id; `false` when that is gone.
    async fn edit(&mut self, message: &Message, id: &str) -> Result<bool, DeliveryError>;
}

/// Edit the incident's newest message when the incident is over, and send a message of its own otherwise.
pub(crate) async fn edit_or_say<E: Editor>(
    service: &mut E,
    message: &Message,
) -> Result<(), DeliveryError> {
    // A repetition is there to be noticed, and an edit is not.
    let edits = matches!(
        message.state(),
        Some(AlertState::Resolved | AlertState::Folded)
    );
    let incident = message.thread();
    if edits && let Some(id) = service.sent().get(incident) {
        if service.edit(message, &id).await? {
            if message.is_over() {
                service.sent().forget(incident);
            }
            return Ok(());
        }
        service.sent().forget(incident);
    }
    let id = service.say(message).await?;
    if message.is_over() {
        service.sent().forget(incident);
    } else if message.incident.is_some()
        && let Some(id) = id
    {
        service.sent().set(incident.clone(), id);
    }
    Ok(())
}
