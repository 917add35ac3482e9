//! Takes out of frames whatever could tell whose network it is, the same thing always replaced by the same.
//!
//! What a value may hold is decided by its key: a few keys are known to hold nothing of anybody and stay, texts lose
//! every name and address that is known, secrets go, and any other text is taken for a name. So what nobody has thought
//! of is replaced rather than kept. Replacements are made with a salt that is drawn once and never written down.

mod address;
mod keys;

use crate::config::secrets::is_secret;
use address::Addresses;
use hmac::{Hmac, KeyInit, Mac as _};
use keys::{Sort, sort};
use regex::{Captures, Regex};
use serde_json::{Map, Value};
use sha2::Sha256;
use std::collections::BTreeSet;

/// Most names that are remembered.
const MAX_NAMES: usize = 100_000;

/// What stands for a secret.
const SECRET: &str = "redacted";

/// Replaces what is somebody's.
#[derive(Debug)]
pub struct Redactor {
    salt: Salt,
    addresses: Addresses,
    /// A key of an object, if there is one, and the text behind it, in what is no JSON.
    strings: Regex,
    /// Something longer than a word of a protocol.
    words: Regex,
    /// Names that were met, to be found in texts.
    names: BTreeSet<String>,
    /// The same, the longest first; made anew when there are more.
    by_length: Vec<String>,
}

/// What replacements are made with.
struct Salt([u8; 32]);

impl Salt {
    /// A number that is the same for the same text of the same class.
    fn number(&self, class: &str, text: &str) -> u64 {
        // Any length of key will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return 0;
        };
        mac.update(class.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes[..8]
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(***)")
    }
}

impl Redactor {
    /// With a salt of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::with_salt(std::array::from_fn(|_| fastrand::u8(..)))
    }

    fn with_salt(salt: [u8; 32]) -> Self {
        Self {
            salt: Salt(salt),
            addresses: Addresses::new(),
            strings: fixed(
                r#"(?s)"((?:[^"\\]|\\.)*)"\s*:\s*(?:"((?:[^"\\]|\\.|\\$)*)(?:"|$))?|"((?:[^"\\]|\\.|\\$)*)(?:"|$)"#,
            ),
            words: fixed(r"\p{L}[\p{L}\p{N}_'-]{4,}"),
            names: BTreeSet::new(),
            by_length: Vec::new(),
        }
    }

    /// Learn the names in a list of devices or clients, so that they are found in texts.
    pub fn learn(&mut self, json: &[u8]) {
        if let Ok(value) = serde_json::from_slice::<Value>(json) {
            self.learn_value(&value);
        }
    }

    /// The frame without anything of anybody.
    #[must_use]
    pub fn frame(&mut self, text: &str) -> String {
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                self.learn_value(&value);
                self.sort_names();
                self.value("", &mut value);
                value.to_string()
            }
            Err(_) => {
                self.sort_names();
                self.broken(text)
            }
        }
    }

    /// Another word for a name; those that every network has stay.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        if name.is_empty() || matches!(name, "default" | "super") {
            return name.to_owned();
        }
        format!("name-{:08x}", self.salt.number("name", name) >> 32)
    }

    fn learn_value(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match value {
                        Value::String(text) if sort(key) == Sort::Name => self.learn_name(text),
                        _ => self.learn_value(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_value(item)),
            _ => {}
        }
    }

    fn learn_name(&mut self, name: &str) {
        let is_word = name.chars().any(char::is_alphanumeric);
        if is_word && self.addresses.is_none_in(name) && self.names.len() < MAX_NAMES {
            self.names.insert(name.to_owned());
        }
    }

    fn sort_names(&mut self) {
        if self.by_length.len() != self.names.len() {
            self.by_length = self.names.iter().cloned().collect();
            self.by_length
                .sort_by_key(|name| std::cmp::Reverse(name.len()));
        }
    }

    fn value(&self, key: &str, value: &mut Value) {
        if is_secret(key) || key.starts_with("x_") {
            if !value.is_null() && !value.is_boolean() {
                *value = SECRET.into();
            }
            return;
        }
        match value {
            Value::String(text) => *text = self.string(key, text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(key, item)),
            Value::Object(map) => {
                let old = std::mem::take(map);
                *map = old
                    .into_iter()
                    .map(|(key, mut value)| {
                        self.value(&key, &mut value);
                        (self.addresses.replace(&self.salt, &key), value)
                    })
                    .collect::<Map<_, _>>();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn string(&self, key: &str, text: &str) -> String {
        match sort(key) {
            Sort::Plain => text.to_owned(),
            Sort::Text => self.text(text),
            Sort::Name | Sort::Unknown => {
                let replaced = self.addresses.replace(&self.salt, text);
                if replaced != text {
                    // An address, with or without something around it.
                    return self.words(&replaced);
                }
                if sort(key) == Sort::Unknown && keys::is_constant(text) {
                    return replaced;
                }
                self.name(text)
            }
        }
    }

    /// A text without the names and addresses that are known.
    fn text(&self, text: &str) -> String {
        self.words(&self.addresses.replace(&self.salt, text))
    }

    fn words(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for name in &self.by_length {
            if text.contains(name.as_str()) {
                text = self.without(&text, name);
            }
        }
        text
    }

    /// Replace `name` where it is a word of its own.
    fn without(&self, text: &str, name: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (at, _) in text.match_indices(name) {
            let before = text[..at].chars().next_back();
            let after = text[at + name.len()..].chars().next();
            let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            if !inside(before) && !inside(after) {
                out.push_str(&text[done..at]);
                out.push_str(&self.name(name));
                done = at + name.len();
            }
        }
        out.push_str(&text[done..]);
        out
    }

    /// What is no JSON, such as half a frame: what looks like a string with its key is treated as such. A text may end in
    /// the middle of a name, so none is kept.
    fn broken(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for found in self.strings.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            out.push_str(&self.unquoted(&text[done..whole.start()]));
            done = whole.end();
            let key = found.get(1).map_or("", |key| key.as_str());
            if found.get(1).is_some() {
                out.push_str(&format!("\"{}\":", self.text(key)));
            }
            let Some(value) = found.get(2).or_else(|| found.get(3)) else {
                continue;
            };
            let value = if is_secret(key) || key.starts_with("x_") || sort(key) == Sort::Text {
                SECRET.to_owned()
            } else {
                self.string(key, value.as_str())
            };
            out.push_str(&format!("\"{value}\""));
        }
        out.push_str(&self.unquoted(&text[done..]));
        out
    }

    /// What stands outside of all strings: numbers and signs stay.
    fn unquoted(&self, text: &str) -> String {
        let text = self.text(text);
        let word = |found: &Captures<'_>| match &found[0] {
            known @ ("false" | "null" | "true") => known.to_owned(),
            word if word.starts_with("name-") => word.to_owned(),
            word => self.name(word),
        };
        self.words.replace_all(&text, word).into_owned()
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

/// A pattern of ours, which is well formed: a test compiles them all.
fn fixed(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "a constant, compiled by every test")]
    Regex::new(pattern).expect("the pattern is a constant")
}

#[cfg(test)]
mod tests;
