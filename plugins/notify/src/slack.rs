//! Slack: an incoming webhook.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use crate::api::{Answer, Api};
use crate::message::{COLOURS, Message};
use crate::service::{Service, tell_all};
use crate::text::{Limit, escape};
use crate::writer::{Texts, Writer};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Secret, Sink, SinkPlugin, async_trait,
};

/// The table `options` of a `slack` sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: Secret,
    link: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    tls: TlsOptions,
}

/// Writes into a Slack channel.
pub struct Slack {
    api: Api,
    writer: Writer,
    url: String,
}

/// <https://docs.slack.dev/reference/block-kit/blocks>; counted in UTF-16 and as it is after escaping, which is never
/// less than what Slack counts.
const HEADER: Limit = Limit { most: 150, cost };
const SECTION: Limit = HEADER.but(3000);
const FIELD: Limit = HEADER.but(2000);
const TEXT: Limit = HEADER.but(4000);
const FIELDS: usize = 10;

/// What the answer says when the webhook and not the message is at fault.
const ABOUT_US: &[&str] = &[
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "posting_to_general_channel_denied",
    "team_disabled",
    "user_not_found",
];

impl SinkPlugin for Slack {
    const NAME: &'static str = "slack";
    const SUMMARY: &'static str = "writes into a Slack channel by an incoming webhook";
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
        Ok(Self { api, writer, url })
    }
}

#[async_trait]
impl Sink for Slack {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        tell_all(self, batch).await
    }

    /// Sends a message without text, which a webhook that exists refuses with `no_text` and shows nobody.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let answer = self.api.post(&self.url, &json!({})).await?;
        match answer.text() {
            "no_text" | "invalid_payload" => Ok(()),
            _ if answer.is_success() => Ok(()),
            _ => Err(self.refused(&answer)),
        }
    }
}

#[async_trait]
impl Service for Slack {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError> {
        let answer = self.api.post(&self.url, &payload(message)).await?;
        if answer.is_success() {
            Ok(())
        } else {
            Err(self.refused(&answer))
        }
    }
}

impl Slack {
    fn refused(&self, answer: &Answer) -> DeliveryError {
        if ABOUT_US.contains(&answer.text()) {
            self.api.misconfigured(answer)
        } else {
            self.api.refusal(answer, answer.retry_after())
        }
    }
}

/// Everything that strangers may have chosen is `plain_text`, where Slack formats nothing and mentions nobody.
fn payload(message: &Message) -> Value {
    let mut blocks = vec![json!({"type": "header", "text": plain(HEADER, &message.title)})];
    if !message.body.is_empty() {
        blocks.push(json!({"type": "section", "text": plain(SECTION, &message.body)}));
    }
    let facts = message.facts.iter().take(FIELDS);
    let fields: Vec<Value> = facts
        .map(|fact| plain(FIELD, &format!("{}\n{}", fact.name, fact.value)))
        .collect();
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    let mut context = vec![plain(FIELD, &format!("{} · herald", message.label))];
    if let Some(link) = &message.link {
        let link = escaped(link).replace('|', "%7C");
        context.push(json!({"type": "mrkdwn", "text": format!("<{link}|Open>")}));
    }
    blocks.push(json!({"type": "context", "elements": context}));
    let site = if message.site.is_empty() {
        String::new()
    } else {
        format!(" ({})", message.site)
    };
    json!({
        // What a notification shows, and a client without blocks.
        "text": escaped(&TEXT.cut(&format!("{}{site}", message.title))),
        "mrkdwn": false,
        "attachments": [{"color": format!("#{:06x}", COLOURS.of(message)), "blocks": blocks}],
    })
}

fn plain(limit: Limit, text: &str) -> Value {
    json!({"type": "plain_text", "text": escaped(&limit.cut(text)), "emoji": false})
}

/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>: these three and no others.
fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

fn escaped(text: &str) -> String {
    escape(text, entity)
}

fn cost(c: char) -> usize {
    entity(c).map_or(c.len_utf16(), str::len)
}

impl fmt::Debug for Slack {
    /// Not the address, which is the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
