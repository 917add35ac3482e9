//! Pushover: push that insists, until somebody acknowledges it or the incident is over.
//!
//! <https://pushover.net/api>

use crate::api::{Answer, Api, base};
use crate::message::{Message, Shades, token};
use crate::service::{Service, tell_all};
use crate::text::Limit;
use crate::writer::{Texts, Writer};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt;
use std::time::Duration;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{
    AlertState, Batch, BuildContext, BuildError, DeliveryError, Secret, Sink, SinkPlugin, Span,
    Storage, async_trait,
};

/// The table `options` of a `pushover` sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    token: Secret,
    user: Secret,
    device: Option<String>,
    sound: Option<String>,
    #[serde(default = "yes")]
    emergency: bool,
    #[serde(default = "retry")]
    retry: Span,
    #[serde(default = "expire")]
    expire: Span,
    #[serde(default = "server")]
    url: String,
    link: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    tls: TlsOptions,
}

/// Pushes to phones by way of Pushover.
pub struct Pushover {
    api: Api,
    writer: Writer,
    url: String,
    token: String,
    user: String,
    device: Option<String>,
    sound: Option<String>,
    emergency: Option<Emergency>,
    /// The receipt of the newest emergency of each open incident.
    receipts: Storage,
}

/// How often, in seconds, an emergency rings again, and for how long.
#[derive(Clone, Copy)]
struct Emergency {
    retry: u64,
    expire: u64,
}

/// <https://pushover.net/api#limits>, counted in characters.
const TITLE: Limit = Limit::chars(250);
const MESSAGE: Limit = Limit::chars(1024);
const LINK: usize = 512;

/// <https://pushover.net/api#priority>
const PRIORITY: Shades<i8> = Shades {
    levels: [-2, -1, 0, 0, 1, 2],
    over: 0,
};
const EMERGENCY: i8 = 2;

const SHORTEST_RETRY: u64 = 30;
const LONGEST_EXPIRE: u64 = 10_800;

/// After a server error: <https://pushover.net/api#friendly>.
const BREATH: Duration = Duration::from_secs(5);

/// A month's messages are used up, and the answer does not say until when.
const UNKNOWN_RESET: Duration = Duration::from_secs(3600);

#[derive(Serialize)]
struct Push<'a> {
    token: &'a str,
    user: &'a str,
    title: String,
    message: String,
    priority: i8,
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sound: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire: Option<u64>,
    /// By which an emergency can be cancelled whose receipt is not known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<String>,
}

#[derive(Default, Deserialize)]
struct Reply {
    #[serde(default)]
    status: u8,
    receipt: Option<String>,
    token: Option<String>,
    user: Option<String>,
}

fn server() -> String {
    "https://api.pushover.net".to_owned()
}

fn yes() -> bool {
    true
}

fn retry() -> Span {
    Span(Duration::from_secs(60))
}

fn expire() -> Span {
    Span(Duration::from_secs(3600))
}

impl SinkPlugin for Pushover {
    const NAME: &'static str = "pushover";
    const SUMMARY: &'static str =
        "pushes to phones by Pushover; what is critical rings until it is acknowledged or over";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let texts = Texts {
            title: config.title.as_ref(),
            body: config.body.as_ref(),
            link: config.link.as_ref(),
        };
        let writer = Writer::new(texts, context)?;
        if config
            .link
            .as_ref()
            .is_some_and(|link| link.chars().count() > LINK)
        {
            let message = format!("Pushover takes links of at most {LINK} characters");
            return Err(BuildError::new("link", message));
        }
        let emergency = Emergency {
            retry: config.retry.0.as_secs(),
            expire: config.expire.0.as_secs(),
        };
        if emergency.retry < SHORTEST_RETRY {
            return Err(BuildError::new(
                "retry",
                "Pushover rings again after \"30s\" at the earliest",
            ));
        }
        if emergency.expire == 0 || emergency.expire > LONGEST_EXPIRE {
            return Err(BuildError::new(
                "expire",
                "Pushover rings for \"3h\" at the longest",
            ));
        }
        let url = base("url", &config.url)?;
        let mut api = Api::new(context, config.tls)?.heeding_bodies();
        let token = api.reveal("token", &config.token)?.expose().to_owned();
        let user = api.reveal("user", &config.user)?.expose().to_owned();
        Ok(Self {
            api,
            writer,
            url,
            token,
            user,
            device: config.device,
            sound: config.sound,
            emergency: config.emergency.then_some(emergency),
            receipts: context.storage().clone(),
        })
    }
}

#[async_trait]
impl Sink for Pushover {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        tell_all(self, batch).await
    }

    /// Asks whether token and user are known.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let url = format!("{}/1/users/validate.json", self.url);
        let body = json!({"token": self.token, "user": self.user, "device": self.device});
        let answer = self.api.post(&url, &body).await?;
        self.understood(&answer).map(drop)
    }
}

#[async_trait]
impl Service for Pushover {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError> {
        // A repetition takes the place of what still rings.
        if matches!(
            message.state(),
            Some(AlertState::Resolved | AlertState::Repeated)
        ) {
            self.silence(message).await?;
        }
        let priority = match message.state() {
            Some(AlertState::Folded) => PRIORITY.over,
            _ => PRIORITY.of(message),
        };
        let emergency = self.emergency.filter(|_| priority == EMERGENCY);
        let push = Push {
            token: &self.token,
            user: &self.user,
            title: TITLE.cut(&message.title),
            message: MESSAGE.cut(&message.text()),
            priority: if emergency.is_some() {
                priority
            } else {
                priority.min(EMERGENCY - 1)
            },
            timestamp: message.time.as_secs(),
            device: self.device.as_deref(),
            sound: self.sound.as_deref(),
            url: message.link.as_deref(),
            url_title: message.link.as_ref().map(|_| "Open"),
            retry: emergency.map(|emergency| emergency.retry),
            expire: emergency.map(|emergency| emergency.expire),
            tags: emergency.map(|_| token(message.thread())),
        };
        let answer = self
            .api
            .post(&format!("{}/1/messages.json", self.url), &push)
            .await?;
        let reply = self.understood(&answer)?;
        if answer.number("x-limit-app-remaining") == Some(0.0) {
            self.api.hold(self.until_reset(&answer));
        }
        if message.is_over() {
            self.receipts.forget(message.thread());
        } else if let Some(receipt) = reply.receipt {
            self.receipts.set(message.thread().clone(), receipt);
        }
        Ok(())
    }
}

impl Pushover {
    /// Stop the ringing of an incident that is over.
    async fn silence(&self, message: &Message) -> Result<(), DeliveryError> {
        let rang = PRIORITY.levels[usize::from(message.severity.level())] == EMERGENCY;
        let receipt = self.receipts.get(message.thread());
        // It becomes part of an address.
        let receipt = receipt.filter(|receipt| !receipt.is_empty() && token(receipt) == **receipt);
        let what = match receipt {
            Some(receipt) => format!("{receipt}/cancel.json"),
            // Perhaps in a run whose store is not there any more.
            None if rang && self.emergency.is_some() => {
                format!("cancel_by_tag/{}.json", token(message.thread()))
            }
            None => return Ok(()),
        };
        let url = format!("{}/1/receipts/{what}", self.url);
        let answer = self.api.post(&url, &json!({"token": self.token})).await?;
        match answer.status {
            429 | 500.. => Err(self.refused(&answer)),
            // Acknowledged or expired before: then it is quiet already.
            _ => Ok(()),
        }
    }

    fn understood(&self, answer: &Answer) -> Result<Reply, DeliveryError> {
        match answer.json::<Reply>() {
            Some(reply) if answer.is_success() && reply.status == 1 => Ok(reply),
            _ => Err(self.refused(answer)),
        }
    }

    fn refused(&self, answer: &Answer) -> DeliveryError {
        let reply = answer.json::<Reply>().unwrap_or_default();
        let invalid = |field: &Option<String>| field.as_deref() == Some("invalid");
        if answer.is_success() || invalid(&reply.token) || invalid(&reply.user) {
            return self.api.misconfigured(answer);
        }
        let wait = match answer.status {
            429 => Some(
                answer
                    .retry_after()
                    .unwrap_or_else(|| self.until_reset(answer)),
            ),
            500.. => Some(answer.retry_after().unwrap_or_default().max(BREATH)),
            _ => None,
        };
        self.api.refusal(answer, wait)
    }

    /// How long until the month's messages are counted anew.
    fn until_reset(&self, answer: &Answer) -> Duration {
        let reset = answer.number("x-limit-app-reset");
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a moment as a service writes it; `as` clamps"
        )]
        let wait = reset.map(|at| (at as i64).saturating_sub(self.api.wall().as_secs()));
        let wait = wait.and_then(|wait| u64::try_from(wait).ok());
        wait.map_or(UNKNOWN_RESET, |wait| Duration::from_secs(wait.max(1)))
    }
}

impl fmt::Debug for Pushover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushover")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
