//! Keeps the store within its age and size, in slices between commits, and gives space back to the system.

use super::forget::Forgetting;
use super::letters;
use super::omitted::{self, Omission};
use super::outbox;
use super::runs::Runs;
use super::schema;
use super::untold;
use super::writer::Writer;
use super::{as_seq, number};
use crate::buffer::Loss;
use crate::config::SyncMode;
use crate::own_event::Scope;
use crate::store::losses::Losses;
use rusqlite::{Connection, OptionalExtension};
use std::time::{Duration, Instant};
use unifi_herald_plugin::Timestamp;

/// How often a round begins when little comes in.
const EVERY: Duration = Duration::from_secs(60);

/// After so many new events a round begins whatever the time: as many as fill a thirtieth of the store, at least and at most.
const EVENTS: (u64, u64) = (16, 4096);

/// What an event takes on disk, about.
const EVENT_SIZE: u64 = 2048;

/// Rows in a slice: at least, and at most. A slice takes twice what came in since the last one, to get ahead.
const SLICE: (usize, usize) = (256, 2048);

/// Remembered state is kept this long after it expired: a replayed event may live by an earlier time.
const STATE_SLACK: Duration = Duration::from_secs(24 * 60 * 60);

/// Free pages that are kept for what comes, besides an eighth of the file: 4 MiB, less in a small store.
const FREE: u64 = 512;

/// Pages given back to the system in one go.
const VACUUM: usize = 128;

/// Where the current round is.
#[derive(Debug)]
pub(super) struct Upkeep {
    next_round: Instant,
    stage: Stage,
    fresh: usize,
    /// The sink that is being forgotten.
    pub(super) forgetting: Option<Forgetting>,
}

/// What a round does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Between two rounds.
    Rest,
    /// Forget the sinks that left long ago.
    Sinks,
    /// Look at the journal behind this number.
    Journal(u64),
}

/// What there is to say about the size of the file.
struct Usage {
    used: u64,
    pages: u64,
    free: u64,
}

impl Upkeep {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            next_round: now + EVERY,
            stage: Stage::Rest,
            fresh: 0,
            forgetting: None,
        }
    }

    /// Note that a batch of `events` came in.
    pub(super) fn note(&mut self, events: usize) {
        self.fresh += events;
    }

    /// Whether a round is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.stage != Stage::Rest
    }
}

impl Writer {
    /// One slice of a round, when one is due.
    pub(super) fn look_after(&mut self) {
        let now = self.clock.now();
        let many = (self.plan.max_size / 30 / EVENT_SIZE).clamp(EVENTS.0, EVENTS.1);
        let due = now >= self.upkeep.next_round || self.upkeep.fresh as u64 >= many;
        if !self.upkeep.is_busy() && !due {
            return;
        }
        let next = match self.upkeep.stage {
            Stage::Rest => self.begin_round(),
            Stage::Sinks => self.forget_sinks(),
            Stage::Journal(cursor) => self.slice(cursor).map(|cursor| match cursor {
                Some(cursor) => Stage::Journal(cursor),
                None => Stage::Rest,
            }),
        };
        self.upkeep.stage = next.unwrap_or_else(|error| {
            self.degrade(&error);
            Stage::Rest
        });
        if !self.upkeep.is_busy() {
            self.upkeep.next_round = now + EVERY;
            self.upkeep.fresh = 0;
        }
    }

    /// What is not the journal's: expired state, old dead letters.
    fn begin_round(&mut self) -> rusqlite::Result<Stage> {
        let now = self.clock.wall();
        let (oldest, expired) = (now - self.plan.keep, now - STATE_SLACK);
        self.transact(SyncMode::Normal, |connection, _, _| {
            connection
                .prepare_cached("DELETE FROM state WHERE expires < ?1")?
                .execute([expired.as_millis()])?;
            letters::drop_old(connection, oldest)
        })?;
        Ok(Stage::Sinks)
    }

    fn forget_sinks(&mut self) -> rusqlite::Result<Stage> {
        let more = self.forget_piece(self.clock.wall() - self.plan.keep)?;
        Ok(if more {
            Stage::Sinks
        } else {
            Stage::Journal(0)
        })
    }

    /// Look at the next rows behind `cursor`; returns where to go on.
    fn slice(&mut self, cursor: u64) -> rusqlite::Result<Option<u64>> {
        let rows = (2 * self.upkeep.fresh).clamp(SLICE.0, SLICE.1);
        let usage = usage(&self.connection)?;
        let over = usage.used > self.plan.max_size;
        let oldest = self.clock.wall() - self.plan.keep;
        let step = self.transact(SyncMode::Normal, |connection, _, _| {
            prune(connection, cursor, rows, (!over).then_some(oldest))
        })?;
        self.upkeep.fresh = 0;
        if let Some(cursor) = step {
            return Ok(Some(cursor));
        }
        if over {
            return self.lose_backlog(rows);
        }
        // What is free is used again; only much of it is worth the moving.
        let spare = FREE.min(self.plan.max_size / 8 / schema::PAGE);
        if usage.free > spare.max(usage.pages / 8) {
            self.connection
                .execute_batch(&format!("PRAGMA incremental_vacuum({VACUUM})"))?;
            return Ok(Some(cursor));
        }
        Ok(None)
    }

    /// The journal has nothing more to give: the oldest of the longest backlog is lost.
    fn lose_backlog(&mut self, rows: usize) -> rusqlite::Result<Option<u64>> {
        let longest = longest_backlog(&self.connection)?;
        let Some((sink, name)) = longest else {
            return Ok(None);
        };
        let position = self.pen.sinks.iter().position(|id| *id == sink);
        let claimed = match position {
            Some(position) => {
                // Only a refill brings events back into the window, and refills are made by this thread.
                let lane = self.shared.lane(position);
                let mut window = lane.window();
                window.reset();
                window.claimed().clone()
            }
            None => Runs::default(),
        };
        let seqs = oldest_pending(&self.connection, sink, &claimed, rows)?;
        let Some(first) = seqs.first() else {
            return Ok(None);
        };
        let losses = losses(&self.connection, &seqs)?;
        let lost = self.lose(sink, &seqs, &losses)?;
        for loss in losses {
            self.shared.losses().add(loss);
        }
        if let Some(position) = position {
            self.shared.lane(position).filled.notify_one();
        }
        tracing::error!(sink = %name, lost, "store is full, the oldest pending events are lost; raise `store.max_size` or mend the sink");
        Ok(Some(first.saturating_sub(1)))
    }

    /// The sink will not get these, which it awaits: enter it in its books, and keep what is to be told of it.
    pub(super) fn lose(
        &mut self,
        sink: i64,
        seqs: &Runs,
        untold: &[Loss],
    ) -> rusqlite::Result<u64> {
        let position = self.pen.sinks.iter().position(|id| *id == sink);
        self.transact(SyncMode::Normal, |connection, _, books| {
            untold::add(connection, untold)?;
            let lost = outbox::remove(connection, sink, seqs)?;
            for seq in lost.iter() {
                omitted::note(connection, sink, seq, Omission::Lost)?;
            }
            let lost = lost.len();
            match position {
                Some(position) => books[position].lose(lost),
                None => {
                    connection
                        .prepare_cached(
                            "UPDATE sinks SET pending = pending - ?2, lost = lost + ?2 WHERE id = ?1",
                        )?
                        .execute((sink, number(lost)))?;
                }
            }
            Ok(lost)
        })
    }
}

/// Delete what no sink awaits among the next `rows` behind `cursor`: what is older than `before`, or everything.
/// Returns where to go on, `None` at the end.
fn prune(
    connection: &Connection,
    cursor: u64,
    rows: usize,
    before: Option<Timestamp>,
) -> rusqlite::Result<Option<u64>> {
    let newest: i64 = connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM journal")?
        .query_row([], |row| row.get(0))?;
    let mut select = connection.prepare_cached(
        "SELECT seq, time FROM journal WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3",
    )?;
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let mut found = select
        .query_map((number(cursor), newest, rows), |row| {
            Ok((as_seq(row.get(0)?), row.get::<_, i64>(1)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(before) = before {
        // In the order of commit the first that is young enough ends the round.
        let old = found
            .iter()
            .take_while(|(_, time)| *time < before.as_millis());
        let old = old.count();
        found.truncate(old);
    }
    let (Some((first, _)), Some((last, _))) = (found.first(), found.last()) else {
        return Ok(None);
    };
    let awaited = outbox::awaited(connection, *first, *last)?;
    let mut journal = connection.prepare_cached("DELETE FROM journal WHERE seq = ?1")?;
    let mut search =
        connection.prepare_cached("DELETE FROM search WHERE time = ?1 AND seq = ?2")?;
    for (seq, time) in found.iter().filter(|(seq, _)| !awaited.contains(*seq)) {
        journal.execute([number(*seq)])?;
        search.execute((time, number(*seq)))?;
    }
    omitted::forget(connection, *first, *last)?;
    Ok(Some(*last))
}

fn longest_backlog(connection: &Connection) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .prepare_cached(
            "SELECT id, name FROM sinks WHERE pending > 0 ORDER BY pending DESC LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// At most so many of the oldest that a sink awaits and that no lane has in its hands.
pub(super) fn oldest_pending(
    connection: &Connection,
    sink: i64,
    claimed: &Runs,
    rows: usize,
) -> rusqlite::Result<Runs> {
    let mut seqs = Runs::default();
    let (mut after, mut count) = (0, 0);
    while let Some((key, row)) = outbox::oldest(connection, sink, after)? {
        for seq in row.iter().filter(|seq| !claimed.contains(*seq)) {
            if count == rows {
                return Ok(seqs);
            }
            seqs.insert(seq);
            count += 1;
        }
        after = key;
    }
    Ok(seqs)
}

/// Where and when the events of these numbers happened.
fn losses(connection: &Connection, seqs: &Runs) -> rusqlite::Result<Vec<Loss>> {
    let mut statement = connection.prepare_cached(
        "SELECT s.controller, s.site, s.site_name, j.time FROM journal j JOIN sources s ON s.id = j.source
         WHERE j.seq = ?1",
    )?;
    let mut losses = Losses::default();
    for seq in seqs.iter() {
        let mut rows = statement.query([number(seq)])?;
        if let Some(row) = rows.next()? {
            let scope = Scope {
                controller: row.get::<_, String>(0)?.into(),
                site: row.get::<_, String>(1)?.into(),
                site_name: row.get::<_, String>(2)?.into(),
            };
            losses.note(&scope, Timestamp::from_millis(row.get(3)?));
        }
    }
    Ok(losses.into_all())
}

fn usage(connection: &Connection) -> rusqlite::Result<Usage> {
    let ask = |pragma: &str| {
        connection
            .prepare_cached(pragma)?
            .query_row([], |row| row.get(0))
            .map(as_seq)
    };
    let size = ask("PRAGMA page_size")?;
    let (pages, free) = (ask("PRAGMA page_count")?, ask("PRAGMA freelist_count")?);
    Ok(Usage {
        used: (pages - free.min(pages)) * size,
        pages,
        free,
    })
}
