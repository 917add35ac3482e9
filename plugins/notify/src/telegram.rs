//! Telegram: a bot, whose messages are edited when the incident is over.
//!
//! <https://core.telegram.org/bots/api#sendmessage>

use crate::api::{Answer, Api, base, seconds};
use crate::message::{Message, Shades};
use crate::service::{Editor, Service, edit_or_say, tell_all};
use crate::text::{Limit, escape};
use crate::writer::{Texts, Writer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{
    Batch, BuildContext, BuildError, DeliveryError, Secret, Sink, SinkPlugin, Storage, Text,
    async_trait,
};

/// The table `options` of a `telegram` sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    token: Secret,
    chat_id: Chat,
    message_thread_id: Option<i64>,
    #[serde(default = "server")]
    url: String,
    link: Option<String>,
    title: Option<String>,
    body: Option<String>,
    #[serde(default)]
    tls: TlsOptions,
}

/// A chat: its number, or the name of a public channel.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged, expecting = "a chat: its number, or \"@channel\"")]
enum Chat {
    Number(i64),
    Name(String),
}

/// Writes into a Telegram chat.
pub struct Telegram {
    api: Api,
    writer: Writer,
    /// With the token, which Telegram wants in the address.
    url: String,
    chat_id: Chat,
    message_thread_id: Option<i64>,
    /// The newest message of each open incident.
    sent: Storage,
}

/// Of what is left when the entities are parsed.
const TEXT: Limit = Limit::utf16(4096);
const TITLE: Limit = Limit::utf16(256);

/// Whether a phone stays silent.
const SILENT: Shades<bool> = Shades {
    levels: [true, true, false, false, false, false],
    over: false,
};

/// Errors with status 400 that are about the chat and not about the message.
const ABOUT_US: &[&str] = &[
    "chat not found",
    "message thread not found",
    "group chat was upgraded",
    "not enough rights",
    "need administrator rights",
    "have no rights to send",
    "chat_id is empty",
    "topic_closed",
    "peer_id_invalid",
];

/// An edit that changes nothing has been made before.
const SAME: &str = "message is not modified";

/// The message that was to be edited is gone, or too old.
const GONE: &[&str] = &[
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
];

#[derive(Default, Deserialize)]
struct Reply {
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    description: String,
    result: Option<Sent>,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Sent {
    message_id: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<f64>,
}

fn server() -> String {
    "https://api.telegram.org".to_owned()
}

impl SinkPlugin for Telegram {
    const NAME: &'static str = "telegram";
    const SUMMARY: &'static str =
        "writes into a Telegram chat by a bot; edits the message when the incident is over";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let texts = Texts {
            title: config.title.as_ref(),
            body: config.body.as_ref(),
            link: config.link.as_ref(),
        };
        let writer = Writer::new(texts, context)?;
        let server = base("url", &config.url)?;
        let mut api = Api::new(context, config.tls)?.heeding_bodies();
        let token = api.reveal("token", &config.token)?;
        let token = token.expose().trim();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_');
        if token.is_empty() || !token.bytes().all(plain) {
            let message = "a token has letters, digits, `:`, `-` and `_`, as @BotFather gave it";
            return Err(BuildError::new("token", message));
        }
        Ok(Self {
            url: format!("{server}/bot{token}"),
            api,
            writer,
            chat_id: config.chat_id,
            message_thread_id: config.message_thread_id,
            sent: context.storage().clone(),
        })
    }
}

#[async_trait]
impl Sink for Telegram {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        tell_all(self, batch).await
    }

    /// Asks about the chat, which a bot can do that is in it.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let (answer, reply) = self
            .call("getChat", &json!({"chat_id": self.chat_id}))
            .await?;
        if reply.ok {
            Ok(())
        } else {
            Err(self.refused(&answer, &reply))
        }
    }
}

#[async_trait]
impl Service for Telegram {
    fn writer(&self) -> &Writer {
        &self.writer
    }

    async fn tell(&mut self, message: &Message) -> Result<(), DeliveryError> {
        edit_or_say(self, message).await
    }
}

#[async_trait]
impl Editor for Telegram {
    fn sent(&self) -> &Storage {
        &self.sent
    }

    async fn say(&mut self, message: &Message) -> Result<Option<Text>, DeliveryError> {
        let mut body = self.payload(message);
        body["disable_notification"] = SILENT.of(message).into();
        if let Some(thread) = self.message_thread_id {
            body["message_thread_id"] = thread.into();
        }
        let (answer, reply) = self.call("sendMessage", &body).await?;
        if !reply.ok {
            return Err(self.refused(&answer, &reply));
        }
        let id = reply.result.and_then(|sent| sent.message_id);
        Ok(id.map(|id| id.to_string().into()))
    }

    async fn edit(&mut self, message: &Message, id: &str) -> Result<bool, DeliveryError> {
        let Ok(id) = id.parse::<i64>() else {
            return Ok(false);
        };
        let mut body = self.payload(message);
        body["message_id"] = id.into();
        let (answer, reply) = self.call("editMessageText", &body).await?;
        let said = reply.description.to_lowercase();
        match () {
            () if reply.ok || said.contains(SAME) => Ok(true),
            () if GONE.iter().any(|gone| said.contains(gone)) => Ok(false),
            () => Err(self.refused(&answer, &reply)),
        }
    }
}

impl Telegram {
    async fn call(&self, method: &str, body: &Value) -> Result<(Answer, Reply), DeliveryError> {
        let answer = self
            .api
            .post(&format!("{}/{method}", self.url), body)
            .await?;
        let reply = answer.json::<Reply>().unwrap_or_default();
        Ok((answer, reply))
    }

    fn payload(&self, message: &Message) -> Value {
        json!({
            "chat_id": self.chat_id,
            "text": text(message),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": true},
        })
    }

    fn refused(&self, answer: &Answer, reply: &Reply) -> DeliveryError {
        let said = reply.description.to_lowercase();
        if answer.is_success() {
            // No Telegram speaks like that: something stands in between.
            return self.api.misconfigured(answer);
        }
        if answer.status == 400 && ABOUT_US.iter().any(|about| said.contains(about)) {
            return self.api.misconfigured(answer);
        }
        let wait = reply.parameters.retry_after.and_then(seconds);
        self.api
            .refusal(answer, wait.or_else(|| answer.retry_after()))
    }
}

/// The title in bold, body and facts below it, and the link.
fn text(message: &Message) -> String {
    const LINK: &str = "\n\nOpen";
    let title = TITLE.cut(&defused(&message.title));
    let link = message.link.as_ref().map_or(0, |_| TEXT.cost(LINK));
    let room = TEXT.most - TEXT.cost(&title) - link - 2;
    let rest = TEXT.but(room).cut(&defused(&message.text()));
    let mut out = format!("<b>{}</b>\n\n{}", escaped(&title), escaped(&rest));
    if let Some(link) = &message.link {
        out.push_str("\n\n<a href=\"");
        out.push_str(&escaped(link));
        out.push_str("\">Open</a>");
    }
    out
}

/// <https://core.telegram.org/bots/api#html-style>
fn escaped(text: &str) -> String {
    escape(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        _ => None,
    })
}

/// Telegram makes `@name` a mention wherever it stands; with a word joiner in between it is text.
fn defused(text: &str) -> String {
    escape(text, |c| (c == '@').then_some("@\u{2060}"))
}

impl fmt::Debug for Telegram {
    /// Not the address, which has the token in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telegram")
            .field("chat_id", &self.chat_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
