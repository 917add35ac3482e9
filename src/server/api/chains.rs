//! `/api/chains`, `/api/scripts` and `/api/filters`: what chains do, counted step by step, and which steps are bypassed.

use super::Named;
use crate::server::App;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Serialize)]
pub(super) struct Chains {
    chains: Vec<Chain>,
}

#[derive(Debug, Serialize)]
struct Chain {
    name: String,
    entered: u64,
    passed_by: u64,
    steps: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Step {
    step: String,
    /// What it did, and how often, where it did.
    did: Named<u64>,
    failed: u64,
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Chains> {
    let cast = app.board.roster.now();
    let chains = cast.chains.iter().map(|(shape, tally)| {
        let steps = shape.steps.iter().zip(tally.steps());
        let steps = steps.map(|(name, step)| Step {
            step: name.clone(),
            did: Named(
                step.deeds()
                    .filter(|(_, count)| *count > 0)
                    .map(|(deed, count)| (deed.as_str().to_owned(), count))
                    .collect(),
            ),
            failed: step.failed(),
        });
        Chain {
            name: shape.name.clone(),
            entered: tally.entered(),
            passed_by: tally.passed_by(),
            steps: steps.collect(),
        }
    });
    Json(Chains {
        chains: chains.collect(),
    })
}

#[derive(Debug, Serialize)]
pub(super) struct Scripts {
    scripts: Vec<Script>,
}

#[derive(Debug, Serialize)]
struct Script {
    chain: String,
    script: String,
    /// Why it is bypassed, while it is.
    bypassed: Option<String>,
}

pub(super) async fn scripts(State(app): State<Arc<App>>) -> Json<Scripts> {
    let cast = app.board.roster.now();
    let scripts = cast.scripts.iter().map(|(chain, script, health)| Script {
        chain: chain.to_string(),
        script: script.to_string(),
        bypassed: health.trouble().map(|trouble| trouble.error.to_string()),
    });
    Json(Scripts {
        scripts: scripts.collect(),
    })
}

#[derive(Debug, Serialize)]
pub(super) struct Filters {
    filters: Vec<Filter>,
}

#[derive(Debug, Serialize)]
struct Filter {
    chain: String,
    filter: String,
    /// Why it is bypassed, while it is.
    bypassed: Option<String>,
}

pub(super) async fn filters(State(app): State<Arc<App>>) -> Json<Filters> {
    let cast = app.board.roster.now();
    let filters = cast.filters.iter().map(|(chain, filter, health)| Filter {
        chain: chain.to_string(),
        filter: filter.to_string(),
        bypassed: health.trouble().map(|trouble| trouble.error),
    });
    Json(Filters {
        filters: filters.collect(),
    })
}
