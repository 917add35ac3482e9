//! One controller: keeps its session fresh, knows its sites, and has one task per site.

use super::Link;
use super::account::{Account, Failure};
use super::http::SMALL;
use super::report::Part;
use super::site::SiteTask;
use crate::backoff::Backoff;
use crate::config::{ControllerKind, ControllerPlan, Sites};
use crate::unifi::answer::Verdict;
use crate::unifi::sites::{self, SUPER};
use crate::unifi::{Site, endpoint};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::Text;

/// How often the session is looked after, so that it is renewed before it ends.
const TICK: Duration = Duration::from_secs(60);
/// How often the list of sites is read while nothing is missing.
const LIST: Duration = Duration::from_secs(10 * 60);
/// After a list of sites could not be had.
const RETRY: Backoff = match Backoff::new(Duration::from_secs(2), TICK) {
    Ok(backoff) => backoff,
    Err(_) => panic!("the bounds are constants"),
};
/// Longest version that is believed, in characters.
const MAX_VERSION: usize = 64;

/// The sites of a controller and the tasks that listen to them.
pub(super) struct Driver {
    account: Arc<Account>,
    plan: ControllerPlan,
    link: Link,
    tasks: BTreeMap<Text, SiteRun>,
    list_due: Instant,
    retry: Backoff,
    version_known: bool,
}

struct SiteRun {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Driver {
    /// Nothing is connected yet.
    pub(super) fn new(account: Arc<Account>, plan: ControllerPlan, link: Link) -> Self {
        let list_due = link.clock.now();
        Self {
            account,
            plan,
            link,
            tasks: BTreeMap::new(),
            list_due,
            retry: RETRY,
            version_known: false,
        }
    }

    /// Until told to stop; then every socket is closed and the session ended.
    pub(super) async fn run(mut self) {
        let stop = self.link.tasks.stop_token();
        while let Some(wait) = stop.run_until_cancelled(self.tick()).await {
            if stop
                .run_until_cancelled(tokio::time::sleep(wait))
                .await
                .is_none()
            {
                break;
            }
        }
        for (site, run) in std::mem::take(&mut self.tasks) {
            run.stop.cancel();
            ended(&self.plan.name, &site, run.task).await;
        }
        self.account.log_out().await;
    }

    /// Look after session, sites and tasks; how long until the next look.
    async fn tick(&mut self) -> Duration {
        // Renews the session when its time has come, even when every socket is content.
        let (kind, _pass) = self.account.pass().await;
        let broken: Vec<Text> = self
            .tasks
            .iter()
            .filter(|(_, run)| run.task.is_finished())
            .map(|(site, _)| site.clone())
            .collect();
        for site in broken {
            if let Some(run) = self.tasks.remove(&site) {
                ended(&self.plan.name, &site, run.task).await;
                self.list_due = self.link.clock.now();
            }
        }
        let now = self.link.clock.now();
        if now < self.list_due {
            return TICK;
        }
        match self.wanted().await {
            Ok(resolved) => {
                let complete = resolved.unknown.is_empty() && !resolved.found.is_empty();
                self.listen_to(kind, &resolved.found, matches!(self.plan.sites, Sites::All))
                    .await;
                self.retry.reset();
                self.list_due = now + if complete { LIST } else { TICK };
                if !self.version_known {
                    self.read_version().await;
                }
                TICK
            }
            Err(()) => self.retry.fail(fastrand::f64()),
        }
    }

    /// The sites to listen to; trouble is reported.
    async fn wanted(&self) -> Result<sites::Resolved, ()> {
        let failure = match self.account.get(endpoint::sites_path, SMALL).await {
            Ok(answer) => match sites::parse(&answer.body) {
                Ok(known) => return Ok(self.resolve(&known)),
                Err(error) => error.to_string(),
            },
            // An account that may not read the list may still listen to a site it knows the name of.
            Err(Failure::Verdict(Verdict::NoPermission | Verdict::NotFound))
                if self.plan.sites != Sites::All =>
            {
                self.account.report.well(&Part::Sites);
                return Ok(sites::Resolved {
                    found: sites::unchecked(&self.plan.sites),
                    unknown: Vec::new(),
                });
            }
            Err(failure) => failure.sentence("the list of sites"),
        };
        self.account.report.trouble(Part::Sites, &failure);
        Err(())
    }

    fn resolve(&self, known: &[Site]) -> sites::Resolved {
        let resolved = sites::resolve(&self.plan.sites, known);
        if !resolved.unknown.is_empty() {
            self.account.report.trouble(
                Part::Sites,
                &sites::unknown_sentence(&resolved.unknown, known),
            );
        } else if resolved.found.is_empty() {
            self.account.report.trouble(
                Part::Sites,
                "the account sees no site: give it rights for at least one",
            );
        } else {
            self.account.report.well(&Part::Sites);
        }
        resolved
    }

    /// Start what is missing; stop what is not there any more, where all sites were asked for.
    async fn listen_to(&mut self, kind: ControllerKind, found: &[Site], all: bool) {
        let mut wanted = found.to_vec();
        if kind == ControllerKind::SelfHosted && !found.is_empty() {
            wanted.push(Site {
                name: SUPER.into(),
                display: SUPER.into(),
            });
        }
        // An empty list is a controller that is not quite up rather than one that lost all its sites.
        if all && !found.is_empty() {
            let gone: Vec<Text> = self
                .tasks
                .keys()
                .filter(|name| wanted.iter().all(|site| site.name != **name))
                .cloned()
                .collect();
            for name in gone {
                if let Some(run) = self.tasks.remove(&name) {
                    tracing::info!(controller = %self.plan.name, site = %name, "the site is gone");
                    run.stop.cancel();
                    ended(&self.plan.name, &name, run.task).await;
                    self.account.report.well(&Part::Site(name.clone()));
                    self.link.status.update(|facts| {
                        facts.sites.remove(&name);
                    });
                }
            }
        }
        for site in wanted {
            if !self.tasks.contains_key(&site.name) {
                self.start(site);
            }
        }
    }

    fn start(&mut self, site: Site) {
        let stop = self.link.tasks.stop_token().child_token();
        let name = site.name.clone();
        let task = SiteTask {
            account: Arc::clone(&self.account),
            link: self.link.clone(),
            controller: self.plan.name.clone(),
            query: self.plan.socket_query.clone(),
            backfill: self.plan.backfill,
            site,
            stop: stop.clone(),
        };
        let task = self.link.tasks.spawn(task.run());
        self.tasks.insert(name, SiteRun { stop, task });
    }

    async fn read_version(&mut self) {
        let Some(site) = self.tasks.keys().find(|site| &***site != SUPER).cloned() else {
            return;
        };
        if let Some(version) = version(&self.account, &site).await {
            self.version_known = true;
            tracing::info!(controller = %self.plan.name, version, "version of the Network application");
            self.link
                .status
                .update(|facts| facts.version = Some(version));
        }
    }
}

/// Wait for a site's task; a panic in it is told and costs nothing else.
async fn ended(controller: &Text, site: &Text, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%controller, %site, %error, "the task of a site broke down and is started again");
    }
}

#[derive(Deserialize)]
struct Sysinfo {
    data: Vec<Info>,
}

#[derive(Deserialize)]
struct Info {
    version: Option<String>,
}

/// The version of the Network application as a site tells it; old and new controllers both do.
pub(super) async fn version(account: &Account, site: &str) -> Option<String> {
    let answer = account
        .get(
            |kind| endpoint::site_path(kind, site, "stat/sysinfo"),
            SMALL,
        )
        .await
        .ok()?;
    let sysinfo: Sysinfo = serde_json::from_slice(&answer.body).ok()?;
    let version = sysinfo.data.into_iter().find_map(|info| info.version)?;
    Some(
        version
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_VERSION)
            .collect(),
    )
}
