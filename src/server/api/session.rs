//! `/api/session`, `/api/login`, `/api/logout`: how a browser gets in, and out.

use super::Problem;
use crate::server::App;
use crate::server::access::{self, Caller};
use crate::server::gate;
use crate::server::listen::Peer;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Debug, Serialize)]
pub(super) struct Session {
    /// `not_needed`, `needed` or `done`.
    login: &'static str,
    /// What actions carry; only for those who may act.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    token: String,
}

type Cookie = [(HeaderName, String); 1];

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Option<Caller>>,
) -> Json<Session> {
    let login = match caller {
        None => "needed",
        Some(_) if app.access.wants_token() => "done",
        Some(_) => "not_needed",
    };
    Json(Session {
        login,
        action: caller.map(|_| app.access.action().to_owned()),
    })
}

pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    body: Result<Json<Login>, JsonRejection>,
) -> Result<(StatusCode, Cookie), Problem> {
    let Json(login) = body?;
    if !app.access.wants_token() {
        let help = "no login is needed: `server.token` is not set";
        return Err(Problem::new(StatusCode::CONFLICT, help));
    }
    let now = app.board.clock.now();
    let session = app.access.log_in(peer, &login.token, now)?;
    Ok((
        StatusCode::NO_CONTENT,
        cookie(&session, access::SESSION.as_secs()),
    ))
}

pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> (StatusCode, Cookie) {
    if let Some(session) = gate::session(&headers) {
        app.access.log_out(session);
    }
    (StatusCode::NO_CONTENT, cookie("", 0))
}

fn cookie(session: &str, seconds: u64) -> Cookie {
    let name = gate::SESSION;
    let cookie = format!("{name}={session}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}");
    [(SET_COOKIE, cookie)]
}
