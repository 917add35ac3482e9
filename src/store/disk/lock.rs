//! One folder, one herald: the folder itself, its rights, and the lock of the operating system.

use super::OpenError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Holds the folder until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Make the folder when it is missing, and take its lock.
    pub(super) fn take(dir: &Path) -> Result<Self, OpenError> {
        make_private_folder(dir).map_err(|error| refuse(dir, error))?;
        let path = lock_path(dir);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| refuse(dir, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { lock: path }),
            Err(TryLockError::Error(error)) => Err(refuse(dir, error)),
        }
    }
}

fn lock_path(dir: &Path) -> PathBuf {
    dir.join("herald.lock")
}

/// Why there is no file in the folder, or none that can be written to.
pub(super) fn refuse(dir: &Path, error: io::Error) -> OpenError {
    let dir = dir.to_owned();
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::ReadOnly { dir, error }
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OpenError::Full { dir },
        _ => OpenError::Folder { dir, error },
    }
}

fn make_private_folder(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Make a file that only its owner may read; SQLite gives its side files the same rights.
pub(super) fn make_private_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
