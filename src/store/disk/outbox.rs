//! What each sink still awaits, on disk: one row for each batch and sink, shortened as the sink settles.

use super::runs::Runs;
use super::{as_seq, number};
use rusqlite::{Connection, OptionalExtension};
use unifi_herald_plugin::BufferedEvent;

/// A stretch of a sink's pending events as it was read.
#[derive(Debug, Default)]
pub(super) struct Refill {
    /// In order.
    pub(super) events: Vec<BufferedEvent>,
    /// Numbers whose event is gone or cannot be read: the file was damaged or meddled with.
    pub(super) unreadable: Vec<u64>,
    /// Whether there is nothing behind them.
    pub(super) complete: bool,
}

/// Add `seqs` to what the sink awaits.
pub(super) fn append(connection: &Connection, sink: i64, seqs: &Runs) -> rusqlite::Result<()> {
    let Some(first) = seqs.first() else {
        return Ok(());
    };
    connection
        .prepare_cached("INSERT INTO outbox (sink, first, seqs) VALUES (?1, ?2, ?3)")?
        .execute((sink, number(first), seqs.encode()))?;
    Ok(())
}

/// Put one number among those the sink awaits, wherever it belongs. False when it was there.
pub(super) fn insert(connection: &Connection, sink: i64, seq: u64) -> rusqlite::Result<bool> {
    if let Some((key, mut seqs)) = row_before(connection, sink, seq)?
        && (key == seq || seqs.last() >= Some(seq))
    {
        let added = seqs.insert(seq);
        write(connection, sink, key, &seqs)?;
        return Ok(added);
    }
    append(connection, sink, &Runs::from_iter([seq]))?;
    Ok(true)
}

/// Take `seqs`, rising, out; returns those that were there.
pub(super) fn remove(connection: &Connection, sink: i64, seqs: &Runs) -> rusqlite::Result<Runs> {
    let mut removed = Runs::default();
    let mut open: Option<(u64, Runs)> = None;
    for seq in seqs.iter() {
        if !open.as_ref().is_some_and(|(_, row)| row.contains(seq)) {
            if let Some((key, row)) = open.take() {
                write(connection, sink, key, &row)?;
            }
            open = row_before(connection, sink, seq)?;
        }
        if let Some((_, row)) = &mut open
            && row.remove(seq)
        {
            removed.insert(seq);
        }
    }
    if let Some((key, row)) = open {
        write(connection, sink, key, &row)?;
    }
    remove_versions(connection, sink, &removed)?;
    Ok(removed)
}

fn remove_versions(connection: &Connection, sink: i64, seqs: &Runs) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else {
        return Ok(());
    };
    let any = connection
        .prepare_cached("SELECT 1 FROM versions WHERE sink = ?1 AND seq BETWEEN ?2 AND ?3 LIMIT 1")?
        .exists((sink, number(first), number(last)))?;
    if any {
        let mut delete =
            connection.prepare_cached("DELETE FROM versions WHERE sink = ?1 AND seq = ?2")?;
        for seq in seqs.iter() {
            delete.execute((sink, number(seq)))?;
        }
    }
    Ok(())
}

/// Read what the sink awaits behind `cursor`, leaving out what `skip` names, until there are `max_events` or
/// `max_bytes`.
pub(super) fn read(
    connection: &Connection,
    sink: i64,
    cursor: u64,
    max_events: usize,
    max_bytes: usize,
    skip: impl Fn(u64) -> bool,
) -> rusqlite::Result<Refill> {
    let mut rows = connection.prepare_cached(
        "SELECT seqs FROM outbox WHERE sink = ?1 AND first >= coalesce(
             (SELECT max(first) FROM outbox WHERE sink = ?1 AND first <= ?2), 0)
         ORDER BY first",
    )?;
    let mut body = connection.prepare_cached(
        "SELECT coalesce((SELECT body FROM versions WHERE sink = ?1 AND seq = ?2),
                         (SELECT body FROM journal WHERE seq = ?2))",
    )?;
    let mut refill = Refill::default();
    let mut bytes = 0;
    let mut rows = rows.query((sink, number(cursor)))?;
    while let Some(row) = rows.next()? {
        let seqs = decode(row.get_ref(0)?.as_blob()?)?;
        for seq in seqs.iter().filter(|seq| *seq > cursor && !skip(*seq)) {
            if refill.events.len() >= max_events || bytes >= max_bytes {
                return Ok(refill);
            }
            let event = body.query_row((sink, number(seq)), |row| {
                let text = row.get_ref(0)?.as_bytes_or_null()?;
                Ok(text.and_then(parse))
            })?;
            match event {
                Some(event) => {
                    bytes += event.weight();
                    refill.events.push(BufferedEvent { seq, ..event });
                }
                None => refill.unreadable.push(seq),
            }
        }
    }
    refill.complete = true;
    Ok(refill)
}

/// The oldest row of a sink: what it awaits of one batch.
pub(super) fn oldest(
    connection: &Connection,
    sink: i64,
    after: u64,
) -> rusqlite::Result<Option<(u64, Runs)>> {
    connection
        .prepare_cached(
            "SELECT first, seqs FROM outbox WHERE sink = ?1 AND first > ?2 ORDER BY first LIMIT 1",
        )?
        .query_row((sink, number(after)), key_and_seqs)
        .optional()
}

/// Which of the numbers from `from` to `to` any sink awaits.
pub(super) fn awaited(connection: &Connection, from: u64, to: u64) -> rusqlite::Result<Runs> {
    let mut awaited = Runs::default();
    let mut sinks = connection.prepare_cached("SELECT id FROM sinks WHERE pending > 0")?;
    let mut rows = connection.prepare_cached(
        "SELECT seqs FROM outbox WHERE sink = ?1 AND first <= ?3 AND first >= coalesce(
             (SELECT max(first) FROM outbox WHERE sink = ?1 AND first <= ?2), 0)",
    )?;
    let ids = sinks
        .query_map([], |row| row.get::<_, i64>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for sink in ids {
        let mut rows = rows.query((sink, number(from), number(to)))?;
        while let Some(row) = rows.next()? {
            let seqs = decode(row.get_ref(0)?.as_blob()?)?;
            for seq in seqs.iter().filter(|seq| (from..=to).contains(seq)) {
                awaited.insert(seq);
            }
        }
    }
    Ok(awaited)
}

/// Whether the sink awaits this number.
pub(super) fn contains(connection: &Connection, sink: i64, seq: u64) -> rusqlite::Result<bool> {
    let row = row_before(connection, sink, seq)?;
    Ok(row.is_some_and(|(_, seqs)| seqs.contains(seq)))
}

pub(super) fn parse(text: &[u8]) -> Option<BufferedEvent> {
    serde_json::from_slice(text).ok()
}

fn row_before(
    connection: &Connection,
    sink: i64,
    seq: u64,
) -> rusqlite::Result<Option<(u64, Runs)>> {
    connection
        .prepare_cached(
            "SELECT first, seqs FROM outbox WHERE sink = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1",
        )?
        .query_row((sink, number(seq)), key_and_seqs)
        .optional()
}

fn key_and_seqs(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, Runs)> {
    Ok((as_seq(row.get(0)?), decode(row.get_ref(1)?.as_blob()?)?))
}

fn decode(bytes: &[u8]) -> rusqlite::Result<Runs> {
    Runs::decode(bytes).ok_or(rusqlite::Error::InvalidQuery)
}

fn write(connection: &Connection, sink: i64, key: u64, seqs: &Runs) -> rusqlite::Result<()> {
    if seqs.is_empty() {
        connection
            .prepare_cached("DELETE FROM outbox WHERE sink = ?1 AND first = ?2")?
            .execute((sink, number(key)))?;
    } else {
        connection
            .prepare_cached("UPDATE outbox SET seqs = ?3 WHERE sink = ?1 AND first = ?2")?
            .execute((sink, number(key), seqs.encode()))?;
    }
    Ok(())
}
