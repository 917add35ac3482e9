//! One sink's lane: what to deliver next, what an answer means, when to try again.
//!
//! [`Lane`] decides and does nothing; [`worker`] asks it and does. The rules are those of the book's chapter on
//! delivery: weather is waited out, a wrong configuration is tried slowly, an event's own fault costs that event
//! alone, and a poison event is told from a dead destination by trying the next one.

mod coalesce;
pub mod health;
mod watch;
pub mod worker;

use crate::backoff::Backoff;
use crate::config::RetryPlan;
use health::{Announcement, Health, Trouble};
use std::time::{Duration, Instant};
use unifi_herald_plugin::{DeliveryError, Fault, Retry};

/// How long a head must have drawn answers before the one behind it is tried.
const POISON_AFTER: Duration = Duration::from_secs(5 * 60);

/// Refusals in a row, without a success, that mean the configuration is wrong and not each event.
const REFUSALS_TO_PARK: u32 = 10;

/// How slowly a parked lane tries.
const PARKED_RETRY: Duration = Duration::from_secs(5 * 60);

/// Decides for one sink. Events are a window: index 0 is the oldest that is not settled.
#[derive(Debug)]
pub struct Lane {
    batch_max: usize,
    delay: Backoff,
    /// When the next try may be made; `None` while nothing stands in the way.
    hold: Option<Hold>,
    /// How many events the failed batch had: a retry offers the same ones.
    retry_len: Option<usize>,
    /// How many events from the front are still to be offered one by one.
    singly: usize,
    /// Try the second event instead of the first, to tell a poison event from a dead destination.
    probe: bool,
    /// Since when the front has drawn answers, without a connection failure in between.
    answered_since: Option<Instant>,
    refusals: u32,
    attempts: u32,
    health: Health,
}

/// What keeps a lane from trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// Weather: over at this time, or at once when something suggests that the weather changed.
    Weather(Instant),
    /// The destination named the time: nothing shortens it.
    Named(Instant),
    /// Parked for the configuration: tried slowly.
    Parked(Instant),
    /// Parked until the next reload.
    Gone,
}

/// What the worker should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Offer these events of the window.
    Deliver(Offer),
    /// Nothing before this time.
    Wait(Instant),
    /// Nothing until the lane is built anew.
    WaitForReload,
}

/// A piece of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Index of its first event.
    pub start: usize,
    /// How many, at most; fewer when the window is shorter.
    pub len: usize,
    /// Which try this is, counted from 1.
    pub attempt: u32,
    /// Whether others may still join the batch, so that it is worth waiting for them.
    pub may_grow: bool,
}

/// What became of an offer, as indices of the window; what is in neither list stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Delivered: the events `start..start + accepted`.
    pub accepted: usize,
    /// Dead letters, in rising order.
    pub dead: Vec<usize>,
}

impl Lane {
    /// A healthy lane.
    #[must_use]
    pub fn new(batch_max: usize, retry: &RetryPlan) -> Self {
        Self {
            batch_max: batch_max.max(1),
            delay: Backoff::between(retry.min, retry.max),
            hold: None,
            retry_len: None,
            singly: 0,
            probe: false,
            answered_since: None,
            refusals: 0,
            attempts: 0,
            health: Health::default(),
        }
    }

    /// What to do now, with `window` events at hand.
    #[must_use]
    pub fn next(&self, now: Instant, window: usize) -> Next {
        match self.hold {
            Some(Hold::Gone) => return Next::WaitForReload,
            Some(Hold::Weather(until) | Hold::Named(until) | Hold::Parked(until))
                if now < until =>
            {
                return Next::Wait(until);
            }
            Some(Hold::Weather(_) | Hold::Named(_) | Hold::Parked(_)) | None => {}
        }
        let attempt = self.attempts + 1;
        if self.probe && window > 1 {
            return Next::Deliver(Offer {
                start: 1,
                len: 1,
                attempt: 1,
                may_grow: false,
            });
        }
        let (len, may_grow) = match self.retry_len {
            _ if self.singly > 0 => (1, false),
            Some(len) => (len, false),
            None => (self.batch_max, true),
        };
        Next::Deliver(Offer {
            start: 0,
            len,
            attempt,
            may_grow,
        })
    }

    /// How often the front was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many events the worker should have at hand.
    #[must_use]
    pub fn wants(&self) -> usize {
        self.batch_max.max(2)
    }

    /// The sink took the whole offer of `len` events.
    pub fn delivered(&mut self, offer: Offer, len: usize) -> Verdict {
        self.refusals = 0;
        self.health.recovered();
        if offer.start > 0 {
            // The destination takes the second and not the first: the first is the poison.
            self.settled_front(1);
            self.probe = false;
            self.hold = None;
            return Verdict {
                accepted: len,
                dead: vec![0],
            };
        }
        self.settled_front(len);
        self.hold = None;
        Verdict {
            accepted: len,
            dead: Vec::new(),
        }
    }

    /// The sink failed on an offer of `len` events, of which the first `expired` are older than `give_up_after`;
    /// `draw` is a random number in `[0, 1)` for the jitter.
    pub fn failed(
        &mut self,
        now: Instant,
        offer: Offer,
        len: usize,
        expired: usize,
        error: &DeliveryError,
        draw: f64,
    ) -> Verdict {
        if offer.start > 0 {
            return self.probe_failed(now, error, draw);
        }
        let accepted = error.accepted().min(len);
        if accepted > 0 {
            self.refusals = 0;
            self.settled_front(accepted);
        }
        let left = len - accepted;
        if left == 0 {
            // It says that it failed, and that it accepted everything: it accepted everything.
            self.health.recovered();
            self.hold = None;
            return Verdict {
                accepted,
                dead: Vec::new(),
            };
        }
        self.attempts += 1;
        self.retry_len = Some(left);
        self.singly = self.singly.min(left);
        if error.retry() == Retry::Never {
            return self.refused(now, accepted, left, error);
        }
        let given_up = expired.min(len).saturating_sub(accepted);
        if given_up > 0 {
            self.settled_front(given_up);
        } else {
            self.watch_for_poison(now, left, error);
        }
        self.hold_for(now, error, draw);
        Verdict {
            accepted,
            dead: (accepted..accepted + given_up).collect(),
        }
    }

    /// The weather may have changed (the internet is back, another lane recovered): do not wait it out.
    pub fn weather_changed(&mut self) {
        if matches!(self.hold, Some(Hold::Weather(_))) {
            self.hold = None;
        }
    }

    /// The configuration was read anew: whatever was wrong with it may be right now.
    pub fn reloaded(&mut self) {
        if matches!(self.hold, Some(Hold::Gone | Hold::Parked(_))) {
            self.hold = None;
        }
    }

    /// How the lane is.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Told once when the lane went down, and once when it is back.
    pub fn announce(&mut self, now: Instant) -> Option<Announcement> {
        self.health.announce(now)
    }

    /// The event at index `accepted` will never be taken, says the sink.
    fn refused(
        &mut self,
        now: Instant,
        accepted: usize,
        left: usize,
        error: &DeliveryError,
    ) -> Verdict {
        self.answered_since = None;
        if left > 1 && self.singly == 0 {
            // Nobody is blamed before it was refused alone.
            self.singly = left;
            self.attempts = 0;
            self.hold = None;
            return Verdict {
                accepted,
                dead: Vec::new(),
            };
        }
        if self.singly == 0 {
            self.singly = 1;
        }
        self.refusals += 1;
        if self.refusals >= REFUSALS_TO_PARK {
            self.refusals = REFUSALS_TO_PARK;
            self.health.failed(now, Trouble::Parked, error);
            self.hold = Some(Hold::Parked(now + PARKED_RETRY));
            return Verdict {
                accepted,
                dead: Vec::new(),
            };
        }
        self.settled_front(1);
        self.hold = None;
        Verdict {
            accepted,
            dead: vec![accepted],
        }
    }

    /// The one behind the front failed as well: the destination is down, and nothing is skipped.
    fn probe_failed(&mut self, now: Instant, error: &DeliveryError, draw: f64) -> Verdict {
        self.probe = false;
        self.answered_since = Some(now);
        self.hold_for(now, error, draw);
        Verdict::default()
    }

    fn watch_for_poison(&mut self, now: Instant, left: usize, error: &DeliveryError) {
        if error.fault() != Fault::Unavailable {
            self.answered_since = None;
            return;
        }
        let since = *self.answered_since.get_or_insert(now);
        if now.saturating_duration_since(since) < POISON_AFTER {
            return;
        }
        if left > 1 && self.singly == 0 {
            self.singly = left;
        } else {
            self.probe = true;
        }
    }

    fn hold_for(&mut self, now: Instant, error: &DeliveryError, draw: f64) {
        let hold = match (error.fault(), error.retry()) {
            (Fault::Gone, _) => Hold::Gone,
            (Fault::Configuration, _) => Hold::Parked(now + PARKED_RETRY),
            (_, Retry::After(delay)) => Hold::Named(now + delay),
            (Fault::Unreachable | Fault::Unavailable | Fault::Event, _) => {
                Hold::Weather(now + self.delay.fail(draw))
            }
        };
        let trouble = match hold {
            Hold::Gone => Trouble::Gone,
            Hold::Parked(_) => Trouble::Parked,
            Hold::Weather(_) | Hold::Named(_) => Trouble::Retrying,
        };
        self.health.failed(now, trouble, error);
        self.hold = Some(hold);
    }

    /// `count` events left the front of the window: what is behind them starts afresh.
    fn settled_front(&mut self, count: usize) {
        self.singly = self.singly.saturating_sub(count);
        self.retry_len = self
            .retry_len
            .map(|len| len.saturating_sub(count))
            .filter(|len| *len > 0);
        self.answered_since = None;
        self.attempts = 0;
        self.delay.reset();
    }
}

#[cfg(test)]
mod tests;
