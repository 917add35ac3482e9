//! The one session of a controller: logs in when the session machine says so, for every socket and request.

use super::address::Address;
use super::http::{Client, Unreachable, secret};
use super::ledger::Ledger;
use super::report::{Part, Report};
use super::tls::Tls;
use super::{Link, detect};
use crate::clock::Clock;
use crate::config::{ControllerKind, ControllerPlan};
use crate::status::{ControllerStatus, FrameCounts};
use crate::tasks::Tasks;
use crate::unifi::answer::{Answer, Verdict};
use crate::unifi::cookies::Jar;
use crate::unifi::login::{Factor, Outcome, body, classify};
use crate::unifi::session::{Ask, Pass, Pause, Saved, SessionMachine};
use crate::unifi::totp::{Step, TotpSecret};
use crate::unifi::{endpoint, login};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Longest wait for the answer to a logout.
const LOGOUT: Duration = Duration::from_secs(3);

/// One controller: its address, whom to trust, its session.
#[derive(Debug)]
pub(super) struct Account {
    plan: ControllerPlan,
    pub(super) address: Address,
    pub(super) tls: Tls,
    pub(super) report: Report,
    clock: Clock,
    tasks: Option<Tasks>,
    status: ControllerStatus,
    refused: Arc<Notify>,
    /// For requests within the session.
    client: Client,
    /// For requests with the API key: no cookie of the session may ever be in it.
    key_client: Client,
    totp: Option<TotpSecret>,
    ledger: Option<Ledger>,
    known: Mutex<Known>,
    /// Counts changes of `known`, for whoever waits for one.
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Known {
    machine: SessionMachine,
    kind: Option<ControllerKind>,
    doubted: bool,
    /// The step of the last one-time code: each is good once.
    code_step: Option<Step>,
    saved: Saved,
}

/// A REST answer could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No answer.
    Unreachable(String),
    /// An answer, and not the one asked for.
    Verdict(Verdict),
}

impl Account {
    /// Set up what `plan` says; the text of an error is a sentence for people.
    pub(super) fn new(plan: &ControllerPlan, link: Link) -> Result<Self, String> {
        let report = Report::new(plan.name.clone(), link.status.clone());
        let ledger = link.state_dir.as_deref().map(|dir| Ledger::new(dir, plan));
        let mut account = Self::assemble(plan, link.clock, link.status, report)?;
        account.tasks = Some(link.tasks);
        account.refused = link.refused;
        if let Some((saved, same)) = ledger.as_ref().and_then(Ledger::load) {
            let (now, wall) = (account.clock.now(), account.clock.wall());
            account.lock().machine = SessionMachine::restore(&saved, same, now, wall);
        }
        account.ledger = ledger;
        Ok(account)
    }

    /// An account that keeps nothing and tells nobody, for a single look at a controller.
    pub(super) fn detached(plan: &ControllerPlan, clock: &Clock) -> Result<Self, String> {
        let status = ControllerStatus::default();
        let report = Report::new(plan.name.clone(), status.clone());
        Self::assemble(plan, clock.clone(), status, report)
    }

    fn assemble(
        plan: &ControllerPlan,
        clock: Clock,
        status: ControllerStatus,
        report: Report,
    ) -> Result<Self, String> {
        let address = Address::parse(&plan.url).map_err(|error| error.to_string())?;
        let tls = Tls::new(&plan.tls, Path::new("")).map_err(|error| error.to_string())?;
        let totp = plan
            .auth
            .totp
            .as_ref()
            .map(|secret| TotpSecret::parse(secret.expose()))
            .transpose();
        let client = || Client::new(&address, &tls).map_err(|error| error.to_string());
        Ok(Self {
            client: client()?,
            key_client: client()?,
            totp: totp.map_err(|error| format!("auth.totp is {error}"))?,
            plan: plan.clone(),
            report,
            clock,
            tasks: None,
            status,
            refused: Arc::default(),
            ledger: None,
            known: Mutex::new(Known {
                machine: SessionMachine::new(),
                kind: plan.kind,
                doubted: false,
                code_step: None,
                saved: Saved::default(),
            }),
            changed: watch::Sender::new(0),
            address,
            tls,
        })
    }

    /// The session, logging in first where that is due and allowed. Waits as long as it takes; several callers
    /// wait for the same login.
    pub(super) async fn pass(&self) -> (ControllerKind, Pass) {
        loop {
            // Subscribed before the machine is asked, so that no change in between is missed.
            let mut changes = self.changed.subscribe();
            let (ask, kind) = {
                let mut known = self.lock();
                (known.machine.ask(self.clock.now()), known.kind)
            };
            match (ask, kind) {
                (Ask::Ready(pass), Some(kind)) => return (kind, pass),
                // A session of a kind that has been forgotten is of no use.
                (Ask::Ready(pass), None) => self.lock().machine.distrust(pass.generation),
                (Ask::Login, _) => self.log_in().await,
                (Ask::Busy, _) => {
                    // The sender is our own, so it is there.
                    let _changed = changes.changed().await;
                }
                (Ask::Wait(until, why), _) => {
                    self.report_wait(why);
                    tokio::select! {
                        () = tokio::time::sleep_until(until.into()) => {}
                        _changed = changes.changed() => {}
                    }
                }
            }
        }
    }

    /// The session of this generation did not work where it should have.
    pub(super) fn distrust(&self, generation: u64) {
        self.lock().machine.distrust(generation);
    }

    /// The session of this generation works.
    pub(super) fn touch(&self, generation: u64) {
        self.lock().machine.touch(generation, self.clock.now());
    }

    /// Ask the REST API for what `path` makes of the kind: by API key where there is one, else, or when the key
    /// does not help, within the session.
    pub(super) async fn get(
        &self,
        path: impl Fn(ControllerKind) -> String,
        limit: usize,
    ) -> Result<Answer, Failure> {
        if let Some(answer) = self.get_by_key(&path, limit).await {
            return Ok(answer);
        }
        for last_try in [false, true] {
            let (kind, pass) = self.pass().await;
            let mut headers = accept_json();
            secret(&mut headers, header::COOKIE, &pass.cookie);
            if let Some(csrf) = &pass.csrf {
                secret(&mut headers, HeaderName::from_static("x-csrf-token"), csrf);
            }
            let answer = self.client.get(&path(kind), headers, limit).await;
            let answer = answer.map_err(|Unreachable(why)| Failure::Unreachable(why))?;
            match answer.verdict() {
                Verdict::Fine => {
                    let mut known = self.lock();
                    known
                        .machine
                        .absorb(pass.generation, &answer.headers, self.clock.wall());
                    known.machine.touch(pass.generation, self.clock.now());
                    return Ok(answer);
                }
                Verdict::LoginRequired if !last_try => self.distrust(pass.generation),
                other => return Err(Failure::Verdict(other)),
            }
        }
        Err(Failure::Verdict(Verdict::LoginRequired))
    }

    /// `None` when there is no key, or the key is not accepted here.
    async fn get_by_key(
        &self,
        path: impl Fn(ControllerKind) -> String,
        limit: usize,
    ) -> Option<Answer> {
        let key = self.plan.auth.api_key.as_ref()?;
        let kind = self
            .lock()
            .kind
            .filter(|kind| *kind == ControllerKind::UnifiOs)?;
        let mut headers = accept_json();
        secret(
            &mut headers,
            HeaderName::from_static("x-api-key"),
            key.expose(),
        );
        let answer = self
            .key_client
            .get(&path(kind), headers, limit)
            .await
            .ok()?;
        let fine = answer.verdict() == Verdict::Fine;
        if !fine {
            tracing::debug!(controller = %self.plan.name, status = answer.status, "the API key did not help, the session is used");
        }
        fine.then_some(answer)
    }

    /// End the session at the controller, if there is one; gives up after a moment.
    pub(super) async fn log_out(&self) {
        let (kind, pass) = {
            let mut known = self.lock();
            (known.kind, known.machine.end())
        };
        let (Some(kind), Some(pass)) = (kind, pass) else {
            return;
        };
        let mut headers = accept_json();
        secret(&mut headers, header::COOKIE, &pass.cookie);
        if let Some(csrf) = &pass.csrf {
            secret(&mut headers, HeaderName::from_static("x-csrf-token"), csrf);
        }
        let body = serde_json::json!({});
        let request = self
            .client
            .post(endpoint::logout_path(kind), headers, &body);
        match tokio::time::timeout(LOGOUT, request).await {
            Ok(Ok(_)) => tracing::debug!(controller = %self.plan.name, "logged out"),
            Ok(Err(_)) | Err(_) => {
                tracing::debug!(controller = %self.plan.name, "the logout was not answered");
            }
        }
    }

    /// One login, told to the session machine and kept across restarts.
    async fn log_in(&self) {
        let mut unfinished = Unfinished {
            account: self,
            done: false,
        };
        // Before the attempt, so that a crash in the middle of it counts.
        self.save().await;
        let outcome = self.attempt().await;
        unfinished.done = true;
        self.finished(&outcome);
        self.save().await;
    }

    /// Find out the kind where it is not known, and log in once.
    pub(super) async fn attempt(&self) -> Outcome {
        let (kind, doubted) = {
            let known = self.lock();
            (known.kind, known.doubted)
        };
        let kind = match kind {
            Some(kind) => kind,
            None => match detect::kind(&self.client, &self.address, doubted).await {
                Ok(kind) => {
                    tracing::info!(controller = %self.plan.name, kind = kind.as_str(), "found out what the controller is");
                    self.lock().kind = Some(kind);
                    kind
                }
                Err(outcome) => return outcome,
            },
        };
        self.status.update(|facts| facts.kind = Some(kind));
        match self.post_login(kind, Jar::default(), None).await {
            Outcome::SecondFactorNeeded(factor) if self.totp.is_some() => {
                self.second_step(kind, &factor).await
            }
            outcome => outcome,
        }
    }

    /// Send the login again with a code, in a time step that no code was sent in before.
    async fn second_step(&self, kind: ControllerKind, factor: &Factor) -> Outcome {
        let Some(secret) = &self.totp else {
            return Outcome::SecondFactorNeeded(factor.clone());
        };
        let used = self.lock().code_step;
        let mut wall = self.clock.wall();
        if used.is_some_and(|used| used >= Step::at(wall)) {
            tokio::time::sleep(Step::at(wall).end().since(wall)).await;
            wall = self.clock.wall();
        }
        let step = Step::at(wall);
        self.lock().code_step = Some(step);
        let mut jar = Jar::default();
        if let Some(cookie) = factor.cookie() {
            jar.set(cookie, wall);
        }
        self.post_login(kind, jar, Some(&secret.code(step))).await
    }

    async fn post_login(&self, kind: ControllerKind, jar: Jar, code: Option<&str>) -> Outcome {
        FrameCounts::add(&self.status.counts().logins);
        let auth = &self.plan.auth;
        let body = body(kind, &auth.username, auth.password.expose(), code);
        let mut headers = accept_json();
        if let Some(cookies) = jar.header() {
            secret(&mut headers, header::COOKIE, &cookies);
        }
        match self
            .client
            .post(endpoint::login_path(kind), headers, &body)
            .await
        {
            Ok(answer) => classify(kind, &answer, jar, code.is_some(), self.clock.wall()),
            Err(Unreachable(why)) => Outcome::Unreachable(why),
        }
    }

    /// Adopt the session of a login made without the machine.
    pub(super) fn adopt(&self, outcome: &Outcome) {
        let mut known = self.lock();
        let now = self.clock.now();
        if known.machine.ask(now) == Ask::Login {
            known.machine.finished(outcome, now, 0.0);
        }
    }

    /// The kind, as far as it is known.
    pub(super) fn kind(&self) -> Option<ControllerKind> {
        self.lock().kind
    }

    fn finished(&self, outcome: &Outcome) {
        let (now, draw) = (self.clock.now(), fastrand::f64());
        let doubts = {
            let mut known = self.lock();
            known.machine.finished(outcome, now, draw);
            let doubts = self.plan.kind.is_none() && known.machine.doubts_kind();
            if doubts {
                known.kind = None;
                known.doubted = !known.doubted;
            }
            doubts
        };
        if doubts {
            tracing::warn!(controller = %self.plan.name, "no login where there should be one, looking again what the controller is");
        }
        let wrong = matches!(outcome, Outcome::WrongPassword);
        match outcome {
            Outcome::LoggedIn(_) => {
                tracing::info!(controller = %self.plan.name, "logged in");
                self.report.well(&Part::Login);
                self.status.update(|facts| facts.refused = false);
            }
            other => self.report.trouble(Part::Login, &other.sentence()),
        }
        if wrong {
            self.status.update(|facts| facts.refused = true);
            self.refused.notify_one();
        }
        self.changed.send_modify(|count| *count += 1);
    }

    fn report_wait(&self, why: Pause) {
        let sentence = match why {
            Pause::TooOften => "herald has logged in often in a short time and pauses before the next login: look at the log for why sessions keep ending".to_owned(),
            Pause::Refused | Pause::Weather => self.lock().machine.sentence().to_owned(),
        };
        if !sentence.is_empty() {
            self.report.trouble(Part::Login, &sentence);
        }
    }

    /// Keep the pauses across restarts, where something about them changed.
    async fn save(&self) {
        let (Some(ledger), Some(tasks)) = (self.ledger.clone(), &self.tasks) else {
            return;
        };
        let saved = {
            let mut known = self.lock();
            let saved = known.machine.save(self.clock.now(), self.clock.wall());
            if known.saved == saved {
                return;
            }
            known.saved = saved.clone();
            saved
        };
        match tasks.blocking(move || ledger.store(&saved)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(controller = %self.plan.name, %error, "the login pauses cannot be kept");
            }
            Err(_) => {
                tracing::warn!(controller = %self.plan.name, "the login pauses were not kept");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A login under way. Dropped before its end, it lets the next one begin.
struct Unfinished<'a> {
    account: &'a Account,
    done: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.account.lock().machine.abandoned();
            self.account.changed.send_modify(|count| *count += 1);
        }
    }
}

impl Failure {
    /// The failure in one sentence.
    pub(super) fn sentence(&self, what: &str) -> String {
        match self {
            Self::Unreachable(why) => why.clone(),
            Self::Verdict(Verdict::NoPermission) => {
                format!(
                    "the account may not read {what}: give it at least View Only rights for Network"
                )
            }
            Self::Verdict(Verdict::Starting) => {
                format!(
                    "{what} cannot be read because the Network application is starting or being upgraded: nothing to do, herald tries again by itself"
                )
            }
            Self::Verdict(Verdict::NotFound) => {
                format!("the controller has no {what}: check url and kind")
            }
            Self::Verdict(Verdict::TooMany { .. }) => {
                format!(
                    "{what} cannot be read because the controller is asked too often: stop other tools that use this account"
                )
            }
            Self::Verdict(Verdict::Refused(said)) => {
                format!(
                    "the controller refused to give {what} ({said}): check the rights of the account"
                )
            }
            Self::Verdict(Verdict::LoginRequired | Verdict::Fine) => {
                format!(
                    "the controller wants a login for {what} although there was one: check the rights of the account"
                )
            }
        }
    }
}

fn accept_json() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers
}

/// The class of an outcome, for exit codes: whether the login is at fault rather than the way to it.
pub(super) fn is_about_login(outcome: &Outcome) -> bool {
    outcome.weight() == login::Weight::Counted && !matches!(outcome, Outcome::NotHere { .. })
}
