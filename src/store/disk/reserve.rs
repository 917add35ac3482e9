//! Room that is put by for a start on a full disk: SQLite needs a little to open a store at all.

use super::lock::make_private_file;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The memory that connections share takes 32 KiB, the first entries of the log a few pages.
const SIZE: usize = 512 << 10;

fn path(dir: &Path) -> PathBuf {
    dir.join("herald.reserve")
}

/// Put the room by, unless it is or there is none.
pub(super) fn keep(dir: &Path) {
    let path = path(dir);
    if path.exists() {
        return;
    }
    let mut filling = vec![0; SIZE];
    // A file system that compresses would give zeros no room.
    fastrand::fill(&mut filling);
    let written = make_private_file(&path).and_then(|()| fs::write(&path, filling));
    if let Err(error) = written {
        tracing::debug!(%error, "store has no room to put by");
        release(dir);
    }
}

/// Give the room up; whether there was any.
pub(super) fn release(dir: &Path) -> bool {
    match fs::remove_file(path(dir)) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            tracing::debug!(%error, "store could not give up the room it put by");
            false
        }
    }
}
