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
    /// Whether it goes into the folder of secrets.
    pub(super) secret: bool,
}

const fn plain(key: &'static str, question: &'static str, usual: Option<&'static str>) -> Ask {
    Ask {
        key,
        question,
        usual,
        secret: false,
    }
}

const fn secret(key: &'static str, question: &'static str) -> Ask {
    Ask {
        key,
        question,
        usual: None,
        secret: true,
    }
}

/// The most wanted first.
pub(super) const OFFERS: &[Offer] = &[
    Offer {
        plugin: "webhook",
        what: "a POST to a web address of yours",
        asks: &[secret("url", "Address to post to")],
    },
    Offer {
        plugin: "file",
        what: "lines of JSON in a file",
        asks: &[plain("path", "File", Some("alerts.jsonl"))],
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
