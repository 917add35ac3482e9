//! Discord: a channel's webhook, whose messages are edited when the incident is over.
//!
//! <https://docs.discord.com/developers/resources/webhook>

mod embed;

use crate::api::{Answer, Api, seconds};
use crate::message::Message;
use crate::service::{Editor, Service, edit_or_say, tell_all};
use crate::writer::{Texts, Writer};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::time::Duration;
use unifi_herald_plugin::http::{Method, TlsOptions};
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Secret, Sink, SinkPlugin, Storage, Text,
    async_trait,
};

/// The table `options` of a `discord` sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: Secret,
    #[serde(default = "name")]
    username: String,
    thread_id: Option<u64>,
    link: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    tls: TlsOptions,
}

/// Writes into a Discord channel.
pub struct Discord {
    api: Api,
    writer: Writer,
    url: String,
    username: String,
    thread_id: Option<u64>,
    /// The newest message of each open incident.
    sent: Storage,
}

/// The message that was to be edited is gone: <https://docs.discord.com/developers/topics/opcodes-and-status-codes>.
const UNKNOWN_MESSAGE: u32 = 10_008;

#[derive(Deserialize)]
struct Sent {
    id: String,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    code: u32,
    retry_after: Option<f64>,
}

fn name() -> String {
    "herald".to_owned()
}

impl SinkPlugin for Discord {
    const NAME: &'static str = "discord";
    const SUMMARY: &'static str =
        "writes into a Discord channel by a webhook; edits the message when the incident is over";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let texts = Texts {
            title: config.title.as_ref(),
            body: config.body.as_ref(),
            link: config.link.as_ref(),
        };
        let writer = Writer::new(texts, context)?;
        let mut api = Api::new(context, config.tls)?;
        let url = api.reveal_base("url", &config.url)?;
        let length = config.username.chars().count();
        if !(1..=80).contains(&length) {
            return Err(BuildError::new("username", "it has 1 to 80 characters"));
        }
        Ok(Self {
            api,
            writer,
            url,
            username: config.username,
            thread_id: config.thread_id,
            sent: context.storage().clone(),
        })
    }
}

#[async_trait]
impl Sink for Discord {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        tell_all(self, batch).await
    }

    /// Asks what the webhook is called.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let answer = self.api.send(Method::GET, &self.url, Bytes::new()).await?;
        if answer.is_success() {
            Ok(())
        } else {
            Err(self.refused(&answer))
        }
    }
}

#[async_trait]
impl Service for Discord {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError> {
        edit_or_say(self, message).await
    }
}

#[async_trait]
impl Editor for Discord {
    fn sent(&self) -> &Storage {
        &self.sent
    }

    async fn say(&mut self, message: &Message) -> Result<Option<Text>, DeliveryError> {
        let thread = self.thread_id.map(|id| format!("&thread_id={id}"));
        let url = format!("{}?wait=true{}", self.url, thread.unwrap_or_default());
        let body = json!({
            "username": self.username,
            "allowed_mentions": {"parse": []},
            "embeds": [embed::of(message)],
        });
        let answer = self.api.post(&url, &body).await?;
        self.mind_the_limit(&answer);
        if !answer.is_success() {
            return Err(self.refused(&answer));
        }
        Ok(answer.json::<Sent>().map(|sent| sent.id.into()))
    }

    async fn edit(&mut self, message: &Message, id: &str) -> Result<bool, DeliveryError> {
        // It becomes part of an address.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(false);
        }
        let thread = self.thread_id.map(|id| format!("?thread_id={id}"));
        let url = format!("{}/messages/{id}{}", self.url, thread.unwrap_or_default());
        let body = json!({
            "allowed_mentions": {"parse": []},
            "embeds": [embed::of(message)],
        });
        let body = serde_json::to_vec(&body).map_err(DeliveryError::never)?;
        let answer = self.api.send(Method::PATCH, &url, body.into()).await?;
        self.mind_the_limit(&answer);
        if answer.is_success() {
            return Ok(true);
        }
        let refusal = answer.json::<Refusal>().unwrap_or_default();
        if refusal.code == UNKNOWN_MESSAGE {
            return Ok(false);
        }
        Err(self.refused(&answer))
    }
}

impl Discord {
    /// When the answer says that the bucket is empty, the next request would be refused, and refusals count too.
    fn mind_the_limit(&mut self, answer: &Answer) {
        let left = answer.number("x-ratelimit-remaining");
        if answer.is_success()
            && left == Some(0.0)
            && let Some(wait) = reset_after(answer)
        {
            self.api.hold(wait);
        }
    }

    fn refused(&self, answer: &Answer) -> DeliveryError {
        // The headers first: the body had milliseconds once and has seconds now.
        let wait = answer
            .retry_after()
            .or_else(|| reset_after(answer))
            .or_else(|| {
                let refusal = answer.json::<Refusal>()?;
                refusal.retry_after.and_then(seconds)
            });
        self.api
            .refusal(answer, wait.filter(|_| answer.status == 429))
    }
}

fn reset_after(answer: &Answer) -> Option<Duration> {
    answer.number("x-ratelimit-reset-after").and_then(seconds)
}

impl fmt::Debug for Discord {
    /// Not the address, which is the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discord").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
