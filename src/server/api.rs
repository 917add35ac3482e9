//! The JSON API of the dashboard, for programs as well: `docs/api.md` is its manual.

mod chains;
mod events;
mod incidents;
mod letters;
mod session;
mod sinks;
mod status;
mod stream;

use super::App;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Serialize, Serializer};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/session", get(session::show))
        .route("/login", post(session::log_in))
        .route("/logout", post(session::log_out))
        .route("/status", get(status::show))
        .route("/rates", get(status::rates))
        .route("/kinds", get(events::kinds))
        .route("/events", get(events::search))
        .route("/events/{id}", get(events::fate))
        .route("/stream", get(stream::watch))
        .route("/chains", get(chains::show))
        .route("/incidents", get(incidents::list))
        .route("/incidents/{id}/acknowledge", post(incidents::acknowledge))
        .route(
            "/silences",
            get(incidents::silences).post(incidents::silence),
        )
        .route("/silences/{id}/end", post(incidents::end_silence))
        .route("/scripts", get(chains::scripts))
        .route("/filters", get(chains::filters))
        .route("/sinks/{name}/test", post(sinks::test))
        .route("/dead-letters", get(letters::list))
        .route("/dead-letters/retry", post(letters::retry))
        .route("/dead-letters/drop", post(letters::discard))
}

pub(super) async fn nothing_here() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing here")
}

/// Why there is no answer, as `{"error": "…"}`.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    message: String,
    after: Option<Duration>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            after: None,
        }
    }

    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    fn broken(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// It may be tried again after this time.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self {
            after: Some(wait),
            ..self
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Json(serde_json::json!({ "error": self.message }));
        let mut response = (self.status, body).into_response();
        if let Some(wait) = self.after {
            let seconds = wait.as_secs().max(1);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

/// A JSON object whose keys are in order.
#[derive(Debug)]
struct Named<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Run `work`, which may read the disk, where it holds up nobody.
async fn aside<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Problem> {
    match app.tasks.blocking(work).await {
        Ok(done) => done.map_err(Problem::broken),
        Err(_panicked) => Err(Problem::broken("the search broke off")),
    }
}
