//! Why a store cannot be opened, and the way on.

use std::io;
use std::path::PathBuf;

/// The store in this folder cannot be used. Each message is a sentence and what helps.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another herald has it.
    #[error(
        "another herald is using this store: the lock `{}` is held; stop it, or give this one a `store.dir` of its own",
        lock.display()
    )]
    Locked {
        /// The lock file.
        lock: PathBuf,
    },
    /// The folder cannot be written to.
    #[error(
        "the store's folder `{}` cannot be written to ({error}); give this user the right to write there, or set `store.dir` to another folder",
        dir.display()
    )]
    ReadOnly {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// There is no room to open it.
    #[error(
        "the disk with the store's folder `{}` is full; free some space, or set `store.dir` to a folder on another disk",
        dir.display()
    )]
    Full {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder cannot be made or opened.
    #[error("the store's folder `{}` cannot be used ({error}); check `store.dir`", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// There is no store there.
    #[error("there is no store at `{}`; `herald run` makes one, or check `store.dir`", file.display())]
    Missing {
        /// The file that is not there.
        file: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "the store `{}` was written by a newer herald (its schema is {found}, this one knows {known}); run that version or a later one, or move the file away to begin anew",
        file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// The schema's version in the file.
        found: u32,
        /// The newest this herald knows.
        known: u32,
    },
    /// The database is another program's.
    #[error(
        "`{}` is another program's database and no store; move it away, or set `store.dir` to another folder",
        file.display()
    )]
    Foreign {
        /// The database.
        file: PathBuf,
    },
    /// It is damaged, or not a database at all.
    #[error(
        "the store `{}` is damaged: {detail}; see `herald store check`, restore a backup, or move the file away to begin anew",
        file.display()
    )]
    Corrupt {
        /// The database.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// What its last herald left in the log can only be read where something can be written.
    #[error(
        "the store `{}` cannot be read where nothing can be written, for its log beside it is not folded in yet; give this user the right to write there, or copy `herald.db` and `herald.db-wal` to another folder and set `store.dir` to it",
        file.display()
    )]
    Log {
        /// The database.
        file: PathBuf,
    },
    /// The database refused for another reason.
    #[error("the store `{}` cannot be opened: {error}", file.display())]
    Database {
        /// The database.
        file: PathBuf,
        /// What it said.
        #[source]
        error: rusqlite::Error,
    },
    /// The system refused a thread for the writer.
    #[error("the store's writer cannot be started: {0}")]
    Thread(#[source] io::Error),
}

impl OpenError {
    /// The error that SQLite's answer about `file` amounts to.
    pub(super) fn database(file: &std::path::Path, error: rusqlite::Error) -> Self {
        let file = file.to_owned();
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Corrupt {
                    file,
                    detail: error.to_string(),
                }
            }
            Some(rusqlite::ErrorCode::ReadOnly) => Self::ReadOnly {
                dir: file.parent().unwrap_or(&file).to_owned(),
                error: io::Error::new(io::ErrorKind::ReadOnlyFilesystem, error.to_string()),
            },
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full {
                dir: file.parent().unwrap_or(&file).to_owned(),
            },
            // The file of the memory that connections share found no room.
            _ if error.sqlite_extended_error_code()
                == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) =>
            {
                Self::Full {
                    dir: file.parent().unwrap_or(&file).to_owned(),
                }
            }
            _ => Self::Database { file, error },
        }
    }
}
