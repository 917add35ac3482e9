//! Reads a store, beside whoever writes to it: for commands, and for questions to a running host.

use super::journal::{self, JournalEvent, JournalQuery, Order};
use super::letters::{self, KeptLetter, LetterFilter};
use super::names::known_ids;
use super::omitted::{self, Omission};
use super::{OpenError, as_seq, number, outbox, schema, sinks};
use crate::store::{Hole, SinkBooks, StateEntry, StoreError, Stretch, Watermark};
use rusqlite::Connection;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;
use unifi_herald_plugin::{BufferedEvent, Text, Timestamp};

/// A connection that only reads. Its answers are of one moment each; a writer is never in its way.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self {
            message: format!("the store could not be read: {error}; see `herald store check`"),
        }
    }
}

impl Reader {
    /// Open the store in `dir`, whether a herald runs on it or not.
    ///
    /// # Errors
    /// When there is none, or none that this version can read.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        schema::open_to_read(dir).map(|connection| Self { connection })
    }

    /// Of a store that is not there yet, and has nothing.
    pub(super) fn in_memory() -> rusqlite::Result<Self> {
        schema::in_memory().map(|connection| Self { connection })
    }

    /// Call `visit` with every event that `query` describes, in its order, until it has seen enough.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn search(
        &self,
        query: &JournalQuery,
        visit: impl FnMut(JournalEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        Ok(journal::search(&self.connection, query, visit)?)
    }

    /// The first `limit` events that `query` describes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find(
        &self,
        query: &JournalQuery,
        limit: usize,
    ) -> Result<Vec<JournalEvent>, StoreError> {
        let mut found = Vec::new();
        if limit > 0 {
            self.search(query, |event| {
                found.push(event);
                if found.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        }
        Ok(found)
    }

    /// The newest events of a site that are in `stretch`, at most `max`, oldest first.
    pub(super) fn recent(
        &self,
        controller: &str,
        site: &str,
        stretch: &Stretch,
        max: usize,
    ) -> Result<Vec<BufferedEvent>, StoreError> {
        let query = JournalQuery {
            since: Some(stretch.from),
            until: stretch.to.map(|to| to + Duration::from_millis(1)),
            kinds: stretch.kind.into_iter().collect(),
            controller: Some(controller.to_owned()),
            site: Some(site.to_owned()),
            order: Order::NewestFirst,
            ..JournalQuery::default()
        };
        let found = self.find(&query, max)?.into_iter();
        // The query takes patterns and names for people as well.
        let own = found
            .map(|found| found.event)
            .filter(|event| &*event.controller == controller && &*event.site == site);
        let mut events: Vec<_> = own.collect();
        events.reverse();
        Ok(events)
    }

    /// The events with this id, one for each controller and site that has it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn event(&self, id: &str) -> Result<Vec<JournalEvent>, StoreError> {
        Ok(journal::by_id(&self.connection, id)?)
    }

    /// The sinks that still await the event of this number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn awaited_by(&self, seq: u64) -> Result<Vec<Text>, StoreError> {
        let mut found = Vec::new();
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, name FROM sinks ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if outbox::contains(&self.connection, row.get(0)?, seq)? {
                found.push(row.get::<_, String>(1)?.into());
            }
        }
        Ok(found)
    }

    /// The sinks that were given the event of this number and do not get it any more, and why.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn omitted_by(&self, seq: u64) -> Result<Vec<(Text, Omission)>, StoreError> {
        Ok(omitted::of(&self.connection, seq)?)
    }

    /// Dead letters in the order they were given up, at most `limit`, behind the position `after`: 0 at first, then
    /// that of the last one got.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn dead_letters(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<KeptLetter>, StoreError> {
        Ok(letters::list(&self.connection, filter, after, limit)?)
    }

    /// The books of every sink the store knows, those that left the configuration included.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn books(&self) -> Result<Vec<SinkBooks>, StoreError> {
        Ok(sinks::all_books(&self.connection)?)
    }

    /// Which of `ids` the journal has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn known(
        &self,
        controller: &str,
        site: &str,
        ids: &[Text],
    ) -> Result<Vec<bool>, StoreError> {
        Ok(known_ids(&self.connection, controller, site, ids)?)
    }

    /// What is remembered under `scope`, by key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn state(&self, scope: &str) -> Result<Vec<StateEntry>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT key, value, expires FROM state WHERE scope = ?1 ORDER BY key",
        )?;
        let entries = statement.query_map([scope], |row| {
            Ok(StateEntry {
                key: row.get::<_, String>(0)?.into(),
                value: row.get(1)?,
                expires: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_millis),
            })
        })?;
        Ok(entries.collect::<Result<_, _>>()?)
    }

    /// The scopes that begin with `prefix` and under which something is remembered.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scopes(&self, prefix: &str) -> Result<Vec<Text>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT scope FROM state WHERE substr(scope, 1, length(?1)) = ?1 ORDER BY scope",
        )?;
        let scopes = statement.query_map([prefix], |row| row.get::<_, String>(0))?;
        let scopes = scopes.map(|scope| scope.map(Into::into));
        Ok(scopes.collect::<Result<_, _>>()?)
    }

    /// How far each controller and site has come.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn watermarks(&self) -> Result<Vec<Watermark>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT controller, site, time FROM watermarks")?;
        let marks = statement.query_map([], |row| {
            Ok(Watermark {
                controller: row.get::<_, String>(0)?.into(),
                site: row.get::<_, String>(1)?.into(),
                time: Timestamp::from_millis(row.get(2)?),
            })
        })?;
        Ok(marks.collect::<Result<_, _>>()?)
    }

    /// The open holes, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn holes(&self) -> Result<Vec<Hole>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, controller, site, \"from\", \"to\", reason FROM holes ORDER BY id",
        )?;
        let holes = statement.query_map([], |row| {
            Ok(Hole {
                id: as_seq(row.get(0)?),
                controller: row.get::<_, String>(1)?.into(),
                site: row.get::<_, String>(2)?.into(),
                from: Timestamp::from_millis(row.get(3)?),
                to: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
                reason: row.get::<_, String>(5)?.into(),
            })
        })?;
        Ok(holes.collect::<Result<_, _>>()?)
    }

    pub(super) fn retried_at(&self, sink: &str, seq: u64) -> Result<Option<Timestamp>, StoreError> {
        Ok(letters::retried_at(&self.connection, sink, seq)?)
    }

    pub(super) fn newest_letter(&self) -> Result<i64, StoreError> {
        Ok(letters::newest(&self.connection)?)
    }

    /// How many events the journal has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn events(&self) -> Result<u64, StoreError> {
        let count: i64 = self.connection.query_row(
            "SELECT count(*) FROM search WHERE seq >= ?1",
            [number(0)],
            |row| row.get(0),
        )?;
        Ok(as_seq(count))
    }
}
