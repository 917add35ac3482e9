//! The one session of a controller: logs in when the session machine says so, for every socket and request.

mod login;
mod rest;

pub(in crate::source) use rest::Failure;

use super::Link;
use super::address::Address;
use super::http::{Client, Unreachable};
use super::ledger::Ledger;
use super::report::{Part, Report};
use super::tls::Tls;
use crate::clock::Clock;
use crate::config::{ControllerKind, ControllerPlan};
use crate::status::ControllerStatus;
use crate::tasks::Tasks;
use crate::unifi::login::{Outcome, Weight};
use crate::unifi::session::{Ask, Pass, Pause, Saved, SessionMachine};
use crate::unifi::totp::{Step, TotpSecret};
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

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
    /// By how many milliseconds the controller's clock was ahead of ours in its last answer.
    ahead: AtomicI64,
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
            let machine = SessionMachine::restore(&saved, same, now, wall);
            if machine.is_wrong_password() {
                account.refuse();
            }
            account.lock().machine = machine;
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
            ahead: AtomicI64::new(0),
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
            self.refuse();
        }
        self.changed.send_modify(|count| *count += 1);
    }

    /// Tell the host that the credentials are wrong beyond doubt.
    fn refuse(&self) {
        self.status.update(|facts| facts.refused = true);
        self.refused.notify_one();
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

/// The class of an outcome, for exit codes: whether the login is at fault rather than the way to it.
pub(super) fn is_about_login(outcome: &Outcome) -> bool {
    outcome.weight() == Weight::Counted && !matches!(outcome, Outcome::NotHere { .. })
}
