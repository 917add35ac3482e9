//! `herald send-test`: one made-up event to one sink, and what its destination answered.

use super::{Herald, nobody_home};
use crate::support::receiver::Receiver;
use serde_json::Value;

fn with_hook(url: &str) -> Herald {
    Herald::with(&nobody_home(&format!(
        r#"
[sinks.ops]
plugin  = "webhook"
timeout = "20s"
options = {{ url = "{url}", format = "json", auth = {{ bearer = "hunter2-hunter2" }} }}

[sinks.archive]
plugin  = "file"
options = {{ path = "events.jsonl" }}

[chains.everything]
steps = [{{ sink = "ops" }}, {{ sink = "archive" }}]
"#
    )))
}

/// What stands in a hook's body.
fn body(receiver: &Receiver, index: usize) -> Value {
    serde_json::from_str(&receiver.hooks()[index].body).unwrap()
}

#[test]
fn an_alert_that_says_that_it_is_a_test_and_its_end() {
    let hook = Receiver::start();
    let herald = with_hook(hook.url());
    let ended = herald.run(&["send-test", "ops"]).with_code(0);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let place = hook.url().trim_end_matches("/hook");
    assert_eq!(
        lines[..2],
        [
            "sink ops (webhook) gets alert.firing: Test: Kitchen is offline",
            &format!("POST {place} answered 200 OK")
        ]
    );
    assert!(lines[2].starts_with("ok, after "), "{lines:?}");
    assert_eq!((lines.len(), ended.stderr.as_str()), (3, ""));
    let firing = body(&hook, 0);
    assert_eq!(firing["fields"]["test"], true);
    assert_eq!(firing["controller"], "home");
    assert!(firing["id"].as_str().unwrap().starts_with("test-"));
    assert_eq!(firing["alert"]["title"], "Test: Kitchen is offline");

    let resolved = ["send-test", "ops", "--kind", "alert.resolved"];
    herald.run(&resolved).with_code(0);
    let resolved = body(&hook, 1);
    assert_eq!(resolved["alert"]["id"], firing["alert"]["id"]);
    assert_eq!(resolved["alert"]["state"], "resolved");
    assert_ne!(resolved["id"], firing["id"]);
}

#[test]
fn any_kind_goes_to_any_sink_by_the_rules_of_the_sink() {
    let herald = with_hook("http://127.0.0.1:9/hook").env("HERALD__SINKS__ARCHIVE__RAW", "false");
    for kind in ["device.offline", "digest.ready"] {
        let words = ["send-test", "archive", "--kind", kind];
        herald.run(&words).with_code(0);
    }
    let events = herald.events("events.jsonl");
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["device"]["name"], "Kitchen");
    assert!(events[0].get("raw").is_none(), "{}", events[0]);
    assert_eq!(events[1]["digest"]["top"][0]["name"], "Anna's iPhone");
}

#[test]
fn what_goes_wrong_is_told_with_what_helps() {
    let hook = Receiver::start();
    let herald = with_hook(hook.url());
    let place = hook.url().trim_end_matches("/hook");
    for (status, code, advice) in [
        (503, 1, "herald would try again"),
        (401, 77, "check the sink's options"),
        (422, 1, "herald would keep such an event as a dead letter"),
    ] {
        hook.answer(&[status]);
        let ended = herald.run(&["send-test", "ops"]).with_code(code);
        assert!(
            ended
                .stdout
                .contains(&format!("POST {place} answered {status}")),
            "{}",
            ended.stdout
        );
        assert!(
            ended.stdout.trim_end().ends_with(advice),
            "{}",
            ended.stdout
        );
        assert!(!ended.stdout.contains("hunter2"), "{}", ended.stdout);
    }
    let nobody = with_hook("http://127.0.0.1:1/hook");
    let ended = nobody.run(&["send-test", "ops"]).with_code(1);
    assert!(ended.stdout.contains("no answer: "), "{}", ended.stdout);
}

#[test]
fn a_sink_or_kind_that_is_not_there_is_wrong_usage() {
    let herald = with_hook("http://127.0.0.1:1/hook");
    let ended = herald.run(&["send-test", "obs"]).with_code(2);
    assert_eq!(
        ended.stderr,
        "error: there is no sink `obs`; did you mean `ops`?\n"
    );
    let ended = herald.run(&["send-test", "ops", "--kind", "alert.fireing"]);
    let ended = ended.with_code(2);
    assert!(ended.stderr.contains("'alert.firing'"), "{}", ended.stderr);
    let wrong = Herald::with(&nobody_home("[sinks.x]\nplugin = \"webhok\"\n"));
    wrong.run(&["send-test", "x"]).with_code(78);
}
