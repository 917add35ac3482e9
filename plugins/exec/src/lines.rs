//! Lines out of bytes as they come, each bounded: what is beyond the bound is not kept.

/// Cuts a stream into lines.
#[derive(Debug)]
pub(crate) struct Lines {
    longest: usize,
    line: Vec<u8>,
    /// Whether the line is longer than what is kept of it.
    cut: bool,
}

impl Lines {
    /// Lines of at most this many bytes.
    pub(crate) fn new(longest: usize) -> Self {
        Self {
            longest,
            line: Vec::new(),
            cut: false,
        }
    }

    /// Take `bytes`, and give every line that they end, without its end, and whether it was cut.
    pub(crate) fn push(&mut self, bytes: &[u8], mut give: impl FnMut(&[u8], bool)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            let room = self.longest - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            self.cut |= text.len() > room;
            if ends {
                self.end(&mut give);
            }
        }
    }

    /// Give what is left when no more bytes come.
    pub(crate) fn finish(&mut self, mut give: impl FnMut(&[u8], bool)) {
        if !self.line.is_empty() {
            self.end(&mut give);
        }
    }

    fn end(&mut self, give: &mut impl FnMut(&[u8], bool)) {
        give(&self.line, self.cut);
        self.line.clear();
        self.cut = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(longest: usize, pieces: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let mut lines = Lines::new(longest);
        let mut given = Vec::new();
        for piece in pieces {
            lines.push(piece, |line, cut| given.push((line.to_vec(), cut)));
        }
        lines.finish(|line, cut| given.push((line.to_vec(), cut)));
        given
    }

    #[test]
    fn a_line_without_end_takes_no_more_room_than_it_may() {
        let mut lines = Lines::new(100);
        for _ in 0..1000 {
            lines.push(&[b'x'; 4096], |_, _| panic!("no line ended"));
        }
        assert!(lines.line.capacity() <= 256);
        let mut given = Vec::new();
        lines.push(b"\nnext\n", |line, cut| given.push((line.len(), cut)));
        assert_eq!(given, [(100, true), (4, false)]);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_come(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200), cuts in proptest::collection::vec(0usize..200, 0..10)) {
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(all(7, &pieces), all(7, &[&bytes]));
        }

        #[test]
        fn short_lines_come_as_they_are(words in proptest::collection::vec("[a-z]{1,7}", 0..20)) {
            let text = words.join("\n");
            let expected: Vec<(Vec<u8>, bool)> = words.iter().map(|word| (word.clone().into_bytes(), false)).collect();
            prop_assert_eq!(all(7, &[text.as_bytes()]), expected);
        }
    }
}
