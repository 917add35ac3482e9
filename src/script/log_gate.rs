//! Bounds on what a script may write to the log: pure, takes `now`.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
const PER_WINDOW: u32 = 20;
const LONGEST: usize = 500;

/// Lets the first lines of each minute through and counts the rest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogGate {
    began: Option<Instant>,
    lines: u32,
    suppressed: u64,
}

impl LogGate {
    /// Whether a line may be written at `now`, and how many were not since the last one that was.
    pub(super) fn admit(&mut self, now: Instant) -> Option<u64> {
        if self
            .began
            .is_none_or(|began| now.saturating_duration_since(began) >= WINDOW)
        {
            self.began = Some(now);
            self.lines = 0;
        }
        if self.lines >= PER_WINDOW {
            self.suppressed += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

/// `text` as it may stand in a log: cut, and without control characters, which could forge lines or steer a terminal.
pub(super) fn printable(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(LONGEST)
        .map(|c| {
            if c.is_control() || is_bidi_control(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}

/// Characters that turn the direction of writing and so can make a line look like another.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn lets_so_many_lines_through_a_minute_and_counts_the_rest() {
        let mut gate = LogGate::default();
        let start = Clock::system().now();
        for _ in 0..PER_WINDOW {
            assert_eq!(gate.admit(start), Some(0));
        }
        assert_eq!(gate.admit(start + Duration::from_secs(59)), None);
        assert_eq!(gate.admit(start + Duration::from_secs(59)), None);
        assert_eq!(gate.admit(start + WINDOW), Some(2));
        assert_eq!(gate.admit(start + WINDOW), Some(0));
    }

    #[test]
    fn cuts_and_cleans() {
        assert_eq!(printable("a\nb\u{1b}[31mc\u{202e}d"), "a b [31mc d");
        assert_eq!(printable(&"é".repeat(501)), format!("{}…", "é".repeat(500)));
        assert_eq!(printable(&"é".repeat(500)), "é".repeat(500));
    }
}
