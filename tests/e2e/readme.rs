//! What the README promises on its first screen works as it stands there.

use crate::support::herald::Herald;
use crate::support::receiver::Receiver;
use crate::support::{LIMIT, eventually};
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};

const README: &str = include_str!("../../README.md");

/// The text of every block of code in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README
        .split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn the_first_configuration_sends_a_device_that_is_offline_to_the_webhook_and_nothing_else() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let receiver = Receiver::start();
    // The file stays as it is in the README: what is particular to a network comes from the environment.
    let herald = Herald::with(blocks("toml")[0])
        .env("UNIFI_PASSWORD", &simulator.options().password)
        .env("HERALD__CONTROLLERS__HOME__URL", simulator.url())
        .env(
            "HERALD__CONTROLLERS__HOME__TLS__PIN_SHA256",
            simulator.fingerprint(),
        )
        .env("HERALD__SINKS__OPS__OPTIONS__URL", receiver.url());
    herald.run(&["check", "--online"]).with_code(0);
    let running = herald.start(&["run"]);
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit_item(
        "default",
        Carrier::Events,
        r#"{"key":"EVT_WU_Connected","user":"02:00:00:00:00:01","ssid":"Home","time":1795000000000,"_id":"0123456789abcdef01234566"}"#,
    );
    simulator.emit_item(
        "default",
        Carrier::Events,
        r#"{"key":"EVT_AP_Lost_Contact","ap":"02:00:00:00:00:02","ap_name":"Kitchen","time":1795000001000,"_id":"0123456789abcdef01234567"}"#,
    );
    // A request without a body is the look that `check --online` took.
    let sent = || {
        let mut hooks = receiver.hooks();
        hooks.retain(|hook| !hook.body.is_empty());
        hooks
    };
    eventually("the webhook has it", || !sent().is_empty());
    running.stopped().with_code(0);
    let hooks = sent();
    assert_eq!(hooks.len(), 1);
    let sent: serde_json::Value = serde_json::from_str(&hooks[0].body).unwrap();
    assert_eq!(sent["id"], "0123456789abcdef01234567");
    assert_eq!(sent["data"]["kind"], "device.offline");
    assert_eq!(sent["data"]["device"]["name"], "Kitchen");
}

#[test]
fn every_configuration_in_it_can_be_read() {
    let blocks = blocks("toml");
    assert!(!blocks.is_empty());
    for block in blocks {
        // Those after the first one show a part: the controller is that of the first.
        let config = if block.contains("[controllers.") {
            block.to_owned()
        } else {
            format!(
                "{block}\n[controllers.home]\nurl = \"https://192.0.2.1\"\nauth = {{ username = \"herald\", password = \"x\" }}\n"
            )
        };
        let herald = Herald::with(&config)
            .env("UNIFI_PASSWORD", "x")
            .env("NTFY_TOPIC", "x");
        std::fs::create_dir(herald.path("scripts")).unwrap();
        herald.write("scripts/night.rhai", "fn filter(event) { true }\n");
        herald.write("hook-secret", "whsec_c2VjcmV0LW9mLXRoZS1ob29r\n");
        herald.run(&["check"]).with_code(0);
    }
}

#[test]
fn every_command_in_it_is_understood() {
    let mut tried = 0;
    for block in blocks("sh") {
        for line in block.lines() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let Some(command) = line
                .strip_prefix("cargo run --release --")
                .or_else(|| line.strip_prefix("herald "))
            else {
                continue;
            };
            let command = command.split(" > ").next().unwrap_or_default();
            let mut words: Vec<&str> = command.split_whitespace().collect();
            words.push("--help");
            Herald::new().run(&words).with_code(0);
            tried += 1;
        }
    }
    assert!(tried > 3, "the README names commands");
}
