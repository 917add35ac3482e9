//! `herald status --json`: the object of the manual.

use crate::cli::Exit;
use crate::cli::output::print;
use crate::control::protocol::{
    ControllerState, FormerSink, RefusedConfig, SinkState, SourceState, Status as Facts, StepState,
};
use serde::{Serialize, Serializer};
use unifi_herald_plugin::Timestamp;

/// The object of the manual, in its order.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(serialize_with = "controllers")]
    controllers: &'a [ControllerState],
    #[serde(
        serialize_with = "sources",
        skip_serializing_if = "<[SourceState]>::is_empty"
    )]
    sources: &'a [SourceState],
    #[serde(serialize_with = "sinks")]
    sinks: &'a [SinkState],
    /// Those that are bypassed.
    #[serde(skip_serializing_if = "<[StepState]>::is_empty")]
    scripts: &'a [StepState],
    /// In the same way.
    #[serde(skip_serializing_if = "<[StepState]>::is_empty")]
    filters: &'a [StepState],
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_reload: Option<&'a RefusedConfig>,
    /// Not configured any more, with something pending.
    #[serde(
        serialize_with = "former",
        skip_serializing_if = "<[FormerSink]>::is_empty"
    )]
    former_sinks: &'a [FormerSink],
}

#[derive(Serialize)]
struct ControllerJson<'a> {
    connected: bool,
    last_frame: Option<Timestamp>,
    version: Option<&'a str>,
    kind: Option<&'a str>,
}

#[derive(Serialize)]
struct SourceJson {
    connected: bool,
    last_event: Option<Timestamp>,
    received: u64,
    refused: u64,
    own: u64,
    lost: u64,
}

#[derive(Serialize)]
struct SinkJson<'a> {
    state: &'a str,
    received: u64,
    duplicate: u64,
    filtered: u64,
    delivered: u64,
    dead_lettered: u64,
    pending: u64,
    lost: u64,
}

#[derive(Serialize)]
struct FormerJson {
    pending: u64,
}

fn controllers<S: Serializer>(all: &[ControllerState], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(all.iter().map(|controller| {
        let facts = ControllerJson {
            connected: controller.connected,
            last_frame: controller.last_frame,
            version: controller.version.as_deref(),
            kind: controller.kind.as_deref(),
        };
        (&controller.name, facts)
    }))
}

fn sources<S: Serializer>(all: &[SourceState], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(all.iter().map(|source| {
        let facts = SourceJson {
            connected: source.connected,
            last_event: source.last_event,
            received: source.received,
            refused: source.refused,
            own: source.own,
            lost: source.lost,
        };
        (&source.name, facts)
    }))
}

fn sinks<S: Serializer>(all: &[SinkState], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(all.iter().map(|sink| {
        let books = &sink.books;
        let facts = SinkJson {
            state: &sink.state,
            received: books.received,
            duplicate: books.duplicate,
            filtered: books.filtered,
            delivered: books.delivered,
            dead_lettered: books.dead_lettered,
            pending: books.pending,
            lost: books.lost,
        };
        (&sink.name, facts)
    }))
}

fn former<S: Serializer>(all: &[FormerSink], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(all.iter().map(|sink| {
        let facts = FormerJson {
            pending: sink.pending,
        };
        (&sink.name, facts)
    }))
}

/// Print the facts as one object.
pub(super) fn show(facts: &Facts) -> Exit {
    let object = Json {
        controllers: &facts.controllers,
        sources: &facts.sources,
        sinks: &facts.sinks,
        scripts: &facts.scripts,
        filters: &facts.filters,
        refused_reload: facts.refused_reload.as_ref(),
        former_sinks: &facts.former_sinks,
    };
    // Cannot fail: the keys of all maps are text.
    let text = serde_json::to_string(&object).unwrap_or_default();
    print(&format!("{text}\n"))
}
