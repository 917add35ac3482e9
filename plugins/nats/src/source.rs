//! Receives what other programs publish: from a stream that keeps it, or as it is published.

mod config;
mod inflow;

pub use config::SourceConfig;

use crate::link::Link;
use config::{Settings, Stream};
use futures_util::{FutureExt as _, StreamExt as _};
use inflow::Inflow;
use unifi_herald_plugin::{
    BuildContext, BuildError, DeliveryError, Message, Settled, Source, SourcePlugin, async_trait,
};

/// Most messages at once.
const BATCH: usize = 512;

/// Most bytes at once, or one message.
const MAX_BYTES: usize = 8 << 20;

/// Receives events from NATS.
#[derive(Debug)]
pub struct NatsSource {
    settings: Settings,
    open: Option<Open>,
}

/// A connection, and what comes over it.
#[derive(Debug)]
struct Open {
    link: Link,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// What is published while somebody listens.
    Heard(async_nats::Subscriber),
    Kept(Box<Inflow>),
}

impl SourcePlugin for NatsSource {
    const NAME: &'static str = "nats";
    const SUMMARY: &'static str = "takes events that other programs publish by NATS";
    type Config = SourceConfig;

    fn build(config: SourceConfig, context: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self {
            settings: config.resolve(context)?,
            open: None,
        })
    }
}

#[async_trait]
impl Source for NatsSource {
    async fn open(&mut self) -> Result<(), DeliveryError> {
        self.open = None;
        let Settings {
            servers,
            subject,
            stream,
        } = &self.settings;
        let link = Link::open(servers).await?;
        let way = match stream {
            Some(stream) => Way::Kept(Box::new(Inflow::of(&link, stream, subject).await?)),
            None => {
                let heard = link.subscribe(subject).await?;
                // What the server does not permit it says now.
                link.settled().await?;
                Way::Heard(heard)
            }
        };
        self.open = Some(Open { link, way });
        Ok(())
    }

    async fn receive(&mut self) -> Result<Vec<Message>, DeliveryError> {
        let Some(Open { link, way }) = &mut self.open else {
            return Err(DeliveryError::later("there is no connection to NATS"));
        };
        match way {
            Way::Kept(inflow) => inflow.next(link).await,
            Way::Heard(heard) => {
                let first = tokio::select! {
                    biased;
                    first = heard.next() => first,
                    error = link.failed() => return Err(error),
                };
                let Some(first) = first else {
                    return Err(link.failed().await);
                };
                let mut bytes = first.payload.len();
                let mut messages = vec![Message::new(first.payload)];
                while messages.len() < BATCH
                    && bytes < MAX_BYTES
                    && let Some(Some(more)) = heard.next().now_or_never()
                {
                    bytes += more.payload.len();
                    messages.push(Message::new(more.payload));
                }
                Ok(messages)
            }
        }
    }

    fn redelivers(&self) -> bool {
        self.settings.stream.is_some()
    }

    async fn hold(&mut self) -> Result<(), DeliveryError> {
        match &self.open {
            Some(Open {
                link,
                way: Way::Kept(inflow),
            }) => inflow.hold(link).await,
            _ => Ok(()),
        }
    }

    async fn settle(&mut self, settled: &[Settled]) -> Result<(), DeliveryError> {
        match &mut self.open {
            Some(Open {
                link,
                way: Way::Kept(inflow),
            }) => inflow.settle(link, settled).await,
            _ => Ok(()),
        }
    }

    fn take_lost(&mut self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.link.take_lost())
    }

    /// Logs in and looks for the stream; the consumer is made when somebody reads.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let link = Link::open(&self.settings.servers).await?;
        match &self.settings.stream {
            Some(Stream { name, .. }) => inflow::find(&link, name).await.map(drop),
            None => {
                let mut heard = link.subscribe(&self.settings.subject).await?;
                let answered = link.settled().await;
                heard.unsubscribe().await.ok();
                answered
            }
        }
    }
}

#[cfg(test)]
mod tests;
