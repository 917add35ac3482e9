//! Searches the journal.

use super::commit::mac_number;
use super::outbox::parse;
use super::{as_seq, number, schema};
use crate::glob;
use rusqlite::{Connection, OptionalExtension, Row};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use unifi_herald_plugin::{BufferedEvent, Event, Kind, Mac, Severity, Timestamp};

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
    /// MAC address or name of the device, or of one of the two that a client roams between.
    pub device: Option<String>,
    /// Short or display name of the site, optionally `controller/site`.
    pub site: Option<String>,
    /// Name of the controller.
    pub controller: Option<String>,
    /// At least as severe.
    pub severity: Option<Severity>,
    /// Somewhere in the summary: no pattern.
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
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(certain) = matches(row, query)? else {
            continue;
        };
        if let Some(event) = by_seq(connection, as_seq(row.get(0)?))?
            && (certain || roams_from(&event.event, query))
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
    let mut sql =
        "SELECT seq, client_mac, device_mac, client_name, client_host, device_name, summary, "
            .to_owned();
    // A store that was not written to since it was of the first version has no ends.
    let ends = schema::version(connection)? >= 2;
    // A roam from before there were ends: its event has to be looked at.
    let old = match kind_numbers(connection, &[Kind::CLIENT_ROAMED])?.first() {
        Some(roamed) if ends => {
            format!("(kind = {roamed} AND from_mac IS NULL AND from_name IS NULL)")
        }
        Some(roamed) => format!("(kind = {roamed})"),
        None => "0".to_owned(),
    };
    sql += if ends {
        "from_mac, from_name, to_mac, to_name, "
    } else {
        "NULL, NULL, NULL, NULL, "
    };
    sql += &format!("{old} FROM search WHERE time >= ");
    let since = query.since.map_or(i64::MIN, Timestamp::as_millis);
    let until = query.until.map_or(i64::MAX, Timestamp::as_millis);
    // Writing to a string cannot fail.
    let mut add = |part: std::fmt::Arguments<'_>| sql.write_fmt(part).unwrap_or_default();
    add(format_args!("{since} AND time < {until}"));
    if let Some(severity) = query.severity {
        add(format_args!(" AND severity >= {}", severity.level()));
    }
    let mac = |filter: &Option<String>| filter.as_ref()?.parse().ok().map(mac_number);
    if let Some(mac) = mac(&query.client) {
        add(format_args!(" AND client_mac = {mac}"));
    }
    if let Some(mac) = mac(&query.device) {
        add(format_args!(" AND (device_mac = {mac} OR {old}"));
        if ends {
            add(format_args!(" OR from_mac = {mac} OR to_mac = {mac}"));
        }
        add(format_args!(")"));
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
    while let Some(row) = rows.next()? {
        let (controller, site, name): (String, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let of = query.controller.as_ref();
        let at = query.site.as_ref();
        if of.is_none_or(|pattern| glob::matches(pattern, &controller))
            && at.is_none_or(|pattern| glob::fits_site(pattern, &controller, &site, &name))
        {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// The part of the query that the database does not answer: names and text. True when the event is one of those that are
/// looked for, false when it may be by where its client roams from, which its row does not know.
fn matches(row: &Row<'_>, query: &JournalQuery) -> rusqlite::Result<Option<bool>> {
    let named = |pattern: &str, mac: usize, names: [usize; 2]| {
        let mac: Option<i64> = row.get(mac)?;
        let name = |column: usize| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str_or_null()?);
        let names = [name(names[0])?, name(names[1])?];
        Ok::<_, rusqlite::Error>(glob::fits(pattern, mac.map(mac_of), names))
    };
    if let Some(client) = &query.client
        && !named(client, 1, [3, 4])?
    {
        return Ok(None);
    }
    if let Some(text) = &query.text
        && !glob::contains(row.get_ref(6)?.as_str()?, text)
    {
        return Ok(None);
    }
    let Some(device) = &query.device else {
        return Ok(Some(true));
    };
    if named(device, 2, [5, 5])? || named(device, 7, [8, 8])? || named(device, 9, [10, 10])? {
        return Ok(Some(true));
    }
    Ok(row.get::<_, bool>(11)?.then_some(false))
}

/// Whether the client of `event` roams from the device of `query`.
fn roams_from(event: &Event, query: &JournalQuery) -> bool {
    let from = event.from.as_ref().and_then(|place| place.device.as_ref());
    let pattern = query.device.as_deref();
    from.zip(pattern)
        .is_some_and(|(device, pattern)| glob::fits(pattern, device.mac, [device.name.as_deref()]))
}

fn mac_of(number: i64) -> Mac {
    let [_, _, bytes @ ..] = number.to_be_bytes();
    Mac::new(bytes)
}
