//! The two history APIs: paging, windows, and the errors they answer with.

use super::hub::Hub;
use super::json::array;
use super::ledger::{Entry, Window, written_by};
use super::reply::{self, Reply};
use super::rest::Question;
use hyper::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

const LEGACY_PAGE: usize = 3_000;
const PAGE: usize = 1_000;
const HOUR_MS: i64 = 3_600_000;
const CLASSES: [&str; 10] = [
    "all",
    "critical",
    "admin",
    "device-alert",
    "client-alert",
    "next-ai-alert",
    "vpn-alert",
    "admin-activity",
    "update-alert",
    "threat-alert",
];
const CATEGORIES: [&str; 10] = [
    "AUDIT",
    "CLIENT_DEVICES",
    "INTERNET_AND_WAN",
    "POWER",
    "SECURITY",
    "SOFTWARE_UPDATES",
    "UNIFI_DEVICES",
    "UNIFI_ETHERNET_PORTS",
    "UNKNOWN",
    "VPN",
];
const SEVERITIES: [&str; 6] = ["INFO", "LOW", "MEDIUM", "WARNING", "HIGH", "VERY_HIGH"];

/// `stat/event`: EVT_ items, newest first unless asked otherwise.
pub(super) fn stat_event(hub: &Hub, question: &Question<'_>, site: &str) -> Reply {
    let asked = match *question.method {
        Method::POST | Method::PUT if !question.body.is_empty() => {
            serde_json::from_slice(question.body).unwrap_or_default()
        }
        _ => from_query(question.query),
    };
    if !(asked.is_object() || asked.is_null()) {
        return reply::error(400, "api.err.InvalidObject");
    }
    let number = |name: &str| {
        asked
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|value| usize::try_from(value).ok())
    };
    let (start, limit) = (
        number("_start").unwrap_or(0),
        number("_limit").unwrap_or(LEGACY_PAGE).min(LEGACY_PAGE),
    );
    let hours = asked.get("within").and_then(Value::as_i64).unwrap_or(720);
    let from = hub
        .event_time()
        .as_millis()
        .saturating_sub(hours.saturating_mul(HOUR_MS));
    let oldest_first = asked.get("_sort").and_then(Value::as_str) == Some("time");
    let window = hub.window(from, i64::MAX);
    let (page, count) = hub
        .ledger
        .in_legacy(site, window, (start, limit), oldest_first);
    let body = array(page.iter().filter_map(|entry| entry.legacy()));
    reply::json(
        200,
        format!(r#"{{"meta":{{"rc":"ok","count":{count}}},"data":{body}}}"#),
    )
}

/// `system-log/{class}`: entries newest first, by pages.
pub(super) fn system_log(hub: &Hub, question: &Question<'_>, site: &str, class: &str) -> Reply {
    if *question.method != Method::POST {
        return bad(
            405,
            "METHOD_NOT_ALLOWED",
            &format!("Request method '{}' is not supported", question.method),
        );
    }
    if class != "count" && !CLASSES.contains(&class) {
        return reply::json(404, r#"{"errorCode":404,"message":"api.err.NotFound"}"#);
    }
    let Ok(asked) = serde_json::from_slice::<Value>(question.body) else {
        return bad(400, "BAD_REQUEST", "Required request body is missing");
    };
    for (field, known) in [
        ("categories", CATEGORIES.as_slice()),
        ("severities", SEVERITIES.as_slice()),
    ] {
        if let Some(wrong) = texts(&asked, field).find(|value| !known.contains(value)) {
            let message = format!(
                "Cannot deserialize value from {wrong}: not one of [{}]",
                known.join(", ")
            );
            return bad(400, "BAD_REQUEST", &message);
        }
    }
    let number = |name: &str, default: u64| match asked.get(name) {
        None | Some(Value::Null) => Some(default),
        Some(value) => value.as_u64(),
    };
    let Some((page, size)) = number("pageNumber", 0).zip(number("pageSize", 10)) else {
        return bad(
            400,
            "BAD_REQUEST",
            "pageNumber and pageSize must be numbers",
        );
    };
    let (page, size) = (
        usize::try_from(page).unwrap_or(usize::MAX),
        usize::try_from(size).unwrap_or(usize::MAX),
    );
    if size == 0 || size > PAGE {
        return bad(400, "BAD_REQUEST", "pageSize must be between 1 and 1000");
    }
    let time =
        |name: &str, default: i64| asked.get(name).and_then(Value::as_i64).unwrap_or(default);
    let window = hub.window(
        time("timestampFrom", i64::MIN),
        time("timestampTo", i64::MAX),
    );
    let mut entries = hub.ledger.in_system_log(site, window);
    let filters = [
        "categories",
        "subcategories",
        "severities",
        "events",
        "keys",
    ];
    if filters
        .iter()
        .any(|field| texts(&asked, field).next().is_some())
    {
        entries.retain(|entry| admits(hub, entry, &asked));
    }
    if class == "count" {
        return counts(hub, &entries);
    }
    let body = array(
        entries
            .iter()
            .skip(page.saturating_mul(size))
            .take(size)
            .filter_map(|entry| hub.ledger.system_log(entry)),
    );
    let (total, pages) = (entries.len(), entries.len().div_ceil(size));
    reply::json(
        200,
        format!(
            r#"{{"data":{body},"page_number":{page},"total_element_count":{total},"total_page_count":{pages}}}"#
        ),
    )
}

impl Hub {
    fn window(&self, from: i64, to: i64) -> Window {
        let lag = self.mischief.settings().history_lag;
        Window {
            from,
            to,
            written_by: written_by(self.options.clock.now(), lag),
        }
    }
}

/// Whether the entry passes the lists of the request; an empty list passes all.
fn admits(hub: &Hub, entry: &Arc<Entry>, asked: &Value) -> bool {
    let text = hub.ledger.system_log(entry).unwrap_or_default();
    let entry: Value = serde_json::from_str(text).unwrap_or_default();
    let lists = [
        ("categories", "category"),
        ("subcategories", "subcategory"),
        ("severities", "severity"),
        ("events", "event"),
        ("keys", "key"),
    ];
    lists.iter().all(|(list, field)| {
        let mut wanted = texts(asked, list).peekable();
        wanted.peek().is_none()
            || entry
                .get(field)
                .and_then(Value::as_str)
                .is_some_and(|is| wanted.any(|value| value == is))
    })
}

fn counts(hub: &Hub, entries: &[Arc<Entry>]) -> Reply {
    let mut tables = [
        ("category", BTreeMap::new()),
        ("event", BTreeMap::new()),
        ("type", BTreeMap::new()),
    ];
    for entry in entries {
        let text = hub.ledger.system_log(entry).unwrap_or_default();
        let entry: Value = serde_json::from_str(text).unwrap_or_default();
        for (field, table) in &mut tables {
            if let Some(value) = entry.get(*field).and_then(Value::as_str) {
                *table.entry(value.to_owned()).or_insert(0u64) += 1;
            }
        }
    }
    let [categories, events, types] = tables.map(|(_, table)| {
        array(
            table
                .iter()
                .map(|(name, count)| format!(r#"{{"name":"{name}","count":{count}}}"#)),
        )
    });
    reply::json(
        200,
        format!(r#"{{"categories":{categories},"events":{events},"type":{types}}}"#),
    )
}

fn bad(status: u16, code: &str, message: &str) -> Reply {
    let mut error = super::json::Object::new();
    error.text("code", code).text("message", message);
    reply::json(status, error.finish())
}

fn texts<'a>(asked: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    asked
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The numbers of a query string as an object.
fn from_query(query: &str) -> Value {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| {
            (
                name.to_owned(),
                value
                    .parse::<u64>()
                    .map_or_else(|_| Value::from(value), Value::from),
            )
        })
        .collect()
}
