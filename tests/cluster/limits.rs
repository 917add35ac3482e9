//! A stream that is full, one that is made anew, and what waited in it for too long.

use super::collectors::{collector_with, simulator};
use super::{Office, books, event, publish};
use crate::support::nats::{NatsServer, on_a_runtime};
use crate::support::{LIMIT, eventually};
use std::collections::BTreeSet;
use unifi_herald::clock::Clock;
use unifi_herald_plugin::Kind;
use unifi_herald_plugin::testing::EventBuilder;

#[test]
fn what_a_full_stream_refuses_waits_at_the_collector_and_arrives_later() {
    let server = NatsServer::start();
    let small = "max_bytes = \"1MiB\"";
    let office = Office::new(&[&server]).with(small);
    let simulator = simulator();
    let house = collector_with(&simulator, server.port(), small);
    let mut collector = house.start(&["run"]);
    collector.says("cluster is ready");
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let mut made = Vec::new();
    eventually("the stream is full", || {
        let full = house
            .run(&["status"])
            .with_code(0)
            .stdout
            .contains("has no room");
        if !full {
            assert!(made.len() < 10_000);
            made.extend(simulator.emit("default", 500));
        }
        full && books(&house, "jetstream-outbox")["pending"]
            .as_u64()
            .unwrap()
            > 0
    });
    let (_worker, worker) = office.worker("one");
    let arrived = || {
        let ids = office.ids();
        made.iter()
            .filter_map(|entry| entry.id.as_ref())
            .filter(|id| !ids.contains(*id))
            .count()
    };
    let mut missing = made.len();
    while missing > 0 {
        let before = missing;
        eventually("more of it arrives", || {
            missing = arrived();
            missing < before
        });
    }
    assert_eq!(books(&house, "jetstream-outbox")["dead_lettered"], 0);
    worker.stopped().with_code(0);
    collector.stopped().with_code(0);
    simulator.stop();
}

#[test]
fn a_stream_that_is_made_anew_is_told_and_what_comes_then_is_not_taken_for_old() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let (_house, mut worker) = office.worker("one");
    worker.says("cluster is ready");
    let events: Vec<_> = (0..8).map(|number| event("a", number)).collect();
    publish(&server.url(), &events[..5]);
    office.wait_for(5);
    on_a_runtime(async {
        let context = async_nats::jetstream::new(server.client().await);
        context.delete_stream("herald").await.unwrap();
    });
    publish(&server.url(), &events[5..]);
    office.wait_for(8);
    eventually("it is told", || {
        let told = office.all();
        let mut gaps = told.iter().filter(|event| event.kind == Kind::HERALD_GAP);
        gaps.any(|gap| gap.reason.as_deref() == Some("stream_made_anew"))
    });
    worker.stopped().with_code(0);
    office.assert_whole(8, 0);
}

#[test]
fn what_is_too_old_reaches_no_sink_and_is_counted() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]).with("max_age = \"1h\"");
    let (house, mut worker) = office.worker("one");
    worker.says("cluster is ready");
    let fresh = EventBuilder::new(Kind::CLIENT_CONNECTED)
        .id("fresh")
        .site("hq", "a", "a")
        .time(Clock::system().wall())
        .buffered(1);
    publish(&server.url(), &[event("a", 0), fresh]);
    office.wait_for(1);
    eventually("both are settled", || {
        books(&house, "archive")["pending"] == 0
    });
    assert_eq!(office.ids(), BTreeSet::from(["fresh".to_owned()]));
    let books = books(&house, "archive");
    assert_eq!(
        (&books["filtered"], &books["delivered"]),
        (&1.into(), &1.into())
    );
    worker.stopped().with_code(0);
}
