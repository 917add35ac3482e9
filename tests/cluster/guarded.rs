//! One herald that does everything, on a cluster that speaks TLS and knows accounts.

use crate::support::guarded::guarded;
use crate::support::herald::Herald;
use crate::support::rig::controller;
use crate::support::{LIMIT, eventually};
use std::collections::BTreeSet;
use unifi_herald::demo::{Simulator, SimulatorOptions};

#[test]
fn a_herald_that_does_everything_works_over_tls_with_credentials_and_tells_them_nobody() {
    let (server, fingerprint) = guarded();
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let config = |creds: &str| {
        format!(
            r#"
{controller}
[store]
mode = "jetstream"

[store.jetstream]
servers = ["tls://127.0.0.1:{port}"]
creds   = "{folder}/{creds}"
tls     = {{ pin_sha256 = "{fingerprint}" }}

[sinks.archive]
plugin  = "file"
options = {{ path = "archive.jsonl" }}

[chains.all]
steps = [{{ sink = "archive" }}]
"#,
            controller = controller("home", &simulator, "[\"*\"]"),
            port = server.port(),
            folder = server.folder().display(),
        )
    };
    let stranger = Herald::with(&config("stranger.creds"));
    let mut refused = stranger.start(&["run"]);
    refused.says("the server refuses the account; check store.jetstream.creds");
    let ended = refused.stopped();
    let house = Herald::with(&config("herald.creds"));
    let mut running = house.start(&["run"]);
    running.says("cluster is ready");
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let made: BTreeSet<String> = simulator
        .emit("default", 20)
        .iter()
        .filter_map(|entry| entry.id.clone())
        .collect();
    eventually("all of it is written", || {
        let events = house.events("archive.jsonl");
        let ids: BTreeSet<&str> = events
            .iter()
            .filter_map(|event| event["id"].as_str())
            .collect();
        made.iter().all(|id| ids.contains(&**id))
    });
    for text in [running.stopped().with_code(0).stderr, ended.stderr] {
        assert!(!text.contains("async_nats"), "{text}");
        assert!(!text.contains("SUA") && !text.contains("eyJ"), "{text}");
    }
    simulator.stop();
}
