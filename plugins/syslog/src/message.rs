//! One event as one message: header, structured data, body.

use crate::cef;
use crate::cut::cut;
use serde::Deserialize;
use std::fmt::Write as _;
use std::sync::Arc;
use unifi_herald_plugin::{BufferedEvent, Event, Severity, Timestamp};

/// What the body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Json,
    Cef,
}

/// Which header it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    #[default]
    Rfc5424,
    Rfc3164,
}

/// What is the same for every message.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) facility: u8,
    pub(crate) hostname: String,
    pub(crate) app_name: String,
    pub(crate) protocol: Protocol,
    pub(crate) format: Format,
    /// Longest message in bytes.
    pub(crate) max_size: usize,
}

/// The enterprise number set aside for those who have none (RFC 5612).
const SD_ID: &str = "unifi-herald@32473";

/// Longest value of structured data in bytes, escapes included; ids and names are far shorter.
const LONGEST_VALUE: usize = 128;

impl Head {
    /// The message of `event`: at most `max_size` bytes, without a control character.
    pub(crate) fn message(&self, event: &BufferedEvent) -> String {
        let mut message = self.header(event);
        let room = self.max_size.saturating_sub(message.len());
        let mut body = match self.format {
            Format::Cef => cef::body(event),
            Format::Json => json(event, room),
        };
        cut(&mut body, room, self.format == Format::Json);
        message.push_str(&body);
        message
    }

    fn header(&self, event: &Event) -> String {
        let priority = u32::from(self.facility) * 8 + severity(event.severity);
        let (host, app) = (&self.hostname, &self.app_name);
        if self.protocol == Protocol::Rfc3164 {
            let time = old_time(event.time);
            // A tag has at most 32 characters there, and ends at the colon.
            let tag: String = app.chars().filter(|c| *c != ':').take(32).collect();
            return format!("<{priority}>{time} {host} {tag}: ");
        }
        let (time, kind) = (event.time, event.kind);
        let mut header = format!("<{priority}>1 {time} {host} {app} - {kind} ");
        let data = structured(event);
        // Where only the smallest messages are taken, the body is worth more.
        if header.len() + data.len() > self.max_size / 2 {
            header.push_str("- ");
        } else {
            header.push_str(&data);
            header.push(' ');
        }
        header
    }
}

/// Severity as syslog counts it, 0 the worst.
fn severity(severity: Severity) -> u32 {
    match severity {
        Severity::Debug => 7,
        Severity::Info => 6,
        Severity::Notice => 5,
        Severity::Warning => 4,
        Severity::Error => 3,
        Severity::Critical => 2,
    }
}

/// `[unifi-herald@32473 id="…" kind="…" controller="…" site="…"]`.
fn structured(event: &Event) -> String {
    let mut data = format!("[{SD_ID}");
    let values = [
        ("id", &*event.id),
        ("kind", event.kind.as_str()),
        ("controller", &*event.controller),
        ("site", &*event.site),
    ];
    for (name, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
        let mut escaped = String::with_capacity(value.len());
        for c in value.chars() {
            if matches!(c, '"' | '\\' | ']') {
                escaped.push('\\');
            }
            escaped.push(visible(c));
        }
        cut(&mut escaped, LONGEST_VALUE, false);
        // Writing to a string cannot fail.
        let written = write!(data, " {name}=\"{escaped}\"");
        debug_assert!(written.is_ok(), "{written:?}");
    }
    data.push(']');
    data
}

/// The event as JSON, without `raw` when that is what makes it too long. Line feeds in `raw` are only between tokens.
fn json(event: &BufferedEvent, room: usize) -> String {
    let whole = event.to_json();
    let text = if whole.len() <= room || event.raw.is_none() {
        whole
    } else {
        let mut short: Event = (*event.event).clone();
        short.raw = None;
        short.raw_truncated = true;
        let short = BufferedEvent {
            seq: event.seq,
            event: Arc::new(short),
        };
        short.to_json()
    };
    text.chars().map(visible).collect()
}

/// Controls end messages and command terminals; none of them means anything here.
pub(crate) fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// `Nov  2 17:21:13`, in UTC (RFC 3164, section 4.1.2).
fn old_time(time: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = time.to_string();
    // `2026-11-22T17:21:13.440Z`, always of this length.
    let number = |from: usize| text.get(from..from + 2).and_then(|two| two.parse().ok());
    let month = number(5)
        .and_then(|month: usize| MONTHS.get(month.wrapping_sub(1)))
        .unwrap_or(&MONTHS[0]);
    let day: usize = number(8).unwrap_or(1);
    format!("{month} {day:>2} {}", text.get(11..19).unwrap_or_default())
}

#[cfg(test)]
mod tests;
