//! Events of other programs, from a real nats-server into a real herald.

mod docs;
mod heard;
mod hostile;
mod kept;

use crate::support::eventually;
use crate::support::herald::{Herald, Running};
use crate::support::nats::{NatsServer, on_a_runtime, read};
use async_nats::jetstream::{self, consumer, stream};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::Range;

const MANUAL: &str = include_str!("../docs/sources/nats.md");

/// Where every event of the tests goes, and nothing that herald says of itself.
const ARCHIVE: &str = r#"
[sinks.archive]
plugin = "file"
options = { path = "events.jsonl" }

[chains.archive]
when  = { kinds = ["system.notice"] }
steps = [{ sink = "archive" }]
"#;

/// The first configuration of the manual, for this server and without an account.
fn example(server: &NatsServer) -> String {
    let block = MANUAL.split("```toml\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let lines = block.lines().filter(|line| {
        let key = line.split_whitespace().next().unwrap_or_default();
        !matches!(key, "username" | "password")
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = text.replace("nats://nats.example.org", &server.url());
    assert!(text.contains(&server.url()), "{text}");
    text + ARCHIVE
}

/// An event of another program.
fn event(id: &str, controller: &str) -> String {
    format!(
        r#"{{"v":1,"id":"{id}","time":"2026-11-22T17:21:13.440Z","controller":"{controller}","site":"lobby","kind":"system.notice","summary":"The door is open"}}"#
    )
}

fn id(number: usize) -> String {
    format!("door-{number:05}")
}

fn ids(numbers: Range<usize>) -> BTreeSet<String> {
    numbers.map(id).collect()
}

fn context(client: &async_nats::Client) -> jetstream::Context {
    jetstream::new(client.clone())
}

/// The stream of the manual.
fn make_stream(server: &NatsServer) {
    on_a_runtime(async {
        let config = stream::Config {
            name: "EVENTS".to_owned(),
            subjects: vec!["events.>".to_owned()],
            ..stream::Config::default()
        };
        let context = context(&server.client().await);
        context.create_stream(config).await.unwrap();
    });
}

/// Publish, whether somebody listens or not.
fn publish(server: &NatsServer, payloads: impl IntoIterator<Item = Vec<u8>>) {
    on_a_runtime(async {
        let client = server.client().await;
        for payload in payloads {
            let subject = "events.building.lobby";
            client.publish(subject, payload.into()).await.unwrap();
        }
        read(&client).await;
    });
}

/// Publish so many events at once that the stream has to say that it has them.
fn keep_events(server: &NatsServer, numbers: Range<usize>) {
    on_a_runtime(async {
        let context = context(&server.client().await);
        for part in numbers.collect::<Vec<_>>().chunks(500) {
            let mut waiting = Vec::new();
            for number in part {
                let payload = event(&id(*number), "building");
                let sent = context.publish("events.building.lobby", payload.into());
                waiting.push(sent.await.unwrap());
            }
            for sent in waiting {
                sent.await.unwrap();
            }
        }
    });
}

fn publish_events(server: &NatsServer, numbers: Range<usize>) {
    let payload = |number| event(&id(number), "building").into_bytes();
    publish(server, numbers.map(payload));
}

/// What the stream knows of its reader: how many wait, and how many are in somebody's hands.
fn waiting(server: &NatsServer) -> u64 {
    on_a_runtime(async {
        let context = context(&server.client().await);
        let stream = context.get_stream("EVENTS").await.unwrap();
        let consumer = stream.get_consumer::<consumer::pull::Config>("herald-building");
        let mut consumer = consumer.await.unwrap();
        let info = consumer.info().await.unwrap();
        info.num_pending + info.num_ack_pending as u64
    })
}

/// The ids in the archive, as often as they are there.
fn archived(herald: &Herald) -> Vec<String> {
    let events = herald.events("events.jsonl");
    events
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

fn wait_for(herald: &Herald, ids: &BTreeSet<String>) {
    eventually("every event is in the archive", || {
        let archived: BTreeSet<_> = archived(herald).into_iter().collect();
        ids.is_subset(&archived)
    });
}

/// The ids of other programs' events in the journal, as often as they are there.
fn journal(herald: &Herald) -> Vec<String> {
    let arguments = [
        "events",
        "--json",
        "--kind",
        "system.notice",
        "--limit",
        "100000",
    ];
    let told = herald.run(&arguments).with_code(0).stdout;
    let events = told.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["id"].as_str().unwrap().to_owned()
    });
    events.collect()
}

/// What `herald status` says of a source.
fn status(herald: &Herald, source: &str) -> Value {
    let told = herald.run(&["status", "--json"]).with_code(0).stdout;
    let status: Value = serde_json::from_str(&told).unwrap();
    status["sources"][source].clone()
}

fn run(herald: &Herald) -> Running {
    let mut running = herald.start(&["run"]);
    running.says("source is connected");
    running
}
