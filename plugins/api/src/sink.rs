//! Where events go.

use crate::{BoxError, BufferedEvent};
use async_trait::async_trait;
use std::fmt;
use std::ops::Deref;
use std::time::{Duration, Instant};

/// A destination for events. Only [`deliver`](Sink::deliver) must be written.
///
/// The host gives every sink a lane of its own: a queue, batching, a timeout, retries, and a state that
/// people can see. A sink therefore does one thing: try once, and say precisely what became of it.
///
/// Order of calls: `check` at most once and only when somebody asks (`herald check --online`), then any
/// number of `deliver` and `wake`, then `close` once. No two calls ever overlap. After a panic the sink is
/// built anew and the batch comes again.
#[async_trait]
pub trait Sink: Send + 'static {
    /// Deliver `batch`, oldest first; it is never empty.
    ///
    /// `Ok(())` is the acknowledgement: every event of the batch has arrived, and none will come again. The
    /// call may be cancelled at any `await` when the lane's timeout is over; then the same events come
    /// again with the same ids. A destination that can de-duplicate should be given those ids.
    ///
    /// # Errors
    /// [`DeliveryError`] says how many events from the front arrived and whether to try the rest again.
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError>;

    /// Find out whether the destination could be reached, without sending anything people would see.
    ///
    /// # Errors
    /// What `deliver` would meet.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        Ok(())
    }

    /// When [`wake`](Sink::wake) wants to be called, for sinks with timers of their own; asked after every call.
    fn wake_at(&self) -> Option<Instant> {
        None
    }

    /// Called at or after the time named by [`wake_at`](Sink::wake_at).
    ///
    /// # Errors
    /// Logged and counted; `wake` is called again at the next `wake_at`.
    async fn wake(&mut self, now: Instant) -> Result<(), DeliveryError> {
        let _unused = now;
        Ok(())
    }

    /// Flush and let go. Called once, when the host stops or the sink left the configuration; bounded by the
    /// lane's timeout.
    ///
    /// # Errors
    /// Logged. What was acknowledged before must not depend on it.
    async fn close(self: Box<Self>) -> Result<(), DeliveryError> {
        Ok(())
    }
}

/// What a sink is asked to deliver: at least one event, oldest first. Derefs to a slice.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    events: &'a [BufferedEvent],
    attempt: u32,
}

impl<'a> Batch<'a> {
    /// The first try at `events`.
    #[must_use]
    pub fn new(events: &'a [BufferedEvent]) -> Self {
        Self { events, attempt: 1 }
    }

    /// The same events as the `attempt`-th try, counted from 1.
    #[must_use]
    pub fn with_attempt(self, attempt: u32) -> Self {
        Self { attempt, ..self }
    }

    /// The events, for as long as the batch was borrowed.
    #[must_use]
    pub fn events(&self) -> &'a [BufferedEvent] {
        self.events
    }

    /// Which try this is, counted from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

impl Deref for Batch<'_> {
    type Target = [BufferedEvent];

    fn deref(&self) -> &[BufferedEvent] {
        self.events
    }
}

/// Why a batch, or the rest of it, was not delivered, and what the host should do.
///
/// ```
/// use std::time::Duration;
/// use unifi_herald_plugin::{DeliveryError, Retry};
///
/// let busy = DeliveryError::after(Duration::from_secs(5), "429 Too Many Requests").with_accepted(3);
/// assert_eq!(busy.accepted(), 3);
/// assert_eq!(busy.retry(), Retry::After(Duration::from_secs(5)));
/// ```
#[derive(Debug)]
pub struct DeliveryError {
    accepted: usize,
    retry: Retry,
    fault: Fault,
    source: BoxError,
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Yes, when the host thinks fit.
    Later,
    /// Yes, but not before this long from now, because the destination said so.
    After(Duration),
    /// No: the event at index `accepted`, and it alone, will never be taken. The host makes it a dead letter
    /// once it was refused alone; a batch of several is split first.
    Never,
}

/// Who has to change for the next try to succeed. The host derives from it how to retry and what to tell people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The way there: no answer came (name lookup, connect, handshake, timeout).
    Unreachable,
    /// The destination: it answered that it cannot now (408, 429, 5xx).
    Unavailable,
    /// The configuration: the destination refuses us, not the event (401, 403, 404).
    Configuration,
    /// The configuration, for good: the destination says it no longer exists (410).
    Gone,
    /// The event: the destination will not take this one (other 4xx, a template that fails on it).
    Event,
}

impl DeliveryError {
    /// Try again later; nothing was accepted, and no answer came.
    pub fn later(error: impl Into<BoxError>) -> Self {
        Self {
            accepted: 0,
            retry: Retry::Later,
            fault: Fault::Unreachable,
            source: error.into(),
        }
    }

    /// Try again after `delay`, as the destination asked.
    pub fn after(delay: Duration, error: impl Into<BoxError>) -> Self {
        Self {
            accepted: 0,
            retry: Retry::After(delay),
            fault: Fault::Unavailable,
            source: error.into(),
        }
    }

    /// Never try the event at index `accepted` again.
    pub fn never(error: impl Into<BoxError>) -> Self {
        Self {
            accepted: 0,
            retry: Retry::Never,
            fault: Fault::Event,
            source: error.into(),
        }
    }

    /// Try again slowly: the destination refuses because of what is configured.
    pub fn misconfigured(error: impl Into<BoxError>) -> Self {
        Self {
            accepted: 0,
            retry: Retry::Later,
            fault: Fault::Configuration,
            source: error.into(),
        }
    }

    /// What an HTTP answer that is not a success means, by the rules all of herald's sinks share.
    ///
    /// `retry_after` is what a `Retry-After` header says, where there was one: [`retry_after`](crate::http::retry_after).
    ///
    /// ```
    /// use unifi_herald_plugin::{DeliveryError, Fault, Retry};
    ///
    /// assert_eq!(DeliveryError::from_status(503, None, "busy").fault(), Fault::Unavailable);
    /// assert_eq!(DeliveryError::from_status(401, None, "who?").fault(), Fault::Configuration);
    /// assert_eq!(DeliveryError::from_status(422, None, "what?").retry(), Retry::Never);
    /// ```
    pub fn from_status(
        status: u16,
        retry_after: Option<Duration>,
        error: impl Into<BoxError>,
    ) -> Self {
        let error = match status {
            401 | 403 | 404 => Self::misconfigured(error),
            410 => Self::misconfigured(error).with_fault(Fault::Gone),
            // A redirect is not followed, since it could carry secrets elsewhere: the address must be corrected.
            300..=399 => Self::misconfigured(error),
            408 | 425 | 429 => Self::later(error).with_fault(Fault::Unavailable),
            400..=499 => Self::never(error),
            _ => Self::later(error).with_fault(Fault::Unavailable),
        };
        match retry_after {
            Some(delay) if error.retry == Retry::Later => Self {
                retry: Retry::After(delay),
                ..error
            },
            _ => error,
        }
    }

    /// The first `accepted` events of the batch have arrived.
    #[must_use]
    pub fn with_accepted(self, accepted: usize) -> Self {
        Self { accepted, ..self }
    }

    /// Say who has to change for the next try to succeed.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// How many events from the front arrived.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted
    }

    /// Whether to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Who has to change for the next try to succeed.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for DeliveryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}
