//! PagerDuty: an integration of type Events API v2, which opens and resolves incidents by key.
//!
//! <https://developer.pagerduty.com/docs/send-alert-event>

use crate::api::{Answer, Api, base};
use crate::message::{Message, Shades};
use crate::service::{Service, tell_all};
use crate::text::Limit;
use crate::writer::{Texts, Writer};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;
use std::time::Duration;
use unifi_herald_plugin::http::{Method, TlsOptions};
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Secret, Sink, SinkPlugin, async_trait,
};

/// The table `options` of a `pagerduty` sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    routing_key: Secret,
    #[serde(default)]
    region: Region,
    url: Option<String>,
    link: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    tls: TlsOptions,
}

/// Where the account is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Region {
    #[default]
    Us,
    Eu,
}

/// Opens and resolves incidents in PagerDuty.
pub struct PagerDuty {
    api: Api,
    writer: Writer,
    url: String,
    routing_key: String,
}

const SUMMARY: Limit = Limit::chars(1024);
const SOURCE: Limit = Limit::chars(255);
/// A request may have 512 KB, of which a character takes at most twelve bytes as JSON.
const DETAILS: Limit = Limit::chars(16_384);

/// Longest a `dedup_key` may be.
const LONGEST_KEY: usize = 255;

const SEVERITY: Shades<&str> = Shades {
    levels: ["info", "info", "info", "warning", "error", "critical"],
    over: "info",
};

/// "After a backoff of a few minutes", says the documentation of a 429.
const FEW_MINUTES: Duration = Duration::from_secs(180);

impl Region {
    fn server(self) -> &'static str {
        match self {
            Self::Us => "https://events.pagerduty.com",
            Self::Eu => "https://events.eu.pagerduty.com",
        }
    }
}

impl SinkPlugin for PagerDuty {
    const NAME: &'static str = "pagerduty";
    const SUMMARY: &'static str = "opens and resolves incidents in PagerDuty by its Events API v2";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let texts = Texts {
            title: config.title.as_ref(),
            body: config.body.as_ref(),
            link: config.link.as_ref(),
        };
        let writer = Writer::new(texts, context)?;
        let server = config.url.as_deref().unwrap_or(config.region.server());
        let url = format!("{}/v2/enqueue", base("url", server)?);
        let mut api = Api::new(context, config.tls)?;
        let key = api.reveal("routing_key", &config.routing_key)?;
        Ok(Self {
            routing_key: key.expose().trim().to_owned(),
            api,
            writer,
            url,
        })
    }
}

#[async_trait]
impl Sink for PagerDuty {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        tell_all(self, batch).await
    }

    /// Only whether the service can be reached: it has no way to try a key without waking somebody.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        self.api
            .send(Method::HEAD, &self.url, Bytes::new())
            .await
            .map(drop)
    }
}

#[async_trait]
impl Service for PagerDuty {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError> {
        let answer = self.api.post(&self.url, &self.event(message)).await?;
        if answer.is_success() {
            Ok(())
        } else {
            Err(self.refused(&answer))
        }
    }
}

impl PagerDuty {
    fn event(&self, message: &Message) -> Value {
        let thread = message.thread();
        let key = if thread.len() <= LONGEST_KEY {
            thread.to_string()
        } else {
            crate::message::token(thread)
        };
        if message.is_over() {
            // More is neither needed nor read.
            return json!({
                "routing_key": self.routing_key,
                "event_action": "resolve",
                "dedup_key": key,
            });
        }
        let mut details: Map<String, Value> = message
            .facts
            .iter()
            .map(|fact| (fact.name.to_lowercase(), fact.value.clone().into()))
            .collect();
        details.insert("event".to_owned(), (*message.id).into());
        if !message.body.is_empty() {
            details.insert("text".to_owned(), DETAILS.cut(&message.body).into());
        }
        let subject = message.subject.as_deref();
        let source = [Some(message.site.as_str()), subject];
        let source: Vec<&str> = source
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        let source = if source.is_empty() {
            "unifi-herald".to_owned()
        } else {
            source.join("/")
        };
        let mut payload = json!({
            "summary": SUMMARY.cut(&message.title),
            "source": SOURCE.cut(&source),
            "severity": SEVERITY.of(message),
            "timestamp": message.time,
            "class": message.label,
            "custom_details": details,
        });
        if let Some(subject) = subject {
            payload["component"] = SOURCE.cut(subject).into();
        }
        if !message.site.is_empty() {
            payload["group"] = SOURCE.cut(&message.site).into();
        }
        let mut event = json!({
            "routing_key": self.routing_key,
            "event_action": "trigger",
            "dedup_key": key,
            "client": "unifi-herald",
            "payload": payload,
        });
        if let Some(link) = &message.link {
            event["client_url"] = (**link).into();
            event["links"] = json!([{"href": **link, "text": "Open"}]);
        }
        event
    }

    fn refused(&self, answer: &Answer) -> DeliveryError {
        // A key of the wrong form has the status of a wrong event.
        if answer.status == 400
            && answer
                .text()
                .to_lowercase()
                .replace(' ', "_")
                .contains("routing_key")
        {
            return self.api.misconfigured(answer);
        }
        let wait = answer.retry_after();
        let wait = if answer.status == 429 {
            wait.or(Some(FEW_MINUTES))
        } else {
            wait
        };
        self.api.refusal(answer, wait)
    }
}

impl fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerDuty")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
