//! What will run: alerts and digests.

use crate::script::Hours;
use std::time::Duration;
use unifi_herald_plugin::{Kind, Severity, Text};

/// One alert: which events open an incident, which end it, and who is told when.
#[derive(Clone, Debug)]
pub struct AlertPlan {
    /// Its name in the configuration.
    pub name: Text,
    /// What opens an incident, with the patterns already expanded.
    pub on: Vec<Kind>,
    /// What ends it.
    pub resolve_on: Vec<Kind>,
    /// Of the events of `on`, only those for which this expression is true.
    pub condition: Option<String>,
    /// Template of what an incident is about; without it there is one incident for each site.
    pub key: Option<String>,
    /// How long it must last before anybody is told.
    pub hold: Duration,
    /// Templates of what is told together; empty when every key is told by itself.
    pub group_by: Vec<String>,
    /// How long the first of a group waits for others.
    pub group_wait: Duration,
    /// How often an open incident is told again.
    pub repeat: Option<Duration>,
    /// How many incidents of one key may be told in a stretch of time.
    pub limit: Option<RatePlan>,
    /// How often a key may open in a stretch of time before it counts as flapping.
    pub flap: Option<RatePlan>,
    /// When nobody is told.
    pub quiet: Option<QuietPlan>,
    /// After how long without another event it is over.
    pub resolve_after: Option<Duration>,
    /// What explains it, so that it need not be told.
    pub inhibit_by: Vec<Inhibitor>,
    /// During which work it is not told.
    pub mute_while: Option<MutePlan>,
    /// A field it waits for before it is told.
    pub wait_for: Option<WaitPlan>,
    /// How much it matters; that of the opening event otherwise.
    pub severity: Option<Severity>,
    /// Template of the title.
    pub title: Option<String>,
    /// Template of the text.
    pub body: Option<String>,
    /// Template of the title when it is over.
    pub title_resolved: Option<String>,
    /// Template of the text when it is over.
    pub body_resolved: Option<String>,
    /// Whether the events it counts go on as well.
    pub pass: bool,
}

impl AlertPlan {
    /// Whether an incident lasts, rather than closing at once.
    #[must_use]
    pub fn lasts(&self) -> bool {
        !self.resolve_on.is_empty() || self.resolve_after.is_some()
    }
}

#[cfg(test)]
impl AlertPlan {
    /// An alert with nothing but what opens and ends it.
    pub(crate) fn testing(name: &str, on: Kind, resolve_on: Kind) -> Self {
        Self {
            name: name.into(),
            on: vec![on],
            resolve_on: vec![resolve_on],
            condition: None,
            key: None,
            hold: Duration::ZERO,
            group_by: Vec::new(),
            group_wait: Duration::ZERO,
            repeat: None,
            limit: None,
            flap: None,
            quiet: None,
            resolve_after: None,
            inhibit_by: Vec::new(),
            mute_while: None,
            wait_for: None,
            severity: None,
            title: None,
            body: None,
            title_resolved: None,
            body_resolved: None,
            pass: false,
        }
    }
}

/// So many times in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePlan {
    /// How many.
    pub max: usize,
    /// In how long.
    pub within: Duration,
}

/// When nobody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietPlan {
    /// The hours, in the zone of the plan.
    pub hours: Hours,
    /// What becomes of a message in these hours.
    pub then: QuietThen,
}

/// What becomes of a message in quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuietThen {
    /// It is not told.
    Drop,
    /// The digest at this position of the plan has it.
    Digest(usize),
}

/// What may explain an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inhibitor {
    /// A device on the way to what it is about.
    Uplink,
    /// The alert at this position of the plan, on the same site.
    Alert(usize),
}

/// Work during which nobody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutePlan {
    /// What begins it.
    pub from: Vec<Kind>,
    /// What ends it.
    pub until: Vec<Kind>,
    /// How long it may take.
    pub max: Duration,
}

/// A field that is worth waiting for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitPlan {
    /// Its path in the event: `client.ip`.
    pub field: String,
    /// How long it is worth.
    pub max: Duration,
}

/// One digest: what it collects is told at its time of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestPlan {
    /// Its name in the configuration.
    pub name: Text,
    /// The time of the day, in the zone of the plan.
    pub at: jiff::civil::Time,
    /// Whether nothing is told when nothing was collected.
    pub skip_empty: bool,
}
