//! The events that tell of an incident.

use super::entry::{Entry, Told};
use super::machine::Change;
use super::rule::{Rule, bounded};
use super::template::{Template, in_words, moment, value_of};
use super::timers::subject;
use super::words;
use super::{Addressee, Alerts, Said};
use crate::config::QuietThen;
use crate::own_event::hashed_id;
use minijinja::value::Serde;
use minijinja::{Value, context};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::{Alert, AlertState, Event, Origin, Severity, Text, Timestamp};

/// A message that comes later than this says so.
const LATE: Duration = Duration::from_mins(2);

/// Longest title and text, in bytes.
const MAX_TITLE: usize = 512;
const MAX_BODY: usize = 8 << 10;

impl Alerts {
    /// Say what became of the incident at `time`.
    pub(super) fn say(
        &mut self,
        change: &Change<'_>,
        entry: &mut Entry,
        state: AlertState,
        time: Timestamp,
    ) {
        let Some(opener) = entry.opener.clone() else {
            return;
        };
        let opener = self.completed(&opener, entry.last.as_deref());
        let mut alert = subject(change.rule, entry, &opener, state, time);
        (alert.title, alert.body) = self.words(change, entry, &opener, &alert);
        if change.now.since(time) > LATE {
            alert.body = self.with_delay(&alert.body, time, change.now);
        }
        if state != AlertState::Folded {
            entry.title = alert.title.clone();
        }
        entry.severity = Some(alert.severity);
        let event = told_by(opener, entry, alert, time, change.now);
        entry.ordinal += 1;
        let digest = change.rule.plan.quiet.map(|quiet| quiet.then);
        let to = match (entry.told, digest) {
            (Told::Digest, Some(QuietThen::Digest(digest))) => Addressee::Digest(digest),
            _ => Addressee::StepsBehind(change.place.0),
        };
        self.said.push(Said {
            to,
            event: Arc::new(event),
        });
    }

    /// The title of an incident that is not told.
    pub(super) fn title(&self, rule: &Rule, entry: &Entry, opener: &Event) -> Text {
        let alert = subject(rule, entry, opener, AlertState::Firing, entry.since);
        let values = values(entry, opener, &alert);
        let own = rendered(rule.title.as_ref(), &values, rule);
        title(&own.unwrap_or_else(|| words::begun(opener)))
    }

    fn words(
        &self,
        change: &Change<'_>,
        entry: &Entry,
        opener: &Event,
        alert: &Alert,
    ) -> (Text, Text) {
        let rule = change.rule;
        let values = values(entry, opener, alert);
        let own = |template: &Option<Template>| rendered(template.as_ref(), &values, rule);
        let begun = || own(&rule.title).unwrap_or_else(|| words::begun(opener));
        let (head, text) = match alert.state {
            AlertState::Firing => (begun(), own(&rule.body)),
            AlertState::Repeated => (begun(), own(&rule.body)),
            AlertState::Resolved => {
                let head = own(&rule.title_resolved);
                let over = || match rule.title {
                    Some(_) => format!("Over: {}", begun()),
                    None => words::over(opener),
                };
                (head.unwrap_or_else(over), own(&rule.body_resolved))
            }
            AlertState::Folded => {
                let count = entry.folds.len();
                (
                    format!("{} — {count} more because of it", begun()),
                    Some(folded(entry)),
                )
            }
        };
        let text = text.unwrap_or_else(|| self.facts(entry, opener, alert));
        (title(&head), bounded(text.trim_end(), MAX_BODY).into())
    }

    /// A text for whoever wrote none: what happened, where, since when, how often.
    fn facts(&self, entry: &Entry, opener: &Event, alert: &Alert) -> String {
        let mut text = String::new();
        let what = if alert.state == AlertState::Resolved {
            entry.last.as_deref().unwrap_or(opener)
        } else {
            opener
        };
        _ = writeln!(text, "{}", words::begun(what));
        let site = if opener.site_name.is_empty() {
            &opener.site
        } else {
            &opener.site_name
        };
        if !site.is_empty() {
            _ = writeln!(text, "Site: {site}");
        }
        let since = moment(entry.since, "%Y-%m-%d %H:%M:%S", &self.zone).unwrap_or_default();
        let lasted = in_words(alert.duration_s);
        _ = match alert.state {
            AlertState::Resolved => writeln!(text, "It lasted {lasted}, since {since}"),
            AlertState::Repeated => writeln!(text, "Since: {since}, for {lasted}"),
            AlertState::Firing | AlertState::Folded => writeln!(text, "Since: {since}"),
        };
        if alert.count > 1 {
            _ = writeln!(text, "Events: {}", alert.count);
        }
        let down: Vec<&str> = entry.down().map(|member| &*member.key).collect();
        if down.len() > 1 {
            _ = writeln!(text, "Affected: {}", listed(&down));
        }
        if entry.flapping {
            _ = writeln!(
                text,
                "It comes and goes: its end is told when it has been calm for a while"
            );
        }
        text
    }

    fn with_delay(&self, body: &str, time: Timestamp, now: Timestamp) -> Text {
        let at = moment(time, "%Y-%m-%d %H:%M:%S", &self.zone).unwrap_or_default();
        let late = in_words(now.since(time).as_secs());
        let note = format!("Told {late} late: this was at {at}");
        let body = bounded(body, MAX_BODY - note.len() - 1);
        if body.is_empty() {
            note.into()
        } else {
            format!("{body}\n{note}").into()
        }
    }

    /// The opening event with what is known by now: names and addresses come later than the event.
    pub(super) fn completed(&self, opener: &Event, last: Option<&Event>) -> Event {
        let mut event = opener.clone();
        if let Some(directory) = &self.directory {
            directory.complete(&mut event);
        }
        let (Some(client), Some(newer)) = (
            &mut event.client,
            last.and_then(|last| last.client.as_ref()),
        ) else {
            return event;
        };
        if client.mac == newer.mac {
            let fill = |old: &mut Option<Text>, new: &Option<Text>| {
                if old.is_none() {
                    old.clone_from(new);
                }
            };
            fill(&mut client.name, &newer.name);
            fill(&mut client.hostname, &newer.hostname);
            fill(&mut client.ip, &newer.ip);
        }
        event
    }
}

/// The opening event as the next one that tells of its incident: `alert`, at `time`, told now.
pub(super) fn told_by(
    opener: Event,
    entry: &Entry,
    alert: Alert,
    time: Timestamp,
    now: Timestamp,
) -> Event {
    let (state, ordinal) = (alert.state, entry.ordinal.to_string());
    let mut event = opener;
    event.id = hashed_id(
        &[&entry.incident, state.as_str(), &ordinal],
        Timestamp::default(),
    )
    .into();
    event.time = time;
    event.received = now;
    event.origin = Origin::Derived;
    event.kind = state.kind();
    event.key = None;
    // The same to the end, so that what lets the beginning pass lets the end pass.
    event.severity = match state {
        AlertState::Folded => Severity::Info,
        _ => alert.severity,
    };
    event.summary = alert.title.clone();
    event.gap = None;
    event.digest = None;
    event.reason = None;
    event.raw = None;
    event.raw_truncated = false;
    event.alert = Some(Box::new(alert));
    event
}

fn values(entry: &Entry, opener: &Event, alert: &Alert) -> Value {
    let last = entry.last.as_deref().unwrap_or(opener);
    let keys: Vec<String> = entry.down().map(|member| member.key.to_string()).collect();
    let alert =
        context! { keys => keys, flapping => entry.flapping, ..Value::from(Serde(alert.clone())) };
    context! { event => value_of(opener), last => value_of(last), alert => alert }
}

/// What the user's template makes of it; nothing when there is none, or it fails: then herald's own words do.
fn rendered(template: Option<&Template>, values: &Value, rule: &Rule) -> Option<String> {
    let made = template?.render(values);
    if let Err(error) = &made {
        tracing::debug!(alert = %rule.plan.name, %error, "template of an alert failed");
    }
    made.ok()
}

/// One line, not too long, never empty.
pub(super) fn title(text: &str) -> Text {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    if line.is_empty() {
        return "An alert without a title".into();
    }
    bounded(&line, MAX_TITLE).into()
}

fn folded(entry: &Entry) -> String {
    let titles: Vec<&str> = entry.folds.iter().map(|fold| &*fold.title).collect();
    let mut text = String::new();
    for title in titles.iter().take(20) {
        _ = writeln!(text, "{title}");
    }
    if titles.len() > 20 {
        _ = writeln!(text, "and {} more", titles.len() - 20);
    }
    text
}

fn listed(names: &[&str]) -> String {
    let shown = names
        .iter()
        .take(20)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(20) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
