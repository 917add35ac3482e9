//! The frames of a controller as they come, for `herald capture`: connected as a running host would be, and nothing
//! else done with them.

use super::account::{Account, is_about_login};
use super::names;
use super::socket;
use super::{Probe, ProbeError};
use crate::clock::Clock;
use crate::config::{ControllerKind, ControllerPlan};
use crate::unifi::close::{Loss, Reconnect, Seen};
use crate::unifi::login::Outcome;
use crate::unifi::sites::{self, SUPER};
use crate::unifi::{Site, endpoint};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{Text, Timestamp};

/// How often a socket is pinged, so that it stays open.
const PING: Duration = Duration::from_secs(15);

/// Longest wait for the farewell.
const FAREWELL: Duration = Duration::from_secs(2);

/// Something that came.
#[derive(Clone, Debug)]
pub enum Caught {
    /// A list of names, before the frames that it explains: devices, clients, aliases.
    Names(Bytes),
    /// A frame.
    Frame {
        /// The site's short name.
        site: Text,
        /// When it came.
        time: Timestamp,
        /// What it says.
        body: Body,
    },
    /// A socket opened, or was lost for this reason.
    Note(Text, String),
}

/// What a frame says, as received.
#[derive(Clone, Debug)]
pub enum Body {
    /// Text.
    Text(String),
    /// Anything else.
    Binary(Vec<u8>),
}

/// Log in and send everything that comes over the sockets of `plan` to `caught`, until `stop` is cancelled or nobody
/// takes it any more; then log out.
///
/// # Errors
/// When the login or the list of sites fails; what is lost later is connected anew.
pub async fn capture(
    plan: &ControllerPlan,
    clock: &Clock,
    caught: Sender<Caught>,
    stop: CancellationToken,
) -> Result<(), ProbeError> {
    let account = Account::detached(plan, clock).map_err(ProbeError::Unavailable)?;
    let account = Arc::new(account);
    let outcome = account.attempt().await;
    if !matches!(outcome, Outcome::LoggedIn(_)) {
        let class = if is_about_login(&outcome) {
            ProbeError::Login
        } else {
            ProbeError::Unavailable
        };
        return Err(class(outcome.sentence()));
    }
    account.adopt(&outcome);
    let found = super::look(plan, &account).await;
    if let Ok(found) = &found {
        let sites = wanted(plan, found);
        let sockets = sites.iter().map(|site| {
            let tap = Tap {
                plan,
                account: &account,
                clock,
                site,
                caught: &caught,
            };
            let stop = &stop;
            async move { tap.run(stop).await }
        });
        let all = futures_util::future::join_all(sockets);
        drop(stop.run_until_cancelled(all).await);
    }
    account.log_out().await;
    found.map(drop)
}

fn wanted(plan: &ControllerPlan, found: &Probe) -> Vec<Site> {
    let mut wanted = match plan.sites {
        crate::config::Sites::All => found.sites.clone(),
        crate::config::Sites::Named(_) => sites::resolve(&plan.sites, &found.sites).found,
    };
    if found.kind == ControllerKind::SelfHosted {
        wanted.push(Site {
            name: SUPER.into(),
            display: SUPER.into(),
        });
    }
    wanted
}

/// One site's socket.
struct Tap<'a> {
    plan: &'a ControllerPlan,
    account: &'a Arc<Account>,
    clock: &'a Clock,
    site: &'a Site,
    caught: &'a Sender<Caught>,
}

/// Whether anybody still takes what comes.
struct NobodyListens;

impl Tap<'_> {
    async fn run(&self, stop: &CancellationToken) {
        let mut reconnect = Reconnect::default();
        drop(self.names().await);
        loop {
            let seen = match self.connection(stop).await {
                Ok(seen) => seen,
                Err(NobodyListens) => return,
            };
            let next = reconnect.judge(&seen, fastrand::f64());
            let note = Caught::Note(self.site.name.clone(), next.trouble);
            if self.caught.send(note).await.is_err() {
                return;
            }
            tokio::time::sleep(next.wait).await;
        }
    }

    /// What names there are, as far as the account may see them.
    async fn names(&self) -> Result<(), NobodyListens> {
        if &*self.site.name == SUPER {
            return Ok(());
        }
        let mut lists = names::lists(Arc::clone(self.account), self.site.name.clone());
        while let Some((_, answer)) = lists.next().await {
            if let Ok(answer) = answer {
                self.send(Caught::Names(answer.body)).await?;
            }
        }
        Ok(())
    }

    async fn connection(&self, stop: &CancellationToken) -> Result<Seen, NobodyListens> {
        let (kind, pass) = self.account.pass().await;
        let path = endpoint::socket_path(kind, &self.site.name, &self.plan.socket_query);
        let began = self.clock.now();
        let connected = socket::connect(&self.account.address, &self.account.tls, &path, &pass);
        let mut socket = match connected.await {
            Ok(socket) => socket,
            Err(seen) => return Ok(seen),
        };
        let mut data = false;
        let how = loop {
            let message = tokio::select! {
                message = socket.next() => message,
                () = tokio::time::sleep(PING) => {
                    if socket.send(Message::Ping(Bytes::new())).await.is_err() {
                        break Loss::Abnormal;
                    }
                    continue;
                }
                () = stop.cancelled() => {
                    // A controller that does not take the farewell will notice by itself.
                    let _farewell = tokio::time::timeout(FAREWELL, socket.close(None)).await;
                    return Err(NobodyListens);
                }
            };
            let body = match message {
                Some(Ok(Message::Binary(bytes))) => match String::from_utf8(bytes.to_vec()) {
                    Ok(text) => Body::Text(text),
                    Err(error) => Body::Binary(error.into_bytes()),
                },
                Some(Ok(Message::Close(frame))) => {
                    break frame.map_or(Loss::Abnormal, |frame| Loss::Close(frame.code.into()));
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => break Loss::Abnormal,
            };
            data = true;
            let (site, time) = (self.site.name.clone(), self.clock.wall());
            self.send(Caught::Frame { site, time, body }).await?;
        };
        let up = self.clock.now().duration_since(began);
        Ok(Seen::Lost { how, data, up })
    }

    async fn send(&self, caught: Caught) -> Result<(), NobodyListens> {
        let sent = self.caught.send(caught).await;
        sent.map_err(|_| NobodyListens)
    }
}
