//! What `docs/sinks.md` shows can be read, and a push arrives from a whole herald by way of real HTTP.

use crate::support::LIMIT;
use crate::support::eventually;
use crate::support::herald::Herald;
use crate::support::receiver::Receiver;
use std::collections::BTreeSet;
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};

const PAGE: &str = include_str!("../../docs/sinks.md");

/// What the examples read from the environment, in a form that each service takes.
const SECRETS: &[(&str, &str)] = &[
    ("NTFY_TOPIC", "home-k3v9x"),
    ("NTFY_TOKEN", "tk_x"),
    ("SLACK_WEBHOOK", "https://hooks.slack.com/services/T/B/x"),
    ("DISCORD_WEBHOOK", "https://discord.com/api/webhooks/1/x"),
    ("TELEGRAM_TOKEN", "1:x"),
    ("PUSHOVER_TOKEN", "x"),
    ("PUSHOVER_USER", "x"),
    ("PAGERDUTY_KEY", "x"),
    ("SMTP_PASSWORD", "x"),
    ("APPRISE_KEY", "house"),
    ("APPRISE_URLS", "json://127.0.0.1"),
];

#[test]
fn every_example_on_the_page_can_be_read() {
    let mut plugins = BTreeSet::new();
    let blocks = PAGE.split("```toml\n").skip(1);
    for block in blocks.filter_map(|rest| rest.split("```").next()) {
        let sink = block.split("[sinks.").nth(1).unwrap();
        let sink = sink.split(']').next().unwrap();
        let config = format!(
            "{block}\n[chains.all]\nsteps = [{{ sink = \"{sink}\" }}]\n\
             [controllers.home]\nurl = \"https://192.0.2.1\"\nauth = {{ username = \"herald\", password = \"x\" }}\n"
        );
        let mut herald = Herald::with(&config);
        for (name, value) in SECRETS {
            herald = herald.env(name, value);
        }
        let certificate = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        herald.write("ca.pem", &certificate.cert.pem());
        let checked = herald.run(&["check"]).with_code(0);
        assert!(!checked.stderr.contains("warning"), "{}", checked.stderr);
        let plugin = block.split("plugin").nth(1).unwrap();
        plugins.insert(plugin.split('"').nth(1).unwrap());
    }
    let all = [
        "apprise",
        "discord",
        "email",
        "ntfy",
        "pagerduty",
        "pushover",
        "slack",
        "telegram",
    ];
    assert_eq!(plugins, BTreeSet::from(all));
}

#[test]
fn a_push_arrives_from_a_whole_herald() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let receiver = Receiver::start();
    let server = receiver.url().trim_end_matches("/hook");
    let herald = Herald::with(&format!(
        r#"
[controllers.home]
url  = "{}"
auth = {{ username = "herald", password = "{}" }}
tls  = {{ pin_sha256 = "{}" }}

[sinks.phone]
plugin  = "ntfy"
options = {{ url = "{server}", topic = "home", token = "tk_x" }}

[chains.outages]
when  = {{ kinds = ["device.offline"] }}
steps = [{{ sink = "phone" }}]
"#,
        simulator.url(),
        simulator.options().password,
        simulator.fingerprint(),
    ));
    // The second is the one that arrives: the server is busy at first.
    receiver.answer(&[503]);
    let running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit_item(
        "default",
        Carrier::Events,
        r#"{"key":"EVT_AP_Lost_Contact","ap":"02:00:00:00:00:02","ap_name":"Kitchen @all","time":1795000001000,"_id":"0123456789abcdef01234567"}"#,
    );
    eventually("the push has arrived", || !receiver.hooks().is_empty());
    running.stopped().with_code(0);
    let hooks = receiver.hooks();
    assert_eq!(hooks.len(), 1);
    assert_eq!(hooks[0].headers["authorization"], "Bearer tk_x");
    let push: serde_json::Value = serde_json::from_str(&hooks[0].body).unwrap();
    assert_eq!(push["topic"], "home");
    assert_eq!(push["sequence_id"], "0123456789abcdef01234567");
    assert_eq!(push["priority"], 4);
    assert!(push["title"].as_str().unwrap().contains("Kitchen @all"));
}
