//! Steps that fail: a filter in Rust that keeps breaking down, one that says no, and a script. Who is told, and what.

use super::{err, herald, out};
use crate::support::http::get;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use crate::support::{LIMIT, eventually};
use serde_json::{Value, json};
use unifi_herald::Registry;
use unifi_herald::demo::{Simulator, SimulatorOptions};
use unifi_herald_plugin::{
    BoxError, BuildContext, BuildError, Event, Filter, FilterPlugin, Verdict,
};

struct Fuse {
    blows: bool,
}

#[derive(serde::Deserialize)]
struct Options {
    blows: bool,
}

impl Filter for Fuse {
    fn apply(&mut self, _event: &Event) -> Result<Verdict, BoxError> {
        assert!(!self.blows, "blown");
        Err("nothing to look it up in".into())
    }
}

impl FilterPlugin for Fuse {
    const NAME: &'static str = "fuse";
    type Config = Options;

    fn build(options: Options, _context: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self {
            blows: options.blows,
        })
    }
}

fn registry() -> Registry {
    unifi_herald::builtin().filter::<Fuse>()
}

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"

[filters.blown]
plugin = "fuse"
options = { blows = true }

[filters.lookup]
plugin = "fuse"
options = { blows = false }

[scripts.broken]
file = "broken.rhai"

[chains.checked]
steps = [{ filter = "blown" }, { filter = "lookup" }, { script = "broken" }, { sink = "archive" }]
"#;

#[test]
fn a_filter_that_is_bypassed_is_shown_wherever_scripts_are_and_why_tells_which_steps_failed() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + CONFIG + ARCHIVE));
    rig.write("broken.rhai", "fn filter(event) { throw \"broken\" }");
    let host = rig.start_with(registry());
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit("default", 40);
    eventually("they are delivered", || {
        rig.events("events.jsonl").len() >= 40
    });

    let status = out(&herald(&rig, &["status"]));
    let told = "the filter blown is bypassed in the chain checked: the filter panicked\n";
    assert!(status.contains(told), "{status}");
    let status: Value = serde_json::from_str(&out(&herald(&rig, &["status", "--json"]))).unwrap();
    assert_eq!(
        status["filters"],
        json!([{"name": "blown", "chain": "checked", "error": "the filter panicked"}])
    );

    eventually("the server listens", || host.server_address().is_some());
    let address = host.server_address().unwrap();
    assert_eq!(
        get(address, "/api/filters").send().json(),
        json!({"filters": [
            {"chain": "checked", "filter": "blown", "bypassed": "the filter panicked"},
            {"chain": "checked", "filter": "lookup", "bypassed": null},
        ]})
    );
    let metrics = get(address, "/metrics").send().body;
    for sample in [
        "herald_filter_bypassed{chain=\"checked\",filter=\"blown\"} 1\n",
        "herald_filter_bypassed{chain=\"checked\",filter=\"lookup\"} 0\n",
    ] {
        assert!(metrics.contains(sample), "{metrics}");
    }
    let ready = get(address, "/readyz").send().body;
    let reason = "filter blown of chain checked is bypassed";
    assert!(ready.contains(reason), "{ready}");

    // The last one, which the bypass met, and which is said to have failed all the same.
    let id = rig.events("events.jsonl").last().unwrap().id.to_string();
    let fate = herald(&rig, &["events", "--why", &id, "--json"]);
    assert_eq!(fate.status.code(), Some(0), "{}", err(&fate));
    let fate: Value = serde_json::from_str(&out(&fate)).unwrap();
    let failed = |step: &str| json!({"step": step, "depth": 0, "did": "kept", "failed": true});
    assert_eq!(
        fate["chains"][0]["steps"],
        json!([
            failed("filter blown"),
            failed("filter lookup"),
            failed("script broken"),
            {"step": "sink archive", "depth": 0, "did": "given", "failed": false},
        ])
    );
    let text = out(&herald(&rig, &["events", "--why", &id]));
    for step in ["filter blown", "filter lookup", "script broken"] {
        let line = format!("    {step}: failed; let it go on\n");
        assert!(text.contains(&line), "{text}");
    }
    stop_clean(host);
}
