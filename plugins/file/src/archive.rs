//! Files set aside: numbering, compressing, and removing the oldest. A crash at any point loses nothing.

use crate::rotation::{Aside, Chore, Compression, Form, Policy};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The live file's path with this suffix.
pub(crate) fn beside(live: &Path, aside: Aside) -> PathBuf {
    let mut name = OsString::from(live);
    name.push(aside.suffix());
    name.into()
}

/// The folder a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Every file set aside beside the live one, in no order.
pub(crate) fn list(live: &Path) -> io::Result<Vec<Aside>> {
    let mut found = Vec::new();
    let base = live.file_name().unwrap_or_default().as_encoded_bytes();
    for entry in fs::read_dir(folder(live))? {
        let name = entry?.file_name();
        let suffix = name.as_encoded_bytes().strip_prefix(base);
        let suffix = suffix.and_then(|suffix| std::str::from_utf8(suffix).ok());
        found.extend(suffix.and_then(Aside::parse));
    }
    Ok(found)
}

/// Set the live file aside, under a number of its own.
pub(crate) fn set_aside(live: &Path) -> io::Result<()> {
    let number = Aside::next_number(&list(live)?);
    let form = Form::Whole(Compression::None);
    fs::rename(live, beside(live, Aside { number, form }))
}

/// Do what the policy wants done. One file that cannot be dealt with does not keep the others from it.
///
/// # Errors
/// The first failure.
pub(crate) fn tidy(live: &Path, policy: Policy, stop: &AtomicBool) -> io::Result<()> {
    let mut outcome = Ok(());
    for chore in policy.chores(&list(live)?) {
        let done = match chore {
            Chore::Remove(files) => files
                .into_iter()
                .try_for_each(|file| remove(&beside(live, file))),
            Chore::Settle { number, compressed } => {
                settle(live, number, compressed, policy.compress, stop)
            }
        };
        outcome = outcome.and(done);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    outcome
}

/// Bring one number into its final form.
fn settle(
    live: &Path,
    number: u64,
    compressed: bool,
    compression: Compression,
    stop: &AtomicBool,
) -> io::Result<()> {
    let form = Form::Whole(Compression::None);
    let plain_path = beside(live, Aside { number, form });
    let plain = match File::open(&plain_path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    // Whoever holds the lock owns the partial files of this number. A sink that is being replaced by a reload may still be
    // at it, and may have finished between the listing and the lock.
    if plain.try_lock().is_err() || !is_at(&plain, &plain_path) {
        return Ok(());
    }
    for partial in Compression::ALL.map(Form::Partial) {
        remove(&beside(
            live,
            Aside {
                number,
                form: partial,
            },
        ))?;
    }
    if compressed {
        // It has its name only since it was whole: the crash came before the plain one was removed.
        return remove(&plain_path);
    }
    if compression == Compression::None {
        return Ok(());
    }
    let part = beside(
        live,
        Aside {
            number,
            form: Form::Partial(compression),
        },
    );
    let done = beside(
        live,
        Aside {
            number,
            form: Form::Whole(compression),
        },
    );
    if let Err(error) = compress(&plain, &part, compression, stop) {
        remove(&part)?;
        return Err(error);
    }
    fs::rename(&part, done)?;
    File::open(folder(live))?.sync_all()?;
    remove(&plain_path)
}

fn compress(
    plain: &File,
    part: &Path,
    compression: Compression,
    stop: &AtomicBool,
) -> io::Result<()> {
    let out = File::create(part)?;
    out.set_permissions(plain.metadata()?.permissions())?;
    let mut lines = Stoppable { plain, stop };
    let mut buffered = BufWriter::new(&out);
    match compression {
        Compression::None => {
            io::copy(&mut lines, &mut buffered)?;
        }
        Compression::Gzip => {
            let level = flate2::Compression::default();
            let mut encoder = flate2::write::GzEncoder::new(&mut buffered, level);
            io::copy(&mut lines, &mut encoder)?;
            encoder.finish()?;
        }
        Compression::Zstd => zstd::stream::copy_encode(&mut lines, &mut buffered, 0)?,
    }
    buffered.flush()?;
    out.sync_all()
}

/// A reader that fails once it is told to stop, so that a large file does not hold up the end of the program.
struct Stoppable<'a> {
    plain: &'a File,
    stop: &'a AtomicBool,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped; it is done at the next start"));
        }
        self.plain.read(buffer)
    }
}

/// Whether `path` names this open file.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => open.dev() == there.dev() && open.ino() == there.ino(),
        _ => false,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
