//! Searches the journal.

use super::commit::mac_number;
use super::outbox::parse;
use super::{as_seq, number};
use crate::glob;
use rusqlite::{Connection, OptionalExtension, Row};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use unifi_herald_plugin::{BufferedEvent, Kind, Mac, Severity, Timestamp};

/// What to look for in the journal; what is `None` or empty does not matter. Patterns take `*` and `?` and ignore
/// case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalQuery {
    /// At or after this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Of one of these kinds.
    pub kinds: Vec<Kind>,
    /// MAC address, name or host name of the client.
    pub client: Option<String>,
    /// MAC address or name of the device.
    pub device: Option<String>,
    /// Short or display name of the site.
    pub site: Option<String>,
    /// Name of the controller.
    pub controller: Option<String>,
    /// At least as severe.
    pub severity: Option<Severity>,
    /// Somewhere in the summary.
    pub text: Option<String>,
    /// In which order.
    pub order: Order,
}

/// The order of what is found, by the time of the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// An event of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEvent {
    /// The event as it was committed.
    pub event: BufferedEvent,
    /// What became of it in the chains, in the form of whoever wrote it.
    pub verdict: Option<Vec<u8>>,
}

/// Call `visit` with every event that `query` describes, until it has seen enough.
pub(super) fn search(
    connection: &Connection,
    query: &JournalQuery,
    mut visit: impl FnMut(JournalEvent) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let Some(sql) = search_sql(connection, query)? else {
        return Ok(());
    };
    let text = query.text.as_ref().map(|text| format!("*{text}*"));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if !matches(row, query, text.as_deref())? {
            continue;
        }
        if let Some(event) = by_seq(connection, as_seq(row.get(0)?))?
            && visit(event).is_break()
        {
            break;
        }
    }
    Ok(())
}

/// The events with this id, one for each controller and site that has it.
pub(super) fn by_id(connection: &Connection, id: &str) -> rusqlite::Result<Vec<JournalEvent>> {
    let mut statement =
        connection.prepare_cached("SELECT body, verdict, seq FROM journal WHERE id = ?1")?;
    statement
        .query_map([id], read)?
        .filter_map(Result::transpose)
        .collect()
}

fn by_seq(connection: &Connection, seq: u64) -> rusqlite::Result<Option<JournalEvent>> {
    let found = connection
        .prepare_cached("SELECT body, verdict, seq FROM journal WHERE seq = ?1")?
        .query_row([number(seq)], read)
        .optional()?;
    Ok(found.flatten())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<JournalEvent>> {
    let Some(event) = parse(row.get_ref(0)?.as_bytes()?) else {
        return Ok(None);
    };
    Ok(Some(JournalEvent {
        event: BufferedEvent {
            seq: as_seq(row.get(2)?),
            ..event
        },
        verdict: row.get(1)?,
    }))
}

/// The part of the query that the database answers, in numbers only; `None` when nothing can match.
fn search_sql(connection: &Connection, query: &JournalQuery) -> rusqlite::Result<Option<String>> {
    let mut sql = "SELECT seq, client_mac, device_mac, client_name, client_host, device_name, summary FROM search \
                   WHERE time >= "
        .to_owned();
    let since = query.since.map_or(i64::MIN, Timestamp::as_millis);
    let until = query.until.map_or(i64::MAX, Timestamp::as_millis);
    // Writing to a string cannot fail.
    let mut add = |part: std::fmt::Arguments<'_>| sql.write_fmt(part).unwrap_or_default();
    add(format_args!("{since} AND time < {until}"));
    if let Some(severity) = query.severity {
        add(format_args!(" AND severity >= {}", severity.level()));
    }
    for (column, filter) in [("client_mac", &query.client), ("device_mac", &query.device)] {
        if let Some(mac) = filter.as_ref().and_then(|text| text.parse::<Mac>().ok()) {
            add(format_args!(" AND {column} = {}", mac_number(mac)));
        }
    }
    if !query.kinds.is_empty() {
        let kinds = kind_numbers(connection, &query.kinds)?;
        add(format_args!(" AND kind IN ({})", list(&kinds)));
    }
    if query.site.is_some() || query.controller.is_some() {
        let sources = source_numbers(connection, query)?;
        if sources.is_empty() {
            return Ok(None);
        }
        add(format_args!(" AND source IN ({})", list(&sources)));
    }
    add(format_args!(
        "{}",
        match query.order {
            Order::NewestFirst => " ORDER BY time DESC, seq DESC",
            Order::OldestFirst => " ORDER BY time, seq",
        }
    ));
    Ok(Some(sql))
}

fn list(numbers: &[i64]) -> String {
    let texts: Vec<_> = numbers.iter().map(i64::to_string).collect();
    texts.join(",")
}

fn kind_numbers(connection: &Connection, kinds: &[Kind]) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM kinds WHERE name = ?1")?;
    let found = kinds.iter().map(|kind| {
        statement
            .query_row([kind.as_str()], |row| row.get(0))
            .optional()
    });
    found.filter_map(Result::transpose).collect()
}

fn source_numbers(connection: &Connection, query: &JournalQuery) -> rusqlite::Result<Vec<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT id, controller, site, site_name FROM sources")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    let admits = |pattern: &Option<String>, names: &[&str]| {
        pattern
            .as_ref()
            .is_none_or(|pattern| names.iter().any(|name| glob::matches(pattern, name)))
    };
    while let Some(row) = rows.next()? {
        let (controller, site, name): (String, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        if admits(&query.controller, &[&controller]) && admits(&query.site, &[&site, &name]) {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// The part of the query that the database does not answer: names and text.
fn matches(row: &Row<'_>, query: &JournalQuery, text: Option<&str>) -> rusqlite::Result<bool> {
    let named = |pattern: &Option<String>, mac: usize, names: &[usize]| {
        let Some(pattern) = pattern else {
            return Ok(true);
        };
        if pattern.parse::<Mac>().is_ok() {
            return Ok(true);
        }
        for name in names {
            if let Some(name) = row.get_ref(*name)?.as_str_or_null()?
                && glob::matches(pattern, name)
            {
                return Ok(true);
            }
        }
        let mac: Option<i64> = row.get(mac)?;
        let mac = mac.filter(|_| pattern.contains(':')).map(mac_of);
        Ok::<_, rusqlite::Error>(mac.is_some_and(|mac| glob::matches(pattern, &mac.to_string())))
    };
    if !named(&query.client, 1, &[3, 4])? || !named(&query.device, 2, &[5])? {
        return Ok(false);
    }
    match text {
        Some(text) => Ok(glob::matches(text, row.get_ref(6)?.as_str()?)),
        None => Ok(true),
    }
}

fn mac_of(number: i64) -> Mac {
    let [_, _, bytes @ ..] = number.to_be_bytes();
    Mac::new(bytes)
}
