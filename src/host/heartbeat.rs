//! The heartbeat at work: begun anew when a reload changes where it goes or how often.

use crate::clock::Clock;
use crate::config::HeartbeatPlan;
use crate::heartbeat::worker::HeartbeatWorker;
use crate::roster::Roster;
use crate::store::SharedStore;
use crate::tasks::Tasks;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::HttpClient;

/// What it works with, and how it is told to stop.
#[derive(Debug)]
pub(super) struct Heartbeat {
    pub(super) roster: Roster,
    pub(super) store: SharedStore,
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    pub(super) stop: CancellationToken,
    pub(super) running: Option<(HeartbeatPlan, CancellationToken)>,
}

impl Heartbeat {
    /// Go on like this from now on.
    pub(super) fn change_to(&mut self, pulse: Option<(HeartbeatPlan, HttpClient)>) {
        let wanted = pulse.as_ref().map(|(plan, _)| plan);
        if self.running.as_ref().map(|(plan, _)| plan) == wanted {
            return;
        }
        if let Some((_, stop)) = self.running.take() {
            stop.cancel();
        }
        let Some((plan, http)) = pulse else { return };
        let stop = self.stop.child_token();
        let worker = HeartbeatWorker {
            plan: plan.clone(),
            http,
            roster: self.roster.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            stop: stop.clone(),
        };
        drop(self.tasks.spawn(worker.run()));
        self.running = Some((plan, stop));
    }
}
