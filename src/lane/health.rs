//! How a lane is, derived from what its sink answered.

use std::time::{Duration, Instant};
use unifi_herald_plugin::DeliveryError;

/// How long a lane may fail before it is announced as down: shorter is weather nobody needs to hear of.
const DOWN_AFTER: Duration = Duration::from_secs(60);

/// The state of a lane.
#[derive(Clone, Debug, Default)]
pub struct Health {
    trouble: Option<Failing>,
    announced_down: bool,
    last_error: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Failing {
    trouble: Trouble,
    since: Instant,
}

/// In what way a lane fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It retries and expects to succeed by itself.
    Retrying,
    /// It tries slowly: somebody has to correct the configuration.
    Parked,
    /// It does not try until the next reload.
    Gone,
}

/// Something to tell people about a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// The sink is down, for this reason.
    Down(String),
    /// The sink takes events again.
    Up,
}

impl Health {
    /// `ok`, `retrying`, `parked` or `gone`, as `status` shows it.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.trouble.map(|failing| failing.trouble) {
            None => "ok",
            Some(Trouble::Retrying) => "retrying",
            Some(Trouble::Parked) => "parked",
            Some(Trouble::Gone) => "gone",
        }
    }

    /// What the sink said last when it failed.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Whether the lane fails now.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.trouble.is_some()
    }

    /// Told once when a lane went down (parked, or failing for a minute), and once when it is back.
    pub fn announce(&mut self, now: Instant) -> Option<Announcement> {
        match (&self.trouble, self.announced_down) {
            (None, true) => {
                self.announced_down = false;
                Some(Announcement::Up)
            }
            (Some(failing), false)
                if failing.trouble != Trouble::Retrying
                    || now.saturating_duration_since(failing.since) >= DOWN_AFTER =>
            {
                self.announced_down = true;
                Some(Announcement::Down(
                    self.last_error.clone().unwrap_or_default(),
                ))
            }
            (None | Some(_), _) => None,
        }
    }

    pub(super) fn failed(&mut self, now: Instant, trouble: Trouble, error: &DeliveryError) {
        let since = self.trouble.map_or(now, |failing| failing.since);
        self.trouble = Some(Failing { trouble, since });
        self.last_error = Some(error.to_string());
    }

    pub(super) fn recovered(&mut self) {
        self.trouble = None;
    }
}
