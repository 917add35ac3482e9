//! Appends batches to the file: whole lines, in order, each once.

use crate::archive::{self, folder};
use crate::config::{Settings, Sync};
use crate::disk::Disk;
use crate::tail::{Tail, look};
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;
use unifi_herald_plugin::{BlockingSink, BufferedEvent, BuildContext, DeliveryError, Timestamp};

/// Owns the open file.
pub(crate) struct Writer {
    context: BuildContext,
    settings: Arc<Settings>,
    disk: Box<dyn Disk>,
    live: Option<Live>,
    buffer: Vec<u8>,
    /// Set when files were set aside, or may have been before the start.
    untidy: Arc<AtomicBool>,
}

/// The file that is written to.
struct Live {
    file: File,
    /// A device has no length, no torn tail and no name that anybody could move.
    regular: bool,
    written: Timestamp,
    /// Where the last whole line ends, when the file could not be cut off there yet.
    torn: Option<u64>,
}

impl Writer {
    pub(crate) fn new(
        context: BuildContext,
        settings: Arc<Settings>,
        disk: Box<dyn Disk>,
        untidy: Arc<AtomicBool>,
    ) -> Self {
        Self {
            context,
            settings,
            disk,
            live: None,
            buffer: Vec::new(),
            untidy,
        }
    }

    /// Have the file open, whole, still the one that `path` names, and with room for the buffer.
    fn ready(&mut self, now: Timestamp) -> io::Result<()> {
        if let Some(live) = &mut self.live {
            live.repair(&mut *self.disk)?;
            if live.regular && !live.is_at(&self.settings.path)? {
                // Somebody moved or deleted it, as logrotate does.
                self.live = None;
            }
        }
        if self.live.is_none() {
            self.open()?;
        }
        if self.is_due(now)? {
            archive::set_aside(&self.settings.path)?;
            self.untidy.store(true, Ordering::Relaxed);
            self.live = None;
            self.open()?;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        self.live = Some(Live::open(&self.settings, &mut *self.disk)?);
        if self.settings.sync == Sync::Batch {
            // The name must survive a power cut as well.
            File::open(folder(&self.settings.path))?.sync_all()?;
        }
        Ok(())
    }

    fn is_due(&self, now: Timestamp) -> io::Result<bool> {
        let (Some(live), Some(policy)) = (&self.live, self.settings.rotate) else {
            return Ok(false);
        };
        let size = live.file.metadata()?.len();
        let incoming = self.buffer.len() as u64;
        let due = policy.due(size, incoming, live.written, now, self.context.zone());
        Ok(live.regular && due)
    }

    /// Append the buffer; how many of its lines are in the file when not all of them are.
    fn append(&mut self) -> Result<(), (usize, io::Error)> {
        let Some(live) = &mut self.live else {
            return Err((0, io::ErrorKind::NotFound.into()));
        };
        let start = if live.regular {
            live.file.metadata().map_err(|error| (0, error))?.len()
        } else {
            0
        };
        let (written, result) = write_all(&mut *self.disk, &live.file, &self.buffer);
        if let Err(error) = result {
            let gone = &self.buffer[..written];
            let whole = gone.iter().rposition(|byte| *byte == b'\n');
            let whole = whole.map_or(0, |feed| feed + 1);
            live.cut(&mut *self.disk, start + whole as u64);
            let lines = gone[..whole].iter().filter(|byte| **byte == b'\n').count();
            return Err((lines, error));
        }
        if self.settings.sync == Sync::Batch
            && live.regular
            && let Err(error) = self.disk.sync(&live.file)
        {
            // After a failed sync nobody knows what the disk has, and a second one would not tell: all of it again.
            live.cut(&mut *self.disk, start);
            return Err((0, error));
        }
        Ok(())
    }
}

/// A larger buffer is given back after use: few batches need one.
const KEPT_BUFFER: usize = 1024 * 1024;

impl BlockingSink for Writer {
    fn deliver(&mut self, events: &[BufferedEvent]) -> Result<(), DeliveryError> {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        for event in events {
            event.write_json(&mut self.buffer);
            self.buffer.push(b'\n');
        }
        let path = self.settings.path.clone();
        let now = self.context.wall();
        self.ready(now).map_err(|error| explain(&path, &error))?;
        self.append()
            .map_err(|(accepted, error)| explain(&path, &error).with_accepted(accepted))?;
        if let Some(live) = &mut self.live {
            live.written = now;
        }
        Ok(())
    }
}

impl Live {
    fn open(settings: &Settings, disk: &mut dyn Disk) -> io::Result<Self> {
        let file = open(&settings.path, settings.mode)?;
        let metadata = file.metadata()?;
        let live = Self {
            regular: metadata.is_file(),
            written: modified(&metadata),
            file,
            torn: None,
        };
        if live.regular {
            live.lock()?;
            match look(&live.file, metadata.len())? {
                Tail::Whole => {}
                Tail::Torn { from } => disk.truncate(&live.file, from)?,
                Tail::Unterminated => {
                    write_all(disk, &live.file, b"\n").1?;
                }
            }
        }
        Ok(live)
    }

    /// Two writers would take each other's lines for torn ones. File systems without locks are trusted.
    fn lock(&self) -> io::Result<()> {
        match self.file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                "another sink or program has locked it",
            )),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    /// Whether `path` still names this file.
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let same = |a: &Metadata, b: &Metadata| a.dev() == b.dev() && a.ino() == b.ino();
        match std::fs::metadata(path) {
            Ok(there) => Ok(same(&there, &self.file.metadata()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Take back what was written behind `end`, now or before the next batch.
    fn cut(&mut self, disk: &mut dyn Disk, end: u64) {
        if self.regular && disk.truncate(&self.file, end).is_err() {
            self.torn = Some(end);
        }
    }

    fn repair(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        if let Some(end) = self.torn {
            disk.truncate(&self.file, end)?;
            self.torn = None;
        }
        Ok(())
    }
}

/// When a file was last written; the epoch where the file system does not say.
fn modified(metadata: &Metadata) -> Timestamp {
    let since = metadata.modified().ok();
    let since = since.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let ms = since.map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Open for appending; made when it is not there, its folder is not.
pub(crate) fn open(path: &Path, mode: u32) -> io::Result<File> {
    if let Ok(there) = std::fs::metadata(path) {
        // Opening a pipe without a reader would wait for ever.
        if !there.is_file() && !there.file_type().is_char_device() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "it is not a regular file",
            ));
        }
    }
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(mode)
        .open(path)
}

/// Write as far as it goes; how many bytes went out. One call to the system, unless it takes less than it is given.
fn write_all(disk: &mut dyn Disk, file: &File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match disk.write(file, &bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

/// What people are told, and who has to change.
pub(crate) fn explain(path: &Path, error: &io::Error) -> DeliveryError {
    let message = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory => DeliveryError::misconfigured(message),
        _ => DeliveryError::later(message),
    }
}

#[cfg(test)]
mod tests;
