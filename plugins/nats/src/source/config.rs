//! The table `options` of a NATS source, and what it becomes once checked.

use crate::access::{Access, Servers};
use serde::Deserialize;
use std::path::PathBuf;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{BuildContext, BuildError, Secret};

/// The table `options` of a NATS source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    servers: Vec<String>,
    creds: Option<PathBuf>,
    username: Option<String>,
    password: Option<Secret>,
    token: Option<Secret>,
    tls: Option<TlsOptions>,
    subject: String,
    stream: Option<String>,
    durable: Option<String>,
}

/// Everything the source needs.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) servers: Servers,
    pub(super) subject: String,
    /// Where what is published is kept, unless nobody keeps it.
    pub(super) stream: Option<Stream>,
}

/// What keeps what is published, and who it is read as.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) durable: String,
}

impl SourceConfig {
    /// Check everything and read the secrets.
    pub(super) fn resolve(self, context: &BuildContext) -> Result<Settings, BuildError> {
        let access = Access {
            servers: self.servers,
            creds: self.creds,
            username: self.username,
            password: self.password,
            token: self.token,
            tls: self.tls,
        };
        let servers = access.resolve(context)?;
        if !is_pattern(&self.subject) {
            let message = "not a subject; write one such as \"events.>\": words with dots between them, `*` for one, `>` at the end for the rest";
            return Err(BuildError::new("subject", message));
        }
        let stream = match (self.stream, self.durable) {
            (None, None) => None,
            (Some(name), Some(durable)) => Some(Stream { name, durable }),
            (Some(_), None) => {
                let message = format!(
                    "a stream is read under a name that remembers how far: write durable = \"herald-{}\"",
                    context.name()
                );
                return Err(BuildError::new("durable", message));
            }
            (None, Some(_)) => {
                let message =
                    "only a stream remembers how far it was read: add `stream`, or leave this out";
                return Err(BuildError::new("durable", message));
            }
        };
        if let Some(Stream { name, durable }) = &stream {
            for (option, text) in [("stream", name), ("durable", durable)] {
                let named = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                if text.is_empty() || text.len() > 64 || !text.chars().all(named) {
                    let message = "a name has at most 64 letters, digits, `-` and `_`";
                    return Err(BuildError::new(option, message));
                }
            }
        }
        Ok(Settings {
            servers,
            subject: self.subject,
            stream,
        })
    }
}

/// Whether `text` is a subject to listen to.
fn is_pattern(text: &str) -> bool {
    let words: Vec<&str> = text.split('.').collect();
    let fine = |(place, word): (usize, &&str)| match *word {
        "" => false,
        "*" => true,
        ">" => place + 1 == words.len(),
        word => !word.contains(|c: char| c.is_whitespace() || c.is_control() || "*>".contains(c)),
    };
    text.len() <= 256 && words.iter().enumerate().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NatsSource;
    use serde_json::{Value, json};
    use std::path::Path;
    use unifi_herald_plugin::testing::TestContext;

    fn build(more: &Value) -> Result<(), String> {
        let mut options = json!({"servers": ["nats://192.0.2.1"], "subject": "events.>"});
        let more = more.as_object().unwrap().clone();
        options.as_object_mut().unwrap().extend(more);
        let context = TestContext::new();
        let built = context.build_source::<NatsSource>(Path::new(""), options);
        built.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn subjects_are_words_with_dots_between_them() {
        for fine in [">", "events.>", "events.*.door", "a", "EVENTS.b-c_d"] {
            assert!(is_pattern(fine), "{fine}");
        }
        for wrong in ["", ".", "a..b", "a.>.b", "a b", "a*", "a.\u{7}", "a."] {
            assert!(!is_pattern(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_fix() {
        assert_eq!(build(&json!({})), Ok(()));
        let kept = json!({"stream": "EVENTS", "durable": "herald-building"});
        assert_eq!(build(&kept), Ok(()));
        for (more, said) in [
            (json!({"subject": "a b"}), "`subject`: not a subject"),
            (json!({"stream": "S"}), "durable = \"herald-nats\""),
            (json!({"durable": "d"}), "add `stream`"),
            (
                json!({"stream": "S", "durable": "a.b"}),
                "`durable`: a name",
            ),
            (json!({"stream": "a b", "durable": "d"}), "`stream`: a name"),
            (json!({"username": "anna"}), "`password`"),
            (json!({"servers": []}), "`servers`"),
        ] {
            let error = build(&more).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
