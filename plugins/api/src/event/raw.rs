//! The item as the controller sent it.

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;

/// The largest item kept as received, in bytes. A larger one keeps its normalised fields only.
pub const MAX_RAW: usize = 256 * 1024;

/// JSON text exactly as received, except that line breaks between tokens are spaces.
#[derive(Clone)]
pub struct Raw(Arc<str>);

impl Raw {
    /// Keep a copy of `json`, which the parser that made the [`RawValue`] has checked.
    #[must_use]
    pub fn new(json: &RawValue) -> Self {
        Self::trusted(json.get())
    }

    /// Keep a copy of `text`, of which the caller knows that it is one JSON value.
    #[must_use]
    pub fn trusted(text: &str) -> Self {
        if !has_line_break(text) {
            return Self(text.into());
        }
        // Inside a JSON string a bare line break is not valid, so every one of these is white space.
        Self(text.replace(['\n', '\r'], " ").into())
    }

    /// Check and keep `text`.
    ///
    /// # Errors
    /// When `text` is not one JSON value.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(text).map(Self::new)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of a top-level field as JSON text, or `None` when there is no such field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        /// Walks the object once and keeps the last value of one name, as JSON readers do.
        struct Find<'n>(&'n str);

        impl<'de> serde::de::Visitor<'de> for Find<'_> {
            type Value = Option<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut found = None;
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    let value = map.next_value::<&'de RawValue>()?;
                    if key == self.0 {
                        found = Some(value);
                    }
                }
                Ok(found)
            }
        }

        let mut reader = serde_json::Deserializer::from_str(self.as_str());
        Deserializer::deserialize_map(&mut reader, Find(name))
            .ok()
            .flatten()
    }
}

/// Looks at 32 bytes at a time, which the compiler turns into wide instructions.
fn has_line_break(text: &str) -> bool {
    let is_break = |byte: &u8| u8::from(*byte == b'\n') | u8::from(*byte == b'\r');
    let (chunks, rest) = text.as_bytes().as_chunks::<32>();
    let any = |bytes: &[u8]| bytes.iter().fold(0, |found, byte| found | is_break(byte)) != 0;
    chunks.iter().any(|chunk| any(chunk)) || any(rest)
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Raw {
    /// Never the payload, which may hold what should not be in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.as_str().len())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self::new(&raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_byte_but_line_breaks() {
        let raw = Raw::parse("{ \"a\" : 1.50,\r\n\"b\":\"\\n\"}").unwrap();
        assert_eq!(raw.as_str(), "{ \"a\" : 1.50,  \"b\":\"\\n\"}");
    }

    #[test]
    fn finds_top_level_fields() {
        let raw = Raw::parse(r#"{"a":{"b":2},"b":[1],"\u0063":3}"#).unwrap();
        assert_eq!(raw.get("b").map(RawValue::get), Some("[1]"));
        assert_eq!(raw.get("c").map(RawValue::get), Some("3"));
        assert!(raw.get("d").is_none());
        assert!(Raw::parse("[1]").unwrap().get("a").is_none());
    }
}
