//! Requests within the session, or with the API key where there is one.

use super::{Account, Unreachable};
use crate::config::ControllerKind;
use crate::source::http::{Client, SMALL, secret};
use crate::unifi::answer::{Answer, Verdict};
use crate::unifi::endpoint;
use crate::unifi::session::Pass;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// Longest wait for the answer to a logout.
const LOGOUT: Duration = Duration::from_secs(3);

/// In milliseconds: a difference of clocks that is none.
const SAME_CLOCK: i64 = 2_000;

/// A REST answer could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) enum Failure {
    /// No answer.
    Unreachable(String),
    /// An answer, and not the one asked for.
    Verdict(Verdict),
}

impl Account {
    /// Ask the REST API for what `path` makes of the kind: by API key where there is one, else, or when the key
    /// does not help, within the session.
    pub(in crate::source) async fn get(
        &self,
        path: impl Fn(ControllerKind) -> String,
        limit: usize,
    ) -> Result<Answer, Failure> {
        self.ask(path, None, limit).await
    }

    /// Ask with a body, in the way of [`Account::get`].
    pub(in crate::source) async fn post(
        &self,
        path: impl Fn(ControllerKind) -> String,
        body: &Value,
        limit: usize,
    ) -> Result<Answer, Failure> {
        self.ask(path, Some(body), limit).await
    }

    async fn ask(
        &self,
        path: impl Fn(ControllerKind) -> String,
        body: Option<&Value>,
        limit: usize,
    ) -> Result<Answer, Failure> {
        if let Some(answer) = self.ask_by_key(&path, body, limit).await {
            return Ok(answer);
        }
        for last_try in [false, true] {
            let (kind, pass) = self.pass().await;
            let answer = send(&self.client, &path(kind), with_pass(&pass), body, limit).await;
            let answer = answer.map_err(|Unreachable(why)| Failure::Unreachable(why))?;
            self.note_date(&answer);
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
                // The token against forgery has changed since the last answer; this one carries the new one.
                Verdict::NoPermission if !last_try && body.is_some() => {
                    let wall = self.clock.wall();
                    self.lock()
                        .machine
                        .absorb(pass.generation, &answer.headers, wall);
                }
                other => return Err(Failure::Verdict(other)),
            }
        }
        Err(Failure::Verdict(Verdict::LoginRequired))
    }

    /// `None` when there is no key, or the key is not accepted here.
    async fn ask_by_key(
        &self,
        path: impl Fn(ControllerKind) -> String,
        body: Option<&Value>,
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
        let answer = send(&self.key_client, &path(kind), headers, body, limit)
            .await
            .ok()?;
        self.note_date(&answer);
        let fine = answer.verdict() == Verdict::Fine;
        if !fine {
            tracing::debug!(controller = %self.plan.name, status = answer.status, "the API key did not help, the session is used");
        }
        fine.then_some(answer)
    }

    /// The controller's time now, by the date of its last answer; dates have whole seconds, so that a small difference
    /// is none.
    pub(in crate::source) fn controller_time(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let wall = self.clock.wall();
        if ahead.abs() <= SAME_CLOCK {
            return wall;
        }
        Timestamp::from_millis(wall.as_millis().saturating_add(ahead))
    }

    fn note_date(&self, answer: &Answer) {
        let date = answer.headers.get(header::DATE);
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
        if let Some(date) = date {
            let date = date.timestamp().as_millisecond();
            let ahead = date.saturating_sub(self.clock.wall().as_millis());
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }

    /// End the session at the controller, if there is one; gives up after a moment.
    pub(in crate::source) async fn log_out(&self) {
        let (kind, pass) = {
            let mut known = self.lock();
            (known.kind, known.machine.end())
        };
        let (Some(kind), Some(pass)) = (kind, pass) else {
            return;
        };
        let body = serde_json::json!({});
        let request = self
            .client
            .post(endpoint::logout_path(kind), with_pass(&pass), &body, SMALL);
        match tokio::time::timeout(LOGOUT, request).await {
            Ok(Ok(_)) => tracing::debug!(controller = %self.plan.name, "logged out"),
            Ok(Err(_)) | Err(_) => {
                tracing::debug!(controller = %self.plan.name, "the logout was not answered");
            }
        }
    }
}

async fn send(
    client: &Client,
    path: &str,
    headers: HeaderMap,
    body: Option<&Value>,
    limit: usize,
) -> Result<Answer, Unreachable> {
    match body {
        None => client.get(path, headers, limit).await,
        Some(body) => client.post(path, headers, body, limit).await,
    }
}

impl Failure {
    /// The failure in one sentence.
    pub(in crate::source) fn sentence(&self, what: &str) -> String {
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
                format!("the controller does not know {what}: check url and kind")
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

pub(super) fn accept_json() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers
}

/// What a request within the session carries.
fn with_pass(pass: &Pass) -> HeaderMap {
    let mut headers = accept_json();
    secret(&mut headers, header::COOKIE, &pass.cookie);
    if let Some(csrf) = &pass.csrf {
        secret(&mut headers, HeaderName::from_static("x-csrf-token"), csrf);
    }
    headers
}
