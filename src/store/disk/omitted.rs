//! Which events a sink was given and does not get any more, and why: what is delivered leaves no row.

use super::number;
use super::schema;
use rusqlite::Connection;
use unifi_herald_plugin::Text;

/// Why a sink does not get an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Omission {
    /// It was older than the sink's `max_age` when its turn came.
    TooOld = 1,
    /// It told of an incident whose end, which tells more, was pending too.
    Merged,
    /// There was no room.
    Lost,
    /// It was a dead letter, which was dropped.
    Dropped,
}

impl Omission {
    const ALL: [Self; 4] = [Self::TooOld, Self::Merged, Self::Lost, Self::Dropped];

    /// As programs are told.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "too_old",
            Self::Merged => "merged",
            Self::Lost => "lost",
            Self::Dropped => "dropped",
        }
    }
}

/// Note it of the event of this number.
pub(super) fn note(
    connection: &Connection,
    sink: i64,
    seq: u64,
    why: Omission,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO omitted (seq, sink, why) VALUES (?1, ?2, ?3)")?
        .execute((number(seq), sink, why as i64))?;
    Ok(())
}

/// The sinks that do not get the event of this number.
pub(super) fn of(connection: &Connection, seq: u64) -> rusqlite::Result<Vec<(Text, Omission)>> {
    // As an older herald left it, before this one runs.
    if schema::version(connection)? < 4 {
        return Ok(Vec::new());
    }
    let mut rows = connection.prepare_cached(
        "SELECT s.name, o.why FROM omitted o JOIN sinks s ON s.id = o.sink WHERE o.seq = ?1 ORDER BY s.id",
    )?;
    let rows = rows.query_map([number(seq)], |row| {
        let why: i64 = row.get(1)?;
        let known = Omission::ALL.into_iter().find(|one| *one as i64 == why);
        Ok((row.get::<_, String>(0)?, known))
    })?;
    let found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let known = found.into_iter();
    Ok(known
        .filter_map(|(sink, why)| Some((sink.into(), why?)))
        .collect())
}

/// Forget what is noted of events from `first` to `last` that the journal does not have any more.
pub(super) fn forget(connection: &Connection, first: u64, last: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM omitted WHERE seq BETWEEN ?1 AND ?2
             AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.seq = omitted.seq)",
        )?
        .execute((number(first), number(last)))?;
    Ok(())
}
