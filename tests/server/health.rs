//! `/healthz`, `/readyz`, `herald health`, and what systemd is told.

use super::{CLOSED, NOBODY, OPEN, start};
use crate::control::{err, herald, out};
use crate::support::eventually;
use crate::support::herald::Herald;
use crate::support::http::get;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use std::os::unix::net::UnixDatagram;
use unifi_herald::demo::{Simulator, SimulatorOptions};

#[test]
fn a_host_whose_controller_is_away_is_alive_and_not_ready() {
    let rig = Rig::new(&format!("{NOBODY}{CLOSED}{ARCHIVE}"));
    let (host, address) = start(&rig);
    // Probes have no token.
    let alive = get(address, "/healthz").send();
    assert_eq!((alive.status, &*alive.body), (200, "alive\n"));
    let ready = get(address, "/readyz").send();
    assert_eq!(ready.status, 503);
    let told = ready.json();
    assert_eq!(told["alive"], true);
    assert_eq!(told["ready"], false);
    assert_eq!(told["reasons"][0], "controller home is not connected");
    let output = herald(&rig, &["health"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(out(&output), "alive\n  controller home is not connected\n");
    let output = herald(&rig, &["health", "--ready", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        out(&output),
        "{\"alive\":true,\"ready\":false,\"reasons\":[\"controller home is not connected\"]}\n"
    );
    stop_clean(host);
    let output = herald(&rig, &["health"]);
    assert_eq!(output.status.code(), Some(1));
    let socket = rig.path("herald-data/herald.sock");
    let told = format!(
        "herald is not running (nobody answers at {})\n",
        socket.display()
    );
    assert!(err(&output).starts_with(&told), "{}", err(&output));
}

#[test]
fn a_host_that_listens_is_ready() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + OPEN + ARCHIVE));
    let (host, address) = start(&rig);
    eventually("ready", || get(address, "/readyz").send().status == 200);
    assert_eq!(
        get(address, "/readyz").send().json()["reasons"],
        serde_json::json!([])
    );
    let output = herald(&rig, &["health", "--ready"]);
    assert_eq!(
        (output.status.code(), &*out(&output)),
        (Some(0), "all is well\n")
    );
    stop_clean(host);
}

#[test]
fn systemd_hears_of_the_start_of_progress_and_of_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd
        .set_read_timeout(Some(crate::support::LIMIT))
        .unwrap();
    let herald = Herald::with(&format!("{NOBODY}{ARCHIVE}"))
        .env("NOTIFY_SOCKET", path.to_str().unwrap())
        .env("WATCHDOG_USEC", "300000");
    let running = herald.start(&["run"]);
    let hears = |wanted: &str| {
        let mut message = [0; 4096];
        loop {
            let length = systemd.recv(&mut message).expect(wanted);
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            if text.lines().any(|line| line == wanted) {
                return text;
            }
        }
    };
    assert!(hears("READY=1").contains("STATUS="));
    hears("WATCHDOG=1");
    hears("STATUS=controller home is not connected");
    hears("WATCHDOG=1");
    running.signal("HUP");
    assert!(hears("RELOADING=1").contains("MONOTONIC_USEC="));
    hears("READY=1");
    running.signal("TERM");
    hears("STOPPING=1");
    running.ended().with_code(0);
}
