//! Alerts: what is worth telling becomes an incident that is told once, and told again when it is over.
//!
//! Pure: takes `now`. [`Alerts`] is the state of all alerts; events go in by [`Alerts::apply`], time by
//! [`Alerts::tick`], and both leave what is to be said in [`Alerts::take_said`], as events whose ids are the same
//! whenever they are made of the same past. What is remembered is committed with the batch that changed it.
//!
//! Two times are at work. Order goes by the controller's clock (`Event::time`): what is older than the last change of
//! its key changes nothing. Timers go by herald's clock: a stream event counts from when it was received, history from
//! when it happened.
//!
//! Whoever lists, silences or acknowledges from another thread (the control socket, a dashboard) does so through
//! [`crate::desk::Desk`], of which a host has one for its whole life.

mod assemble;
mod book;
mod entry;
mod event_json;
mod fields;
mod inhibit;
mod lasting;
mod machine;
mod message;
mod orphans;
mod repair;
mod rule;
mod shared;
mod shelf;
mod silence;
mod template;
#[cfg(test)]
mod tests;
mod timers;
mod view;
mod words;

pub use assemble::{AlertError, assemble};
pub use entry::Phase;
pub use machine::Counted;
pub use rule::Rule;
pub use shared::SharedAlerts;
pub use silence::{MAX_SILENCES, Silence};
pub use template::{Purpose, Template};
pub use view::{Incident, NewSilence, acknowledged, silenced, unsilenced};

pub(crate) use fields::check_event as check_event_field;
pub(crate) use shelf::{SCOPES, SILENCES, scope};

use crate::script::ScriptStep;
use crate::store::StateChange;
use book::Book;
use jiff::tz::TimeZone;
use orphans::Orphan;
use repair::Repairs;
use std::sync::Arc;
use unifi_herald_plugin::{Event, Kind, Mac, Text, Timestamp};

/// What is known of devices and clients now, which may be more than when an event came.
pub trait Directory: Send + Sync + std::fmt::Debug {
    /// Fill in what is missing in the subjects of `event`.
    fn complete(&self, event: &mut Event);

    /// What the device behind `mac` hangs on.
    fn uplink(&self, controller: &str, site: &str, mac: Mac) -> Option<Mac>;
}

/// All alerts and what they remember.
#[derive(Debug)]
pub struct Alerts {
    rules: Vec<Arc<Rule>>,
    /// Of each alert: its `where`.
    conditions: Vec<Option<ScriptStep>>,
    /// Of each alert: when it last complained of an event that it could not place.
    complained: Vec<Option<Timestamp>>,
    book: Book,
    silences: Vec<Silence>,
    silences_changed: Vec<String>,
    repairs: Repairs,
    zone: TimeZone,
    directory: Option<Arc<dyn Directory>>,
    said: Vec<Said>,
    /// What was counted of the event being routed, by alert and id: chains share an alert.
    counted: Vec<(usize, Text, Counted)>,
    /// Sites on which something ended, and when: what it explained may have to be told.
    released: Vec<(Text, Text, Timestamp)>,
    /// Of alerts that are not among these: to be ended with the next look at the clock.
    orphans: Vec<Orphan>,
    /// What the store need not remember of them any more.
    forgotten: Vec<StateChange>,
    /// The latest time that was told, to notice a clock that was set back.
    latest: Timestamp,
}

/// Something that an alert has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// To whom.
    pub to: Addressee,
    /// What.
    pub event: Arc<Event>,
}

/// To whom an alert speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// The next step of every chain that names the alert at this position.
    StepsBehind(usize),
    /// The digest at this position.
    Digest(usize),
    /// Every chain, as if it came from a controller: no step names the alert any more.
    EveryChain,
}

impl Alerts {
    /// No alerts yet; times are told in `zone`.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self {
            rules: Vec::new(),
            conditions: Vec::new(),
            complained: Vec::new(),
            book: Book::default(),
            silences: Vec::new(),
            silences_changed: Vec::new(),
            repairs: Repairs::default(),
            zone,
            directory: None,
            said: Vec::new(),
            counted: Vec::new(),
            released: Vec::new(),
            orphans: Vec::new(),
            forgotten: Vec::new(),
            latest: Timestamp::default(),
        }
    }

    /// Add the alert of the next position; `condition` is its `where`, compiled.
    pub fn push(&mut self, rule: Rule, condition: Option<ScriptStep>) {
        self.rules.push(Arc::new(rule));
        self.conditions.push(condition);
        self.complained.push(None);
        self.book.add_alert();
    }

    /// Look names up in `directory` when something is told.
    pub fn look_up_in(&mut self, directory: Arc<dyn Directory>) {
        self.directory = Some(directory);
    }

    /// Whether there are no alerts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the alert at `position` does anything with events of `kind`.
    #[must_use]
    pub fn names(&self, position: usize, kind: Kind) -> bool {
        self.rules
            .get(position)
            .is_some_and(|rule| rule.roles(kind).any())
    }

    /// What is to be said since the last call, in order.
    #[must_use]
    pub fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }
}
