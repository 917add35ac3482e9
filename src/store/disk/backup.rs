//! Copies a store, as of one moment: whole, or not at all.

use super::lock::make_private_file;
use super::maintain::MaintenanceError;
use super::{OpenError, schema};
use crate::store::StoreError;
use rusqlite::ffi;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Write a copy of the store, as of one moment, to `file`, which must not be there yet. May run beside a herald. What is
/// there under that name is always a whole copy.
///
/// # Errors
/// When `file` is there, or cannot be written, or the store cannot be read to its end.
pub fn backup(dir: &Path, file: &Path) -> Result<(), MaintenanceError> {
    let connection = schema::open_to_read(dir)?;
    if file.exists() {
        return Err(MaintenanceError::Store(StoreError {
            message: format!(
                "`{}` is there already; a backup overwrites nothing, name another file",
                file.display()
            ),
        }));
    }
    let refused = |error: &dyn Display| {
        MaintenanceError::Store(StoreError {
            message: format!("the backup `{}` cannot be written: {error}", file.display()),
        })
    };
    let partial = Partial::beside(file);
    let path = partial
        .0
        .to_str()
        .ok_or_else(|| refused(&"its name is not UTF-8"))?;
    // SQLite writes into an empty file, and this one only its owner may read.
    make_private_file(&partial.0).map_err(|error| refused(&error))?;
    connection
        .execute("VACUUM INTO ?1", [path])
        .map_err(|error| {
            if is_of_the_store(&error) {
                let store = schema::database_path(dir);
                OpenError::database(&store, error).into()
            } else {
                refused(&error)
            }
        })?;
    std::fs::rename(&partial.0, file).map_err(|error| refused(&error))
}

/// A copy that is being written: gone when it is not named otherwise in the end.
struct Partial(PathBuf);

impl Partial {
    /// In the folder of `file`, under a name that no other process uses at the same time.
    fn beside(file: &Path) -> Self {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        Self(PathBuf::from(name))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Nothing is there after a rename, and what cannot be removed now is in nobody's way.
        std::fs::remove_file(&self.0).unwrap_or_default();
    }
}

/// Whether it was the store that could not be read, and not the copy that could not be written.
fn is_of_the_store(error: &rusqlite::Error) -> bool {
    error.sqlite_extended_error_code().is_some_and(|code| {
        matches!(code & 0xff, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB)
            || matches!(
                code,
                ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS
            )
    })
}
