//! Dead letters on disk: kept, listed, tried again, dropped.

use super::commit::Json;
use super::omitted::{self, Omission};
use super::outbox::{self, parse};
use super::{as_seq, number};
use crate::store::{DeadLetter, Settled};
use rusqlite::{Connection, OptionalExtension, Row};
use unifi_herald_plugin::{BufferedEvent, Text, Timestamp};

/// Which dead letters; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// Of this sink.
    pub sink: Option<Text>,
    /// Of the event with this id.
    pub id: Option<Text>,
}

/// A dead letter as it is kept: by the sink's name, which may have left the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptLetter {
    /// Name of the sink.
    pub sink: Text,
    /// The event.
    pub event: BufferedEvent,
    /// Why the sink did not get it, for people.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried first.
    pub first: Timestamp,
    /// When it was tried last.
    pub last: Timestamp,
    /// Its place in the order of giving up, where a list goes on.
    pub position: i64,
}

/// How many letters of one sink were moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) sink: i64,
    pub(super) count: u64,
}

const MATCHING: &str = "FROM dead_letters d JOIN sinks s ON s.id = d.sink
     WHERE d.rowid > ?1 AND d.rowid <= ?2 AND (?3 IS NULL OR s.name = ?3) AND (?4 IS NULL OR d.id = ?4)
     ORDER BY d.rowid LIMIT ?5";

pub(super) fn add(
    connection: &Connection,
    sink: i64,
    letter: &DeadLetter,
    json: &mut Vec<u8>,
) -> rusqlite::Result<()> {
    json.clear();
    letter.event.write_json(json);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO dead_letters (sink, seq, id, reason, attempts, first, last, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            sink,
            number(letter.event.seq),
            &*letter.event.id,
            &letter.reason,
            letter.attempts,
            letter.first.as_millis(),
            letter.last.as_millis(),
            Json(json),
        ))?;
    Ok(())
}

/// Dead letters in the order they were given up, at most `limit`, behind `after` (0 at first, then the `position` of
/// the last). One whose event cannot be read any more is left out.
pub(super) fn list(
    connection: &Connection,
    filter: &LetterFilter,
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<KeptLetter>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT s.name, d.seq, d.reason, d.attempts, d.first, d.last, d.body, d.rowid {MATCHING}"
    ))?;
    let (sink, id) = (filter.sink.as_deref(), filter.id.as_deref());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement
        .query_map((after, i64::MAX, sink, id, limit), kept)?
        .filter_map(Result::transpose)
        .collect()
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Option<KeptLetter>> {
    let Some(event) = parse(row.get_ref(6)?.as_bytes()?) else {
        return Ok(None);
    };
    Ok(Some(KeptLetter {
        sink: row.get::<_, String>(0)?.into(),
        event: BufferedEvent {
            seq: as_seq(row.get(1)?),
            ..event
        },
        reason: row.get(2)?,
        attempts: row.get(3)?,
        first: Timestamp::from_millis(row.get(4)?),
        last: Timestamp::from_millis(row.get(5)?),
        position: row.get(7)?,
    }))
}

/// The position of the newest letter: what is given up later is not part of a retry that began before.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT coalesce(max(rowid), 0) FROM dead_letters",
        [],
        |row| row.get(0),
    )
}

/// Make letters up to `newest` pending again `now`, at most `limit`; the rows of the books follow.
pub(super) fn retry(
    connection: &Connection,
    filter: &LetterFilter,
    newest: i64,
    limit: usize,
    now: Timestamp,
) -> rusqlite::Result<Vec<Moved>> {
    let mut moved: Vec<Moved> = Vec::new();
    for (sink, seq, position) in matching(connection, filter, newest, limit)? {
        // Also when it is the journal's form: it is remembered how often the event was tried, and since when it is again.
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO versions (sink, seq, body, attempts, retried)
                 SELECT sink, seq, body, attempts, ?2 FROM dead_letters WHERE rowid = ?1",
            )?
            .execute([position, now.as_millis()])?;
        connection
            .prepare_cached("DELETE FROM dead_letters WHERE rowid = ?1")?
            .execute([position])?;
        if !outbox::insert(connection, sink, as_seq(seq))? {
            continue;
        }
        connection
            .prepare_cached(
                "UPDATE sinks SET dead_lettered = dead_lettered - 1, pending = pending + 1 WHERE id = ?1",
            )?
            .execute([sink])?;
        match moved.iter_mut().find(|moved| moved.sink == sink) {
            Some(moved) => moved.count += 1,
            None => moved.push(Moved { sink, count: 1 }),
        }
    }
    Ok(moved)
}

/// When an event that the sink of this name awaits became pending again, if it was a letter.
pub(super) fn retried_at(
    connection: &Connection,
    sink: &str,
    seq: u64,
) -> rusqlite::Result<Option<Timestamp>> {
    let retried = connection
        .prepare_cached(
            "SELECT v.retried FROM versions v JOIN sinks s ON s.id = v.sink WHERE s.name = ?1 AND v.seq = ?2",
        )?
        .query_row((sink, number(seq)), |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(retried.flatten().map(Timestamp::from_millis))
}

/// Count the tries from before a retry in the letters of what was given up again. To be asked before it is settled, which
/// forgets them.
pub(super) fn count_all_tries(
    connection: &Connection,
    sink: i64,
    settled: &mut [Settled],
) -> rusqlite::Result<()> {
    for one in settled {
        if let Settled::Dead(letter) = one {
            let before: Option<u32> = connection
                .prepare_cached("SELECT attempts FROM versions WHERE sink = ?1 AND seq = ?2")?
                .query_row((sink, number(letter.event.seq)), |row| row.get(0))
                .optional()?;
            letter.attempts = letter.attempts.saturating_add(before.unwrap_or_default());
        }
    }
    Ok(())
}

/// Forget letters, at most `limit`; they stay counted. Returns how many there were.
pub(super) fn drop_matching(
    connection: &Connection,
    filter: &LetterFilter,
    newest: i64,
    limit: usize,
) -> rusqlite::Result<u64> {
    let matching = matching(connection, filter, newest, limit)?;
    drop_all(connection, &matching)?;
    Ok(matching.len() as u64)
}

/// Forget some of those that were tried last before `oldest`.
pub(super) fn drop_old(connection: &Connection, oldest: Timestamp) -> rusqlite::Result<()> {
    let mut old = connection
        .prepare_cached("SELECT sink, seq, rowid FROM dead_letters WHERE last < ?1 LIMIT 1000")?;
    let old = old.query_map([oldest.as_millis()], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    drop_all(connection, &old.collect::<rusqlite::Result<Vec<_>>>()?)
}

/// Forget those with this sink, number and position.
fn drop_all(connection: &Connection, letters: &[(i64, i64, i64)]) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM dead_letters WHERE rowid = ?1")?;
    for (sink, seq, position) in letters {
        omitted::note(connection, *sink, as_seq(*seq), Omission::Dropped)?;
        delete.execute([position])?;
    }
    Ok(())
}

/// Sink, number and position of matching letters.
fn matching(
    connection: &Connection,
    filter: &LetterFilter,
    newest: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, i64, i64)>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT d.sink, d.seq, d.rowid {MATCHING}"))?;
    let (sink, id) = (filter.sink.as_deref(), filter.id.as_deref());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement
        .query_map((0, newest, sink, id, limit), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect()
}
