//! Mail by SMTP: one conversation for each incident.

mod config;
mod mail;
mod smtp;

pub use config::Config;

use crate::service::{Service, tell_all};
use crate::writer::Writer;
use mail::Letterhead;
use smtp::{Server, Session};
use std::fmt;
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Sink, SinkPlugin, async_trait,
};

use crate::message::Message;

/// Sends mail.
pub struct Email {
    writer: Writer,
    letterhead: Letterhead,
    server: Server,
    /// Open during a delivery only: servers close what is idle.
    session: Option<Session>,
}

impl SinkPlugin for Email {
    const NAME: &'static str = "email";
    const SUMMARY: &'static str =
        "sends mail by SMTP; all mails about an incident are one conversation";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self {
            writer: Writer::new(config.texts(), context)?,
            letterhead: config.letterhead()?,
            server: config.server(context)?,
            session: None,
        })
    }
}

#[async_trait]
impl Sink for Email {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        // What a cancelled delivery left behind may be in the middle of a mail.
        self.session = None;
        let told = tell_all(self, batch).await;
        if let Some(session) = self.session.take() {
            session.bye().await;
        }
        told
    }

    /// Connects and logs in, as a delivery would.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        self.server.open().await?.bye().await;
        Ok(())
    }
}

#[async_trait]
impl Service for Email {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError> {
        let mail = self.letterhead.mail(message)?;
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(self.server.open().await?),
        };
        session.send(&mail).await
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
