//! Text from the network, made fit to be shown and shared between events.

use std::borrow::Cow;
use unifi_herald_plugin::Text;

/// Longest name, in characters.
pub(super) const MAX_NAME: usize = 128;

/// Text without control characters, line breaks and marks that turn the direction of writing, without white
/// space at its ends, and of at most `max` characters.
pub(super) fn clean(text: &str, max: usize) -> Cow<'_, str> {
    let graphic = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    // Without stopping early, so that the compiler can look at many bytes at a time.
    let odd = bytes
        .iter()
        .fold(false, |odd, byte| odd | !matches!(byte, 0x20..=0x7e));
    if bytes.len() <= max && !odd && graphic(bytes.first()) && graphic(bytes.last()) {
        return Cow::Borrowed(text);
    }
    let text = text.trim();
    if !text.contains(is_hidden) {
        return Cow::Borrowed(cut(text, max));
    }
    let shown: String = text.chars().filter(|c| !is_hidden(*c)).take(max).collect();
    Cow::Owned(shown.trim().to_owned())
}

/// The first `max` characters of `text`.
pub(super) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    text.char_indices()
        .nth(max)
        .map_or(text, |(end, _)| &text[..end])
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Shares names, networks and addresses that repeat from event to event: the newest text of each slot is kept.
#[derive(Debug)]
pub(super) struct Texts {
    slots: Box<[Option<Text>]>,
}

const SLOTS: usize = 1024;

impl Texts {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![None; SLOTS].into_boxed_slice(),
        }
    }

    /// `text` as shared text.
    pub(super) fn share(&mut self, text: &str) -> Text {
        let slot = &mut self.slots[slot_of(text)];
        match slot {
            Some(kept) if **kept == *text => kept.clone(),
            _ => slot.insert(text.into()).clone(),
        }
    }

    /// A name fit to be shown; nothing when nothing is left of it.
    pub(super) fn name(&mut self, text: &str) -> Option<Text> {
        let text = clean(text, MAX_NAME);
        (!text.is_empty()).then(|| self.share(&text))
    }
}

/// FNV-1a. Whoever makes texts collide only makes them be copied.
fn slot_of(text: &str) -> usize {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash % SLOTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_is_shown_has_no_hidden_characters() {
        assert_eq!(clean(" a\r\n\u{1b}[31mb\u{202e}c ", 99), "a[31mbc");
        assert_eq!(clean("größer", 3), "grö");
        assert_eq!(clean("größer", 99), "größer");
        assert_eq!(clean("\u{7}\u{0} ", 99), "");
    }

    #[test]
    fn repeated_text_is_shared() {
        let mut texts = Texts::new();
        let first = texts.share("Home");
        assert!(Arc::ptr_eq(&first, &texts.share("Home")));
        assert_eq!(&*texts.share("Garden"), "Garden");
        assert_eq!(texts.name(" \t"), None);
    }
}
