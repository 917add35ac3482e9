//! Apprise API: one way to everything that has no sink of its own.
//!
//! <https://github.com/caronc/apprise-api>

use crate::api::{Answer, Api, base};
use crate::message::{Message, Shades, token};
use crate::service::{Service, tell_all};
use crate::text::Limit;
use crate::writer::{Texts, Writer};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use unifi_herald_plugin::http::{Method, TlsOptions};
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Secret, Sink, SinkPlugin, async_trait,
};

/// The table `options` of an `apprise` sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: String,
    key: Option<Secret>,
    urls: Option<Secret>,
    tag: Option<String>,
    link: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    tls: TlsOptions,
}

/// Hands messages to an Apprise API server.
pub struct Apprise {
    api: Api,
    writer: Writer,
    server: String,
    url: String,
    urls: Option<String>,
    tag: Option<String>,
}

/// Apprise cuts and splits for each service itself; this only keeps a request small.
const TITLE: Limit = Limit::chars(250);
const BODY: Limit = Limit::chars(32_768);

const TYPE: Shades<&str> = Shades {
    levels: ["info", "info", "info", "warning", "failure", "failure"],
    over: "success",
};

/// Some services behind the key got it and some did not: a try more may reach the others, and reaches the first ones
/// again.
const SOME_FAILED: u16 = 424;

/// So often are some of them told again.
const MOST_TRIES: u32 = 3;

const BETWEEN_TRIES: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Notice<'a> {
    title: String,
    body: String,
    r#type: &'a str,
    format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    urls: Option<&'a str>,
}

impl SinkPlugin for Apprise {
    const NAME: &'static str = "apprise";
    const SUMMARY: &'static str =
        "hands messages to an Apprise API server, which knows most other services";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let texts = Texts {
            title: config.title.as_ref(),
            body: config.body.as_ref(),
            link: config.link.as_ref(),
        };
        let writer = Writer::new(texts, context)?;
        let server = base("url", &config.url)?;
        let mut api = Api::new(context, config.tls)?;
        let (url, urls) = match (&config.key, &config.urls) {
            (Some(key), None) => {
                let key = api.reveal("key", key)?;
                let key = key.expose().trim();
                if token(key) != key {
                    let message = "a key has 1 to 64 letters, digits, `-` and `_`";
                    return Err(BuildError::new("key", message));
                }
                (format!("{server}/notify/{key}"), None)
            }
            (None, Some(urls)) => {
                let urls = api.reveal("urls", urls)?.expose().trim().to_owned();
                (format!("{server}/notify"), Some(urls))
            }
            _ => {
                let message =
                    "write `key` for what the server has stored, or `urls` for services named here";
                return Err(BuildError::new("", message));
            }
        };
        if config.tag.is_some() && urls.is_some() {
            return Err(BuildError::new(
                "tag",
                "tags belong to what is stored under a `key`",
            ));
        }
        Ok(Self {
            api,
            writer,
            server,
            url,
            urls,
            tag: config.tag,
        })
    }
}

#[async_trait]
impl Sink for Apprise {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        tell_all(self, batch).await
    }

    /// Asks how the server does; older ones do not know the page.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let url = format!("{}/status", self.server);
        let answer = self.api.send(Method::GET, &url, Bytes::new()).await?;
        match answer.status {
            200..=299 | 404 | 405 => Ok(()),
            _ => Err(self.api.refusal(&answer, None)),
        }
    }
}

#[async_trait]
impl Service for Apprise {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError> {
        let mut body = message.text();
        if let Some(link) = &message.link {
            body = format!("{}\n\n{link}", BODY.but(BODY.most / 2).cut(&body));
        }
        let notice = Notice {
            title: TITLE.cut(&message.title),
            body: BODY.cut(&body),
            r#type: TYPE.of(message),
            format: "text",
            tag: self.tag.as_deref(),
            urls: self.urls.as_deref(),
        };
        let answer = self.api.post(&self.url, &notice).await?;
        match answer.status {
            // There is nothing under this key or tag, so nobody was told.
            204 => Err(self.api.misconfigured(&answer)),
            200..=299 => Ok(()),
            _ => Err(self.refused(&answer, message.attempt)),
        }
    }
}

impl Apprise {
    fn refused(&self, answer: &Answer, attempt: u32) -> DeliveryError {
        if answer.status == SOME_FAILED && attempt < MOST_TRIES {
            return DeliveryError::after(BETWEEN_TRIES, self.api.said(answer));
        }
        self.api.refusal(answer, answer.retry_after())
    }
}

impl fmt::Debug for Apprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apprise")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
