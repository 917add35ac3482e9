//! A simulated UniFi controller on loopback, with TLS, login and a network full of life: what `herald demo` shows and
//! the integration tests test against.

mod auth;
mod clients;
mod deck;
mod devices;
mod fleet;
mod forms;
mod history;
mod hub;
mod incidents;
mod item;
mod json;
mod junk;
mod ledger;
mod maker;
mod mischief;
mod networks;
mod peers;
mod player;
mod reply;
mod rest;
mod rng;
mod scenario;
mod server;
mod socket;
mod state;
mod stats;
mod story;
mod tls;
mod totp;
mod twin;

#[cfg(test)]
mod tests;

pub use junk::Junk;
pub use ledger::{Carrier, Entry, Ledger};
pub use mischief::{Booting, ConnectTrouble, Drip, Expiry, History, LoginTrouble, Mischief};
pub use networks::Network;
pub use peers::Ending;
pub use player::Pace;
pub use scenario::{Scenario, UnknownScenario};
pub use stats::{Counts, Stats};

use crate::clock::Clock;
use crate::config::ControllerKind;
use crate::tasks;
use hub::Hub;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use unifi_herald_plugin::Timestamp;

/// What to simulate. The default is a family home on UniFi OS where nothing happens by itself.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// Which of the two APIs.
    pub kind: ControllerKind,
    /// The same seed gives the same network, the same events and the same ids.
    pub seed: u64,
    /// The sites; empty means the one of the scenario.
    pub sites: Vec<Network>,
    /// Which history APIs it has; [`Mischief::history`] changes that while it runs.
    pub history: History,
    /// Account name.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Base32 secret, when the account has a second factor.
    pub totp: Option<String>,
    /// API key, when it has one.
    pub api_key: Option<String>,
    /// Where its time comes from.
    pub clock: Clock,
    /// How much faster than the clock the controller's own time goes.
    pub time_scale: f64,
    /// The controller's own time at the start, by default that of the clock.
    pub time_origin: Option<Timestamp>,
    /// What happens in addition to ordinary life, once it plays.
    pub scenario: Scenario,
    /// How much of the trouble in ordinary life happens: 1 is as much as a demo wants to show within minutes, a hundredth
    /// of it makes an ordinary day.
    pub trouble: f64,
    /// Share of the events with a system-log form that travel as `alert` instead of `events`.
    pub alert_share: f64,
    /// Share of the EVT_ items without `_id`, as in samples of 2025.
    pub missing_id_share: f64,
    /// Share of sync frames among the frames while it plays.
    pub sync_share: f64,
    /// Life of a session; by default two hours, or thirty days when the login asks to be remembered.
    pub session: Option<Duration>,
    /// Whether it speaks without TLS, as behind a tunnel that ends on this machine.
    pub plain: bool,
    /// Port on loopback; 0 for any that is free.
    pub port: u16,
    /// Most events per site that the ledger keeps, about a kilobyte each; the oldest are forgotten, and so no longer in
    /// the history.
    pub ledger_capacity: usize,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            kind: ControllerKind::UnifiOs,
            seed: 1,
            sites: Vec::new(),
            history: History::Both,
            username: "herald".to_owned(),
            password: "a view-only account".to_owned(),
            totp: None,
            api_key: None,
            clock: Clock::system(),
            time_scale: 1.0,
            time_origin: None,
            scenario: Scenario::House,
            trouble: 1.0,
            alert_share: 0.1,
            missing_id_share: 0.1,
            sync_share: 0.2,
            session: None,
            plain: false,
            port: 0,
            ledger_capacity: 100_000,
        }
    }
}

impl SimulatorOptions {
    fn networks(&self) -> Vec<Network> {
        if self.sites.is_empty() {
            vec![self.scenario.network()]
        } else {
            self.sites.clone()
        }
    }
}

/// A simulated controller on a thread of its own. Dropping it stops it.
pub struct Simulator {
    hub: Arc<Hub>,
    pace: watch::Sender<Pace>,
    url: String,
    fingerprint: String,
    pem: String,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Start listening. Nothing happens by itself until [`Simulator::play`].
    ///
    /// # Errors
    /// When the port is taken, or the system refuses a socket or a thread.
    pub fn start(options: SimulatorOptions) -> io::Result<Self> {
        let identity = tls::identity()?;
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)))?;
        listener.set_nonblocking(true)?;
        let scheme = if options.plain { "http" } else { "https" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (pace, watched) = watch::channel(Pace::Still);
        let hub = Arc::new(Hub::new(options));
        let (shared, acceptor) = (Arc::clone(&hub), identity.acceptor);
        let thread = tasks::thread("simulator", move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                shared
                    .tasks
                    .spawn(player::play(Arc::clone(&shared), watched));
                shared
                    .tasks
                    .spawn(server::serve(Arc::clone(&shared), listener, acceptor));
                shared.tasks.ended().await;
            });
        })?;
        Ok(Self {
            hub,
            pace,
            url,
            fingerprint: identity.fingerprint,
            pem: identity.pem,
            thread: Some(thread),
        })
    }

    /// `https://127.0.0.1:port`, or `http://` where it is plain.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// SHA-256 of the certificate's DER in hexadecimal, for `pin_sha256`.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The certificate, for `ca_file`.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// What it was started with.
    #[must_use]
    pub fn options(&self) -> &SimulatorOptions {
        &self.hub.options
    }

    /// Short names of its sites.
    #[must_use]
    pub fn sites(&self) -> Vec<&'static str> {
        self.hub
            .world()
            .stories
            .iter()
            .map(|story| story.fleet.name)
            .collect()
    }

    /// The controller's own time now.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.hub.event_time()
    }

    /// Let things happen by themselves at this pace, from now on: when this returns, the last one at the pace before has
    /// happened. The scenario begins with the first call.
    pub fn play(&self, pace: Pace) {
        self.pace.send_replace(pace);
    }

    /// Let exactly `count` events of ordinary life happen on a site now. On the self-hosted kind those that belong to no
    /// site are in the ledger under `super`. Nothing happens on a site that it does not have.
    pub fn emit(&self, site: &str, count: usize) -> Vec<Arc<Entry>> {
        self.position(site)
            .map(|at| self.hub.emit(at, count))
            .unwrap_or_default()
    }

    /// Let exactly this happen: an item, word for word, in a frame of the kind `carrier`. `None` when there is no such site.
    pub fn emit_item(&self, site: &str, carrier: Carrier, raw: &str) -> Option<Arc<Entry>> {
        self.position(site)
            .map(|at| self.hub.emit_item(at, carrier, raw))
    }

    /// Send a `sta:sync` or `device:sync` frame of a site to its sockets now.
    pub fn sync(&self, site: &str) {
        if let Some(at) = self.position(site) {
            self.hub.sync(at);
        }
    }

    /// What ever happened.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.hub.ledger.clone()
    }

    /// The switches for misbehaviour.
    #[must_use]
    pub fn mischief(&self) -> Mischief {
        self.hub.mischief.clone()
    }

    /// What was asked of it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.hub.stats.clone()
    }

    /// Block until exactly `count` sockets are open; false when that took longer than `limit`.
    #[must_use]
    pub fn wait_for_sockets(&self, count: usize, limit: Duration) -> bool {
        self.hub.stats.wait(limit, |counts| counts.sockets == count)
    }

    /// Close the sockets and stop.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.hub.tasks.stop();
        if let Some(thread) = self.thread.take() {
            // A panic in there was printed where it happened; there is nothing to add.
            thread.join().ok();
        }
    }

    fn position(&self, site: &str) -> Option<usize> {
        self.hub
            .world()
            .stories
            .iter()
            .position(|story| story.fleet.name == site)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("url", &self.url)
            .field("options", &self.hub.options)
            .finish_non_exhaustive()
    }
}
