//! The I/O of the controller side: TLS, HTTP, the socket, and the driver that asks `unifi` what to do next.

mod account;
mod address;
mod announce;
mod capture;
mod crew;
mod detect;
mod directory;
mod driver;
mod examine;
pub(crate) mod http;
mod ledger;
mod meet;
mod names;
mod repair;
mod report;
mod shake;
mod site;
mod socket;
#[cfg(test)]
mod testing;
pub mod tls;
mod untyped;

use crate::clock::Clock;
use crate::config::{ControllerKind, ControllerPlan, Sites};
use crate::intake::Intake;
use crate::status::ControllerStatus;
use crate::store::{Hole, Watermark};
use crate::tasks::Tasks;
use crate::unifi::login::Outcome;
use crate::unifi::timing::Timing;
use crate::unifi::{Site, endpoint, sites};
use account::{Account, is_about_login};
pub use capture::{Body, Caught, capture};
pub use crew::{CrewOrder, crew};
pub use directory::Directory;
use driver::Driver;
pub use examine::{Fault, Finding, Health, examine};
pub use meet::{Certificate, Met, meet};
use report::{Part, Report};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// After a controller could not be set up, such as for a CA file that is not there yet.
const SETUP_RETRY: Duration = Duration::from_secs(60);

/// What a controller's task is connected to.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where events go.
    pub intake: Intake,
    /// What time it is.
    pub clock: Clock,
    /// Where its tasks run, and how it is told to stop.
    pub tasks: Tasks,
    /// Where it tells how it is.
    pub status: ControllerStatus,
    /// Folder for what must outlive the process: the pauses between logins.
    pub state_dir: Option<PathBuf>,
    /// Notified when the controller refused the credentials beyond doubt.
    pub refused: Arc<Notify>,
    /// How closely its sockets are watched.
    pub timing: Timing,
    /// Where others look names up.
    pub directory: Directory,
    /// Where the last run stopped; nothing when the store forgets.
    pub resume: Option<Resume>,
}

/// Where the last run stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// How far each site of each controller had come.
    pub watermarks: Vec<Watermark>,
    /// The holes that were open.
    pub holes: Vec<Hole>,
}

/// What one look at a controller found.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What it is.
    pub kind: ControllerKind,
    /// Version of the Network application, where it was told.
    pub version: Option<String>,
    /// The sites the account sees.
    pub sites: Vec<Site>,
}

/// One look at a controller found a trouble; the text is one sentence that names the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It cannot be reached, or does not work at the moment.
    #[error("{0}")]
    Unavailable(String),
    /// The login or the rights of the account are at fault.
    #[error("{0}")]
    Login(String),
    /// The account has a second factor, and the configuration has not.
    #[error("{0}")]
    SecondFactor(String),
}

/// Listen to one controller until `link.tasks` is told to stop; then close the sockets and log out. Never ends
/// because a controller is away or refuses: it waits, tries again, and says so in the status.
pub async fn run(plan: ControllerPlan, link: Link) {
    let stop = link.tasks.stop_token();
    if plan.tls.insecure && plan.tls.pin_sha256.is_none() {
        tracing::warn!(controller = %plan.name, "insecure = true: anybody in between can read the password and make up events");
    }
    let account = loop {
        match Account::new(&plan, link.clone()) {
            Ok(account) => break account,
            Err(sentence) => {
                Report::new(plan.name.clone(), link.status.clone()).trouble(Part::Login, &sentence);
            }
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(SETUP_RETRY))
            .await
            .is_none()
        {
            return;
        }
    };
    Driver::new(Arc::new(account), plan, link).run().await;
}

/// Look at a controller once: find out what it is, log in, list the sites, log out.
///
/// # Errors
/// The first trouble met, with the fix.
pub async fn probe(plan: &ControllerPlan, clock: &Clock) -> Result<Probe, ProbeError> {
    let account = Account::detached(plan, clock).map_err(ProbeError::Unavailable)?;
    let outcome = account.attempt().await;
    if !matches!(outcome, Outcome::LoggedIn(_)) {
        let class = match &outcome {
            Outcome::SecondFactorNeeded(_) => ProbeError::SecondFactor,
            outcome if is_about_login(outcome) => ProbeError::Login,
            _ => ProbeError::Unavailable,
        };
        return Err(class(outcome.sentence()));
    }
    account.adopt(&outcome);
    let found = look(plan, &account).await;
    account.log_out().await;
    found
}

async fn look(plan: &ControllerPlan, account: &Account) -> Result<Probe, ProbeError> {
    use crate::unifi::answer::Verdict;
    let answer = account
        .get(endpoint::sites_path, http::SMALL)
        .await
        .map_err(|failure| {
            let sentence = failure.sentence("the list of sites");
            match failure {
                account::Failure::Verdict(Verdict::NoPermission | Verdict::LoginRequired) => {
                    ProbeError::Login(sentence)
                }
                account::Failure::Verdict(_) | account::Failure::Unreachable(_) => {
                    ProbeError::Unavailable(sentence)
                }
            }
        })?;
    let sites =
        sites::parse(&answer.body).map_err(|error| ProbeError::Unavailable(error.to_string()))?;
    let resolved = sites::resolve(&plan.sites, &sites);
    if !resolved.unknown.is_empty() || (plan.sites == Sites::All && sites.is_empty()) {
        return Err(ProbeError::Login(sites::unknown_sentence(
            &resolved.unknown,
            &sites,
        )));
    }
    let version = match resolved.found.first() {
        Some(site) => driver::version(account, &site.name).await,
        None => None,
    };
    let kind = account.kind().ok_or_else(|| {
        ProbeError::Unavailable("the kind of the controller is not known: set kind".to_owned())
    })?;
    Ok(Probe {
        kind,
        version,
        sites,
    })
}

#[cfg(test)]
mod tests;
