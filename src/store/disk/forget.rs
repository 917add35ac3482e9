//! Forgets the sinks that left long ago, a piece at a time: what one of them awaits is lost first, and said to be.

use super::runs::Runs;
use super::upkeep::oldest_pending;
use super::writer::Writer;
use crate::config::SyncMode;
use rusqlite::{Connection, OptionalExtension};
use unifi_herald_plugin::Timestamp;

/// Most events, and rows of a table, in one piece.
const PIECE: usize = 1000;

/// The rest of what is known of a sink, besides what it awaits.
const TABLES: [&str; 4] = [
    "DELETE FROM outbox WHERE sink = ?1 AND first IN (SELECT first FROM outbox WHERE sink = ?1 LIMIT ?2)",
    "DELETE FROM versions WHERE sink = ?1 AND seq IN (SELECT seq FROM versions WHERE sink = ?1 LIMIT ?2)",
    "DELETE FROM omitted WHERE sink = ?1 AND seq IN (SELECT seq FROM omitted WHERE sink = ?1 LIMIT ?2)",
    "DELETE FROM dead_letters WHERE sink = ?1 AND seq IN (SELECT seq FROM dead_letters WHERE sink = ?1 LIMIT ?2)",
];

/// What a sink lost piece by piece, to be said once.
#[derive(Debug)]
pub(super) struct Forgetting {
    sink: i64,
    name: String,
    lost: u64,
}

impl Writer {
    /// Forget a piece of a sink that left before `oldest`; false when there is no such sink any more. The books are right
    /// after each piece: between two of them the sink may come back.
    pub(super) fn forget_piece(&mut self, oldest: Timestamp) -> rusqlite::Result<bool> {
        let Some((sink, name)) = left_before(&self.connection, oldest)? else {
            self.say_forgotten();
            return Ok(false);
        };
        let seqs = oldest_pending(&self.connection, sink, &Runs::default(), PIECE)?;
        if seqs.is_empty() {
            self.transact(SyncMode::Normal, |connection, _, _| {
                forget(connection, sink)
            })?;
            return Ok(true);
        }
        let lost = self.lose(sink, &seqs, &[])?;
        match &mut self.upkeep.forgetting {
            Some(known) if known.sink == sink => known.lost += lost,
            _ => {
                self.say_forgotten();
                self.upkeep.forgetting = Some(Forgetting { sink, name, lost });
            }
        }
        Ok(true)
    }

    /// Nothing more of it is lost.
    pub(super) fn say_forgotten(&mut self) {
        if let Some(Forgetting { name, lost, .. }) = self.upkeep.forgetting.take() {
            tracing::warn!(sink = %name, lost, "a sink left the configuration longer than `store.keep` ago, what was pending for it is lost");
        }
    }
}

fn left_before(
    connection: &Connection,
    oldest: Timestamp,
) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .prepare_cached("SELECT id, name FROM sinks WHERE gone < ?1 ORDER BY id LIMIT 1")?
        .query_row([oldest.as_millis()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Forget a piece of what is left of a sink that awaits nothing, and in the end its name and books.
fn forget(connection: &Connection, sink: i64) -> rusqlite::Result<()> {
    let piece = i64::try_from(PIECE).unwrap_or(i64::MAX);
    let mut deleted = 0;
    for table in TABLES {
        deleted += connection.prepare_cached(table)?.execute((sink, piece))?;
    }
    if deleted == 0 {
        connection
            .prepare_cached("DELETE FROM sinks WHERE id = ?1")?
            .execute([sink])?;
    }
    Ok(())
}
