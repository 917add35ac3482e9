//! An alert made ready: which events it counts, what they are about, and how it is told.

use super::template::{Purpose, Template, value_of};
use crate::config::AlertPlan;
use jiff::tz::TimeZone;
use minijinja::context;
use std::time::Duration;
use unifi_herald_plugin::{Event, Kind, Text};

/// Longest key, in bytes.
const MAX_KEY: usize = 512;

/// How long the trace of a key is kept when nothing else says: history may bring events of that time.
const TRACE: Duration = Duration::from_hours(24);

/// What a group has in place of a field that an event does not have.
const NO_FIELD: &str = "-";

/// An alert that can be run.
#[derive(Debug)]
pub struct Rule {
    pub(super) plan: AlertPlan,
    /// One set of roles for each kind.
    roles: Box<[Roles]>,
    key: Option<Template>,
    group: Vec<Template>,
    pub(super) title: Option<Template>,
    pub(super) body: Option<Template>,
    pub(super) title_resolved: Option<Template>,
    pub(super) body_resolved: Option<Template>,
}

/// What an event of a kind does to an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Roles {
    pub(super) opens: bool,
    pub(super) resolves: bool,
    pub(super) mutes: bool,
    pub(super) unmutes: bool,
}

/// What an event is about.
pub(super) struct About {
    /// What is broken.
    pub(super) key: Text,
    /// What it is told with.
    pub(super) group: Text,
}

impl Rule {
    /// Make `plan` ready.
    ///
    /// # Errors
    /// When a template is none.
    pub fn new(plan: AlertPlan, zone: &TimeZone) -> Result<Self, String> {
        let text = |source: &Option<String>| {
            let source = source.as_ref();
            let made = source.map(|source| Template::new(source, Purpose::Text, zone));
            made.transpose()
        };
        let key = |source: &String| Template::new(source, Purpose::Key, zone);
        let mute = plan.mute_while.as_ref();
        let roles = Kind::ALL.iter().map(|kind| Roles {
            opens: plan.on.contains(kind),
            resolves: plan.resolve_on.contains(kind),
            mutes: mute.is_some_and(|mute| mute.from.contains(kind)),
            unmutes: mute.is_some_and(|mute| mute.until.contains(kind)),
        });
        Ok(Self {
            roles: roles.collect(),
            key: plan.key.as_ref().map(key).transpose()?,
            group: plan.group_by.iter().map(key).collect::<Result<_, _>>()?,
            title: text(&plan.title)?,
            body: text(&plan.body)?,
            title_resolved: text(&plan.title_resolved)?,
            body_resolved: text(&plan.body_resolved)?,
            plan,
        })
    }

    pub(super) fn roles(&self, kind: Kind) -> Roles {
        self.roles[kind.index()]
    }

    /// What `event` is about; an error when a field of the key is missing.
    pub(super) fn about(&self, event: &Event) -> Result<About, String> {
        if self.key.is_none() && self.group.is_empty() {
            let one = Text::default();
            return Ok(About {
                key: one.clone(),
                group: one,
            });
        }
        let values = context! { event => value_of(event) };
        let key = self.key.as_ref().map(|key| {
            let key = key.render(&values)?;
            if key.trim().is_empty() {
                return Err("the key is empty".to_owned());
            }
            Ok(Text::from(bounded(key.trim(), MAX_KEY)))
        });
        let key = key.transpose()?;
        let parts = self.group.iter().map(|part| {
            let part = part.render(&values).unwrap_or_default();
            let part = part.trim();
            if part.is_empty() {
                NO_FIELD.to_owned()
            } else {
                part.to_owned()
            }
        });
        let parts: Vec<String> = parts.collect();
        let group = match (parts.is_empty(), &key) {
            (true, Some(key)) => key.clone(),
            _ => bounded(&parts.join("/"), MAX_KEY).into(),
        };
        Ok(About {
            key: key.unwrap_or_else(|| group.clone()),
            group,
        })
    }

    /// How long the trace of a closed incident matters.
    pub(super) fn trace(&self) -> Duration {
        let rates = [self.plan.flap, self.plan.limit].into_iter().flatten();
        rates.map(|rate| rate.within).fold(TRACE, Duration::max)
    }
}

/// The first `max` bytes, or one character less.
pub(super) fn bounded(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Roles {
    pub(super) fn any(self) -> bool {
        self.opens || self.resolves || self.mutes || self.unmutes
    }
}
