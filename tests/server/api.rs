//! The API: every example of its manual, and what the manual promises besides.

use super::{NOBODY, OPEN, start};
use crate::support::eventually;
use crate::support::http::{self, Reply, get, post};
use crate::support::receiver::Receiver;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use serde_json::Value;
use std::io::BufRead;
use std::net::SocketAddr;
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};

const MANUAL: &str = include_str!("../../docs/api.md");

/// The requests of the manual, each with the answer that it shows.
fn examples() -> Vec<(&'static str, Value)> {
    let parts = MANUAL.split("```http\n").skip(1);
    let example = |part: &'static str| {
        let (request, rest) = part.split_once("```").unwrap();
        let answer = rest.split("```json\n").nth(1).unwrap();
        let answer = answer.split("```").next().unwrap();
        let answer = serde_json::from_str(answer);
        (
            request,
            answer.unwrap_or_else(|error| panic!("{error}: {request}")),
        )
    };
    parts.map(example).collect()
}

fn ask(address: SocketAddr, request: &str, action: &str) -> Reply {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let line = head.lines().next().unwrap();
    match line.split_once(' ').unwrap() {
        ("GET", path) => get(address, path).send(),
        ("POST", path) => post(address, path, body.trim()).bearer(action).send(),
        other => panic!("{other:?}"),
    }
}

/// Everything that `shown` has is in `told`, and of the same type. Of a list one item is enough.
fn same_form(shown: &Value, told: &Value) -> Result<(), String> {
    match (shown, told) {
        (Value::Object(shown), Value::Object(told)) => shown.iter().try_for_each(|(key, value)| {
            let found = told.get(key).ok_or(format!("no `{key}` in {told:?}"))?;
            same_form(value, found).map_err(|error| format!("{key}: {error}"))
        }),
        (Value::Array(shown), Value::Array(told)) => match (shown.first(), told.first()) {
            (Some(shown), Some(told)) => same_form(shown, told),
            (Some(_), None) => Err("the list is empty".to_owned()),
            (None, _) => Ok(()),
        },
        (Value::Null, _) => Ok(()),
        (shown, told) if std::mem::discriminant(shown) == std::mem::discriminant(told) => Ok(()),
        _ => Err(format!("{shown} is shown, {told} is told")),
    }
}

#[test]
fn every_example_of_the_manual_is_true() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let receiver = Receiver::start();
    let rig = Rig::new(&format!(
        r#"{}{OPEN}
[scripts.storms]
file = "scripts/storms.rhai"
[sinks.ops]
plugin = "webhook"
options = {{ url = "{}", format = "json" }}
[chains.outages]
when = {{ kinds = ["device.*"] }}
steps = [{{ sink = "ops" }}, {{ script = "storms" }}]
[alerts.device_down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{{{ event.device.mac }}}}"
[sinks.archive]
plugin = "file"
options = {{ path = "events.jsonl" }}
[chains.alerts]
steps = [{{ alert = "device_down" }}, {{ sink = "archive" }}]
"#,
        controller("home", &simulator, r#"["default"]"#),
        receiver.url()
    ));
    rig.write("scripts/storms.rhai", "fn filter(event) { true }\n");
    let (host, address) = start(&rig);
    eventually("ready", || get(address, "/readyz").send().status == 200);
    let offline = |id: &str| {
        let now = host.board().clock.wall().as_millis();
        simulator.emit_item(
            "default",
            Carrier::Events,
            &format!(r#"{{"key":"EVT_AP_Lost_Contact","ap":"02:00:00:00:00:02","ap_name":"Kitchen","time":{now},"_id":"{id}"}}"#),
        );
    };
    offline("5ee9f7ca453d4e00f3c04b57");
    eventually("it is delivered", || receiver.ids().len() == 1);
    receiver.answer(&[422]);
    offline("5ee9f7ca453d4e00f3c04b58");
    eventually("it is refused", || {
        let letters = get(address, "/api/dead-letters").send().json();
        letters["letters"]
            .as_array()
            .is_some_and(|letters| letters.len() == 1)
    });
    let session = get(address, "/api/session").send().json();
    let action = session["action"].as_str().unwrap();
    let examples = examples();
    assert!(examples.len() > 12, "{}", examples.len());
    for (request, shown) in examples {
        let told = ask(address, request, action);
        let expected = if shown.get("error").is_some() {
            400..=499
        } else {
            200..=299
        };
        assert!(expected.contains(&told.status), "{request}: {told:?}");
        if let Err(error) = same_form(&shown, &told.json()) {
            panic!("{request}: {error}");
        }
        if request.contains("retry") {
            assert_eq!(told.json()["count"], 1);
        }
    }
    eventually("what was retried is delivered", || {
        receiver.ids().len() == 3
    });
    stop_clean(host);
}

#[test]
fn wrong_questions_are_told_what_is_wrong() {
    let rig = Rig::new(&format!("{NOBODY}{OPEN}{ARCHIVE}"));
    let (host, address) = start(&rig);
    let session = get(address, "/api/session").send().json();
    let action = session["action"].as_str().unwrap();
    for (path, status, told) in [
        (
            "/api/events?since=soon",
            400,
            "since: `soon` is not a moment",
        ),
        ("/api/events?limit=0", 400, "limit: expected 1 to 10000"),
        ("/api/events?knd=x", 400, "unknown field `knd`"),
        ("/api/events?severity=loud", 400, "loud"),
        ("/api/events/nonesuch", 404, "no event with this id"),
        (
            "/api/dead-letters?limit=5000",
            400,
            "limit: expected 1 to 1000",
        ),
        ("/api/nothing", 404, "there is nothing here"),
    ] {
        let reply = get(address, path).send();
        assert_eq!(reply.status, status, "{path}: {reply:?}");
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(told), "{path}: {error}");
    }
    for (path, body, status, told) in [
        (
            "/api/sinks/nonesuch/test",
            "{}",
            404,
            "there is no sink `nonesuch`",
        ),
        (
            "/api/sinks/archive/test",
            "{\"kind\":\"x\"}",
            400,
            "there is no kind `x`",
        ),
        ("/api/dead-letters/drop", "{}", 400, "say which"),
        (
            "/api/dead-letters/retry",
            "{\"sinc\":\"x\"}",
            422,
            "unknown field",
        ),
        ("/api/dead-letters/retry", "{", 400, "JSON"),
    ] {
        let reply = post(address, path, body).bearer(action).send();
        assert_eq!(reply.status, status, "{path}: {reply:?}");
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(told), "{path}: {error}");
    }
    stop_clean(host);
}

#[test]
fn a_memory_store_has_no_journal_and_says_so() {
    let rig = Rig::new(&format!(
        "{NOBODY}{OPEN}[store]\nmode = \"memory\"\n{ARCHIVE}"
    ));
    let (host, address) = start(&rig);
    for path in ["/api/events", "/api/events/x"] {
        let reply = get(address, path).send();
        assert_eq!(reply.status, 404);
        assert!(
            reply.json()["error"]
                .as_str()
                .unwrap()
                .contains("no journal")
        );
    }
    assert_eq!(
        get(address, "/api/status").send().json()["store"]["journal"],
        false
    );
    stop_clean(host);
}

#[test]
fn a_watcher_that_does_not_read_misses_events_and_is_told_while_the_host_goes_on() {
    let rig = Rig::new(&format!("{NOBODY}{OPEN}{ARCHIVE}"));
    let (host, address) = start(&rig);
    let mut stream = get(address, "/api/stream?kind=herald.blind").open();
    let (status, _) = http::head(&mut stream);
    assert_eq!(status, 200);
    let mut lines = stream.lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "event: watching"));
    // Far more than any buffer between here and there holds.
    let big = "x".repeat(1 << 10);
    let mut sent = 0_u64;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for _ in 0..40 {
        let mut events: Vec<_> = (0..512)
            .map(|_| {
                sent += 1;
                let kind = unifi_herald_plugin::Kind::HERALD_BLIND;
                let mut event = unifi_herald_plugin::Event::new(
                    kind,
                    format!("blind-{sent}"),
                    host.board().clock.wall(),
                );
                event.summary = big.as_str().into();
                std::sync::Arc::new(event)
            })
            .collect();
        runtime.block_on(host.intake().push(&mut events));
    }
    let delivered = || host.books()[0].books.delivered;
    eventually("the host goes on", || delivered() >= sent);
    let (mut got, mut missed) = (0, 0);
    while got + missed < sent {
        let line = lines.next().expect("the stream goes on");
        if let Some(data) = line.strip_prefix("data: {\"count\":") {
            missed += data.trim_end_matches('}').parse::<u64>().unwrap();
        } else if line.starts_with("data: {\"v\":1") {
            got += 1;
        }
    }
    assert!(missed > 0, "{got} of {sent} came");
    assert_eq!(got + missed, sent);
    stop_clean(host);
}

#[test]
fn only_so_many_watch() {
    let rig = Rig::new(&format!("{NOBODY}{OPEN}{ARCHIVE}"));
    let (host, address) = start(&rig);
    let watch = || {
        let mut stream = get(address, "/api/stream").open();
        (http::head(&mut stream).0, stream)
    };
    let watchers: Vec<_> = (0..16).map(|_| watch()).collect();
    assert!(watchers.iter().all(|(status, _)| *status == 200));
    assert_eq!(watch().0, 503);
    drop(watchers);
    eventually("there is room again", || watch().0 == 200);
    stop_clean(host);
}
