//! What a crash left at the end of a file.

use serde::de::IgnoredAny;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// What has to be done before the next line may be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing: the file is empty or ends with a line feed.
    Whole,
    /// Cut the file off here: what follows is the beginning of an event's line, never acknowledged.
    Torn { from: u64 },
    /// Append a line feed: the last line is whole, or it is nothing of ours and not ours to remove.
    Unterminated,
}

/// No line of an event is longer: `raw` has a bound, and the rest is small.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// How every event's line begins.
const BEGINNING: &[u8] = br#"{"v":"#;

/// Look at the end of `file`, which is `len` bytes long.
pub(crate) fn look(file: &File, len: u64) -> io::Result<Tail> {
    let mut last = [0];
    if len == 0 {
        return Ok(Tail::Whole);
    }
    file.read_exact_at(&mut last, len - 1)?;
    if last == *b"\n" {
        return Ok(Tail::Whole);
    }
    let start = len.saturating_sub(LONGEST_LINE);
    let mut end = vec![0; usize::try_from(len - start).unwrap_or(0)];
    file.read_exact_at(&mut end, start)?;
    let line = match end.iter().rposition(|byte| *byte == b'\n') {
        Some(feed) => feed + 1,
        None if start == 0 => 0,
        None => return Ok(Tail::Unterminated),
    };
    let text = &end[line..];
    let ours = text.starts_with(BEGINNING) || BEGINNING.starts_with(text);
    // A power cut may also leave zeros where data was to come.
    let holes = text.iter().all(|byte| *byte == 0);
    if (ours && serde_json::from_slice::<IgnoredAny>(text).is_err()) || holes {
        return Ok(Tail::Torn {
            from: start + line as u64,
        });
    }
    Ok(Tail::Unterminated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn tail(content: &[u8]) -> Tail {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        look(&file, content.len() as u64).unwrap()
    }

    #[test]
    fn an_events_torn_line_is_cut_and_nothing_else_is() {
        assert_eq!(tail(b""), Tail::Whole);
        assert_eq!(tail(b"{\"v\":1}\n"), Tail::Whole);
        assert_eq!(tail(b"{\"v\":1}\n{\"v\":1,\"id"), Tail::Torn { from: 8 });
        assert_eq!(tail(b"{\"v\":1}\n{\""), Tail::Torn { from: 8 });
        assert_eq!(tail(b"{\"v\":1,"), Tail::Torn { from: 0 });
        assert_eq!(tail(b"{\"v\":1}\n\0\0\0"), Tail::Torn { from: 8 });
        assert_eq!(tail(b"{\"v\":1}\n{\"v\":1}"), Tail::Unterminated);
        assert_eq!(tail(b"a diary\nof somebody"), Tail::Unterminated);
    }

    #[test]
    fn a_huge_line_is_not_read_whole() {
        let mut content = b"{\"v\":".to_vec();
        content.resize(5 * 1024 * 1024, b'x');
        assert_eq!(tail(&content), Tail::Unterminated);
    }
}
