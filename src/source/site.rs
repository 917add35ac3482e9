//! One site's socket: connect, listen until it ends, judge the end, wait, again.

mod listen;
mod state;

pub(super) use state::SiteState;

use super::account::Account;
use super::names::{self, Lists};
use super::repair::Repair;
use super::report::Part;
use super::socket::{self, Socket};
use super::{Link, announce};
use crate::config::BackfillPlan;
use crate::unifi::close::{Reconnect, Seen};
use crate::unifi::liveness::{Limits, Liveness};
use crate::unifi::sites::SUPER;
use crate::unifi::{Site, endpoint};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{Event, Text};

/// After how long without data the site-less socket counts as mute.
const SUPER_MUTE: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest wait for the controller to take our farewell.
const FAREWELL: Duration = Duration::from_secs(1);

/// The task of one site.
pub(super) struct SiteTask {
    pub(super) account: Arc<Account>,
    pub(super) link: Link,
    pub(super) controller: Text,
    pub(super) query: String,
    pub(super) backfill: BackfillPlan,
    pub(super) site: Site,
    pub(super) stop: CancellationToken,
}

/// What lasts from one connection to the next.
struct Memory {
    state: Arc<SiteState>,
    reconnect: Reconnect,
    names_due: Instant,
    /// Whether the router was told who the clients are.
    rolled: bool,
    events: Vec<Arc<Event>>,
}

/// One connection.
struct Connection {
    socket: Socket,
    generation: u64,
    since: Instant,
    liveness: Liveness,
    lists: Option<Lists>,
    /// Whether one of the lists could not be had.
    lists_failed: bool,
    /// Whether one of those that tell of clients could.
    clients_listed: bool,
    /// When the lists are asked for once more.
    retry: Option<Instant>,
    up: bool,
    data: bool,
}

impl SiteTask {
    /// Until told to stop.
    pub(super) async fn run(self) {
        let state = SiteState::new(
            &self.controller,
            &self.site,
            self.backfill,
            self.link.resume.clone(),
        );
        let state = Arc::new(state);
        self.link
            .directory
            .enter(&self.controller, &self.site.name, &state);
        let repair = Repair {
            account: Arc::clone(&self.account),
            link: self.link.clone(),
            controller: self.controller.clone(),
            site: self.site.clone(),
            mute: self.backfill.mute,
            state: Arc::clone(&state),
            stop: self.stop.clone(),
        };
        // In one task: they are over together, and what the one decodes is never decoded beside the other.
        tokio::join!(self.keep_connected(state), repair.run());
    }

    async fn keep_connected(&self, state: Arc<SiteState>) {
        let mut memory = Memory {
            state,
            reconnect: Reconnect::new(self.link.timing),
            names_due: self.link.clock.now(),
            rolled: false,
            events: Vec::new(),
        };
        self.mark(false);
        while let Some(connected) = self.stop.run_until_cancelled(self.connect()).await {
            let (generation, seen, was_up) = match connected {
                Err((generation, seen)) => (generation, Some(seen), false),
                Ok((generation, socket)) => self.serve(socket, generation, &mut memory).await,
            };
            // Without anything seen, it was told to stop.
            let Some(seen) = seen else { break };
            memory.state.lock().lost();
            let next = memory.reconnect.judge(&seen, fastrand::f64());
            if was_up {
                self.mark(false);
                let event = announce::disconnected(
                    &self.controller,
                    &self.site,
                    self.link.clock.wall(),
                    &next.reason,
                );
                memory.events.push(event);
                self.link.intake.push(&mut memory.events).await;
            }
            tracing::debug!(controller = %self.controller, site = %self.site.name, reason = next.reason, login = next.login, wait_ms = next.wait.as_millis(), "socket is not up");
            self.account
                .report
                .trouble(Part::Site(self.site.name.clone()), &next.trouble);
            if next.login {
                self.account.distrust(generation);
            }
            if self
                .stop
                .run_until_cancelled(tokio::time::sleep(next.wait))
                .await
                .is_none()
            {
                break;
            }
        }
    }

    async fn connect(&self) -> Result<(u64, Socket), (u64, Seen)> {
        let (kind, pass) = self.account.pass().await;
        let path = endpoint::socket_path(kind, &self.site.name, &self.query);
        match socket::connect(&self.account.address, &self.account.tls, &path, &pass).await {
            Ok(socket) => Ok((pass.generation, socket)),
            Err(seen) => Err((pass.generation, seen)),
        }
    }

    /// Listen until the connection ends; whether it had been up, and what was seen, nothing when told to stop.
    async fn serve(
        &self,
        socket: Socket,
        generation: u64,
        memory: &mut Memory,
    ) -> (u64, Option<Seen>, bool) {
        let now = self.link.clock.now();
        let mut connection = Connection {
            socket,
            generation,
            since: now,
            liveness: Liveness::new(self.limits(memory), now),
            lists: self.lists(memory.names_due <= now),
            lists_failed: false,
            clients_listed: false,
            retry: None,
            up: false,
            data: false,
        };
        let news = memory.state.lock().meet(self.repair_now());
        announce::holes(&self.link, (&self.controller, &self.site), news);
        let end = self.listen(&mut connection, memory).await;
        // The events of the last turn are handed on whatever ended the connection.
        self.link.intake.push(&mut memory.events).await;
        let up = self.link.clock.now().duration_since(connection.since);
        let seen = match end {
            None => {
                let close = tokio::time::timeout(FAREWELL, connection.socket.close(None));
                // A controller that does not take the farewell will notice by itself.
                let _farewell = close.await;
                None
            }
            Some(how) => Some(Seen::Lost {
                how,
                data: connection.data,
                up,
            }),
        };
        (generation, seen, connection.up)
    }

    fn lists(&self, due: bool) -> Option<Lists> {
        let named = due && &*self.site.name != SUPER;
        named.then(|| names::lists(Arc::clone(&self.account), self.site.name.clone()))
    }

    /// The site-less socket may have nothing to say for days.
    fn limits(&self, memory: &Memory) -> Limits {
        let mute = memory.reconnect.mute_limit();
        Limits {
            timing: self.link.timing,
            mute: if &*self.site.name == SUPER {
                mute.max(SUPER_MUTE)
            } else {
                mute
            },
        }
    }

    fn mark(&self, up: bool) {
        self.link.status.update(|facts| {
            facts.sites.insert(self.site.name.clone(), up);
        });
    }
}
