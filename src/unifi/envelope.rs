//! The frame around the items: which kind of message it is and where its data begins.

use super::scan;
use super::value::{Value, members};
use serde::Deserialize as _;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Most damaged stretches of one frame that are stepped over; beyond them the rest of the frame is given up.
const MAX_DAMAGE: usize = 64;

/// A frame of which only the envelope has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope<'a> {
    /// `meta.message`, or nothing when there is no such field.
    pub(super) kind: Option<Cow<'a, str>>,
    /// The frame from the first byte of `data` on, unchecked and with whatever follows it; nothing without `data`.
    data: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Read the envelope: the usual order of fields costs a look at `meta` only, every other one a walk over the
    /// frame. Nothing when the frame is not a JSON object.
    pub(super) fn read(frame: &'a str) -> Option<Self> {
        peek(frame).or_else(|| Self::walk(frame))
    }

    fn walk(frame: &'a str) -> Option<Self> {
        let (mut kind, mut data) = (None, None);
        members(frame, |key, value| match key {
            "meta" => kind = message(value),
            "data" => data = Some(value.json()),
            _ => {}
        })?;
        Some(Self { kind, data })
    }

    /// Call `each` with every item of `data` as far as they can be told apart, without checking what is in them:
    /// enough for state, which comes again.
    pub(super) fn unchecked_items(&self, each: impl FnMut(&'a str)) {
        let Some(data) = self.data.map(str::trim_ascii_start) else {
            return;
        };
        if data.starts_with('{') {
            scan::value(data).into_iter().for_each(each);
        } else {
            // A list that breaks off has given what it had.
            let _broken = scan::elements(data, each);
        }
    }

    /// Call `each` with the frame from each item of `data` on. It says how long the item is; nothing when what stands
    /// there is not JSON.
    ///
    /// Items are parsed one by one, so that a damaged one does not cost its neighbours: reading goes on at the
    /// next thing that looks like the beginning of an item.
    pub(super) fn items(&self, mut each: impl FnMut(&'a str) -> Option<usize>) {
        let Some(data) = self.data.map(str::trim_ascii_start) else {
            return;
        };
        let Some(mut rest) = data.strip_prefix('[') else {
            // Not a list: an object stands for itself, anything else but null is not data.
            if !data.starts_with("null") {
                each(data);
            }
            return;
        };
        let mut damage = 0;
        loop {
            rest = rest.trim_start_matches([' ', '\n', '\r', '\t', ',']);
            // After damage a bracket may close a list inside an item: what matters is whether more items follow.
            if rest.is_empty() || damage == 0 && ends_list(rest) {
                return;
            }
            if damage > 0 && rest.starts_with(']') {
                rest = next_item(rest);
                continue;
            }
            rest = match each(rest) {
                Some(length) => &rest[length..],
                None if damage < MAX_DAMAGE => {
                    damage += 1;
                    next_item(rest)
                }
                None => return,
            };
        }
    }
}

/// Whether `text` begins with the bracket that closes `data`: the frame ends there or goes on with another field.
fn ends_list(text: &str) -> bool {
    text.strip_prefix(']').is_some_and(|after| {
        let after = after.trim_ascii_start();
        let goes_on = |after: &str| after.trim_ascii_start().starts_with('"');
        after.is_empty() || after.starts_with('}') || after.strip_prefix(',').is_some_and(goes_on)
    })
}

/// The one JSON value at the start of `text`.
pub(super) fn value_at(text: &str) -> Option<&RawValue> {
    let mut reader = serde_json::Deserializer::from_str(text);
    <&RawValue>::deserialize(&mut reader).ok()
}

/// The text from the next `{` on that follows a comma; empty when there is none.
fn next_item(text: &str) -> &str {
    let mut rest = text;
    while let Some(comma) = memchr::memchr(b',', rest.as_bytes()) {
        rest = rest[comma + 1..].trim_ascii_start();
        if rest.starts_with('{') {
            return rest;
        }
    }
    ""
}

/// `message` of the object `meta`.
fn message(meta: Value<'_>) -> Option<Cow<'_, str>> {
    let mut message = None;
    if meta.is_object() {
        meta.members(|key, value| {
            if key == "message" {
                message = value.text();
            }
        })?;
    }
    message
}

/// The envelope of a frame that begins with a flat `meta`, optionally followed by `data`; nothing for every other frame.
fn peek(frame: &str) -> Option<Envelope<'_>> {
    let mut at = Cursor(frame);
    at.token("{")?;
    at.token("\"meta\"")?;
    at.token(":")?;
    at.token("{")?;
    let mut kind = None;
    loop {
        let key = at.string()?;
        at.token(":")?;
        match key {
            "message" => kind = Some(Cow::Borrowed(at.string()?)),
            _ => at.scalar()?,
        }
        if at.token(",").is_none() {
            at.token("}")?;
            break;
        }
    }
    let data = if at.token(",").is_some() {
        at.token("\"data\"")?;
        at.token(":")?;
        Some(at.0)
    } else {
        at.token("}")?;
        None
    };
    Some(Envelope { kind, data })
}

/// Steps over the tokens of plain JSON; gives up at the first thing that is not plain.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn token(&mut self, token: &str) -> Option<()> {
        let text = self.0.trim_ascii_start();
        self.0 = text.strip_prefix(token)?;
        Some(())
    }

    /// A string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        self.token("\"")?;
        let end = memchr::memchr(b'"', self.0.as_bytes())?;
        let (text, rest) = self.0.split_at(end);
        if text.bytes().any(|byte| byte == b'\\' || byte < 0x20) {
            return None;
        }
        self.0 = &rest[1..];
        Some(text)
    }

    /// A string, number, boolean or null.
    fn scalar(&mut self) -> Option<()> {
        self.0 = self.0.trim_ascii_start();
        if self.0.starts_with('"') {
            return self.string().map(drop);
        }
        let end = self
            .0
            .find(|c: char| !matches!(c, '+' | '-' | '.' | '0'..='9' | 'A'..='Z' | 'a'..='z'))?;
        self.0 = &self.0[end..];
        (end > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(frame: &str) -> Vec<Option<String>> {
        let mut out = Vec::new();
        Envelope::read(frame).unwrap().items(|text| {
            let item = value_at(text);
            out.push(item.map(|item| item.get().to_owned()));
            Some(item?.get().len())
        });
        out
    }

    fn good(items: &[&str]) -> Vec<Option<String>> {
        items.iter().map(|item| Some((*item).to_owned())).collect()
    }

    #[test]
    fn any_order_and_any_white_space_will_do() {
        for frame in [
            r#"{"meta":{"rc":"ok","message":"events"},"data":[{"a":1},{"b":[2]}]}"#,
            r#"{"data":[{"a":1},{"b":[2]}],"meta":{"message":"events","rc":"ok"}}"#,
            "\n{ \"meta\" : {\t\"rc\" : \"ok\" , \"message\" : \"events\" } ,\r\n \"data\" : [ {\"a\":1} , {\"b\":[2]} ] }\n",
            r#"{"meta":{"message":"e\u0076ents","x":{"deep":[1]}},"data":[{"a":1},{"b":[2]}]}"#,
            r#"{"v":1,"meta":{"message":"events"},"data":[{"a":1},{"b":[2]}]}"#,
        ] {
            let envelope = Envelope::read(frame).unwrap();
            assert_eq!(envelope.kind.as_deref(), Some("events"), "{frame}");
            assert_eq!(
                items(frame),
                good(&[r#"{"a":1}"#, r#"{"b":[2]}"#]),
                "{frame}"
            );
        }
    }

    #[test]
    fn data_may_be_missing_or_not_a_list() {
        for frame in [
            r#"{"meta":{"message":"events"}}"#,
            r#"{"meta":{"message":"events"},"data":[]}"#,
            r#"{"meta":{"message":"events"},"data":null}"#,
        ] {
            assert_eq!(items(frame), good(&[]), "{frame}");
        }
        assert_eq!(
            items(r#"{"meta":{"message":"events"},"data":{"a":1}}"#),
            good(&[r#"{"a":1}"#])
        );
    }

    #[test]
    fn damage_costs_no_neighbours() {
        for bad in [
            r#"{"x":}"#,
            r#"{"x":"}"#,
            r#"{"x":1"#,
            "{\"x\"\u{1}:1}",
            r#"{"x" [{"y":1},{"y":[2]}],"z":3}"#,
            "nonsense",
            "{{{",
            "]",
        ] {
            let frame = format!(
                r#"{{"meta":{{"message":"events"}},"data":[{{"a":1}},{bad},{{"b":2}}, {{"c":3}}]}}"#
            );
            let found = items(&frame);
            assert!(found.contains(&None), "{frame}");
            let neighbours: Vec<_> = found
                .into_iter()
                .flatten()
                .filter(|item| !item.contains('y'))
                .collect();
            assert_eq!(
                neighbours,
                [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#],
                "{frame}"
            );
        }
    }

    #[test]
    fn state_is_taken_unchecked() {
        for (data, expected) in [
            (r#"[{"a":1}, 2 ]"#, &[r#"{"a":1}"#, "2"][..]),
            (r#" {"a":1}"#, &[r#"{"a":1}"#]),
            (r#"[{"a":x},{"b":["#, &[r#"{"a":x}"#]),
            ("null", &[]),
        ] {
            let frame = format!(r#"{{"meta":{{"message":"sta:sync"}},"data":{data}}}"#);
            let mut found = Vec::new();
            let envelope = Envelope::read(&frame).unwrap();
            envelope.unchecked_items(|item| found.push(item));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn endless_damage_is_given_up() {
        let frame = format!(
            r#"{{"meta":{{"message":"events"}},"data":[{}{{}}]}}"#,
            "{x},".repeat(100_000)
        );
        assert_eq!(items(&frame).len(), MAX_DAMAGE + 1);
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for frame in ["", "pong", "[1]", "{\"meta\"", "\"x\"", "{\"a\":1,}"] {
            assert!(Envelope::read(frame).is_none(), "{frame}");
        }
        assert_eq!(Envelope::read("{}").unwrap().kind, None);
        assert_eq!(Envelope::read(r#"{"meta":[]}"#).unwrap().kind, None);
    }
}
