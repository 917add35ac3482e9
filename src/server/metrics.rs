//! `/metrics`: what the host counts, for Prometheus. Labels are names of the configuration only.

mod page;

use super::App;
use crate::alert::{Incident, Phase};
use crate::control::Board;
use crate::control::protocol::{SinkState, Status};
use crate::inlet::SourceFacts;
use crate::measure::Measures;
use crate::roster::Cast;
use crate::status::FrameCounts;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use page::Page;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The states of a lane.
const STATES: [&str; 4] = ["ok", "retrying", "parked", "gone"];

/// A number of a controller.
type OfFrames = fn(&FrameCounts) -> &AtomicU64;

/// A number of a sink.
type OfSink = fn(&SinkState) -> u64;

pub(super) async fn show(State(app): State<Arc<App>>) -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, render(&app.board))
}

/// The whole page.
fn render(board: &Board) -> String {
    let (status, cast) = (board.status(), board.roster.now());
    let mut page = Page::default();
    host(board, &status, &mut page);
    controllers(board, &cast, &mut page);
    sources(&cast, &mut page);
    measures(&board.measures, board, &mut page);
    chains(&cast, &mut page);
    incidents(&board.desk.incidents(), &mut page);
    sinks(&cast, &status.sinks, &mut page);
    page.text()
}

fn host(board: &Board, status: &Status, page: &mut Page) {
    page.gauge("herald_build_info", "Always 1; the version is the label.")
        .sample(&[("version", &status.version)], 1);
    let started = board.measures.started.as_millis() / 1000;
    page.gauge(
        "herald_start_time_seconds",
        "When the host started, since 1970.",
    )
    .sample(&[], started);
    let health = board.health();
    page.gauge("herald_ready", "Whether all is well: what /readyz says.")
        .sample(&[], u8::from(health.ready));
    let held = status.degraded.as_ref().map(|degraded| degraded.held);
    page.gauge(
        "herald_store_degraded",
        "Whether the store does not keep its promise.",
    )
    .sample(&[], u8::from(held.is_some()));
    page.gauge(
        "herald_store_held_events",
        "Events that are in memory only, because the store takes none.",
    )
    .sample(&[], held.unwrap_or_default());
}

/// One of the counts of a source.
type OfSources = fn(&SourceFacts) -> u64;

fn sources(cast: &Cast, page: &mut Page) {
    if cast.sources.is_empty() {
        return;
    }
    let facts = cast.sources.iter();
    let facts: Vec<_> = facts.map(|(name, status)| (name, status.facts())).collect();
    let mut connected = page.gauge("herald_source_connected", "Whether the source can receive.");
    for (name, facts) in &facts {
        connected.sample(&[("source", name)], u8::from(facts.connected));
    }
    let counters: [(&str, &str, OfSources); 4] = [
        (
            "herald_source_events_total",
            "Events given to the chains, those that came again included.",
            |facts| facts.received,
        ),
        (
            "herald_source_refused_total",
            "Messages that were no events.",
            |facts| facts.refused,
        ),
        (
            "herald_source_own_total",
            "Events of controllers that this herald listens to itself: not taken.",
            |facts| facts.own,
        ),
        (
            "herald_source_lost_total",
            "Messages that came faster than they were received.",
            |facts| facts.lost,
        ),
    ];
    for (name, about, count) in counters {
        let mut counter = page.counter(name, about);
        for (source, facts) in &facts {
            counter.sample(&[("source", source)], count(facts));
        }
    }
}

fn controllers(board: &Board, cast: &Cast, page: &mut Page) {
    let mut connected = page.gauge(
        "herald_controller_connected",
        "Whether the sockets of all sites are up.",
    );
    for (name, status) in &cast.controllers {
        let up = u8::from(status.facts().connected());
        connected.sample(&[("controller", name)], up);
    }
    let mut age = page.gauge(
        "herald_controller_last_frame_age_seconds",
        "Time since the last data frame; absent before the first.",
    );
    let now = board.clock.wall();
    for (name, status) in &cast.controllers {
        if let Some(last) = status.facts().last_frame {
            let ms = now.as_millis().saturating_sub(last.as_millis()).max(0);
            age.sample(&[("controller", name)], ms as f64 / 1000.0);
        }
    }
    let counters: [(&str, &str, OfFrames); 6] = [
        ("herald_frames_total", "Data frames received.", |counts| {
            &counts.frames
        }),
        (
            "herald_bad_frames_total",
            "Frames that could not be understood.",
            |counts| &counts.bad,
        ),
        (
            "herald_events_decoded_total",
            "Events decoded from frames.",
            |counts| &counts.events,
        ),
        (
            "herald_events_unknown_total",
            "Events with a key that the catalog does not know.",
            |counts| &counts.unknown,
        ),
        (
            "herald_connects_total",
            "Connections that came to life.",
            |counts| &counts.connects,
        ),
        ("herald_logins_total", "Logins tried.", |counts| {
            &counts.logins
        }),
    ];
    for (name, help, count) in counters {
        let mut family = page.counter(name, help);
        for (controller, status) in &cast.controllers {
            let value = count(status.counts()).load(Ordering::Relaxed);
            family.sample(&[("controller", controller)], value);
        }
    }
}

fn measures(measures: &Measures, board: &Board, page: &mut Page) {
    page.gauge(
        "herald_ring_events",
        "Events waiting in front of the chains.",
    )
    .sample(&[], board.ring.len());
    page.counter(
        "herald_ring_lost_total",
        "Events lost because the ring was full.",
    )
    .sample(&[], measures.ring_lost.load(Ordering::Relaxed));
    page.counter(
        "herald_clients_forgotten_total",
        "Clients forgotten for want of room, which would be new again.",
    )
    .sample(&[], measures.clients_forgotten.load(Ordering::Relaxed));
    page.histogram(
        "herald_batch_events",
        "Events committed together.",
        &measures.batch_events.snapshot(),
    );
    page.histogram(
        "herald_batch_seconds",
        "Time the chains took for a batch.",
        &measures.batch_seconds.snapshot(),
    );
    page.histogram(
        "herald_commit_seconds",
        "Time until the store had a batch.",
        &measures.commit_seconds.snapshot(),
    );
    let now = board.clock.now();
    let mut age = page.gauge(
        "herald_thread_idle_seconds",
        "Time since a thread has shown progress; a stuck one grows past a minute.",
    );
    for (name, pulse) in [("source", &measures.source), ("router", &measures.router)] {
        age.sample(&[("thread", name)], pulse.age(now).as_secs_f64());
    }
}

fn chains(cast: &Cast, page: &mut Page) {
    let mut events = page.counter(
        "herald_chain_events_total",
        "Events that entered a chain, or passed it by.",
    );
    for (shape, tally) in &cast.chains {
        for (outcome, count) in [
            ("entered", tally.entered()),
            ("passed_by", tally.passed_by()),
        ] {
            events.sample(&[("chain", &shape.name), ("outcome", outcome)], count);
        }
    }
    let mut failures = page.counter(
        "herald_chain_step_failures_total",
        "Events at which a step failed, so that its on_error decided.",
    );
    for (shape, tally) in &cast.chains {
        for (position, step) in tally.steps().iter().enumerate() {
            let position = (position + 1).to_string();
            failures.sample(
                &[("chain", &shape.name), ("step", &position)],
                step.failed(),
            );
        }
    }
    let mut bypassed = page.gauge(
        "herald_script_bypassed",
        "Whether a script is bypassed because it keeps hitting a limit.",
    );
    for (chain, script, health) in &cast.scripts {
        let value = u8::from(health.trouble().is_some());
        bypassed.sample(&[("chain", chain), ("script", script)], value);
    }
    let mut bypassed = page.gauge(
        "herald_filter_bypassed",
        "Whether a filter in Rust is bypassed because it keeps breaking down.",
    );
    for (chain, filter, health) in &cast.filters {
        let value = u8::from(health.trouble().is_some());
        bypassed.sample(&[("chain", chain), ("filter", filter)], value);
    }
}

fn incidents(incidents: &[Incident], page: &mut Page) {
    let mut family = page.gauge(
        "herald_incidents",
        "Incidents that are not over: told or to be told, in wait, or explained by another.",
    );
    for (name, phase) in [
        ("open", Phase::Open),
        ("waiting", Phase::Waiting),
        ("folded", Phase::Folded),
    ] {
        let count = incidents.iter().filter(|one| one.state == phase).count();
        family.sample(&[("state", name)], count);
    }
}

fn sinks(cast: &Cast, sinks: &[SinkState], page: &mut Page) {
    let mut received = page.counter(
        "herald_sink_received_total",
        "Events the host received since the sink first appeared.",
    );
    for sink in sinks {
        received.sample(&[("sink", &sink.name)], sink.books.received);
    }
    let outcomes: [(&str, OfSink); 4] = [
        ("duplicate", |sink| sink.books.duplicate),
        ("filtered", |sink| sink.books.filtered),
        ("delivered", |sink| sink.books.delivered),
        ("lost", |sink| sink.books.lost),
    ];
    let mut events = page.counter(
        "herald_sink_events_total",
        "What became of them; with pending and dead letters the sum is what was received.",
    );
    for sink in sinks {
        for (outcome, count) in outcomes {
            events.sample(&[("sink", &sink.name), ("outcome", outcome)], count(sink));
        }
    }
    let gauges: [(&str, &str, OfSink); 2] = [
        (
            "herald_sink_pending_events",
            "Events waiting for the sink.",
            |sink| sink.books.pending,
        ),
        (
            "herald_sink_dead_letters",
            "Events given up, those dropped since included.",
            |sink| sink.books.dead_lettered,
        ),
    ];
    for (name, help, count) in gauges {
        let mut family = page.gauge(name, help);
        for sink in sinks {
            family.sample(&[("sink", &sink.name)], count(sink));
        }
    }
    let mut state = page.gauge("herald_sink_state", "1 for the state that the sink is in.");
    for sink in sinks {
        for known in STATES {
            let value = u8::from(sink.state == known);
            state.sample(&[("sink", &sink.name), ("state", known)], value);
        }
    }
    let mut stalls = page.counter(
        "herald_sink_stalls_total",
        "Calls into the plugin that kept their thread for a second or more.",
    );
    for (name, lane) in &cast.sinks {
        stalls.sample(&[("sink", name)], lane.facts().stalls);
    }
}
