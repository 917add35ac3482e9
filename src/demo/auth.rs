//! Who may come in: logins, sessions, the CSRF rule, API keys and the lockout, as the two kinds of controller do it.

use super::rng::{hash, mix, uuid};
use super::totp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use unifi_herald_plugin::Timestamp;

/// The account, and who is logged in with it.
#[derive(Debug)]
pub(super) struct Door {
    account: Account,
    seed: u64,
    state: Mutex<State>,
}

/// What is needed to come in.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) totp: Option<String>,
    pub(super) api_key: Option<String>,
    /// Life of a session; by default two hours, thirty days when it is to be remembered.
    pub(super) session: Option<Duration>,
}

#[derive(Debug, Default)]
struct State {
    sessions: BTreeMap<String, Session>,
    failures: u32,
    locked_until: Option<Instant>,
    given: u64,
}

#[derive(Clone, Debug)]
struct Session {
    csrf: String,
    /// Takes the place of `csrf` once a response has carried it.
    next_csrf: Option<String>,
    expires: Timestamp,
    /// Expired in the way that lets the socket in and tells it nothing.
    stale: bool,
}

/// A login attempt, as read from its body.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    username: String,
    password: String,
    code: String,
    remember: bool,
    /// Asks the self-hosted kind for a CSRF token.
    pub(super) strict: bool,
}

/// What becomes of a login attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Welcome {
        token: String,
        csrf: String,
    },
    Refused,
    CodeWanted,
    /// Too many failures lately.
    Locked,
}

/// Who is asking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody with a session; `updated_csrf` is to be told.
    Session {
        csrf: String,
        updated_csrf: Option<String>,
    },
    ApiKey,
    /// With a session that ended in the way the socket does not see.
    Stale,
    /// A session and an API key at once, which controllers do not bear.
    Mixed,
    Nobody,
}

const FAILURES: u32 = 5;
const LOCKOUT: Duration = Duration::from_secs(300);
const SHORT: Duration = Duration::from_secs(2 * 3600);
const LONG: Duration = Duration::from_secs(30 * 24 * 3600);

impl Attempt {
    /// Missing or mistyped fields read as empty.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let text = |name: &str| {
            body.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
        let code = Some(text("token"))
            .filter(|code| !code.is_empty())
            .unwrap_or_else(|| text("ubic_2fa_token"));
        let remember = flag("rememberMe") || flag("remember");
        Some(Self {
            username: text("username"),
            password: text("password"),
            code,
            remember,
            strict: flag("strict"),
        })
    }
}

impl Door {
    pub(super) fn new(account: Account, seed: u64) -> Self {
        Self {
            account,
            seed,
            state: Mutex::default(),
        }
    }

    pub(super) fn login(&self, attempt: &Attempt, now: Instant, wall: Timestamp) -> Verdict {
        let mut state = self.lock();
        if state.locked_until.is_some_and(|until| now < until) {
            // Asking again keeps the door shut.
            state.locked_until = Some(now + LOCKOUT);
            return Verdict::Locked;
        }
        let right =
            attempt.username == self.account.username && attempt.password == self.account.password;
        let code = self
            .account
            .totp
            .as_ref()
            .map(|secret| totp::verify(secret, &attempt.code, wall.as_secs()));
        match (right, code) {
            (true, Some(false)) if attempt.code.is_empty() => Verdict::CodeWanted,
            (true, None | Some(true)) => {
                state.failures = 0;
                state.locked_until = None;
                let life =
                    self.account
                        .session
                        .unwrap_or(if attempt.remember { LONG } else { SHORT });
                self.welcome(&mut state, wall, life)
            }
            _ => {
                state.failures += 1;
                if state.failures < FAILURES {
                    return Verdict::Refused;
                }
                state.failures = 0;
                state.locked_until = Some(now + LOCKOUT);
                Verdict::Refused
            }
        }
    }

    fn welcome(&self, state: &mut State, wall: Timestamp, life: Duration) -> Verdict {
        state.given += 1;
        let csrf = uuid(self.seed ^ hash("csrf"), state.given);
        let expires = wall + life;
        let claims = json!({
            "userId": uuid(self.seed, hash(&self.account.username)), "passwordRevision": 1, "isRemembered": life >= LONG,
            "csrfToken": csrf, "iat": wall.as_secs(), "exp": expires.as_secs(), "jti": uuid(self.seed, state.given),
        });
        let token = self.jwt(&claims);
        let session = Session {
            csrf: csrf.clone(),
            next_csrf: None,
            expires,
            stale: false,
        };
        state.sessions.insert(token.clone(), session);
        Verdict::Welcome { token, csrf }
    }

    /// A token for somebody who has not logged in, as UniFi OS sets with every refusal.
    pub(super) fn anonymous(&self, wall: Timestamp) -> String {
        self.jwt(&json!({"csrfToken": uuid(self.seed, 0), "iat": wall.as_secs(), "exp": wall.as_secs() + 7200}))
    }

    fn jwt(&self, claims: &Value) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!(
            "{}.{}",
            encode(r#"{"alg":"HS256","typ":"JWT"}"#),
            encode(&claims.to_string())
        );
        let key = mix(self.seed ^ hash("jwt")).to_be_bytes();
        let signature = Hmac::<Sha256>::new_from_slice(&key).map(|mut mac| {
            mac.update(signed.as_bytes());
            URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        });
        format!("{signed}.{}", signature.unwrap_or_default())
    }

    /// Who is asking, by the session token and the API key of the request.
    pub(super) fn caller(
        &self,
        token: Option<&str>,
        api_key: Option<&str>,
        wall: Timestamp,
    ) -> Caller {
        let mut state = self.lock();
        let session = token
            .and_then(|token| state.sessions.get_mut(token))
            .filter(|session| wall < session.expires);
        match (session, api_key) {
            (Some(_), Some(_)) => Caller::Mixed,
            (Some(session), None) if session.stale => Caller::Stale,
            (Some(session), None) => {
                let csrf = session.csrf.clone();
                let updated_csrf = session.next_csrf.take();
                if let Some(next) = &updated_csrf {
                    session.csrf.clone_from(next);
                }
                Caller::Session { csrf, updated_csrf }
            }
            (None, Some(key)) if self.account.api_key.as_deref() == Some(key) => Caller::ApiKey,
            _ => Caller::Nobody,
        }
    }

    pub(super) fn logout(&self, token: &str) {
        self.lock().sessions.remove(token);
    }

    /// End every session, at once or so that only REST notices.
    pub(super) fn expire(&self, stale: bool) {
        let mut state = self.lock();
        if stale {
            state
                .sessions
                .values_mut()
                .for_each(|session| session.stale = true);
        } else {
            state.sessions.clear();
        }
    }

    /// Give every session another CSRF token with its next response.
    pub(super) fn rotate_csrf(&self) {
        let mut state = self.lock();
        state.given += 1;
        let next = uuid(self.seed ^ hash("rotated"), state.given);
        state
            .sessions
            .values_mut()
            .for_each(|session| session.next_csrf = Some(next.clone()));
    }

    /// Forget the failures and open the door again.
    pub(super) fn unlock(&self) {
        let mut state = self.lock();
        state.failures = 0;
        state.locked_until = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
