//! The database file: its tables, their versions, and how a connection is set up.

use super::OpenError;
use super::lock::{make_private_file, refuse};
use crate::config::SyncMode;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use unifi_herald_plugin::Kind;

/// Each entry takes the schema from its position to the next version. Entries are only ever added.
const MIGRATIONS: &[&str] = &[V1, V2, V3, V4, V5];

/// `journal` has what is read by number, `search` what is looked for: small rows in the order of time, so that a
/// search without an index of its own still goes through a million in a moment, and a commit pays for none.
/// `outbox` has a row for each batch and sink with the numbers still awaited ([`super::runs::Runs`]), `versions`
/// the events that a sink gets in another form than the journal's.
const V1: &str = "
CREATE TABLE sources (
    id INTEGER PRIMARY KEY, controller TEXT NOT NULL, site TEXT NOT NULL, site_name TEXT NOT NULL,
    UNIQUE (controller, site)
);
CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL,
    verdict BLOB
);
CREATE UNIQUE INDEX journal_id ON journal (id, source);
CREATE TABLE search (
    time INTEGER NOT NULL, seq INTEGER NOT NULL, source INTEGER NOT NULL, kind INTEGER NOT NULL,
    severity INTEGER NOT NULL, client_mac INTEGER, device_mac INTEGER, client_name TEXT, client_host TEXT,
    device_name TEXT, summary TEXT NOT NULL,
    PRIMARY KEY (time, seq)
) WITHOUT ROWID;
CREATE TABLE sinks (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, received INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0, filtered INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0, dead_lettered INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, gone INTEGER
);
CREATE TABLE outbox (
    sink INTEGER NOT NULL, first INTEGER NOT NULL, seqs BLOB NOT NULL, PRIMARY KEY (sink, first)
) WITHOUT ROWID;
CREATE TABLE versions (
    sink INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (sink, seq)
) WITHOUT ROWID;
CREATE TABLE dead_letters (
    sink INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (sink, seq)
);
CREATE TABLE state (
    scope TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires INTEGER, PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE TABLE watermarks (
    controller TEXT NOT NULL, site TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (controller, site)
) WITHOUT ROWID;
CREATE TABLE holes (
    id INTEGER PRIMARY KEY, controller TEXT NOT NULL, site TEXT NOT NULL, \"from\" INTEGER NOT NULL, \"to\" INTEGER,
    reason TEXT NOT NULL
);
CREATE TABLE run (clean INTEGER NOT NULL);
INSERT INTO run VALUES (1);
CREATE VIEW events AS
    SELECT j.seq, j.id, s.controller, s.site, strftime('%Y-%m-%dT%H:%M:%fZ', e.time / 1000.0, 'unixepoch') AS time,
        k.name AS kind, e.severity AS level, e.client_name AS client, e.device_name AS device, e.summary, j.body
    FROM search e JOIN journal j ON j.seq = e.seq JOIN sources s ON s.id = e.source JOIN kinds k ON k.id = e.kind;
";

/// Where a client roams from, and where to if that is not the event's device. Rows of before know neither; whoever looks
/// for a device reads their events ([`super::journal`]), so that the way to this version costs nothing.
const V2: &str = "
ALTER TABLE search ADD COLUMN from_mac INTEGER;
ALTER TABLE search ADD COLUMN from_name TEXT;
ALTER TABLE search ADD COLUMN to_mac INTEGER;
ALTER TABLE search ADD COLUMN to_name TEXT;
";

/// How often a dead letter was tried before it became pending again, for the count of the next one.
const V3: &str = "
ALTER TABLE versions ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
";

/// Why a sink does not get an event that it was given ([`super::omitted`]). What was settled before is not known.
const V4: &str = "
CREATE TABLE omitted (
    seq INTEGER NOT NULL, sink INTEGER NOT NULL, why INTEGER NOT NULL, PRIMARY KEY (seq, sink)
) WITHOUT ROWID;
";

/// When a dead letter became pending again, from which on its sink's `give_up_after` counts. Of others it is not set.
const V5: &str = "
ALTER TABLE versions ADD COLUMN retried INTEGER;
";

/// A database up to this size is checked from end to end when it is opened.
const CHECK_AT_OPEN: u64 = 64 << 20;

/// The page of a new database, in bytes.
pub(super) const PAGE: u64 = 8192;

/// How many pages the log has before it is folded into the database: at least, and at most (16 MiB).
const LOG: (u64, u64) = (64, 2000);

/// How long to wait for another process that is writing, a `herald store` command.
const BUSY: Duration = Duration::from_secs(5);

/// The database in the folder `dir`.
pub(super) fn database_path(dir: &Path) -> PathBuf {
    dir.join("herald.db")
}

/// Open the database for writing, make or migrate its tables, and refuse what cannot be trusted.
pub(super) fn open(dir: &Path, sync: SyncMode) -> Result<Connection, OpenError> {
    let path = database_path(dir);
    make_private_file(&path).map_err(|error| refuse(dir, error))?;
    let failed = |error| OpenError::database(&path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    let version = version(&connection).map_err(failed)?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if version > known {
        return Err(OpenError::Newer {
            file: path,
            found: version,
            known,
        });
    }
    if is_foreign(&connection, version).map_err(failed)? {
        return Err(OpenError::Foreign { file: path });
    }
    prepare(&connection, sync, version == 0).map_err(failed)?;
    if std::fs::metadata(&path).is_ok_and(|meta| meta.len() <= CHECK_AT_OPEN) {
        let complaints = quick_check(&connection).map_err(failed)?;
        if let Some(first) = complaints.into_iter().next() {
            return Err(OpenError::Corrupt {
                file: path,
                detail: first,
            });
        }
    }
    migrate(&mut connection, version).map_err(failed)?;
    Ok(connection)
}

/// Whether the tables are not ours: in a new file there are none, and any version of a store has a journal.
fn is_foreign(connection: &Connection, version: u32) -> rusqlite::Result<bool> {
    let (tables, journals): (i64, i64) = connection.query_row(
        "SELECT count(*), count(iif(name = 'journal', 1, NULL)) FROM sqlite_master WHERE type = 'table'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(if version == 0 {
        tables > 0
    } else {
        journals == 0
    })
}

/// An empty database in memory, in the place of one that cannot be made yet.
pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection, 0)?;
    Ok(connection)
}

/// Open the database for reading, beside whoever writes to it.
pub(super) fn open_to_read(dir: &Path) -> Result<Connection, OpenError> {
    let path = database_path(dir);
    if !path.exists() {
        return Err(OpenError::Missing { file: path });
    }
    let failed = |error| OpenError::database(&path, error);
    let beside = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |uri: &Path, flags| {
        let connection = Connection::open_with_flags(uri, flags)?;
        connection.busy_timeout(BUSY)?;
        let found = version(&connection)?;
        Ok((connection, found))
    };
    let opened = open(&path, beside).or_else(|error: rusqlite::Error| match at_rest(&path) {
        // Beside it nothing can be written, not even what readers and writers share.
        Some(uri) => open(&uri, beside | OpenFlags::SQLITE_OPEN_URI),
        None => Err(error),
    });
    let (connection, found) = opened.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
            if at_rest(&path).is_none() && File::open(&path).is_ok() =>
        {
            OpenError::Log { file: path.clone() }
        }
        _ => failed(error),
    })?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::Newer {
            file: path,
            found,
            known,
        });
    }
    let foreign = is_foreign(&connection, found);
    if foreign.map_err(|error| OpenError::database(&path, error))? {
        return Err(OpenError::Foreign { file: path });
    }
    if found == 0 {
        return Err(OpenError::Missing { file: path });
    }
    Ok(connection)
}

/// By which name a database is read that nobody writes to; nothing when its log holds what it does not have itself.
fn at_rest(path: &Path) -> Option<PathBuf> {
    let log = std::fs::metadata(path.with_extension("db-wal"));
    if log.is_ok_and(|log| log.len() > 0) {
        return None;
    }
    let path = std::path::absolute(path).ok()?;
    let mut uri = "file:".to_owned();
    for byte in path.to_str()?.bytes() {
        match byte {
            b'%' | b'?' | b'#' | 0x80.. => uri.push_str(&format!("%{byte:02x}")),
            _ => uri.push(char::from(byte)),
        }
    }
    Some(PathBuf::from(uri + "?immutable=1"))
}

/// What SQLite's own check complains of; empty when all is well.
pub(super) fn quick_check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA quick_check(20)")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut complaints = lines.collect::<Result<Vec<_>, _>>()?;
    complaints.retain(|line| line != "ok");
    Ok(complaints)
}

/// Set how much a commit waits for the disk.
pub(super) fn set_sync(connection: &Connection, sync: SyncMode) -> rusqlite::Result<()> {
    connection.execute_batch(match sync {
        SyncMode::Full => "PRAGMA synchronous = FULL",
        SyncMode::Normal => "PRAGMA synchronous = NORMAL",
    })
}

/// Keep the log small beside a database of at most `max_size` bytes: a sixteenth of it.
pub(super) fn limit_log(connection: &Connection, max_size: u64) -> rusqlite::Result<()> {
    let pages = (max_size / 16 / PAGE).clamp(LOG.0, LOG.1);
    // A long commit or a long search makes it longer; four times as much is kept of that.
    connection.execute_batch(&format!(
        "PRAGMA wal_autocheckpoint = {pages}; PRAGMA journal_size_limit = {}",
        4 * pages * PAGE
    ))
}

/// Take what the log holds into the database, and give its room back.
pub(super) fn fold_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// The version of the tables.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn prepare(connection: &Connection, sync: SyncMode, new: bool) -> rusqlite::Result<()> {
    if new {
        // Only an empty file takes these. An event is a third of the usual page, and each page costs three calls into
        // the system on its way. Space goes back to the system bit by bit.
        connection.execute_batch(&format!(
            "PRAGMA page_size = {PAGE}; PRAGMA auto_vacuum = INCREMENTAL"
        ))?;
    }
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA cache_size = -8000;
         PRAGMA temp_store = MEMORY;",
    )?;
    set_sync(connection, sync)
}

fn migrate(connection: &mut Connection, version: u32) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (step, migration) in (1_u32..).zip(MIGRATIONS).skip(version as usize) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", step)?;
    }
    {
        let mut insert = transaction.prepare("INSERT OR IGNORE INTO kinds (name) VALUES (?)")?;
        for kind in Kind::ALL {
            insert.execute([kind.as_str()])?;
        }
    }
    transaction.commit()
}
