//! `/api/status` and `/api/rates`: how everything is, and how much there was to do.

use super::Named;
use crate::control::Health;
use crate::control::protocol::{ControllerState, Degraded, FormerSink, SinkState, SourceState};
use crate::measure::{LEVELS, SLOT};
use crate::server::App;
use crate::status::{ControllerStatus, LaneStatus};
use crate::store::Books;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

/// How far back rates are told.
const HOUR: Duration = Duration::from_hours(1);

#[derive(Debug, Serialize)]
pub(super) struct Status {
    version: String,
    process: u32,
    started: Timestamp,
    now: Timestamp,
    health: Health,
    store: Store,
    ring: Ring,
    /// Why the configuration that is in the file now is not the one at work.
    refused_reload: Option<String>,
    controllers: Named<Controller>,
    sources: Named<Source>,
    sinks: Named<Sink>,
    /// Not configured any more.
    former_sinks: Named<Former>,
}

#[derive(Debug, Serialize)]
struct Store {
    /// Whether there is one to search.
    journal: bool,
    degraded: Option<Degraded>,
}

#[derive(Debug, Serialize)]
struct Ring {
    events: usize,
    lost: u64,
}

#[derive(Debug, Serialize)]
struct Controller {
    connected: bool,
    last_frame: Option<Timestamp>,
    version: Option<String>,
    kind: Option<String>,
    trouble: Option<String>,
    sites: Named<bool>,
    frames: u64,
    bad_frames: u64,
    events: u64,
    unknown: u64,
    connects: u64,
    logins: u64,
}

#[derive(Debug, Serialize)]
struct Source {
    connected: bool,
    last_event: Option<Timestamp>,
    received: u64,
    refused: u64,
    own: u64,
    lost: u64,
    trouble: Option<String>,
}

#[derive(Debug, Serialize)]
struct Sink {
    state: String,
    #[serde(flatten)]
    books: Books,
    last_error: Option<String>,
    stalls: u64,
}

#[derive(Debug, Serialize)]
struct Former {
    pending: u64,
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Status> {
    let board = &app.board;
    let status = board.status();
    let cast = board.roster.now();
    // A reload in between may have taken some away.
    let controllers = status.controllers.into_iter().filter_map(|state| {
        let mut known = cast.controllers.iter();
        let (_, facts) = known.find(|(name, _)| **name == *state.name)?;
        Some(controller(state, facts))
    });
    let sinks = status.sinks.into_iter().filter_map(|state| {
        let mut known = cast.sinks.iter();
        let (_, lane) = known.find(|(name, _)| **name == *state.name)?;
        Some(sink(state, lane))
    });
    Json(Status {
        version: status.version,
        process: status.process,
        started: board.measures.started,
        now: board.clock.wall(),
        health: board.health(),
        store: Store {
            journal: board.store.wants_verdicts(),
            degraded: status.degraded,
        },
        ring: Ring {
            events: board.ring.len(),
            lost: board.measures.ring_lost.load(Ordering::Relaxed),
        },
        refused_reload: status.refused_reload.map(|refused| refused.error),
        controllers: Named(controllers.collect()),
        sources: Named(status.sources.into_iter().map(source).collect()),
        sinks: Named(sinks.collect()),
        former_sinks: Named(status.former_sinks.into_iter().map(former).collect()),
    })
}

fn controller(state: ControllerState, status: &ControllerStatus) -> (String, Controller) {
    let counts = status.counts();
    let number = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let sites = status.facts().sites.into_iter();
    let told = Controller {
        connected: state.connected,
        last_frame: state.last_frame,
        version: state.version,
        kind: state.kind,
        trouble: state.trouble,
        sites: Named(sites.map(|(site, up)| (site.to_string(), up)).collect()),
        frames: number(&counts.frames),
        bad_frames: number(&counts.bad),
        events: number(&counts.events),
        unknown: number(&counts.unknown),
        connects: number(&counts.connects),
        logins: number(&counts.logins),
    };
    (state.name, told)
}

fn source(state: SourceState) -> (String, Source) {
    let told = Source {
        connected: state.connected,
        last_event: state.last_event,
        received: state.received,
        refused: state.refused,
        own: state.own,
        lost: state.lost,
        trouble: state.trouble,
    };
    (state.name, told)
}

fn sink(state: SinkState, lane: &LaneStatus) -> (String, Sink) {
    let told = Sink {
        state: state.state,
        books: state.books,
        last_error: state.last_error,
        stalls: lane.facts().stalls,
    };
    (state.name, told)
}

fn former(sink: FormerSink) -> (String, Former) {
    let pending = sink.pending;
    (sink.name, Former { pending })
}

#[derive(Debug, Serialize)]
pub(super) struct Rates {
    now: Timestamp,
    slot_s: u64,
    slots: Vec<Slot>,
}

#[derive(Debug, Serialize)]
struct Slot {
    start: Timestamp,
    /// By severity, `debug` to `critical`.
    counts: [u32; LEVELS],
}

pub(super) async fn rates(State(app): State<Arc<App>>) -> Json<Rates> {
    let now = app.board.clock.wall();
    let slots = app.board.measures.rates.since(now - HOUR);
    let slots = slots.into_iter().map(|slot| Slot {
        start: slot.start,
        counts: slot.counts,
    });
    Json(Rates {
        now,
        slot_s: SLOT.as_secs(),
        slots: slots.collect(),
    })
}
