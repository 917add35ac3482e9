//! One login: what the controller is, user name and password, the one-time code where it is asked for.

use super::rest::accept_json;
use super::{Account, Unreachable};
use crate::config::ControllerKind;
use crate::source::detect;
use crate::source::http::{SMALL, secret};
use crate::status::FrameCounts;
use crate::unifi::cookies::Jar;
use crate::unifi::endpoint;
use crate::unifi::login::{Factor, Outcome, body, classify};
use crate::unifi::totp::Step;
use http::header;

impl Account {
    /// Find out the kind where it is not known, and log in once.
    pub(in crate::source) async fn attempt(&self) -> Outcome {
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
            .post(endpoint::login_path(kind), headers, &body, SMALL)
            .await
        {
            Ok(answer) => classify(kind, &answer, jar, code.is_some(), self.clock.wall()),
            Err(Unreachable(why)) => Outcome::Unreachable(why),
        }
    }
}
