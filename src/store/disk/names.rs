//! Numbers for what repeats from event to event: controller and site, and the kind.

use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use unifi_herald_plugin::{Event, Kind, Text};

/// The numbers in use, so that a batch looks nothing up in the database.
#[derive(Debug)]
pub(super) struct Names {
    kinds: Vec<i64>,
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    controller: Text,
    site: Text,
    site_name: Text,
    id: i64,
}

impl Names {
    /// Read the kinds; sources are learnt as they come.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("SELECT name, id FROM kinds")?;
        let known = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?
            .collect::<Result<HashMap<_, _>, _>>()?;
        // Opening the database added every kind of this version.
        let id = |kind: &Kind| known.get(kind.as_str()).copied().unwrap_or(0);
        Ok(Self {
            kinds: Kind::ALL.iter().map(id).collect(),
            sources: Vec::new(),
        })
    }

    pub(super) fn kind(&self, kind: Kind) -> i64 {
        self.kinds[kind.index()]
    }

    /// The number of the event's controller and site; a new one gets a row.
    pub(super) fn source(
        &mut self,
        connection: &Connection,
        event: &Event,
    ) -> rusqlite::Result<i64> {
        let known = self.sources.iter().find(|source| {
            source.controller == event.controller
                && source.site == event.site
                && source.site_name == event.site_name
        });
        if let Some(source) = known {
            return Ok(source.id);
        }
        let id = connection
            .prepare_cached(
                "INSERT INTO sources (controller, site, site_name) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET site_name = excluded.site_name RETURNING id",
            )?
            .query_row(
                (&*event.controller, &*event.site, &*event.site_name),
                |row| row.get(0),
            )?;
        self.sources
            .retain(|source| source.controller != event.controller || source.site != event.site);
        self.sources.push(Source {
            controller: event.controller.clone(),
            site: event.site.clone(),
            site_name: event.site_name.clone(),
            id,
        });
        Ok(id)
    }

    /// Forget the sources: a transaction that may have made some was rolled back.
    pub(super) fn rolled_back(&mut self) {
        self.sources.clear();
    }
}

/// Which of `ids` the journal has.
pub(super) fn known_ids(
    connection: &Connection,
    controller: &str,
    site: &str,
    ids: &[Text],
) -> rusqlite::Result<Vec<bool>> {
    let source: Option<i64> = connection
        .prepare_cached("SELECT id FROM sources WHERE controller = ?1 AND site = ?2")?
        .query_row((controller, site), |row| row.get(0))
        .optional()?;
    let Some(source) = source else {
        return Ok(vec![false; ids.len()]);
    };
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM journal WHERE id = ?1 AND source = ?2")?;
    ids.iter()
        .map(|id| statement.exists((&**id, source)))
        .collect()
}
