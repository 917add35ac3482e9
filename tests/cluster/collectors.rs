//! Collectors: two on one controller, and the cluster out of reach.

use super::Office;
use crate::support::herald::Herald;
use crate::support::nats::NatsServer;
use crate::support::proxy::Proxy;
use crate::support::rig::controller;
use crate::support::{LIMIT, eventually};
use unifi_herald::demo::{Simulator, SimulatorOptions};

pub(super) fn simulator() -> Simulator {
    Simulator::start(SimulatorOptions {
        missing_id_share: 0.0,
        alert_share: 0.0,
        ..SimulatorOptions::default()
    })
    .unwrap()
}

/// A herald that only listens.
pub(super) fn collector(simulator: &Simulator, port: u16) -> Herald {
    collector_with(simulator, port, "replicas = 1")
}

/// The same with `options` of its cluster.
pub(super) fn collector_with(simulator: &Simulator, port: u16, options: &str) -> Herald {
    Herald::with(&format!(
        r#"
{}
[host]
role = "collect"

[store]
mode      = "jetstream"
jetstream = {{ servers = ["nats://127.0.0.1:{port}"], {options} }}
"#,
        controller("home", simulator, "[\"*\"]")
    ))
}

#[test]
fn two_collectors_on_one_controller_give_one_event_and_an_outage_loses_none() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let simulator = simulator();
    let proxy = Proxy::to(server.port());
    let houses = [proxy.port(), server.port()].map(|port| collector(&simulator, port));
    let mut collectors = houses.each_ref().map(|house| house.start(&["run"]));
    for collector in &mut collectors {
        collector.says("cluster is ready");
    }
    assert!(simulator.wait_for_sockets(2, LIMIT));
    let (_house, worker) = office.worker("one");
    let made = simulator.emit("default", 50).len();
    office.wait_for(made);
    // One of the two is cut off, the other dies: what comes meanwhile waits in a file.
    proxy.cut();
    let [cut_off, other] = collectors;
    other.stopped().with_code(0);
    let more = simulator.emit("default", 50).len();
    let waiting = || {
        let status = houses[0].run(&["status", "--json"]).with_code(0);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        status["sinks"]["jetstream-outbox"]["pending"]
            .as_u64()
            .unwrap()
    };
    eventually("the outbox has what came", || waiting() >= more as u64);
    cut_off.signal("KILL");
    let cut_off = houses[0].start(&["run"]);
    proxy.mend();
    office.wait_for(made + more);
    cut_off.stopped().with_code(0);
    worker.stopped().with_code(0);
    // A first client is news of herald's own.
    let ledger = simulator.ledger().entries("default");
    let written = office.written();
    let once = |id: &str| written.iter().filter(|event| *event.id == *id).count();
    for entry in &ledger {
        let raw: serde_json::Value = serde_json::from_str(&entry.raw).unwrap();
        let id = raw["_id"].as_str().or(raw["id"].as_str()).unwrap();
        assert_eq!(once(id), 1, "{id}");
    }
    simulator.stop();
}
