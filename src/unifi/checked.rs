//! Reads an item once: checks that it is JSON and finds its members on the way.
//!
//! It accepts nothing that `serde_json` would refuse, and finds the same. What it does not accept may still be JSON: it
//! gives up at what no ordinary item has.

use super::scan::quote_or_odd;

/// The first character that may stand in a string as it is.
const FIRST_PLAIN: u8 = 0x20;

/// Levels of nesting below the item's own.
const MAX_DEPTH: usize = 24;

/// Call `each` with every member of the object at the start of `text`, in order: the key with its quotes, whether it has
/// escapes, and the value. Gives the length of the object; nothing when it is not one or not ordinary, with some of its
/// members told already.
pub(super) fn object<'a>(text: &'a str, each: impl FnMut(&'a str, bool, &'a str)) -> Option<usize> {
    let mut at = Check { text, at: 0 };
    at.object(MAX_DEPTH, each)?;
    Some(at.at)
}

struct Check<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Check<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_white(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Step over `byte` and the white space before it.
    fn eat(&mut self, byte: u8) -> Option<()> {
        self.skip_white();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn object(&mut self, depth: usize, mut each: impl FnMut(&'a str, bool, &'a str)) -> Option<()> {
        self.eat(b'{')?;
        if self.eat(b'}').is_some() {
            return Some(());
        }
        loop {
            self.skip_white();
            let start = self.at;
            let escaped = self.string()?;
            let key = self.text.get(start..self.at)?;
            self.eat(b':')?;
            self.skip_white();
            let start = self.at;
            self.value(depth)?;
            each(key, escaped, self.text.get(start..self.at)?);
            if self.eat(b',').is_none() {
                return self.eat(b'}');
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.eat(b'[')?;
        if self.eat(b']').is_some() {
            return Some(());
        }
        loop {
            self.skip_white();
            self.value(depth)?;
            if self.eat(b',').is_none() {
                return self.eat(b']');
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.object(depth.checked_sub(1)?, ignore),
            b'[' => self.list(depth.checked_sub(1)?),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    /// Step over a string and say whether it has escapes.
    fn string(&mut self) -> Option<bool> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            self.at += quote_or_odd::<FIRST_PLAIN>(bytes.get(self.at..)?)?;
            match bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Some(escaped);
                }
                b'\\' => self.at += escape(bytes.get(self.at + 1..)?)?,
                _ => return None,
            }
            escaped = true;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.starts_with(word.as_bytes())
            .then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            // Nothing follows a leading zero but what ends the whole part.
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// Length of the escape whose backslash stands before `bytes`.
fn escape(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => {
            let digits = bytes.get(1..5)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
        }
        _ => None,
    }
}

fn ignore(_: &str, _: bool, _: &str) {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize as _;
    use serde_json::value::RawValue;

    type Members<'a> = Vec<(&'a str, &'a str)>;

    fn read(text: &str) -> Option<(usize, Members<'_>)> {
        let mut members = Vec::new();
        let length = object(text, |key, _, value| members.push((key, value)))?;
        Some((length, members))
    }

    /// As far as a parser that is trusted reads.
    fn by_serde(text: &str) -> Option<usize> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let raw = <&RawValue>::deserialize(&mut reader).ok()?;
        Some(raw.get().len())
    }

    #[test]
    fn it_reads_what_items_are_made_of() {
        let text = "{ \"a\" : -1.5e+3 ,\n\"b\\\"\\u00e9\":\"x\\\\ é\",\"c\":{\"d\":[\"]}\",[],{}]},\"e\":[ ] , \"f\":null,\"g\":0,\"h\":true} , next";
        let (length, members) = read(text).unwrap();
        assert_eq!(&text[length..], " , next");
        let names: Vec<_> = members.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [
                "\"a\"",
                "\"b\\\"\\u00e9\"",
                "\"c\"",
                "\"e\"",
                "\"f\"",
                "\"g\"",
                "\"h\""
            ]
        );
        assert_eq!(members[2].1, "{\"d\":[\"]}\",[],{}]}");
        assert_eq!(read("{}"), Some((2, Vec::new())));
    }

    #[test]
    fn it_refuses_what_a_parser_refuses() {
        for value in [
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "0x1",
            "tru",
            "nul",
            "'x'",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\u{1}\"",
            "\"\n\"",
            "[1,]",
            "[1 2]",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "",
            "\"",
            "[",
            "{\"a\":",
            "-01",
            "1.e5",
            "NaN",
            "\"\\",
            "\"\\u12",
        ] {
            let text = format!("{{\"x\":{value}}}");
            assert_eq!(by_serde(&text), None, "{text}");
            assert_eq!(read(&text), None, "{text}");
        }
        let deep = format!("{{\"x\":{}1{}}}", "[".repeat(99), "]".repeat(99));
        assert_eq!(read(&deep), None);
    }

    proptest! {
        #[test]
        fn what_it_accepts_is_json_of_that_length(text in "\\{[\\[\\]{}\",:\\\\ au0-9e.+\\-\u{1}é\n]{0,24}\\}?") {
            if let Some((length, _)) = read(&text) {
                prop_assert_eq!(Some(length), by_serde(&text));
            }
        }

        #[test]
        fn it_reads_objects_as_serde_does(pairs in proptest::collection::vec((any::<String>(), any::<String>(), any::<f64>()), 0..5), rest in any::<String>()) {
            let mut text = String::from("{");
            for (n, (key, value, number)) in pairs.iter().enumerate() {
                let comma = if n > 0 { "," } else { "" };
                text.push_str(&format!("{comma}{}:[{},{}]", serde_json::json!(key), serde_json::json!(value), serde_json::json!(number)));
            }
            text.push('}');
            let length = text.len();
            text.push_str(&rest);
            let (found, members) = read(&text).unwrap();
            prop_assert_eq!(found, length);
            for ((key, value), (k, v, _)) in members.into_iter().zip(&pairs) {
                prop_assert_eq!(&serde_json::from_str::<String>(key).unwrap(), k);
                let (text, _): (String, Option<f64>) = serde_json::from_str(value).unwrap();
                prop_assert_eq!(&text, v);
            }
        }
    }
}
