//! Requests within the session, or with the API key where there is one.

use super::{Account, Unreachable};
use crate::config::ControllerKind;
use crate::source::http::secret;
use crate::unifi::answer::{Answer, Verdict};
use crate::unifi::endpoint;
use crate::unifi::session::Pass;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::time::Duration;

/// Longest wait for the answer to a logout.
const LOGOUT: Duration = Duration::from_secs(3);

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
        if let Some(answer) = self.get_by_key(&path, limit).await {
            return Ok(answer);
        }
        for last_try in [false, true] {
            let (kind, pass) = self.pass().await;
            let answer = self.client.get(&path(kind), with_pass(&pass), limit).await;
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
            .post(endpoint::logout_path(kind), with_pass(&pass), &body);
        match tokio::time::timeout(LOGOUT, request).await {
            Ok(Ok(_)) => tracing::debug!(controller = %self.plan.name, "logged out"),
            Ok(Err(_)) | Err(_) => {
                tracing::debug!(controller = %self.plan.name, "the logout was not answered");
            }
        }
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
