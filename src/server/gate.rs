//! What every request passes first: names, origin, login, limits; and what every answer carries.

use super::App;
use super::access::{Caller, Refusal};
use super::api::Problem;
use super::listen::Peer;
use super::origin::Names;
use axum::extract::{Extension, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, HeaderMap,
    HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// The cookie of a session.
pub(super) const SESSION: &str = "herald_session";

/// The header in which our own page sends the action word.
const ACTION: &str = "x-herald-action";

/// How long an answer may take to begin.
const ANSWER: Duration = Duration::from_secs(60);

/// Only what comes from here runs or is shown, and nobody frames it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Let a request pass, or say why not.
pub(super) async fn pass(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&app, peer, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            match tokio::time::timeout(ANSWER, next.run(request)).await {
                Ok(response) => response,
                Err(_elapsed) => Problem::busy("the answer took too long").into_response(),
            }
        }
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Who calls, as far as it matters; nobody where no login is needed.
fn admit(app: &App, Peer(peer): Peer, request: &Request) -> Result<Option<Caller>, Problem> {
    let headers = request.headers();
    let host = text(headers, HOST).unwrap_or_default();
    if !app.names.admit(host) {
        let help = "this herald is not called by that name; `server.hosts` may add it";
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, help));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes {
        own_page_or_program(headers, host)?;
    }
    let path = request.uri().path();
    let caller = app.access.caller(
        peer,
        bearer(headers),
        session(headers),
        app.board.clock.now(),
    );
    if is_open(path) {
        return Ok(caller.ok());
    }
    let caller = caller?;
    if changes && caller != Caller::Program {
        let word = headers.get(ACTION).and_then(|word| word.to_str().ok());
        if !word.is_some_and(|word| app.access.is_action(word)) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "an action carries `Authorization: Bearer` with the token, or `X-Herald-Action` with the word of /api/session",
            ));
        }
    }
    Ok(Some(caller))
}

/// What anybody may see: the page itself without data, whether herald is well, and the way to log in.
fn is_open(path: &str) -> bool {
    let guarded = path.starts_with("/api/") || path == "/metrics";
    !guarded || matches!(path, "/api/session" | "/api/login")
}

/// Other people's pages can make a browser send requests, but not with our origin, nor as JSON without asking first.
fn own_page_or_program(headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    let origin = text(headers, ORIGIN);
    let foreign = origin.is_some_and(|origin| !Names::same(host, origin));
    let site = headers.get("sec-fetch-site");
    let cross = site.is_some_and(|site| site != "same-origin" && site != "none");
    if foreign || cross {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "another page's request is not answered",
        ));
    }
    let json = text(headers, CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("application/json")
    });
    if json {
        Ok(())
    } else {
        Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is JSON: send `Content-Type: application/json`",
        ))
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session in the cookies.
pub(super) fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).into_iter();
    let pairs = cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'));
    let mut ours = pairs.filter_map(|pair| pair.trim().strip_prefix(SESSION)?.strip_prefix('='));
    ours.next()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::new(StatusCode::UNAUTHORIZED, "the token is wanted"),
            Refusal::Wait(wait) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many wrong tokens from there",
            )
            .after(wait),
        }
    }
}
