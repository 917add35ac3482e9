//! `/metrics`, read by Prometheus's own tool.

use super::{CLOSED, OPEN, TOKEN, start};
use crate::support::eventually;
use crate::support::http::get;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use std::io::Write;
use std::process::{Command, Stdio};
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};

/// What `promtool check metrics` finds wrong.
fn promtool(page: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("promtool, see tests/apt-packages: {error}"));
    tool.stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let output = tool.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8(told).unwrap();
    assert!(output.status.success(), "{told}\n{page}");
    told
}

/// The value of a sample, by its name and labels as they stand there.
fn sample(page: &str, name: &str) -> Option<f64> {
    let mut lines = page
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines.next()?.parse().ok()
}

#[test]
fn prometheus_reads_what_the_host_counts() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let config = controller("home", &simulator, r#"["default"]"#)
        + OPEN
        + ARCHIVE
        + "[chains.wan]\nwhen = { kinds = [\"wan.*\"] }\nsteps = [{ where = \"event.nonsense.x > 1\" }, { sink = \"archive\" }]\n";
    let rig = Rig::new(&config);
    let (host, address) = start(&rig);
    assert!(simulator.wait_for_sockets(1, crate::support::LIMIT));
    let mac = "02:00:00:00:00:77";
    simulator.emit_item(
        "default",
        Carrier::Events,
        &format!(r#"{{"key":"EVT_WU_Connected","user":"{mac}","ssid":"Home","time":1795000000000,"_id":"0123456789abcdef01234577"}}"#),
    );
    eventually("it is delivered", || {
        rig.ids("events.jsonl").contains("0123456789abcdef01234577")
    });
    let page = || {
        let reply = get(address, "/metrics").send();
        assert_eq!(reply.status, 200);
        assert_eq!(
            reply.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        reply.body
    };
    // What is committed is delivered at once, and measured at once: either may be first.
    eventually("the books and the measures say so", || {
        let page = page();
        let delivered = r#"herald_sink_events_total{sink="archive",outcome="delivered"}"#;
        [delivered, "herald_batch_events_sum"]
            .iter()
            .all(|name| sample(&page, name) >= Some(1.0))
    });
    let page = page();
    assert_eq!(promtool(&page), "");
    let is =
        |name: &str, value: f64| assert_eq!(sample(&page, name), Some(value), "{name}\n{page}");
    is(r#"herald_controller_connected{controller="home"}"#, 1.0);
    is(r#"herald_events_unknown_total{controller="home"}"#, 0.0);
    is(r#"herald_bad_frames_total{controller="home"}"#, 0.0);
    is("herald_ring_lost_total", 0.0);
    is("herald_clients_forgotten_total", 0.0);
    is("herald_store_degraded", 0.0);
    is(r#"herald_incidents{state="open"}"#, 0.0);
    is(r#"herald_sink_state{sink="archive",state="ok"}"#, 1.0);
    is(r#"herald_sink_state{sink="archive",state="parked"}"#, 0.0);
    is(
        &format!(
            r#"herald_build_info{{version="{}"}}"#,
            env!("CARGO_PKG_VERSION")
        ),
        1.0,
    );
    for name in [
        r#"herald_events_decoded_total{controller="home"}"#,
        r#"herald_frames_total{controller="home"}"#,
        r#"herald_logins_total{controller="home"}"#,
        "herald_commit_seconds_count",
        "herald_batch_events_sum",
        r#"herald_chain_events_total{chain="everything",outcome="entered"}"#,
        r#"herald_chain_events_total{chain="wan",outcome="passed_by"}"#,
    ] {
        assert!(sample(&page, name) >= Some(1.0), "{name}\n{page}");
    }
    assert!(!page.contains(mac), "no label is an address");
    // The books of every sink balance in the metrics too.
    let outcomes = ["duplicate", "filtered", "delivered", "lost"].map(|outcome| {
        sample(
            &page,
            &format!("herald_sink_events_total{{sink=\"archive\",outcome=\"{outcome}\"}}"),
        )
        .unwrap()
    });
    let gauge = |name: &str| sample(&page, &format!("{name}{{sink=\"archive\"}}")).unwrap();
    assert_eq!(
        gauge("herald_sink_received_total"),
        outcomes.iter().sum::<f64>()
            + gauge("herald_sink_pending_events")
            + gauge("herald_sink_dead_letters")
    );
    stop_clean(host);
}

#[test]
fn with_a_token_prometheus_shows_it() {
    let rig = Rig::new(&format!("{}{CLOSED}{ARCHIVE}", super::NOBODY));
    let (host, address) = start(&rig);
    assert_eq!(get(address, "/metrics").send().status, 401);
    let reply = get(address, "/metrics").bearer(TOKEN).send();
    assert_eq!(reply.status, 200);
    assert_eq!(promtool(&reply.body), "");
    stop_clean(host);
}
