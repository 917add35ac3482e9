//! `/api/dead-letters`: what was given up, and what shall become of it.

use super::{Problem, aside};
use crate::control::protocol::{Letter, Letters};
use crate::server::App;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Letters in an answer, unless told otherwise, and at most.
const LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    sink: Option<String>,
    id: Option<String>,
    /// Those behind this position.
    after: i64,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct Page {
    letters: Vec<Letter>,
    /// Where the next page begins, when there may be one.
    next: Option<i64>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Page>, Problem> {
    let Query(wanted) = wanted?;
    let limit = wanted.limit.unwrap_or(LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::wrong(format!("limit: expected 1 to {MAX_LIMIT}")));
    }
    let filter = Letters {
        sink: wanted.sink,
        id: wanted.id,
    };
    let store = Arc::clone(&app.board.store);
    let kept = aside(&app, move || {
        let kept = store.dead_letters(&filter.to_store(), wanted.after, limit);
        kept.map_err(|error| error.message)
    })
    .await?;
    let full = kept.len() == limit;
    Ok(Json(Page {
        next: kept.last().filter(|_| full).map(|letter| letter.position),
        letters: kept.iter().filter_map(Letter::of).collect(),
    }))
}

/// Which letters an action is for. All of them must be said aloud.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Chosen {
    sink: Option<String>,
    id: Option<String>,
    all: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Done {
    count: u64,
}

impl Chosen {
    fn filter(self) -> Result<Letters, Problem> {
        if self.sink.is_none() && self.id.is_none() && !self.all {
            let message = "say which: `sink`, `id`, or `\"all\": true`";
            return Err(Problem::wrong(message));
        }
        Ok(Letters {
            sink: self.sink,
            id: self.id,
        })
    }
}

pub(super) async fn retry(
    State(app): State<Arc<App>>,
    body: Result<Json<Chosen>, JsonRejection>,
) -> Result<Json<Done>, Problem> {
    let filter = body?.0.filter()?.to_store();
    let done = app.board.store.retry_dead_letters(&filter).await;
    let count = done.map_err(|error| Problem::broken(error.message))?;
    Ok(Json(Done { count }))
}

pub(super) async fn discard(
    State(app): State<Arc<App>>,
    body: Result<Json<Chosen>, JsonRejection>,
) -> Result<Json<Done>, Problem> {
    let filter = body?.0.filter()?.to_store();
    let done = app.board.store.drop_dead_letters(&filter).await;
    let count = done.map_err(|error| Problem::broken(error.message))?;
    Ok(Json(Done { count }))
}
