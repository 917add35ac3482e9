//! What `herald store` and `herald dead-letters` do to a store that no herald runs on, or beside one where that is safe.

use super::commit::write_state;
use super::letters::{self, LetterFilter};
use super::lock::Lock;
use super::{OpenError, schema};
use crate::config::SyncMode;
use crate::store::{StateChange, StoreError};
use rusqlite::Connection;
use std::path::Path;
use unifi_herald_plugin::Timestamp;

/// Letters moved in one transaction, so that a running host never waits long.
pub(super) const LETTERS: usize = 256;

/// Why maintenance was not done.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database, or the file it was to write, refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for MaintenanceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Read the database from end to end and return what is wrong with it; nothing when all is well. May run beside a
/// herald.
///
/// # Errors
/// When it cannot be opened for another reason than damage, which says more than a list would.
pub fn check(dir: &Path) -> Result<Vec<String>, OpenError> {
    let connection = match schema::open_to_read(dir) {
        Ok(connection) => connection,
        Err(OpenError::Corrupt { detail, .. }) => return Ok(vec![detail]),
        Err(error) => return Err(error),
    };
    let mut complaints = match schema::quick_check(&connection) {
        Ok(complaints) => complaints,
        Err(error) => vec![error.to_string()],
    };
    if complaints.is_empty() {
        match unbalanced(&connection) {
            Ok(names) => complaints.extend(
                names
                    .iter()
                    .map(|name| format!("the books of the sink {name} do not balance")),
            ),
            Err(error) => complaints.push(error.to_string()),
        }
    }
    Ok(complaints)
}

/// The sinks whose books do not balance.
fn unbalanced(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT name FROM sinks
             WHERE received != duplicate + filtered + delivered + dead_lettered + pending + lost",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Write the database anew without its free space, and give that back to the system. Needs as much free space as the
/// database has, for a while. Returns the bytes before and after.
///
/// # Errors
/// When a herald runs on the store, or there is no room.
pub fn compact(dir: &Path) -> Result<(u64, u64), MaintenanceError> {
    let (_lock, connection) = open_alone(dir)?;
    let size = || std::fs::metadata(schema::database_path(dir)).map_or(0, |meta| meta.len());
    schema::fold_log(&connection)?;
    let before = size();
    connection.execute_batch("VACUUM")?;
    schema::fold_log(&connection)?;
    Ok((before, size()))
}

/// Make the dead letters that `filter` describes pending again `now`, on a store that no herald runs on. Returns how many.
///
/// # Errors
/// When a herald runs on the store: it does this itself, on its socket.
pub fn retry_letters(
    dir: &Path,
    filter: &LetterFilter,
    now: Timestamp,
) -> Result<u64, MaintenanceError> {
    let moved = |connection: &Connection, newest| {
        let moved = letters::retry(connection, filter, newest, LETTERS, now)?;
        Ok(moved.iter().map(|one| one.count).sum())
    };
    each_piece(dir, moved)
}

/// Forget the dead letters that `filter` describes, on a store that no herald runs on. They stay counted. Returns how
/// many there were.
///
/// # Errors
/// When a herald runs on the store: it does this itself, on its socket.
pub fn drop_letters(dir: &Path, filter: &LetterFilter) -> Result<u64, MaintenanceError> {
    each_piece(dir, |connection, newest| {
        letters::drop_matching(connection, filter, newest, LETTERS)
    })
}

/// Forget everything under the scopes that begin with `prefix`, while no herald runs; returns how many values.
///
/// # Errors
/// When a herald runs on the store: what it remembers is in its memory.
pub fn forget_state(dir: &Path, prefix: &str) -> Result<u64, MaintenanceError> {
    let (_lock, connection) = open_alone(dir)?;
    let forgotten = connection.execute(
        "DELETE FROM state WHERE substr(scope, 1, length(?1)) = ?1",
        [prefix],
    )?;
    Ok(forgotten as u64)
}

/// Change what is remembered, while no herald runs.
///
/// # Errors
/// When a herald runs on the store: what it remembers is in its memory.
pub fn change_state(dir: &Path, changes: &[StateChange]) -> Result<(), MaintenanceError> {
    let (_lock, mut connection) = open_alone(dir)?;
    let transaction = connection.transaction()?;
    write_state(&transaction, changes)?;
    transaction.commit()?;
    Ok(())
}

fn each_piece(
    dir: &Path,
    piece: impl Fn(&Connection, i64) -> rusqlite::Result<u64>,
) -> Result<u64, MaintenanceError> {
    let (_lock, mut connection) = open_alone(dir)?;
    let newest = letters::newest(&connection)?;
    let mut total = 0;
    loop {
        let transaction = connection.transaction()?;
        let count = piece(&transaction, newest)?;
        transaction.commit()?;
        total += count;
        if count == 0 {
            return Ok(total);
        }
    }
}

fn open_alone(dir: &Path) -> Result<(Lock, Connection), MaintenanceError> {
    // Before the lock, which would make the folder.
    drop(schema::open_to_read(dir)?);
    let lock = Lock::take(dir)?;
    Ok((lock, schema::open(dir, SyncMode::Full)?))
}
