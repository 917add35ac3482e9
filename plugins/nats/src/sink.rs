//! Sends batches over a connection that it opens when there is none.

use crate::config::{Config, Settings};
use crate::link::{Link, Message};
use crate::subject;
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Sink, SinkPlugin, async_trait,
};

/// Sends events to NATS.
#[derive(Debug)]
pub struct Nats {
    settings: Settings,
    link: Option<Link>,
}

impl SinkPlugin for Nats {
    const NAME: &'static str = "nats";
    const SUMMARY: &'static str = "publishes events by NATS, acknowledged by JetStream";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let settings = config.resolve(context)?;
        Ok(Self {
            settings,
            link: None,
        })
    }
}

#[async_trait]
impl Sink for Nats {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        let mut messages = Vec::with_capacity(batch.len());
        for (index, event) in batch.iter().enumerate() {
            let payload = serde_json::to_vec(event)
                .map_err(|error| DeliveryError::never(error).with_accepted(index))?;
            messages.push(Message {
                subject: subject::of(&self.settings.prefix, event),
                id: subject::message_id(event),
                payload: payload.into(),
            });
        }
        let jetstream = self.settings.jetstream;
        let link = self.connected().await?;
        let sent = if jetstream {
            link.store(&messages).await
        } else {
            link.send(&messages).await
        };
        if sent.is_err() {
            self.link = None;
        }
        sent
    }

    /// Logs in, and asks whether a stream takes what is sent.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let link = Link::open(&self.settings.servers).await?;
        link.round_trip().await?;
        if self.settings.jetstream {
            let any = format!("{}.*.*.device.offline", self.settings.prefix);
            link.look_up(&any).await?;
        }
        Ok(())
    }
}

impl Nats {
    /// The connection, opened unless it is there. Cancelled, it has done nothing.
    async fn connected(&mut self) -> Result<&Link, DeliveryError> {
        let link = match self.link.take() {
            Some(link) if link.is_up() => link,
            _ => Link::open(&self.settings.servers).await?,
        };
        Ok(self.link.insert(link))
    }
}

#[cfg(test)]
mod tests;
