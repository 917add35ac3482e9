//! Finds where values begin and end in JSON text, without reading what is in between.
//!
//! It is meant for text that a parser has checked, where it is several times cheaper than a second parse. On other
//! text it finds something or nothing, and never reads outside.

/// Call `each` with every member of the object at the start of `text`, in order: the key with its quotes, whether it
/// has escapes, and the value. Nothing when `text` does not start with an object or the object does not end.
pub(super) fn members<'a>(
    text: &'a str,
    mut each: impl FnMut(&'a str, bool, &'a str),
) -> Option<()> {
    let mut at = Scan::new(text);
    at.eat(b'{')?;
    if at.eat(b'}').is_some() {
        return Some(());
    }
    loop {
        at.skip_white();
        let start = at.at;
        let escaped = at.skip_string()?;
        let key = text.get(start..at.at)?;
        at.eat(b':')?;
        at.skip_white();
        each(key, escaped, at.value()?);
        if at.eat(b',').is_none() {
            return at.eat(b'}');
        }
    }
}

/// Call `each` with every element of the list at the start of `text`, in order. Nothing when `text` does not start
/// with a list or the list does not end.
pub(super) fn elements<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Option<()> {
    let mut at = Scan::new(text);
    at.eat(b'[')?;
    if at.eat(b']').is_some() {
        return Some(());
    }
    loop {
        at.skip_white();
        each(at.value()?);
        if at.eat(b',').is_none() {
            return at.eat(b']');
        }
    }
}

/// The value at the start of `text`. Nothing when there is none or it does not end.
pub(super) fn value(text: &str) -> Option<&str> {
    let mut at = Scan::new(text);
    at.skip_white();
    at.value()
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

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

    /// Step over a string and say whether it has escapes.
    fn skip_string(&mut self) -> Option<bool> {
        if self.peek()? != b'"' {
            return None;
        }
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        let mut at = self.at + 1;
        loop {
            at += quote_or_odd::<0>(bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return Some(escaped);
            }
            escaped = true;
            at += 2;
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        match self.peek()? {
            b'"' => {
                self.skip_string()?;
            }
            b'{' | b'[' => self.skip_nested()?,
            _ => {
                while !matches!(
                    self.peek()?,
                    b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'
                ) {
                    self.at += 1;
                }
            }
        }
        (self.at > start)
            .then(|| self.text.get(start..self.at))
            .flatten()
    }

    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

/// Where the first quote, backslash or byte below `LEAST` is: eight bytes at a time, since most strings are too short for a
/// wider search.
pub(super) fn quote_or_odd<const LEAST: u8>(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // The lowest bit that is set marks the first byte of `word` that is below `limit`, which is at most 128.
    let below =
        |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word & (EACH << 7);
    let find = |word: u64, byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = find(word, b'"') | find(word, b'\\') | below(word, LEAST);
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let is_odd = |byte: &u8| matches!(byte, b'"' | b'\\') || *byte < LEAST;
    let at = rest.iter().position(is_odd)?;
    Some(words.len() * 8 + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        members(text, |key, _, value| found.push((key, value)))?;
        Some(found)
    }

    #[test]
    fn members_come_as_they_stand() {
        let text =
            "{ \"a\" : 1.5e3 ,\n\"b\\\"\":\"x\\\\\",\"c\":{\"d\":[\"]}\"]},\"e\":[ ] , \"f\":null}";
        let expected = [
            ("\"a\"", "1.5e3"),
            ("\"b\\\"\"", "\"x\\\\\""),
            ("\"c\"", "{\"d\":[\"]}\"]}"),
            ("\"e\"", "[ ]"),
            ("\"f\"", "null"),
        ];
        assert_eq!(found(text), Some(expected.to_vec()));
        assert_eq!(found(" {} "), Some(vec![]));
        for text in [
            "",
            "[",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":[}",
            "{\"\\",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn elements_come_as_they_stand() {
        let mut found = Vec::new();
        assert!(elements("[ 1 , {\"a\":[2,3]},\"x\" ]", |element| found.push(element)).is_some());
        assert_eq!(found, ["1", "{\"a\":[2,3]}", "\"x\""]);
        assert!(elements("{}", |_| ()).is_none());
        assert!(elements("[1,]", |_| ()).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[\\[\\]{}\",:\\\\ a1é]{0,40}") {
            let _found = members(&text, |_, _, _| ());
            let _found = elements(&text, |_| ());
        }

        #[test]
        fn valid_objects_are_read_as_serde_reads_them(pairs in proptest::collection::vec((any::<String>(), any::<String>(), any::<i64>()), 0..5)) {
            let mut text = String::from("{");
            for (n, (key, value, number)) in pairs.iter().enumerate() {
                let comma = if n > 0 { "," } else { "" };
                text.push_str(&format!("{comma}{}:[{},{number}]", serde_json::json!(key), serde_json::json!(value)));
            }
            text.push('}');
            let found = found(&text).unwrap();
            prop_assert_eq!(found.len(), pairs.len());
            for ((key, value), (k, v, n)) in found.into_iter().zip(&pairs) {
                prop_assert_eq!(&serde_json::from_str::<String>(key).unwrap(), k);
                prop_assert_eq!(&serde_json::from_str::<(String, i64)>(value).unwrap(), &(v.clone(), *n));
            }
        }
    }
}
