//! Logging in: what to send, and what each of the many answers means.

use super::answer::{Answer, Said};
use super::cookies::Jar;
use super::token::Claims;
use crate::config::ControllerKind;
use http::HeaderMap;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// A UniFi OS session is renewed this long after login when its token does not say when it expires.
const OS_LIFETIME: Duration = Duration::from_secs(110 * 60);
/// A token is renewed this long before it expires.
const BEFORE_EXPIRY: Duration = Duration::from_secs(120);
/// A token that claims to live longer is renewed after this time all the same.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// A classic session that nobody used for this long is taken as gone.
const CLASSIC_IDLE: Duration = Duration::from_secs(14 * 60);

/// What came of one login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Here is the session.
    LoggedIn(Session),
    /// The password is right so far; send the login again with a code.
    SecondFactorNeeded(Factor),
    /// A code was sent and did not help.
    WrongCode,
    /// The user name or the password is wrong beyond doubt.
    WrongPassword,
    /// Refused, in a way that right credentials have met as well. Holds what the controller said.
    RefusedNotProof(String),
    /// Too many logins.
    LockedOut {
        /// How long the controller wants to be left alone, where it said so.
        retry_after: Option<Duration>,
    },
    /// The account may not use the Network application.
    NoPermission,
    /// There is no login here; after several of these the kind is looked at again.
    NotHere {
        /// 404 says nothing was evaluated, 401 leaves it open.
        status: u16,
    },
    /// Something in front of the controller points elsewhere.
    Redirected(String),
    /// Accepted, but without a cookie that could prove it later.
    NoCookie,
    /// The console is starting or being upgraded.
    Booting {
        /// HTTP status of the answer.
        status: u16,
    },
    /// No answer came; the text says why and names the fix.
    Unreachable(String),
}

/// How a second factor is sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Factor {
    /// Classic: `ubic_2fa_token`, with the cookie the answer named, if any.
    Classic(Option<String>),
    /// Local account of UniFi OS: `token`.
    Os,
    /// ui.com account: set this cookie, then `token`.
    OsSso(String),
}

/// What a login gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The cookies.
    pub jar: Jar,
    /// Sent as `X-CSRF-Token`.
    pub csrf: Option<String>,
    /// How long after the login it is to be renewed.
    pub renew_after: Option<Duration>,
    /// How long it lives unused.
    pub idle: Option<Duration>,
}

/// Whether the controller looked at the credentials: only then does an attempt count towards its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It did, or may have.
    Counted,
    /// It did not.
    Free,
}

/// The body of a login; `code` is set when a second factor was asked for.
#[must_use]
pub fn body(kind: ControllerKind, username: &str, password: &str, code: Option<&str>) -> Value {
    // `remember` was renamed with UniFi OS 4.0.3, and each version ignores the other's name.
    let mut body =
        json!({ "username": username, "password": password, "remember": true, "rememberMe": true });
    match kind {
        ControllerKind::UnifiOs => body["token"] = code.unwrap_or_default().into(),
        ControllerKind::SelfHosted => {
            // Without `strict`, versions from 9 on send no `csrf_token`.
            body["strict"] = true.into();
            if let Some(code) = code {
                body["ubic_2fa_token"] = code.into();
            }
        }
    }
    body
}

/// What an answer to a login means. `jar` holds the cookies that were sent, `code_sent` tells whether a second
/// factor was.
#[must_use]
pub fn classify(
    kind: ControllerKind,
    answer: &Answer,
    jar: Jar,
    code_sent: bool,
    now: Timestamp,
) -> Outcome {
    let said = answer.said();
    let status = answer.status;
    if status == 429 || said.has("LIMIT_REACHED") {
        return Outcome::LockedOut {
            retry_after: answer.retry_after(),
        };
    }
    let body = serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .filter(Value::is_object);
    if let Some(factor) = second_factor(kind, status, &said, body.as_ref()) {
        return if code_sent {
            Outcome::WrongCode
        } else {
            Outcome::SecondFactorNeeded(factor)
        };
    }
    match status {
        500.. => Outcome::Booting { status },
        300..=399 => Outcome::Redirected(answer.location().unwrap_or("nowhere").to_owned()),
        404 | 405 => Outcome::NotHere { status },
        _ if said.is("NoPermission") => Outcome::NoPermission,
        _ if no_session(answer, &said) => Outcome::NotHere { status },
        200..=299 if said.code.is_empty() => {
            if body.is_some() {
                logged_in(kind, answer, jar, now)
            } else {
                Outcome::Booting { status }
            }
        }
        _ if wrong_credentials(kind, status, &said) => {
            if code_sent {
                Outcome::WrongCode
            } else {
                Outcome::WrongPassword
            }
        }
        _ => Outcome::RefusedNotProof(said.text(status)),
    }
}

/// How a second factor is asked for, if it is.
fn second_factor(
    kind: ControllerKind,
    status: u16,
    said: &Said,
    body: Option<&Value>,
) -> Option<Factor> {
    let data = body.and_then(|body| body.get("data"));
    match kind {
        ControllerKind::SelfHosted => {
            let cookie = data.and_then(|data| data.get(0)?.get("mfa_cookie"));
            said.has("2FA")
                .then(|| Factor::Classic(cookie.and_then(Value::as_str).map(str::to_owned)))
        }
        ControllerKind::UnifiOs => {
            let cookie = data
                .and_then(|data| data.get("mfaCookie"))
                .and_then(Value::as_str);
            match cookie {
                Some(cookie) => Some(Factor::OsSso(cookie.to_owned())),
                None => (status == 499 || said.has("MFA") || said.has("2FA")).then_some(Factor::Os),
            }
        }
    }
}

/// The answers that an API gives to requests without a session: whoever gives them to a login is not the login.
fn no_session(answer: &Answer, said: &Said) -> bool {
    let plain = answer
        .body
        .trim_ascii()
        .eq_ignore_ascii_case(b"Unauthorized");
    said.is("LoginRequired")
        || (answer.status == 401 && (plain || said.code == "401" || answer.body.is_empty()))
}

/// Only these two say for certain that user name or password are wrong. Newer consoles answer 403, and have
/// answered it to right credentials too.
fn wrong_credentials(kind: ControllerKind, status: u16, said: &Said) -> bool {
    match kind {
        ControllerKind::SelfHosted => status == 400 && said.is("Invalid"),
        ControllerKind::UnifiOs => status == 401 && said.has("INVALID USERNAME OR PASSWORD"),
    }
}

fn logged_in(kind: ControllerKind, answer: &Answer, mut jar: Jar, now: Timestamp) -> Outcome {
    let mut fresh = Jar::default();
    fresh.absorb(&answer.headers, now);
    if fresh.is_empty() {
        return Outcome::NoCookie;
    }
    jar.absorb(&answer.headers, now);
    let lifetime = fresh
        .values()
        .filter_map(|value| Claims::read(value)?.lifetime(now.as_secs()))
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs)
        .min();
    let renew_after = match (lifetime, kind) {
        // A token shorter than twice the margin is renewed in the middle of its life.
        (Some(life), _) => Some(
            life.saturating_sub(BEFORE_EXPIRY)
                .max(life / 2)
                .min(MAX_LIFETIME),
        ),
        (None, ControllerKind::UnifiOs) => Some(OS_LIFETIME),
        (None, ControllerKind::SelfHosted) => None,
    };
    let idle = (kind == ControllerKind::SelfHosted).then_some(CLASSIC_IDLE);
    let csrf = csrf(&answer.headers, &fresh);
    Outcome::LoggedIn(Session {
        jar,
        csrf,
        renew_after,
        idle,
    })
}

/// The token for writing requests, from wherever this version puts it: the rotated header, the header, the claim,
/// the classic cookie.
fn csrf(headers: &HeaderMap, jar: &Jar) -> Option<String> {
    rotated(headers)
        .or_else(|| jar.values().find_map(|value| Claims::read(value)?.csrf))
        .or_else(|| jar.get("csrf_token").map(str::to_owned))
        .filter(|token| !token.is_empty())
}

fn rotated(headers: &HeaderMap) -> Option<String> {
    ["x-updated-csrf-token", "x-csrf-token"]
        .iter()
        .find_map(|name| {
            headers
                .get(*name)?
                .to_str()
                .ok()
                .filter(|token| !token.is_empty())
        })
        .map(str::to_owned)
}

impl Session {
    /// Take in what an answer within the session changed: rotated cookies and tokens.
    pub fn absorb(&mut self, headers: &HeaderMap, now: Timestamp) {
        self.jar.absorb(headers, now);
        if let Some(token) = rotated(headers) {
            self.csrf = Some(token);
        } else if headers.contains_key(http::header::SET_COOKIE) {
            let token = csrf(headers, &self.jar);
            self.csrf = token.or_else(|| self.csrf.take());
        }
    }
}

impl Factor {
    /// The cookie to set before the code is sent, as `name=value`.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        match self {
            Self::Classic(cookie) => cookie.as_deref(),
            Self::Os => None,
            Self::OsSso(cookie) => Some(cookie),
        }
    }
}

impl fmt::Debug for Factor {
    /// Without the cookie, which is half a login.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classic(_) => "Classic",
            Self::Os => "Os",
            Self::OsSso(_) => "OsSso",
        })
    }
}

impl fmt::Debug for Session {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("jar", &self.jar)
            .field("csrf", &self.csrf.is_some())
            .field("renew_after", &self.renew_after)
            .field("idle", &self.idle)
            .finish()
    }
}

impl Outcome {
    /// Whether the controller looked at the credentials.
    #[must_use]
    pub fn weight(&self) -> Weight {
        match self {
            Self::Booting { .. } | Self::Unreachable(_) | Self::Redirected(_) => Weight::Free,
            Self::NotHere { status } if *status != 401 => Weight::Free,
            _ => Weight::Counted,
        }
    }

    /// What is wrong, in one sentence that names the fix; empty after a success.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::LoggedIn(_) => String::new(),
            Self::SecondFactorNeeded(Factor::OsSso(_)) => "the account is a ui.com account with a second factor: make a local-only account with view-only rights for herald, or set auth.totp to the base32 secret of its authenticator".to_owned(),
            Self::SecondFactorNeeded(_) => "the account wants a second factor: set auth.totp to the base32 secret of its authenticator, or use a local account without one".to_owned(),
            Self::WrongCode => "the controller refused the login with its one-time code: check auth.totp and auth.password, and that the clock of this machine is right".to_owned(),
            Self::WrongPassword => "the controller refused the user name or password: correct auth.username and auth.password; herald tries again only once an hour".to_owned(),
            Self::RefusedNotProof(said) => format!("the controller refused the login ({said}), which is not proof of a wrong password: check auth.username and auth.password, and that the account is a local one that is not locked; herald keeps trying slowly"),
            Self::LockedOut { .. } => "the controller has locked out further logins for a while: stop other tools that log in with this account or from this machine; herald waits and then tries again".to_owned(),
            Self::NoPermission => "the account may not use the Network application: give it at least View Only rights for Network".to_owned(),
            Self::NotHere { status } => format!("there is no UniFi login at this address (HTTP {status}): check url, and set kind if a reverse proxy hides what the controller is"),
            Self::Redirected(to) => format!("the login was redirected to {to}: set url to the controller's final address"),
            Self::NoCookie => "the controller accepted the login but set no cookie: a proxy in between may strip Set-Cookie; set url to the controller itself".to_owned(),
            Self::Booting { status } => format!("the console is starting or being upgraded (HTTP {status}): nothing to do, herald tries again by itself"),
            Self::Unreachable(why) => why.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
