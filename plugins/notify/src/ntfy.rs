//! ntfy: push by <https://ntfy.sh> or a server of one's own.
//!
//! <https://docs.ntfy.sh/publish/#publish-as-json>

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

/// The table `options` of an `ntfy` sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    topic: Secret,
    #[serde(default = "server")]
    url: String,
    token: Option<Secret>,
    #[serde(default)]
    tags: Vec<String>,
    link: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    tls: TlsOptions,
}

/// Pushes to phones by way of an ntfy server.
pub struct Ntfy {
    api: Api,
    writer: Writer,
    url: String,
    topic: String,
    tags: Vec<String>,
}

/// <https://docs.ntfy.sh/publish/#limitations>: a longer message would become an attachment, a longer title is refused.
const TITLE: Limit = Limit::bytes(1024);
const MESSAGE: Limit = Limit::bytes(4096);
const TAGS: Limit = Limit::bytes(512);

/// <https://docs.ntfy.sh/publish/#message-priority>
const PRIORITY: Shades<u8> = Shades {
    levels: [1, 2, 3, 3, 4, 5],
    over: 3,
};

/// <https://docs.ntfy.sh/emojis/>
const EMOJI: Shades<&str> = Shades {
    levels: [
        "mag",
        "information_source",
        "information_source",
        "warning",
        "rotating_light",
        "rotating_light",
    ],
    over: "white_check_mark",
};

/// A visitor's bucket gets one request back in so long.
const REFILL: Duration = Duration::from_secs(5);

/// The error that means that the day's messages are used up; they are counted anew at midnight UTC.
const DAILY_LIMIT: u32 = 42_908;

/// Errors about the topic.
const TOPIC_ERRORS: [u32; 2] = [40_009, 40_010];

#[derive(Serialize)]
struct Push<'a> {
    topic: &'a str,
    title: String,
    message: String,
    priority: u8,
    tags: Vec<&'a str>,
    /// Later messages with the same one replace what the phone shows; so does a second try.
    sequence_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a str>,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    code: u32,
}

fn server() -> String {
    "https://ntfy.sh".to_owned()
}

impl SinkPlugin for Ntfy {
    const NAME: &'static str = "ntfy";
    const SUMMARY: &'static str =
        "pushes to phones by ntfy; a recovery updates what the failure sent";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let texts = Texts {
            title: config.title.as_ref(),
            body: config.body.as_ref(),
            link: config.link.as_ref(),
        };
        let writer = Writer::new(texts, context)?;
        let url = base("url", &config.url)?;
        let mut api = Api::new(context, config.tls)?;
        let topic = api
            .reveal("topic", &config.topic)?
            .expose()
            .trim()
            .to_owned();
        if token(&topic) != topic {
            let message = "a topic has 1 to 64 letters, digits, `-` and `_`";
            return Err(BuildError::new("topic", message));
        }
        if let Some(token) = &config.token {
            let token = api.reveal("token", token)?;
            api.bearer("token", &token)?;
        }
        let room = TAGS.most - 64;
        if config.tags.iter().map(|tag| tag.len() + 1).sum::<usize>() > room {
            let message = format!("all tags together are longer than {room} bytes");
            return Err(BuildError::new("tags", message));
        }
        Ok(Self {
            api,
            writer,
            url,
            topic,
            tags: config.tags,
        })
    }
}

#[async_trait]
impl Sink for Ntfy {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        tell_all(self, batch).await
    }

    /// Asks for the account, which refuses a wrong token; servers without accounts do not know the page.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let url = format!("{}/v1/account", self.url);
        let answer = self.api.send(Method::GET, &url, Bytes::new()).await?;
        match answer.status {
            401 | 403 => Err(self.api.refusal(&answer, None)),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Service for Ntfy {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError> {
        let mut tags = vec![EMOJI.of(message), "unifi"];
        tags.extend(self.tags.iter().map(String::as_str));
        let push = Push {
            topic: &self.topic,
            title: TITLE.cut(&message.title),
            message: MESSAGE.cut(&message.text()),
            priority: PRIORITY.of(message),
            tags,
            sequence_id: token(message.thread()),
            click: message.link.as_deref(),
        };
        // To the root: the topic's own address takes no JSON.
        let answer = self.api.post(&format!("{}/", self.url), &push).await?;
        if answer.is_success() {
            Ok(())
        } else {
            Err(self.refused(&answer))
        }
    }
}

impl Ntfy {
    fn refused(&self, answer: &Answer) -> DeliveryError {
        let code = answer.json::<Refusal>().unwrap_or_default().code;
        if TOPIC_ERRORS.contains(&code) {
            return self.api.misconfigured(answer);
        }
        let wait = match (answer.status, code) {
            (429, DAILY_LIMIT) => {
                let day = 86_400;
                let gone = u64::try_from(self.api.wall().as_secs().rem_euclid(day)).unwrap_or(0);
                Some(Duration::from_secs(86_400 - gone))
            }
            (429, _) => answer.retry_after().or(Some(REFILL)),
            _ => answer.retry_after(),
        };
        self.api.refusal(answer, wait)
    }
}

impl fmt::Debug for Ntfy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ntfy")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
