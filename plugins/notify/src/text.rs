//! Text of strangers made fit for a message: no controls, and never longer than the service takes.

use unifi_herald_plugin::push_plain;

/// What a text is cut to: so many units, and what one character costs of them.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) most: usize,
    pub(crate) cost: fn(char) -> usize,
}

impl Limit {
    /// So many characters.
    pub(crate) const fn chars(most: usize) -> Self {
        Self { most, cost: |_| 1 }
    }

    /// So many bytes of UTF-8.
    pub(crate) const fn bytes(most: usize) -> Self {
        Self {
            most,
            cost: char::len_utf8,
        }
    }

    /// So many units of UTF-16, which is what services written in JavaScript or Java count.
    pub(crate) const fn utf16(most: usize) -> Self {
        Self {
            most,
            cost: char::len_utf16,
        }
    }

    /// The same unit with another number.
    pub(crate) const fn but(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// What `text` costs.
    pub(crate) fn cost(self, text: &str) -> usize {
        text.chars().map(self.cost).sum()
    }

    /// `text`, or as much of its beginning as fits before an ellipsis.
    pub(crate) fn cut(self, text: &str) -> String {
        let ellipsis = (self.cost)(ELLIPSIS);
        let mut spent = 0;
        // Where to cut, should the text turn out to be too long.
        let mut kept = 0;
        for (at, c) in text.char_indices() {
            if spent + ellipsis <= self.most {
                kept = at;
            }
            spent += (self.cost)(c);
            if spent > self.most {
                let mut cut = text[..kept].trim_end().to_owned();
                if ellipsis <= self.most {
                    cut.push(ELLIPSIS);
                }
                return cut;
            }
        }
        text.to_owned()
    }
}

const ELLIPSIS: char = '…';

/// `text` as one line that commands nothing; empty when there is nothing to see in it.
pub(crate) fn line(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    push_plain(text.trim(), &mut out);
    // `push_plain` writes whole characters.
    String::from_utf8(out).unwrap_or_default()
}

/// `text` with its lines, none of which commands anything.
pub(crate) fn lines(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    for (number, line) in text.trim().lines().enumerate() {
        if number > 0 {
            out.push(b'\n');
        }
        push_plain(line.trim_end(), &mut out);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// `text` with every character replaced for which there is a replacement.
pub(crate) fn escape(text: &str, replacement: fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match replacement(c) {
            Some(escaped) => out.push_str(escaped),
            None => out.push(c),
        }
    }
    out
}

/// As text or attribute of HTML.
pub(crate) fn html(text: &str) -> String {
    escape(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_is_at_a_character_and_says_so() {
        assert_eq!(Limit::chars(5).cut("Attic"), "Attic");
        assert_eq!(Limit::chars(5).cut("Attics"), "Atti…");
        assert_eq!(Limit::bytes(7).cut("Küche 1"), "Küc…");
        assert_eq!(Limit::bytes(8).cut("Küche 1"), "Küche 1");
        assert_eq!(Limit::utf16(4).cut("📡📡📡"), "📡…");
        assert_eq!(Limit::chars(7).cut("Attic  roof"), "Attic…");
        assert_eq!(Limit::chars(0).cut("a"), "");
        assert_eq!(Limit::bytes(2).cut("abc"), "");
    }

    #[test]
    fn controls_and_directions_are_gone() {
        assert_eq!(
            line(" a\r\nBcc: b\u{202e}c\u{7} "),
            "a  Bcc: b\u{fffd}c\u{fffd}"
        );
        assert_eq!(lines("a\r\nb\u{1b}[0m \n\n c\n"), "a\nb\u{fffd}[0m\n\n c");
    }

    proptest! {
        #[test]
        fn a_cut_never_exceeds_its_limit_and_keeps_the_beginning(text in ".{0,40}", most in 0_usize..50) {
            for limit in [Limit::chars(most), Limit::bytes(most), Limit::utf16(most)] {
                let cut = limit.cut(&text);
                prop_assert!(limit.cost(&cut) <= most);
                if limit.cost(&text) <= most {
                    prop_assert_eq!(&cut, &text);
                } else {
                    let kept = cut.strip_suffix(ELLIPSIS).unwrap_or(&cut);
                    prop_assert!(text.starts_with(kept));
                }
            }
        }

        #[test]
        fn a_line_is_one_line(text in "\\PC{0,20}[\\x00-\\x20\u{202e}\u{2028}]{0,4}\\PC{0,20}") {
            let line = line(&text);
            let commands = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}');
            prop_assert!(!line.contains(commands), "{:?}", line);
        }
    }
}
