//! JSON values as they stand in the frame, read leniently: numbers may be text and text may be numbers.

use super::{checked, scan};
use serde_json::value::RawValue;
use std::borrow::Cow;
use unifi_herald_plugin::Mac;

/// One JSON value, still as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a>(&'a str);

/// Longest text with escapes that is unescaped; nothing the controller means for people is near it.
const MAX_ESCAPED: usize = 64 * 1024;

impl<'a> Value<'a> {
    pub(super) fn new(raw: &'a RawValue) -> Self {
        Self(raw.get())
    }

    /// The value in `json`, which need not have been checked: what is wrong in it reads as absent.
    pub(super) fn of(json: &'a str) -> Self {
        Self(json)
    }

    /// The JSON text.
    pub(super) fn json(self) -> &'a str {
        self.0
    }

    /// Whether this is an object.
    pub(super) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// A string's content or a number's digits; nothing for other values and for empty strings.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self.0.as_bytes().first()? {
            b'"' => {
                let inner = inside(self.0);
                // Without stopping early, so that the compiler can look at many bytes at a time.
                let escapes = inner.bytes().fold(false, |any, byte| any | (byte == b'\\'));
                let text = if !escapes {
                    Cow::Borrowed(inner)
                } else if inner.len() <= MAX_ESCAPED {
                    Cow::Owned(unescape(self.0)?)
                } else {
                    return None;
                };
                (!text.is_empty()).then_some(text)
            }
            b'-' | b'0'..=b'9' => Some(Cow::Borrowed(self.0)),
            _ => None,
        }
    }

    /// The text without quotes, should it have some, and without white space at its ends.
    fn bare(self) -> &'a str {
        let text = self.0.strip_prefix('"').unwrap_or(self.0);
        text.strip_suffix('"').unwrap_or(text).trim_ascii()
    }

    /// A whole number, from digits or from text with digits; fractions are rounded.
    pub(super) fn int(self) -> Option<i64> {
        let text = self.bare();
        if let Ok(number) = text.parse() {
            return Some(number);
        }
        let number: f64 = text.parse().ok()?;
        // Beyond 2^53 a fraction is no exact count of anything the controller counts.
        (number.abs() <= 9_007_199_254_740_992.0).then_some(number.round() as i64)
    }

    /// A whole number that fits `T`.
    pub(super) fn number<T: TryFrom<i64>>(self) -> Option<T> {
        self.int().and_then(|number| T::try_from(number).ok())
    }

    /// True or false, also as text or as 1 and 0.
    pub(super) fn flag(self) -> Option<bool> {
        match self.bare() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// A hardware address.
    pub(super) fn mac(self) -> Option<Mac> {
        self.bare().parse().ok()
    }

    /// Call `each` with every member of this object, in order; a key that cannot be unescaped is passed over.
    /// Nothing when this is not an object.
    pub(super) fn members(self, each: impl FnMut(&str, Self)) -> Option<()> {
        members(self.0, each)
    }

    /// Call `each` with every element of this list, in order. Nothing when this is not a list.
    pub(super) fn elements(self, mut each: impl FnMut(Self)) -> Option<()> {
        scan::elements(self.0, |element| each(Self(element)))
    }
}

/// Call `each` with every member of the object in `json`. Nothing when there is none.
pub(super) fn members<'a>(json: &'a str, mut each: impl FnMut(&str, Value<'a>)) -> Option<()> {
    scan::members(json, |key, escaped, value| {
        member(key, escaped, Value(value), &mut each);
    })
}

/// Call `each` with a member whose key stands in quotes; not with one whose key cannot be unescaped.
fn member<'a>(key: &str, escaped: bool, value: Value<'a>, mut each: impl FnMut(&str, Value<'a>)) {
    if !escaped {
        each(inside(key), value);
    } else if let Some(key) = unescape(key) {
        each(&key, value);
    }
}

/// A struct of fields that an object may have.
pub(super) trait Fields<'a>: Default {
    /// Take over the member `key` if it is one of the fields.
    fn set(&mut self, key: &str, value: Value<'a>);

    /// Find the fields of the object in `json`, in place; nothing when there is no object.
    fn fill(&mut self, json: &'a str) -> Option<()> {
        members(json, |key, value| self.set(key, value))
    }

    /// The same for an object at the start of `json` that nobody has checked; its length, or nothing when it is no object
    /// or no ordinary one.
    fn fill_checked(&mut self, json: &'a str) -> Option<usize> {
        checked::object(json, |key, escaped, value| {
            member(key, escaped, Value(value), |key, value| {
                self.set(key, value);
            });
        })
    }

    /// The fields of the object in `json`; nothing when there is no object.
    fn read(json: &'a str) -> Option<Self> {
        let mut found = Self::default();
        found.fill(json)?;
        Some(found)
    }
}

/// Defines a struct of fields that an object may have; the last of several with one name counts.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($field:ident $key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$crate::unifi::value::Value<'a>>,)*
        }

        impl<'a> $crate::unifi::value::Fields<'a> for $name<'a> {
            fn set(&mut self, key: &str, value: $crate::unifi::value::Value<'a>) {
                match key.as_bytes() {
                    $($key => self.$field = Some(value),)*
                    _ => {}
                }
            }
        }
    };
}

pub(super) use fields;

/// What stands between the quotes.
fn inside(quoted: &str) -> &str {
    quoted.get(1..quoted.len() - 1).unwrap_or_default()
}

/// The content of a JSON string; nothing when it holds half of a surrogate pair.
fn unescape(quoted: &str) -> Option<String> {
    serde_json::from_str(quoted).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value<'_> {
        Value::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn numbers_may_be_text_and_text_may_be_numbers() {
        for json in ["36", "\"36\"", "\" 36 \"", "36.0", "3.6e1", "35.7"] {
            assert_eq!(value(json).int(), Some(36), "{json}");
        }
        for json in ["1e400", "\"\"", "null", "[36]", "\"36 MHz\"", "true"] {
            assert_eq!(value(json).int(), None, "{json}");
        }
        assert_eq!(value("36").text().as_deref(), Some("36"));
        assert_eq!(value("70000").number::<u16>(), None);
        assert_eq!(value("-1").number::<u32>(), None);
    }

    #[test]
    fn text_is_unescaped_and_never_empty() {
        assert_eq!(value(r#""a\u0062\n""#).text().as_deref(), Some("ab\n"));
        for json in [r#""""#, "null", "false", "{}", "[]", r#""\ud800""#] {
            assert_eq!(value(json).text(), None, "{json}");
        }
    }

    #[test]
    fn flags_come_in_every_form() {
        for json in ["true", "\"true\"", "1", "\"1\""] {
            assert_eq!(value(json).flag(), Some(true), "{json}");
        }
        assert_eq!(value("0").flag(), Some(false));
        assert_eq!(value("\"yes\"").flag(), None);
    }

    #[test]
    fn members_keep_their_order_and_survive_odd_keys() {
        let mut seen = Vec::new();
        value(r#"{"a":1,"\u0062":2,"\ud800":3,"a":4}"#)
            .members(|key, value| seen.push((key.to_owned(), value.json().to_owned())))
            .unwrap();
        let expected = [("a", "1"), ("b", "2"), ("a", "4")];
        assert_eq!(
            seen,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert!(value("[1]").members(|_, _| ()).is_none());
    }
}
