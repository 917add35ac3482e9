//! Sends batches, and says what became of them as far as syslog lets one know.

use crate::config::{Config, Target, Way};
use crate::frame::Framing;
use crate::message::Head;
use crate::stream::Stream;
use crate::udp::Datagrams;
use std::fmt;
use std::time::{Duration, Instant};
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Sink, SinkPlugin, async_trait,
};

/// Sends events to a syslog collector.
pub struct Syslog {
    context: BuildContext,
    host: String,
    port: u16,
    head: Head,
    transport: Transport,
}

enum Transport {
    Udp(Option<Datagrams>),
    Stream(Stream, Framing),
}

/// How long a collector has to close its end when we have closed ours.
const GOODBYE: Duration = Duration::from_secs(2);

impl SinkPlugin for Syslog {
    const NAME: &'static str = "syslog";
    const SUMMARY: &'static str =
        "sends events to a collector by RFC 5424 over UDP, TCP or TLS, as JSON or CEF";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let (Target { host, port, way }, head) = config.resolve(context)?;
        let transport = match way {
            Way::Udp => Transport::Udp(None),
            Way::Stream(connector, framing) => {
                Transport::Stream(Stream::new(connector, host.clone(), port), framing)
            }
        };
        Ok(Self {
            context: context.clone(),
            host,
            port,
            head,
            transport,
        })
    }
}

#[async_trait]
impl Sink for Syslog {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        let now = self.context.now();
        match &mut self.transport {
            Transport::Udp(_) => self.send_datagrams(batch, now).await,
            Transport::Stream(stream, framing) => {
                let mut frames = Vec::with_capacity(batch.len() * 1024);
                for event in batch.iter() {
                    framing.push(&self.head.message(event), &mut frames);
                }
                stream.send(frames, now).await.map_err(DeliveryError::later)
            }
        }
    }

    /// Looks up the name, and where there are connections, opens one and the TLS on it.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let now = self.context.now();
        match &mut self.transport {
            Transport::Udp(socket) => {
                let opened = Datagrams::open(&self.host, self.port, now).await;
                *socket = Some(opened.map_err(DeliveryError::later)?);
                Ok(())
            }
            Transport::Stream(stream, _) => stream.open().await.map_err(DeliveryError::later),
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        match &self.transport {
            Transport::Udp(_) => None,
            Transport::Stream(stream, _) => stream.look_at(),
        }
    }

    async fn wake(&mut self, now: Instant) -> Result<(), DeliveryError> {
        match &mut self.transport {
            Transport::Udp(_) => Ok(()),
            Transport::Stream(stream, _) => {
                stream.make_sure(now).await.map_err(DeliveryError::later)
            }
        }
    }

    async fn close(self: Box<Self>) -> Result<(), DeliveryError> {
        let Transport::Stream(stream, _) = self.transport else {
            return Ok(());
        };
        let until = self.context.now() + GOODBYE;
        tokio::select! {
            closed = stream.close() => closed.map_err(DeliveryError::later),
            // Many collectors keep the connection of a client that has left; that tells nothing.
            () = self.context.sleep_until(until) => Ok(()),
        }
    }
}

impl Syslog {
    async fn send_datagrams(
        &mut self,
        batch: Batch<'_>,
        now: Instant,
    ) -> Result<(), DeliveryError> {
        let Transport::Udp(socket) = &mut self.transport else {
            return Ok(());
        };
        for (accepted, event) in batch.iter().enumerate() {
            let failed = |error| DeliveryError::later(error).with_accepted(accepted);
            let open = match socket.take().filter(|socket| socket.is_fresh(now)) {
                Some(open) => open,
                None => Datagrams::open(&self.host, self.port, now)
                    .await
                    .map_err(failed)?,
            };
            open.send(&self.head.message(event)).await.map_err(failed)?;
            *socket = Some(open);
        }
        Ok(())
    }
}

impl fmt::Debug for Syslog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Syslog")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
