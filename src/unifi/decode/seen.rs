//! What was logged once and is not logged again.

use super::loggable;
use std::collections::HashSet;

/// Most different texts remembered; a controller that sends more is not worth another line.
const CAPACITY: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<String>);

impl Seen {
    /// The text in a form fit for the log when it is new and there is room; nothing otherwise.
    pub(super) fn first(&mut self, text: &str) -> Option<String> {
        let text = loggable(text);
        let new = self.0.len() < CAPACITY && self.0.insert(text.clone());
        new.then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_comes_once_and_the_set_is_bounded() {
        let mut seen = Seen::default();
        assert_eq!(seen.first("EVT_New").as_deref(), Some("EVT_New"));
        assert_eq!(seen.first("EVT_New"), None);
        assert_eq!(seen.first("a\nb é").as_deref(), Some("a?b??"));
        let long = "x".repeat(1000);
        assert_eq!(seen.first(&long).map(|text| text.len()), Some(64));
        let logged = (0..1000).filter(|n| seen.first(&format!("K{n}")).is_some());
        assert_eq!(logged.count(), CAPACITY - 3);
    }
}
