//! Writing to the terminal: data on standard output, everything else on standard error.

use super::Exit;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Write `text` to standard output. A reader who has gone (`herald … | head`) is no failure.
pub(super) fn print(text: &str) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Done,
        Err(error) => unwritten(&error),
    }
}

/// Write a line to standard error; when that is gone as well there is nobody left to tell.
pub(super) fn complain(text: &str) {
    let mut err = io::stderr().lock();
    let _nobody = writeln!(err, "{text}");
}

/// Whether standard error takes colours.
pub(super) fn colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && io::stderr().is_terminal()
}

/// Text of strangers as something that a terminal shows and does not obey.
pub(super) fn plain(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    unifi_herald_plugin::push_plain(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Standard output for many lines.
pub(super) struct Lines(io::BufWriter<io::StdoutLock<'static>>);

impl Lines {
    pub(super) fn new() -> Self {
        Self(io::BufWriter::new(io::stdout().lock()))
    }

    /// Write a line; the error is how the command ends, for a reader who has gone quietly.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Exit> {
        let written = self.0.write_all(text.as_bytes());
        written
            .and_then(|()| self.0.write_all(b"\n"))
            .map_err(|error| unwritten(&error))
    }

    /// Show what was written so far.
    pub(super) fn flush(&mut self) -> Result<(), Exit> {
        self.0.flush().map_err(|error| unwritten(&error))
    }
}

fn unwritten(error: &io::Error) -> Exit {
    if error.kind() == ErrorKind::BrokenPipe {
        return Exit::Done;
    }
    complain(&format!("error: cannot write to standard output: {error}"));
    Exit::Failed
}
