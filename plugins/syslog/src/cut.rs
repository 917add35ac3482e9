//! Cutting text that is too long, where a reader can tell and nothing is torn.

/// Stands for what was cut off.
const ELLIPSIS: char = '…';

/// Cut `text` to at most `limit` bytes: between characters, never inside an escape (`\x`, or `\u1234` where `json`), with
/// an ellipsis at the end. Where not even that fits, nothing is left.
pub(crate) fn cut(text: &mut String, limit: usize, json: bool) {
    if text.len() <= limit {
        return;
    }
    let Some(room) = limit.checked_sub(ELLIPSIS.len_utf8()) else {
        text.clear();
        return;
    };
    let mut end = 0;
    while let Some(next) = unit(&text[end..], json).filter(|length| end + length <= room) {
        end += next;
    }
    text.truncate(end);
    text.push(ELLIPSIS);
}

/// How many bytes the first character or escape of `text` has.
fn unit(text: &str, json: bool) -> Option<usize> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' {
        return Some(first.len_utf8());
    }
    Some(match chars.next() {
        Some('u') if json => 6,
        Some(escaped) => 1 + escaped.len_utf8(),
        None => 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut_to(text: &str, limit: usize) -> String {
        let mut text = text.to_owned();
        cut(&mut text, limit, true);
        text
    }

    #[test]
    fn cuts_between_characters_and_escapes() {
        assert_eq!(cut_to("abcdef", 6), "abcdef");
        assert_eq!(cut_to("abcdefg", 6), "abc…");
        assert_eq!(cut_to("abüdefg", 6), "ab…");
        assert_eq!(cut_to(r"ab\\defg", 6), "ab…");
        assert_eq!(cut_to(r"a\\defgh", 6), r"a\\…");
        assert_eq!(cut_to(r"a\u0007fgh", 9), "a…");
        assert_eq!(cut_to("abcdef", 2), "");
    }

    proptest! {
        #[test]
        fn never_longer_and_what_is_left_can_be_unescaped(text in ".{0,60}", limit in 0usize..80) {
            let escaped = serde_json::to_string(&text).unwrap();
            let inner = &escaped[1..escaped.len() - 1];
            let short = cut_to(inner, limit);
            prop_assert!(short.len() <= limit);
            let back: String = serde_json::from_str(&format!("\"{short}\"")).unwrap();
            match back.strip_suffix(ELLIPSIS) {
                Some(head) if inner.len() > limit => prop_assert!(text.starts_with(head)),
                _ => prop_assert!(back.is_empty() || back == text),
            }
        }
    }
}
