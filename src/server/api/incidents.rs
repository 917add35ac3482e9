//! `/api/incidents` and `/api/silences`: what is going on, and what shall not be told of it.

use super::Problem;
use crate::alert::{Incident, NewSilence, Silence};
use crate::desk::DeskError;
use crate::server::App;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Serialize)]
pub(super) struct Incidents {
    incidents: Vec<Incident>,
}

#[derive(Debug, Serialize)]
pub(super) struct Silences {
    silences: Vec<Silence>,
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Incidents> {
    Json(Incidents {
        incidents: app.board.desk.incidents(),
    })
}

pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.board.desk.acknowledge(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn silences(State(app): State<Arc<App>>) -> Json<Silences> {
    Json(Silences {
        silences: app.board.desk.silences(),
    })
}

pub(super) async fn silence(
    State(app): State<Arc<App>>,
    body: Result<Json<NewSilence>, JsonRejection>,
) -> Result<(StatusCode, Json<Silence>), Problem> {
    let Json(new) = body?;
    let silence = app.board.desk.silence(new).await?;
    Ok((StatusCode::CREATED, Json(silence)))
}

pub(super) async fn end_silence(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.board.desk.end_silence(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let status = match error {
            DeskError::Unknown { .. } => StatusCode::NOT_FOUND,
            DeskError::Refused(_) => StatusCode::BAD_REQUEST,
            DeskError::NotKept => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}
