//! What is said about an event, before any service has its own way with it.

mod digest;
mod facts;
mod when;

use crate::text;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::time::Duration;
use unifi_herald_plugin::{AlertState, BufferedEvent, Event, Severity, Text, Timestamp};

/// One message. Its texts are plain and without controls; each service escapes and cuts them for itself.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The event's id: the same on every try.
    pub(crate) id: Text,
    /// The alert's name, else the kind of event.
    pub(crate) label: String,
    /// When it happened.
    pub(crate) time: Timestamp,
    /// One line, never empty.
    pub(crate) title: String,
    /// More, with its lines; may be empty.
    pub(crate) body: String,
    /// How much it matters.
    pub(crate) severity: Severity,
    /// The incident it belongs to.
    pub(crate) incident: Option<Incident>,
    /// Where to look, as the user configured it.
    pub(crate) link: Option<Text>,
    /// Who, where and what.
    pub(crate) facts: Vec<Fact>,
    /// Where it is about: the site's name.
    pub(crate) site: String,
    /// What it is about: the name of a device, a client, a connection.
    pub(crate) subject: Option<String>,
    /// Which try this is, counted from 1.
    pub(crate) attempt: u32,
}

/// The incident a message belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    /// The same from its first message to its last.
    pub(crate) id: Text,
    /// What became of it.
    pub(crate) state: AlertState,
}

/// A name and a value, each one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

/// One value for each severity, mildest first, and one for the end of an incident.
pub(crate) struct Shades<T> {
    pub(crate) levels: [T; 6],
    pub(crate) over: T,
}

/// Colours as 0xRRGGBB, for the services that have them.
pub(crate) const COLOURS: Shades<u32> = Shades {
    levels: [
        0x9e_9e9e, 0x19_76d2, 0x19_76d2, 0xf9_a825, 0xd3_2f2f, 0xb7_1c1c,
    ],
    over: 0x2e_7d32,
};

/// Later than this, a message says that it is late.
const LATE: Duration = Duration::from_secs(120);

impl Message {
    /// What is said of `event` at `now`.
    pub(crate) fn of(event: &BufferedEvent, now: Timestamp) -> Self {
        let alert = event.alert.as_deref();
        let title = [
            alert.map_or("", |alert| &alert.title),
            &event.summary,
            event.kind.as_str(),
        ];
        let title = title
            .into_iter()
            .map(text::line)
            .find(|line| !line.is_empty());
        let body = match (alert, &event.digest) {
            (Some(alert), _) => text::lines(&alert.body),
            (None, Some(digest)) => digest::body(digest),
            (None, None) => String::new(),
        };
        let label = alert.map(|alert| text::line(&alert.name));
        let label = label.filter(|name| !name.is_empty());
        let mut facts = facts::of(event);
        if now.since(event.time) > LATE {
            facts.push(Fact {
                name: "Late",
                value: when::late(event.time, now),
            });
        }
        Self {
            id: event.id.clone(),
            label: label.unwrap_or_else(|| event.kind.to_string()),
            time: event.time,
            title: title.unwrap_or_default(),
            body,
            severity: alert.map_or(event.severity, |alert| alert.severity),
            incident: alert.map(|alert| Incident {
                id: alert.id.clone(),
                state: alert.state,
            }),
            link: None,
            facts,
            site: facts::site(event),
            subject: facts::subject(event),
            attempt: 1,
        }
    }

    /// Whether it ends an incident.
    pub(crate) fn is_over(&self) -> bool {
        self.state() == Some(AlertState::Resolved)
    }

    /// What became of the incident, where there is one.
    pub(crate) fn state(&self) -> Option<AlertState> {
        self.incident.as_ref().map(|incident| incident.state)
    }

    /// What all messages of an incident share, and no other: its id, else the event's own.
    pub(crate) fn thread(&self) -> &Text {
        self.incident
            .as_ref()
            .map_or(&self.id, |incident| &incident.id)
    }

    /// Body and facts as plain lines; the title when there is nothing else to say.
    pub(crate) fn text(&self) -> String {
        let mut out = self.body.clone();
        for (number, fact) in self.facts.iter().enumerate() {
            let between = match (number, out.is_empty()) {
                (0, true) => "",
                (0, false) => "\n\n",
                _ => "\n",
            };
            // Writing to a string cannot fail.
            let _infallible = write!(out, "{between}{}: {}", fact.name, fact.value);
        }
        if out.is_empty() {
            out.clone_from(&self.title);
        }
        out
    }
}

impl<T: Copy> Shades<T> {
    /// The one for this message.
    pub(crate) fn of(&self, message: &Message) -> T {
        if message.is_over() {
            self.over
        } else {
            self.levels[usize::from(message.severity.level())]
        }
    }
}

/// `id` as it is when it is short and has only letters, digits, `-` and `_`; else a hash of it that is.
pub(crate) fn token(id: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if (1..=64).contains(&id.len()) && id.bytes().all(plain) {
        return id.to_owned();
    }
    let hash = Sha256::digest(id.as_bytes());
    hash.iter()
        .take(16)
        .fold(String::with_capacity(32), |mut out, byte| {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "{byte:02x}");
            out
        })
}

/// The first of these names that is there, as one line.
fn first_name<'a>(names: impl IntoIterator<Item = Option<&'a Text>>) -> Option<String> {
    let lines = names.into_iter().flatten().map(|name| text::line(name));
    lines.into_iter().find(|line| !line.is_empty())
}

/// Whether the event is about a whole site or controller only.
fn place(event: &Event) -> Option<String> {
    first_name([
        Some(&event.site_name),
        Some(&event.site),
        Some(&event.controller),
    ])
}

#[cfg(test)]
mod tests;
