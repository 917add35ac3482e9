//! Lines to standard output: one write per batch, nothing torn, nothing twice.

use crate::human::Human;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use unifi_herald_plugin::{BlockingSink, BufferedEvent, BuildContext, DeliveryError, Fault, Text};

/// What a line is.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    Human(Human),
    Json,
}

/// Writes batches to `out`.
pub(crate) struct Output {
    context: BuildContext,
    format: Format,
    out: Box<dyn Write + Send>,
    buffer: Vec<u8>,
    torn: Option<Torn>,
}

/// A larger buffer is given back after use: few batches need one.
const KEPT_BUFFER: usize = 1024 * 1024;

/// A line that went out in part.
struct Torn {
    seq: u64,
    id: Text,
    missing: Vec<u8>,
}

impl Output {
    pub(crate) fn new(context: BuildContext, format: Format, out: Box<dyn Write + Send>) -> Self {
        Self {
            context,
            format,
            out,
            buffer: Vec::new(),
            torn: None,
        }
    }

    fn format(&mut self, events: &[BufferedEvent]) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        let now = self.context.wall();
        for event in events {
            match &mut self.format {
                Format::Human(human) => human.write(event, now, &mut self.buffer),
                Format::Json => {
                    event.write_json(&mut self.buffer);
                    self.buffer.push(b'\n');
                }
            }
        }
    }
}

impl BlockingSink for Output {
    fn deliver(&mut self, events: &[BufferedEvent]) -> Result<(), DeliveryError> {
        let mut accepted = 0;
        // Made whole first, whether its event comes again or not.
        if let Some(mut torn) = self.torn.take() {
            let (written, result) = write_all(&mut self.out, &torn.missing);
            if let Err(error) = result {
                torn.missing.drain(..written);
                self.torn = Some(torn);
                return Err(classify(&error));
            }
            accepted = usize::from(torn.seq == events[0].seq && torn.id == events[0].id);
        }
        self.format(&events[accepted..]);
        let (written, result) = write_all(&mut self.out, &self.buffer);
        let Err(error) = result else {
            return Ok(());
        };
        let (gone, missing) = self.buffer.split_at(written);
        accepted += gone.iter().filter(|byte| **byte == b'\n').count();
        if gone.last().is_some_and(|byte| *byte != b'\n') {
            let line = missing.split_inclusive(|byte| *byte == b'\n').next();
            self.torn = Some(Torn {
                seq: events[accepted].seq,
                id: events[accepted].id.clone(),
                missing: line.unwrap_or_default().to_vec(),
            });
        }
        Err(classify(&error).with_accepted(accepted))
    }
}

/// Write as far as it goes; how many bytes went out.
fn write_all(out: &mut dyn Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match out.write(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

/// A reader that went away never comes back; a full disk behind a redirection may.
fn classify(error: &io::Error) -> DeliveryError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => {
            DeliveryError::misconfigured("standard output is closed: nobody reads it any more")
                .with_fault(Fault::Gone)
        }
        _ => DeliveryError::later(format!("cannot write to standard output: {error}")),
    }
}

/// Standard output without the library's buffer, which hides how much of a failed write went out.
#[derive(Default)]
pub(crate) struct Stdout(Option<File>);

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Held for the write, so that no other output of this process lands inside a batch.
        let mut lock = io::stdout().lock();
        lock.flush()?;
        let file = match &mut self.0 {
            Some(file) => file,
            closed => closed.insert(File::from(lock.as_fd().try_clone_to_owned()?)),
        };
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
