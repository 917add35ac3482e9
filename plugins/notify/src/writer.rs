//! Makes messages out of events: the default texts, or the user's templates.

use crate::message::Message;
use crate::template::Template;
use crate::text;
use unifi_herald_plugin::http::Uri;
use unifi_herald_plugin::{BufferedEvent, BuildContext, BuildError, DeliveryError, Text};

/// The options about texts that every sink of this crate has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'a> {
    pub(crate) title: Option<&'a String>,
    pub(crate) body: Option<&'a String>,
    pub(crate) link: Option<&'a String>,
}

/// Writes messages.
pub(crate) struct Writer {
    context: BuildContext,
    title: Option<Template>,
    body: Option<Template>,
    link: Option<Text>,
}

impl Writer {
    /// Check templates and link.
    pub(crate) fn new(texts: Texts<'_>, context: &BuildContext) -> Result<Self, BuildError> {
        let template = |option, source: Option<&String>| {
            let source = source.cloned();
            source
                .map(|source| Template::new(option, source))
                .transpose()
        };
        let link = texts.link.map(|link| link.trim());
        if let Some(link) = link
            && !is_link(link)
        {
            let message =
                "not a link; write something like \"https://192.168.1.1/network/default/devices\"";
            return Err(BuildError::new("link", message));
        }
        Ok(Self {
            context: context.clone(),
            title: template("title", texts.title)?,
            body: template("body", texts.body)?,
            link: link.map(Text::from),
        })
    }

    /// What is said of `event`.
    ///
    /// # Errors
    /// When a template fails on it, which is the event's own fault.
    pub(crate) fn write(
        &self,
        event: &BufferedEvent,
        attempt: u32,
    ) -> Result<Message, DeliveryError> {
        let mut message = Message::of(event, self.context.wall());
        message.attempt = attempt;
        message.link.clone_from(&self.link);
        if let Some(title) = &self.title {
            let title = text::line(&title.render(event).map_err(DeliveryError::never)?);
            if !title.is_empty() {
                message.title = title;
            }
        }
        if let Some(body) = &self.body {
            message.body = text::lines(&body.render(event).map_err(DeliveryError::never)?);
        }
        Ok(message)
    }
}

fn is_link(text: &str) -> bool {
    let uri = text.parse::<Uri>();
    uri.is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("https" | "http"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use unifi_herald_plugin::testing::{EventBuilder, TestContext};
    use unifi_herald_plugin::{Kind, Retry};

    fn writer(title: Option<&str>, body: Option<&str>, link: &str) -> Result<Writer, BuildError> {
        let (title, body) = (title.map(str::to_owned), body.map(str::to_owned));
        let texts = Texts {
            title: title.as_ref(),
            body: body.as_ref(),
            link: Some(&link.to_owned()),
        };
        Writer::new(texts, &TestContext::new().build_context("x", Path::new("")))
    }

    #[test]
    fn templates_replace_the_default_texts_and_are_made_harmless() {
        let event = EventBuilder::new(Kind::CLIENT_CONNECTED)
            .client_name("a\r\nBcc: all")
            .buffered(1);
        let writer = writer(
            Some("{{ event.client.name }}"),
            Some("one\n{{ event.ssid }}\u{1b}"),
            "https://192.0.2.1/x",
        );
        let message = writer.unwrap().write(&event, 2).unwrap();
        assert_eq!(message.title, "a  Bcc: all");
        assert_eq!(message.body, "one\nHome\u{fffd}");
        assert_eq!(message.link.as_deref(), Some("https://192.0.2.1/x"));
        assert_eq!(message.attempt, 2);
    }

    #[test]
    fn an_empty_title_is_no_title_and_a_failing_template_blames_the_event() {
        let event = EventBuilder::new(Kind::WAN_UP).buffered(1);
        let silent = writer(Some("{{ event.ssid }}"), None, "http://h").unwrap();
        assert_eq!(silent.write(&event, 1).unwrap().title, &*event.summary);
        let failing = writer(Some("{{ 1 / event.level.x }}"), None, "http://h").unwrap();
        assert_eq!(failing.write(&event, 1).unwrap_err().retry(), Retry::Never);
    }

    #[test]
    fn a_link_is_one() {
        for wrong in ["", "nonsense", "javascript:alert(1)", "https://", "/path"] {
            assert_eq!(writer(None, None, wrong).err().unwrap().option(), "link");
        }
    }
}
