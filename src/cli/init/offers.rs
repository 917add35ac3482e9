//! The sinks that `herald init` offers, and what it asks for each.

/// A sink to begin with.
pub(super) struct Offer {
    /// Its plugin.
    pub(super) plugin: &'static str,
    /// What it is, for people.
    pub(super) what: &'static str,
    /// The options it cannot do without.
    pub(super) asks: &'static [Ask],
}

/// An option.
pub(super) struct Ask {
    /// Its key.
    pub(super) key: &'static str,
    /// The question.
    pub(super) question: &'static str,
    /// What is taken for an empty answer.
    pub(super) usual: Option<&'static str>,
    /// How the answer is written down.
    pub(super) form: Form,
}

/// How an answer is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In quotes.
    Text,
    /// Without quotes where it is a number.
    Number,
    /// In a file of the folder of secrets.
    Secret,
}

const fn ask(key: &'static str, question: &'static str, form: Form) -> Ask {
    Ask {
        key,
        question,
        usual: None,
        form,
    }
}

/// The most wanted first.
pub(super) const OFFERS: &[Offer] = &[
    Offer {
        plugin: "ntfy",
        what: "push to phones by the ntfy app; needs no account",
        asks: &[ask(
            "topic",
            "Topic (whoever knows it can read)",
            Form::Secret,
        )],
    },
    Offer {
        plugin: "telegram",
        what: "messages of a Telegram bot",
        asks: &[
            ask("token", "Token of the bot", Form::Secret),
            ask("chat_id", "Number of the chat, or @channel", Form::Number),
        ],
    },
    Offer {
        plugin: "discord",
        what: "messages in a Discord channel",
        asks: &[ask("url", "Web hook of the channel", Form::Secret)],
    },
    Offer {
        plugin: "slack",
        what: "messages in a Slack channel",
        asks: &[ask("url", "Incoming web hook", Form::Secret)],
    },
    Offer {
        plugin: "webhook",
        what: "a POST to a web address of yours",
        asks: &[ask("url", "Address to post to", Form::Secret)],
    },
    Offer {
        plugin: "file",
        what: "lines of JSON in a file",
        asks: &[Ask {
            usual: Some("alerts.jsonl"),
            ..ask("path", "File", Form::Text)
        }],
    },
    Offer {
        plugin: "console",
        what: "lines on the screen, to look at first",
        asks: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_plugin_of_ours_and_asks_for_options_it_has() {
        let registry = crate::builtin();
        for offer in OFFERS {
            let known = registry.options(crate::registry::Role::Sink, offer.plugin);
            for ask in offer.asks {
                let there = known
                    .iter()
                    .any(|option| option.path.to_string() == ask.key);
                assert!(there, "{} has no {}", offer.plugin, ask.key);
            }
            assert!(registry.sinks().any(|(name, _)| name == offer.plugin));
        }
    }
}
