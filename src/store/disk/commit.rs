//! Writes a batch, and what a sink settled, within the writer's transaction.

use super::letters;
use super::names::Names;
use super::number;
use super::omitted::{self, Omission};
use super::outbox;
use super::runs::Runs;
use super::untold;
use crate::store::{Books, Commit, HoleChange, Settled, Share, StateChange, Watermark};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Device, Mac, Place};

/// JSON text for a column, without a check for what was just written as JSON.
pub(super) struct Json<'a>(pub(super) &'a [u8]);

impl ToSql for Json<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// Writes batches into a database whose sinks have these numbers.
#[derive(Debug)]
pub(super) struct Pen {
    pub(super) names: Names,
    /// The sinks' rows, by number.
    pub(super) sinks: Vec<i64>,
    /// Which of them have left the configuration: a batch is none of their business.
    pub(super) gone: Vec<bool>,
    /// The event being written; kept for its capacity.
    json: Vec<u8>,
}

impl Pen {
    pub(super) fn new(names: Names, sinks: Vec<i64>, gone: Vec<bool>) -> Self {
        Self {
            names,
            sinks,
            gone,
            json: Vec::new(),
        }
    }

    /// Write the batch and enter it in `books`. Returns the numbers of events whose id the journal had: they are
    /// duplicates, and no sink gets them.
    pub(super) fn commit(
        &mut self,
        connection: &Connection,
        commit: &Commit,
        books: &mut [Books],
    ) -> rusqlite::Result<Runs> {
        let duplicates = self.journal(connection, &commit.events, &commit.verdicts)?;
        let fresh = commit.events.len() as u64 - duplicates.len();
        let twice = commit.duplicates + duplicates.len();
        let mut shares = commit.shares.iter().peekable();
        for (position, books) in books.iter_mut().enumerate() {
            let share = shares.next_if(|share| share.sink == position);
            if self.gone[position] && share.is_none() {
                continue;
            }
            let given = match share {
                Some(share) => self.share(connection, share, &commit.events, &duplicates)?,
                None => 0,
            };
            let mut dead = 0;
            for letter in commit.dead.iter().filter(|letter| letter.sink == position) {
                if !duplicates.contains(letter.event.seq) {
                    letters::add(connection, self.sinks[position], letter, &mut self.json)?;
                    dead += 1;
                }
            }
            books.enter_batch(fresh, twice, commit.lost, given, dead);
        }
        write_state(connection, &commit.state)?;
        write_holes(connection, &commit.holes)?;
        untold::told(connection, &commit.told)?;
        for mark in &commit.watermarks {
            write_watermark(connection, mark)?;
        }
        Ok(duplicates)
    }

    /// Write the events; returns the numbers of those the journal had already.
    pub(super) fn journal(
        &mut self,
        connection: &Connection,
        events: &[BufferedEvent],
        verdicts: &[Vec<u8>],
    ) -> rusqlite::Result<Runs> {
        let mut duplicates = Runs::default();
        let mut journal = connection.prepare_cached(
            "INSERT INTO journal (seq, source, id, time, body, verdict) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING",
        )?;
        let mut search = connection.prepare_cached(
            "INSERT OR REPLACE INTO search (time, seq, source, kind, severity, client_mac, device_mac, client_name,
                 client_host, device_name, summary, from_mac, from_name, to_mac, to_name)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?;
        for (index, event) in events.iter().enumerate() {
            let source = self.names.source(connection, event)?;
            let (seq, time) = (number(event.seq), event.time.as_millis());
            self.json.clear();
            event.write_json(&mut self.json);
            let verdict = verdicts.get(index);
            let written =
                journal.execute((seq, source, &*event.id, time, Json(&self.json), verdict))?;
            if written == 0 {
                duplicates.insert(event.seq);
                continue;
            }
            let (client, device) = (event.client.as_ref(), event.device.as_ref());
            let name = client.and_then(|client| client.name.as_deref());
            let host = client.and_then(|client| client.hostname.as_deref());
            let (from_mac, from_name) = end_of(event.from.as_ref()).unwrap_or_default();
            let to = end_of(event.to.as_ref());
            let another = to.filter(|to| Some(*to) != device.map(what_is_kept));
            let (to_mac, to_name) = another.unwrap_or_default();
            search.execute(rusqlite::params![
                time,
                seq,
                source,
                self.names.kind(event.kind),
                event.severity.level(),
                client.and_then(|client| client.mac).map(mac_number),
                device.and_then(|device| device.mac).map(mac_number),
                name,
                host.filter(|host| Some(*host) != name),
                device.and_then(|device| device.name.as_deref()),
                &*event.summary,
                from_mac,
                from_name,
                to_mac,
                to_name,
            ])?;
        }
        Ok(duplicates)
    }

    fn share(
        &mut self,
        connection: &Connection,
        share: &Share,
        events: &[BufferedEvent],
        duplicates: &Runs,
    ) -> rusqlite::Result<u64> {
        let sink = self.sinks[share.sink];
        let mut journal = events.iter().peekable();
        let mut seqs = Runs::default();
        for event in share
            .events
            .iter()
            .filter(|event| !duplicates.contains(event.seq))
        {
            seqs.insert(event.seq);
            while journal.next_if(|known| known.seq < event.seq).is_some() {}
            let same = journal.peek().is_some_and(|known| {
                known.seq == event.seq
                    && (Arc::ptr_eq(&known.event, &event.event) || known == &event)
            });
            if !same {
                self.version(connection, sink, event)?;
            }
        }
        outbox::append(connection, sink, &seqs)?;
        Ok(seqs.len())
    }

    /// Keep the form of the event that this sink gets, which is not the journal's.
    pub(super) fn version(
        &mut self,
        connection: &Connection,
        sink: i64,
        event: &BufferedEvent,
    ) -> rusqlite::Result<()> {
        self.json.clear();
        event.write_json(&mut self.json);
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO versions (sink, seq, body) VALUES (?1, ?2, ?3)",
            )?
            .execute((sink, number(event.seq), Json(&self.json)))?;
        Ok(())
    }

    /// Take what is settled out of the outbox and enter it in `books`; what was not there changes nothing.
    pub(super) fn settle(
        &mut self,
        connection: &Connection,
        position: usize,
        settled: &[Settled],
        books: &mut Books,
    ) -> rusqlite::Result<()> {
        let sink = self.sinks[position];
        let seqs = settled.iter().map(Settled::seq).collect();
        let removed = outbox::remove(connection, sink, &seqs)?;
        for settled in settled.iter().filter(|one| removed.contains(one.seq())) {
            match settled {
                Settled::Delivered { .. } => {}
                Settled::Expired { seq } => {
                    omitted::note(connection, sink, *seq, Omission::TooOld)?;
                }
                Settled::Merged { seq } => {
                    omitted::note(connection, sink, *seq, Omission::Merged)?;
                }
                Settled::Dead(letter) => {
                    letters::add(connection, sink, letter, &mut self.json)?;
                }
            }
            books.settle(settled);
        }
        Ok(())
    }

    /// Write the books as they are now.
    pub(super) fn books(
        &self,
        connection: &Connection,
        before: &[Books],
        after: &[Books],
    ) -> rusqlite::Result<()> {
        let mut update = connection.prepare_cached(
            "UPDATE sinks SET received = ?2, duplicate = ?3, filtered = ?4, delivered = ?5, dead_lettered = ?6,
                 pending = ?7, lost = ?8 WHERE id = ?1",
        )?;
        for ((sink, before), after) in self.sinks.iter().zip(before).zip(after) {
            if before != after {
                update.execute((
                    sink,
                    number(after.received),
                    number(after.duplicate),
                    number(after.filtered),
                    number(after.delivered),
                    number(after.dead_lettered),
                    number(after.pending),
                    number(after.lost),
                ))?;
            }
        }
        Ok(())
    }
}

pub(super) fn mac_number(mac: Mac) -> i64 {
    mac.bytes()
        .iter()
        .fold(0, |number, byte| number << 8 | i64::from(*byte))
}

pub(super) fn write_watermark(connection: &Connection, mark: &Watermark) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO watermarks (controller, site, time) VALUES (?1, ?2, ?3)",
        )?
        .execute((&*mark.controller, &*mark.site, mark.time.as_millis()))?;
    Ok(())
}

pub(super) fn write_state<'c>(
    connection: &Connection,
    changes: impl IntoIterator<Item = &'c StateChange>,
) -> rusqlite::Result<()> {
    for change in changes {
        match change {
            StateChange::Set {
                scope,
                key,
                value,
                expires,
            } => connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO state (scope, key, value, expires) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((&**scope, &**key, value, expires.map(|at| at.as_millis())))?,
            StateChange::Forget { scope, key } => connection
                .prepare_cached("DELETE FROM state WHERE scope = ?1 AND key = ?2")?
                .execute((&**scope, &**key))?,
            StateChange::Clear { scope } => connection
                .prepare_cached("DELETE FROM state WHERE scope = ?1")?
                .execute([&**scope])?,
        };
    }
    Ok(())
}

pub(super) fn write_holes(connection: &Connection, changes: &[HoleChange]) -> rusqlite::Result<()> {
    for change in changes {
        match change {
            HoleChange::Open(hole) => connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO holes (id, controller, site, \"from\", \"to\", reason)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute((
                    number(hole.id),
                    &*hole.controller,
                    &*hole.site,
                    hole.from.as_millis(),
                    hole.to.map(|to| to.as_millis()),
                    &*hole.reason,
                ))?,
            HoleChange::Shrink { id, from, to, .. } => connection
                .prepare_cached("UPDATE holes SET \"from\" = ?2, \"to\" = ?3 WHERE id = ?1")?
                .execute((number(*id), from.as_millis(), to.map(|to| to.as_millis())))?,
            HoleChange::Close { id } => connection
                .prepare_cached("DELETE FROM holes WHERE id = ?1")?
                .execute([number(*id)])?,
        };
    }
    Ok(())
}

/// What a search knows of a device.
fn what_is_kept(device: &Device) -> (Option<i64>, Option<&str>) {
    (device.mac.map(mac_number), device.name.as_deref())
}

/// The device at an end of a way.
fn end_of(place: Option<&Place>) -> Option<(Option<i64>, Option<&str>)> {
    place?.device.as_ref().map(what_is_kept)
}
