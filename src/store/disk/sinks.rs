//! The sinks' rows: names that outlive a reload, and their books.

use super::as_seq;
use super::commit::Pen;
use super::names::Names;
use super::schema::fold_log;
use crate::store::{Books, SinkBooks};
use rusqlite::{Connection, Row};
use unifi_herald_plugin::Timestamp;

/// Numbers a killed process may have used without a trace: those of batches in memory when the disk refused, or
/// that a power cut took back.
const SKIPPED_AFTER_A_CRASH: u64 = 1 << 16;

/// Find or make the rows of these names, of which some may have left the configuration, note which others have, and
/// return what writes for them, with their books.
pub(super) fn pen(
    connection: &Connection,
    names: &[(&str, bool)],
    now: Timestamp,
) -> rusqlite::Result<(Pen, Vec<Books>)> {
    let transaction = connection.unchecked_transaction()?;
    // A disk that takes nothing is no hindrance while nothing has changed.
    if !are_as_named(&transaction, names)? {
        transaction.execute(
            "UPDATE sinks SET gone = coalesce(gone, ?1)",
            [now.as_millis()],
        )?;
        for (name, left) in names {
            transaction.execute(
                "INSERT INTO sinks (name, gone) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET gone = iif(?2 IS NULL, NULL, gone)",
                (name, left.then(|| now.as_millis())),
            )?;
        }
    }
    let mut ids = Vec::with_capacity(names.len());
    let mut books = Vec::with_capacity(names.len());
    for (name, _) in names {
        let (id, balance) = transaction.query_row(
            "SELECT id, received, duplicate, filtered, delivered, dead_lettered, pending, lost FROM sinks
             WHERE name = ?1",
            [name],
            |row| Ok((row.get(0)?, balance(row, 1)?)),
        )?;
        ids.push(id);
        books.push(balance);
    }
    let gone = names.iter().map(|(_, left)| *left).collect();
    transaction.commit()?;
    Ok((Pen::new(Names::load(connection)?, ids, gone), books))
}

/// Whether the rows are of these names, and say of each whether it left the configuration, and all others did.
fn are_as_named(connection: &Connection, names: &[(&str, bool)]) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare("SELECT name, gone IS NOT NULL FROM sinks")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut found = 0;
    for row in rows {
        let (name, gone): (String, bool) = row?;
        match names.iter().find(|(known, _)| *known == name) {
            Some((_, left)) if *left == gone => found += 1,
            None if gone => {}
            _ => return Ok(false),
        }
    }
    Ok(found == names.len())
}

/// The books of every sink the store knows, those that left the configuration included.
pub(super) fn all_books(connection: &Connection) -> rusqlite::Result<Vec<SinkBooks>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, received, duplicate, filtered, delivered, dead_lettered, pending, lost FROM sinks ORDER BY id",
    )?;
    statement
        .query_map([], |row| {
            Ok(SinkBooks {
                name: row.get::<_, String>(0)?.into(),
                books: balance(row, 1)?,
            })
        })?
        .collect()
}

fn balance(row: &Row<'_>, from: usize) -> rusqlite::Result<Books> {
    let count = |index| row.get(from + index).map(as_seq);
    Ok(Books {
        received: count(0)?,
        duplicate: count(1)?,
        filtered: count(2)?,
        delivered: count(3)?,
        dead_lettered: count(4)?,
        pending: count(5)?,
        lost: count(6)?,
    })
}

/// Note that a run begins; returns the first number it may use.
pub(super) fn begin_run(connection: &Connection) -> rusqlite::Result<u64> {
    let clean: bool = connection.query_row("SELECT clean FROM run", [], |row| row.get(0))?;
    // Retention never takes the newest event, so its number is here.
    let last: i64 =
        connection.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| {
            row.get(0)
        })?;
    if clean {
        connection.execute("UPDATE run SET clean = 0", [])?;
    }
    let skipped = if clean { 0 } else { SKIPPED_AFTER_A_CRASH };
    Ok(as_seq(last) + 1 + skipped)
}

/// Note that this run ends as it should, and fold the log into the database.
pub(super) fn note_clean_end(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE run SET clean = 1", [])?;
    fold_log(connection)
}
