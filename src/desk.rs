//! Where incidents and silences are looked at and changed while a host runs: by the control socket, by a dashboard.
//!
//! ```text
//! let incidents = desk.incidents();               // at once, whoever asks
//! desk.acknowledge(&incident.id).await?;           // returns when it is in the store
//! desk.silence(NewSilence { alert: Some("wan_down".into()), seconds: 7200, ..Default::default() }).await?;
//! ```
//!
//! A desk outlives reloads: its copies always speak of the alerts that run.

use crate::alert::{Incident, NewSilence, SharedAlerts, Silence};
use crate::clock::Clock;
use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How long a change may take to be kept.
const PATIENCE: Duration = Duration::from_secs(10);

/// The alerts of a running host, for whoever looks at them. A copy is the same desk.
#[derive(Clone, Debug)]
pub struct Desk {
    alerts: SharedAlerts,
    clock: Clock,
    shared: Arc<Shared>,
    elsewhere: Option<Arc<dyn Elsewhere>>,
}

/// Alerts that run elsewhere than in the host's own chains.
#[async_trait]
pub(crate) trait Elsewhere: fmt::Debug + Send + Sync {
    /// As [`Desk::incidents`].
    fn incidents(&self) -> Vec<Incident>;

    /// As [`Desk::silences`].
    fn silences(&self) -> Vec<Silence>;

    /// As [`Desk::acknowledge`].
    async fn acknowledge(&self, incident: &str) -> Result<(), DeskError>;

    /// Keep a silence that begins now.
    async fn silence(&self, silence: &Silence) -> Result<(), DeskError>;

    /// As [`Desk::end_silence`].
    async fn end_silence(&self, id: &str) -> Result<(), DeskError>;
}

#[derive(Debug)]
struct Shared {
    bell: Notify,
    asked: AtomicU64,
    kept: watch::Sender<u64>,
}

/// What was asked for was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// There is no such incident or silence.
    #[error("there is no {what} `{id}`")]
    Unknown {
        /// `incident` or `silence`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// It is not possible, for this reason.
    #[error("{0}")]
    Refused(String),
    /// It counts, but it could not be written down yet: a restart might forget it.
    #[error("the store takes nothing at the moment; it counts, but a restart would forget it")]
    NotKept,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new(SharedAlerts::default(), Clock::system())
    }
}

impl Desk {
    /// A desk for `alerts`; a router must keep what is changed.
    #[must_use]
    pub fn new(alerts: SharedAlerts, clock: Clock) -> Self {
        let shared = Shared {
            bell: Notify::new(),
            asked: AtomicU64::new(0),
            kept: watch::Sender::new(0),
        };
        Self {
            alerts,
            clock,
            shared: Arc::new(shared),
            elsewhere: None,
        }
    }

    /// A desk for alerts that run elsewhere.
    pub(crate) fn of(elsewhere: Arc<dyn Elsewhere>, clock: Clock) -> Self {
        Self {
            elsewhere: Some(elsewhere),
            ..Self::new(SharedAlerts::default(), clock)
        }
    }

    /// Every incident that is not over, the oldest first.
    #[must_use]
    pub fn incidents(&self) -> Vec<Incident> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.incidents(),
            None => self.alerts.lock().incidents(self.clock.wall()),
        }
    }

    /// The silences that last, the newest last.
    #[must_use]
    pub fn silences(&self) -> Vec<Silence> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.silences(),
            None => self.alerts.lock().silences(self.clock.wall()),
        }
    }

    /// Repeat the incident no more; its end is told all the same.
    ///
    /// # Errors
    /// When there is no incident of this id, or it was not kept.
    pub async fn acknowledge(&self, incident: &str) -> Result<(), DeskError> {
        if let Some(elsewhere) = &self.elsewhere {
            return elsewhere.acknowledge(incident).await;
        }
        if !self.alerts.lock().acknowledge(incident) {
            return Err(unknown("incident", incident));
        }
        self.keep().await
    }

    /// Tell nothing of what the silence covers, from now on.
    ///
    /// # Errors
    /// When it covers too much, or was not kept.
    pub async fn silence(&self, new: NewSilence) -> Result<Silence, DeskError> {
        let now = self.clock.wall();
        let silence = new.begin(now).map_err(DeskError::Refused)?;
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.silence(&silence).await?;
            return Ok(silence);
        }
        let kept = self.alerts.lock().silence(silence.clone(), now);
        kept.map_err(DeskError::Refused)?;
        self.keep().await?;
        Ok(silence)
    }

    /// End a silence before its time.
    ///
    /// # Errors
    /// When there is no silence of this id, or that was not kept.
    pub async fn end_silence(&self, id: &str) -> Result<(), DeskError> {
        if let Some(elsewhere) = &self.elsewhere {
            return elsewhere.end_silence(id).await;
        }
        let now = self.clock.wall();
        if !self.alerts.lock().end_silence(id, now) {
            return Err(unknown("silence", id));
        }
        self.keep().await
    }

    /// Go by these silences, which are kept elsewhere.
    pub(crate) fn follow_silences(&self, silences: &[Silence]) {
        let now = self.clock.wall();
        self.alerts.lock().follow_silences(silences, now);
        // What a silence kept untold may be due.
        self.shared.bell.notify_one();
    }

    /// Wait until the router has committed what was changed.
    async fn keep(&self) -> Result<(), DeskError> {
        let mut kept = self.shared.kept.subscribe();
        let asked = self.shared.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.shared.bell.notify_one();
        let done = timeout(PATIENCE, kept.wait_for(|kept| *kept >= asked)).await;
        match done {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(DeskError::NotKept),
        }
    }

    /// Resolves when something was changed since it resolved last. Cancel-safe.
    pub(crate) async fn changed(&self) {
        self.shared.bell.notified().await;
    }

    /// How many changes there were: read before the state is taken.
    pub(crate) fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// So many changes are committed.
    pub(crate) fn kept(&self, asked: u64) {
        self.shared.kept.send_replace(asked);
    }
}

/// There is none of this id.
pub(crate) fn unknown(what: &'static str, id: &str) -> DeskError {
    DeskError::Unknown {
        what,
        id: id.to_owned(),
    }
}
