//! Looking up single values in JSON text without reading the rest into memory.

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The value of the field `name` of the object `json`; the last one when there are several, as JSON readers do.
pub(super) fn field<'j>(json: &'j str, name: &str) -> Option<&'j str> {
    struct Find<'n>(&'n str);

    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(wanted) = map.next_key_seed(Is(self.0))? {
                if wanted {
                    found = Some(map.next_value::<&'de RawValue>()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let found = serde_json::Deserializer::from_str(json)
        .deserialize_map(Find(name))
        .ok()?;
    found.map(RawValue::get)
}

/// Whether a text is this one, found out without copying it.
struct Is<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        Ok(text == self.0)
    }
}

/// The element of the array `json` at `index`.
pub(super) fn element(json: &str, index: usize) -> Option<&str> {
    struct Nth(usize);

    impl<'de> Visitor<'de> for Nth {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            for _ in 0..self.0 {
                if seq.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(None);
                }
            }
            let found = seq.next_element::<&'de RawValue>()?;
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(found)
        }
    }

    let found = serde_json::Deserializer::from_str(json)
        .deserialize_seq(Nth(index))
        .ok()?;
    found.map(RawValue::get)
}

/// The elements of the array `json`, at most `limit`.
pub(super) fn elements(json: &str, limit: usize) -> Vec<&str> {
    struct Elements(usize);

    impl<'de> Visitor<'de> for Elements {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = seq.next_element::<&'de RawValue>()? {
                if elements.len() < self.0 {
                    elements.push(element);
                }
            }
            Ok(elements)
        }
    }

    let found = serde_json::Deserializer::from_str(json).deserialize_seq(Elements(limit));
    found
        .unwrap_or_default()
        .into_iter()
        .map(RawValue::get)
        .collect()
}

/// How many fields or elements `json` has; `None` when it is neither object nor array.
pub(super) fn len(json: &str) -> Option<usize> {
    struct Count;

    impl<'de> Visitor<'de> for Count {
        type Value = usize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or an array")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
            let mut count = 0;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(count)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
            let mut count = 0;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(count)
        }
    }

    serde_json::Deserializer::from_str(json)
        .deserialize_any(Count)
        .ok()
}

/// The names of the fields of the object `json`, at most `limit`.
pub(super) fn keys(json: &str, limit: usize) -> Vec<String> {
    struct Keys(usize);

    impl<'de> Visitor<'de> for Keys {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                if keys.len() < self.0 {
                    keys.push(key);
                }
            }
            Ok(keys)
        }
    }

    serde_json::Deserializer::from_str(json)
        .deserialize_map(Keys(limit))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_fields_and_elements() {
        let json = r#"{ "a": {"b": [1, {"c": "x"}, null]}, "\u0064": 2, "a2": 1e400, "d": 3 }"#;
        assert_eq!(field(json, "a"), Some(r#"{"b": [1, {"c": "x"}, null]}"#));
        assert_eq!(field(json, "d"), Some("3"));
        assert_eq!(field(json, "e"), None);
        assert_eq!(field("[1]", "a"), None);
        let array = field(field(json, "a").unwrap(), "b").unwrap();
        assert_eq!(element(array, 1), Some(r#"{"c": "x"}"#));
        assert_eq!(element(array, 3), None);
        assert_eq!(element(json, 0), None);
        assert_eq!(elements(array, 2), ["1", r#"{"c": "x"}"#]);
        assert_eq!(len(array), Some(3));
        assert_eq!(len(json), Some(4));
        assert_eq!(len("1"), None);
        assert_eq!(keys(json, 2), ["a", "d"]);
    }
}
