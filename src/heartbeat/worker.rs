//! The task that pings the dead man's switch.

use super::{Ailment, Pulse, ailment};
use crate::clock::Clock;
use crate::config::HeartbeatPlan;
use crate::roster::Roster;
use crate::store::SharedStore;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::HttpClient;
use unifi_herald_plugin::http::{HeaderMap, Request, StatusCode, redirect};

/// Longest a ping may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pings while all is well.
#[derive(Debug)]
pub struct HeartbeatWorker {
    /// Where to, and how often.
    pub plan: HeartbeatPlan,
    /// What carries the pings.
    pub http: HttpClient,
    /// Every controller must be heard.
    pub roster: Roster,
    /// And what it tells be kept.
    pub store: SharedStore,
    /// Time.
    pub clock: Clock,
    /// Cancelled when the host stops listening.
    pub stop: CancellationToken,
}

impl HeartbeatWorker {
    /// Ping until told to stop.
    pub async fn run(self) {
        // What is cut off in the middle is a ping, which nobody misses.
        if self.stop.run_until_cancelled(self.beat()).await.is_none() {
            tracing::debug!("the heartbeat stops");
        }
    }

    async fn beat(&self) {
        let mut pulse = Pulse::new(self.plan.every, self.clock.now());
        let mut log = Log::default();
        loop {
            let found = self.ailment();
            log.health(found.as_ref());
            if found.is_none() && pulse.is_due(self.clock.now()) {
                let sent = self.ping().await;
                log.ping(sent.as_ref().err());
                pulse.sent(sent.is_ok(), self.clock.now());
            }
            sleep_until(Instant::from_std(pulse.look_at(self.clock.now()))).await;
        }
    }

    fn ailment(&self) -> Option<Ailment> {
        let cast = self.roster.now();
        let controllers = cast.controllers.iter();
        let facts = controllers.map(|(name, status)| (name, status.facts()));
        let sources = cast.sources.iter();
        let sources = sources.map(|(name, status)| (name, status.facts().connected));
        ailment(facts, sources, &self.store.health(), self.clock.wall())
    }

    /// What went wrong, in words without the address, whose path is often the key to it.
    async fn ping(&self) -> Result<(), String> {
        let request = Request::get(self.plan.url.expose())
            .body(bytes::Bytes::new())
            .map_err(|_| "the address is not a URL".to_owned())?;
        match timeout(PATIENCE, self.http.submit(request)).await {
            Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
            Ok(Ok(answer)) => Err(refusal(answer.status(), answer.headers())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_elapsed) => Err("it did not answer in time".to_owned()),
        }
    }
}

/// Not the words of the answer, which may repeat the address.
fn refusal(status: StatusCode, headers: &HeaderMap) -> String {
    match redirect(status, headers) {
        Some(advice) => format!("answered {status}: {advice}"),
        None => format!("answered {status}"),
    }
}

/// What was said last: a state is logged when it begins, not with every look.
#[derive(Debug, Default)]
struct Log {
    ailing: Option<Ailment>,
    failed: Option<String>,
}

impl Log {
    fn health(&mut self, found: Option<&Ailment>) {
        if self.ailing.as_ref() == found {
            return;
        }
        match found {
            Some(reason) => tracing::warn!(%reason, "the heartbeat pauses"),
            None => tracing::info!("the heartbeat goes on"),
        }
        self.ailing = found.cloned();
    }

    fn ping(&mut self, error: Option<&String>) {
        if self.failed.as_ref() == error {
            return;
        }
        match error {
            Some(error) => tracing::warn!(%error, "the heartbeat does not arrive"),
            None => tracing::info!("the heartbeat arrives again"),
        }
        self.failed = error.cloned();
    }
}

#[cfg(test)]
mod tests;
