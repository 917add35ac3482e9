//! Names of topics, whatever controllers, sites and prefixes are called.

use unifi_herald_plugin::{Event, Mac};

/// Longest part made of a name, in characters.
const LONGEST: usize = 64;

/// `text` as one level of a topic: without separators, wildcards, spaces and what brokers refuse.
pub(crate) fn level(text: &str) -> String {
    let safe = |c: char| match c {
        '/' | '+' | '#' | '$' => '_',
        c if c.is_control() || c.is_whitespace() || is_noncharacter(c) => '_',
        c => c,
    };
    let level: String = text.chars().take(LONGEST).map(safe).collect();
    if level.is_empty() {
        "_".to_owned()
    } else {
        level
    }
}

/// Code points that are nobody's: brokers hang up on them (MQTT 5, section 1.5.4).
fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

/// `aabbcc000001`.
pub(crate) fn plain(mac: Mac) -> String {
    mac.to_string().replace(':', "")
}

/// The topics below one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Topics {
    prefix: String,
}

impl Topics {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// Whether herald is there.
    pub(crate) fn status(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// `<prefix>/<controller>/<site>`.
    pub(crate) fn site(&self, event: &Event) -> String {
        let (controller, site) = (level(&event.controller), level(&event.site));
        format!("{}/{controller}/{site}", self.prefix)
    }

    /// Every retained state.
    pub(crate) fn all_states(&self) -> String {
        format!("{}/+/+/state/+/+", self.prefix)
    }

    /// What Home Assistant knows our things by: unique as far as the prefix is.
    pub(crate) fn slug(&self) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.prefix.chars().map(safe).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_stay_one_level() {
        assert_eq!(level("Anna's Büro"), "Anna's_Büro");
        assert_eq!(level("../+/#\0\u{ffff}"), "..______");
        assert_eq!(level(""), "_");
        assert_eq!(level(&"ü".repeat(1000)).chars().count(), 64);
    }

    proptest! {
        #[test]
        fn any_name_is_a_level_that_a_broker_takes(name in any::<String>()) {
            let level = level(&name);
            prop_assert!(!level.is_empty());
            prop_assert!(!level.contains(['/', '+', '#', '\0', ' ']));
            prop_assert!(level.chars().all(|c| !c.is_control() && !is_noncharacter(c)));
        }
    }
}
