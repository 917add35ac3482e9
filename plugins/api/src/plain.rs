//! Text of strangers as something that a terminal shows and does not obey.

/// Append `text` so that it cannot command a terminal, begin a line, or turn the line around: tabs and line ends become
/// spaces, and what else a terminal would obey becomes a replacement character.
///
/// ```
/// let mut out = Vec::new();
/// unifi_herald_plugin::push_plain("a\u{1b}[2J\nb", &mut out);
/// assert_eq!(out, "a\u{fffd}[2J b".as_bytes());
/// ```
pub fn push_plain(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        let shown = match c {
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control() || commands(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        out.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Characters that are not controls to Unicode and still change how others are shown: line and paragraph separators,
/// direction marks, embeddings, overrides and isolates (Unicode Standard Annex 9, section 2).
fn commands(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
