//! `/healthz` and `/readyz`: for probes, without a login.

use super::App;
use crate::control::Health;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// 200 while the host makes progress.
pub(super) async fn alive(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.board.health().alive {
        (StatusCode::OK, "alive\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stuck\n")
    }
}

/// 200 while all is well, and what is not.
pub(super) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let health = app.board.health();
    let status = if health.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(health))
}
