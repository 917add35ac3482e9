//! The two history APIs: what to ask them, and what their answers hold.

pub mod pages;
pub mod walk;

use super::endpoint;
use crate::config::ControllerKind;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use unifi_herald_plugin::Timestamp;

/// Entries that are asked for at once; the system log gives at most 1 000, `stat/event` 3 000.
pub const SYSTEM_LOG_PAGE: usize = 500;
/// See [`SYSTEM_LOG_PAGE`].
pub const LEGACY_PAGE: usize = 1_000;

/// A page of a history: newest first.
#[derive(Debug)]
pub struct Page<'a> {
    /// The items.
    pub items: Vec<&'a RawValue>,
    /// How many there are on all pages, where it was told.
    pub total: Option<u64>,
}

/// An answer that is no page of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no page of a history")]
pub struct NotAPage;

/// The path of the v2 system log.
#[must_use]
pub fn system_log_path(kind: ControllerKind, site: &str) -> String {
    let site = endpoint::encode(site);
    format!(
        "{}/v2/api/site/{site}/system-log/all",
        endpoint::prefix(kind)
    )
}

/// The smallest body that every version takes: a window, both ends included, and a page of it counted from zero.
#[must_use]
pub fn system_log_body(from: Timestamp, to: Timestamp, page: usize, size: usize) -> Value {
    json!({
        "timestampFrom": from.as_millis(),
        "timestampTo": to.as_millis(),
        "pageNumber": page,
        "pageSize": size,
    })
}

/// The path of the legacy history.
#[must_use]
pub fn legacy_path(kind: ControllerKind, site: &str) -> String {
    endpoint::site_path(kind, site, "stat/event")
}

/// At most `limit` items of the legacy history, beginning `start` items before the newest; it knows windows only as whole hours
/// before its own time.
#[must_use]
pub fn legacy_body(hours: u64, start: usize, limit: usize) -> Value {
    json!({
        "_limit": limit,
        "_start": start,
        "within": hours,
        "_sort": "-time",
        "type": Value::Null,
    })
}

/// The hours that reach back from `now` to `from`, and one more.
#[must_use]
pub fn hours_back(from: Timestamp, now: Timestamp) -> u64 {
    now.since(from).as_secs() / 3600 + 2
}

/// The answers of both histories, in the forms seen.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, alias = "logs")]
    data: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    total_element_count: Value,
    #[serde(default)]
    meta: Value,
}

impl<'a> Page<'a> {
    /// Read an answer.
    ///
    /// # Errors
    /// When it is no list and has none.
    pub fn read(body: &'a [u8]) -> Result<Self, NotAPage> {
        let text = std::str::from_utf8(body)
            .map_err(|_| NotAPage)?
            .trim_ascii();
        if text.starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NotAPage)?;
            // Some versions wrap the page in a list.
            if let [only] = items.as_slice()
                && let Ok(page) = Self::of_object(only.get())
            {
                return Ok(page);
            }
            return Ok(Self { items, total: None });
        }
        Self::of_object(text)
    }

    fn of_object(text: &'a str) -> Result<Self, NotAPage> {
        let answer: Answer<'_> = serde_json::from_str(text).map_err(|_| NotAPage)?;
        let total = count(&answer.total_element_count);
        Ok(Self {
            items: answer.data.ok_or(NotAPage)?,
            total: total.or_else(|| count(&answer.meta["count"])),
        })
    }
}

/// A number, which some versions write as text; anything else says nothing.
fn count(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<(usize, Option<u64>)> {
        let page = Page::read(body.as_bytes()).ok()?;
        Some((page.items.len(), page.total))
    }

    #[test]
    fn pages_come_in_several_forms() {
        let v2 = r#"{"data":[{"id":"1"},{"id":"2"}],"page_number":0,"total_element_count":7,"total_page_count":4}"#;
        assert_eq!(read(v2), Some((2, Some(7))));
        assert_eq!(read(&format!(" [{v2}]\n")), Some((2, Some(7))));
        let text = r#"{"data":[{"id":"1"}],"total_element_count":"7"}"#;
        assert_eq!(read(text), Some((1, Some(7))));
        let odd = r#"{"data":[{"id":"1"}],"total_element_count":{"all":7},"meta":[3]}"#;
        assert_eq!(read(odd), Some((1, None)));
        assert_eq!(read(r#"{"logs":[{"id":"1"}]}"#), Some((1, None)));
        assert_eq!(read(r#"[{"id":"1"},{"id":"2"}]"#), Some((2, None)));
        assert_eq!(read("[]"), Some((0, None)));
        let legacy = r#"{"meta":{"rc":"ok","count":3},"data":[{"_id":"1"}]}"#;
        assert_eq!(read(legacy), Some((1, Some(3))));
        for wrong in ["", "{}", "<html>", r#"{"data":5}"#, "null", "[", "\u{0}"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(Page::read(b"\xff\xfe").is_err());
    }

    #[test]
    fn the_questions_are_as_small_as_they_can_be() {
        let body = system_log_body(
            Timestamp::from_millis(5),
            Timestamp::from_millis(9),
            2,
            SYSTEM_LOG_PAGE,
        );
        assert_eq!(
            body.to_string(),
            r#"{"pageNumber":2,"pageSize":500,"timestampFrom":5,"timestampTo":9}"#
        );
        assert_eq!(
            system_log_path(ControllerKind::UnifiOs, "default"),
            "/proxy/network/v2/api/site/default/system-log/all"
        );
        assert_eq!(
            legacy_path(ControllerKind::SelfHosted, "default"),
            "/api/s/default/stat/event"
        );
        let hour = 3_600_000;
        let hours = hours_back(
            Timestamp::from_millis(hour),
            Timestamp::from_millis(3 * hour + 1),
        );
        assert!(hours >= 3);
        assert_eq!(legacy_body(hours, 10, LEGACY_PAGE)["within"], hours);
    }
}
