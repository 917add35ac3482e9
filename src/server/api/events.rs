//! `/api/events`: the journal, and what became of one event.

use super::{Problem, aside};
use crate::control::fate::{Fate, fates};
use crate::control::protocol::Query;
use crate::control::{query, search};
use crate::moment;
use crate::server::App;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{self, Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::sync::Arc;
use unifi_herald_plugin::{Kind, Severity};

/// Events in an answer, unless told otherwise, and at most.
const LIMIT: usize = 100;
const MAX_LIMIT: usize = 10_000;

/// Most bytes of an answer; what is beyond is left out.
const MAX_BYTES: usize = 16 << 20;

/// Why there is nothing to search.
const NO_JOURNAL: &str = "with `store.mode = \"memory\"` there is no journal";

/// What is asked for, in the words of `herald events`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    since: Option<String>,
    until: Option<String>,
    /// Kinds or patterns, separated by commas.
    kind: Option<String>,
    client: Option<String>,
    device: Option<String>,
    site: Option<String>,
    severity: Option<Severity>,
    text: Option<String>,
    limit: Option<usize>,
    raw: Option<bool>,
}

impl Wanted {
    /// In the host's words.
    pub(super) fn query(self, app: &App) -> Result<Query, Problem> {
        let cast = app.board.roster.now();
        let now = app.board.clock.wall();
        let moment = |name: &str, text: Option<String>| {
            let read = text.map(|text| moment::parse(&text, now, &cast.zone));
            read.transpose()
                .map_err(|error| Problem::wrong(format!("{name}: {error}")))
        };
        let patterns: Vec<String> = self
            .kind
            .iter()
            .flat_map(|kinds| kinds.split(','))
            .map(|kind| kind.trim().to_owned())
            .filter(|kind| !kind.is_empty())
            .collect();
        let limit = self.limit.unwrap_or(LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::wrong(format!("limit: expected 1 to {MAX_LIMIT}")));
        }
        Ok(Query {
            since: moment("since", self.since)?,
            until: moment("until", self.until)?,
            kinds: query::kinds(&patterns)
                .map_err(|error| Problem::wrong(format!("kind: {error}")))?,
            client: self.client,
            device: self.device,
            site: self.site,
            severity: self.severity,
            text: self.text,
            limit: Some(limit),
            no_raw: !self.raw.unwrap_or_default(),
        })
    }
}

pub(super) async fn search(
    State(app): State<Arc<App>>,
    wanted: Result<extract::Query<Wanted>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let query = wanted?.0.query(&app)?;
    if !app.board.store.wants_verdicts() {
        return Err(Problem::new(StatusCode::NOT_FOUND, NO_JOURNAL));
    }
    let Ok(place) = Arc::clone(&app.searches).try_acquire_owned() else {
        return Err(Problem::busy("too many searches at a time, try again"));
    };
    let store = Arc::clone(&app.board.store);
    let body = aside(&app, move || {
        let mut body = b"{\"events\":[".to_vec();
        let empty = body.len();
        search::find(&*store, &query, |event| {
            if body.len() > empty {
                body.push(b',');
            }
            event.write_json(&mut body);
            if body.len() < MAX_BYTES {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        body.extend_from_slice(b"]}");
        drop(place);
        Ok(body)
    });
    Ok(([(CONTENT_TYPE, "application/json")], body.await?))
}

#[derive(Debug, Serialize)]
pub(super) struct Fates {
    fates: Vec<Fate>,
}

pub(super) async fn fate(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Fates>, Problem> {
    if !app.board.store.wants_verdicts() {
        return Err(Problem::new(StatusCode::NOT_FOUND, NO_JOURNAL));
    }
    let store = Arc::clone(&app.board.store);
    let fates = aside(&app, move || {
        let reader = search::journal(&*store)?;
        fates(&reader, &id).map_err(|error| error.message)
    })
    .await?;
    if fates.is_empty() {
        let message = "the journal has no event with this id";
        return Err(Problem::new(StatusCode::NOT_FOUND, message));
    }
    Ok(Json(Fates { fates }))
}

#[derive(Debug, Serialize)]
pub(super) struct Kinds {
    kinds: Vec<&'static str>,
}

pub(super) async fn kinds() -> Json<Kinds> {
    Json(Kinds {
        kinds: Kind::ALL.iter().map(|kind| kind.as_str()).collect(),
    })
}
