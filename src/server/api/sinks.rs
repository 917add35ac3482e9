//! `/api/sinks/{name}/test`: a made-up event for one sink, by the way that real ones take.

use super::Problem;
use crate::control::trial::TrialError;
use crate::server::App;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use unifi_herald_plugin::Kind;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    #[serde(default = "offline")]
    kind: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Sent {
    /// By which the event is found in the journal and at the destination.
    id: String,
}

fn offline() -> String {
    Kind::DEVICE_OFFLINE.as_str().to_owned()
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    body: Result<Json<Test>, JsonRejection>,
) -> Result<(StatusCode, Json<Sent>), Problem> {
    let Json(test) = body?;
    let Ok(kind) = test.kind.parse::<Kind>() else {
        return Err(Problem::wrong(format!("there is no kind `{}`", test.kind)));
    };
    match app.board.try_sink(&name, kind).await {
        Ok(id) => Ok((StatusCode::ACCEPTED, Json(Sent { id: id.to_string() }))),
        Err(error @ TrialError::NoSuchSink(_)) => {
            Err(Problem::new(StatusCode::NOT_FOUND, error.to_string()))
        }
        Err(error @ TrialError::Stopping) => Err(Problem::busy(error.to_string())),
    }
}
