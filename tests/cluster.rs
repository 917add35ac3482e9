//! Several heralds on a real JetStream cluster: nothing lost, nothing forgotten, doubles only with the same id.

mod collectors;
mod failures;
mod guarded;
mod incidents;
mod letters;
mod limits;
mod lost;
mod sinks;
mod words;
mod workers;

use crate::support::herald::{Herald, Running};
use crate::support::nats::{NatsServer, on_a_runtime};
use crate::support::{COUNTER, eventually};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use tempfile::TempDir;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{BufferedEvent, Kind};

/// A folder in which all workers write, each into a file of its own.
struct Office {
    folder: TempDir,
    servers: String,
    more: String,
}

impl Office {
    fn new(servers: &[&NatsServer]) -> Self {
        let urls: Vec<String> = servers
            .iter()
            .map(|server| format!("\"{}\"", server.url()))
            .collect();
        Self {
            folder: tempfile::tempdir().unwrap(),
            servers: urls.join(", "),
            more: String::new(),
        }
    }

    /// With `options` of its cluster besides the servers.
    fn with(self, options: &str) -> Self {
        Self {
            more: format!(", {options}"),
            ..self
        }
    }

    /// A herald that runs a counting script, and writes what comes into `NAME.jsonl`.
    fn worker(&self, name: &str) -> (Herald, Running) {
        let herald = self.herald(name, COUNTER, "");
        let running = herald.start(&["run"]);
        (herald, running)
    }

    /// The same, not started, with another script and `more` in its configuration: a table for a sink `other` goes on.
    fn herald(&self, name: &str, script: &str, more: &str) -> Herald {
        self.herald_by(&self.servers, name, script, more)
    }

    /// The same, by way of these servers.
    fn herald_by(&self, servers: &str, name: &str, script: &str, more: &str) -> Herald {
        let other = if more.contains("[sinks.other]") {
            ", { sink = \"other\" }"
        } else {
            ""
        };
        let herald = Herald::with(&format!(
            r#"
[host]
role = "process"

[store]
mode      = "jetstream"
jetstream = {{ servers = [{servers}]{options} }}

[scripts.counter]
file = "counter.rhai"

[sinks.archive]
plugin  = "file"
options = {{ path = "{folder}/{name}.jsonl" }}

{more}

[chains.all]
steps = [{{ script = "counter" }}, {{ sink = "archive" }}{other}]
"#,
            options = self.more,
            folder = self.folder.path().display()
        ));
        herald.write("counter.rhai", script);
        herald
    }

    /// Everything that workers wrote, but what heralds say of themselves.
    fn written(&self) -> Vec<BufferedEvent> {
        let mut found = self.all();
        found.retain(|event| event.category() != "herald");
        found
    }

    /// Everything that workers wrote.
    fn all(&self) -> Vec<BufferedEvent> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let mut found = Vec::new();
        for file in files {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            found.extend(
                whole
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap()),
            );
        }
        found
    }

    fn ids(&self) -> BTreeSet<String> {
        self.written()
            .iter()
            .map(|event| event.id.to_string())
            .collect()
    }

    fn wait_for(&self, count: usize) {
        eventually(&format!("{count} events are written"), || {
            self.ids().len() >= count
        });
    }

    /// Every one of `count` events was written, and was counted once by the script of its site, in its order; at most
    /// `doubles` came twice, as they were.
    fn assert_whole(&self, count: usize, doubles: usize) {
        let mut written = self.written();
        assert!(
            written.len() <= count + doubles,
            "{} for {count}",
            written.len()
        );
        let mut by_id: BTreeMap<String, BufferedEvent> = BTreeMap::new();
        for event in written.drain(..) {
            let known = by_id.insert(event.id.to_string(), event.clone());
            assert!(known.is_none_or(|known| known.fields == event.fields));
        }
        assert_eq!(by_id.len(), count);
        let mut numbers: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
        for (id, event) in by_id {
            let number = event.fields["n"].as_i64().unwrap();
            numbers
                .entry(event.site.to_string())
                .or_default()
                .push((number, id));
        }
        for (site, mut numbers) in numbers {
            numbers.sort();
            let wanted = 1..=numbers.len() as i64;
            assert!(
                wanted.eq(numbers.iter().map(|(number, _)| *number)),
                "{site}: {numbers:?}"
            );
            assert!(
                numbers.is_sorted_by_key(|(_, id)| id),
                "{site}: {numbers:?}"
            );
        }
    }
}

/// Event number `number` of a site; ids of a site are in the order of their numbers.
fn event(site: &str, number: usize) -> BufferedEvent {
    EventBuilder::new(Kind::CLIENT_CONNECTED)
        .id(&format!("{site}-{number:06}"))
        .site("hq", site, site)
        .buffered(1)
}

/// Publish this, whatever it is.
fn publish_bytes(servers: &str, subject: &str, bytes: &str) {
    on_a_runtime(async {
        let client = async_nats::connect(servers).await.unwrap();
        let context = async_nats::jetstream::new(client);
        let sent = context.publish(subject.to_owned(), bytes.to_owned().into());
        sent.await.unwrap().await.unwrap();
    });
}

/// What `herald status` says of the sink `name`.
fn books(herald: &Herald, name: &str) -> serde_json::Value {
    let status = herald.run(&["status", "--json"]).with_code(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    status["sinks"][name].clone()
}

/// Publish events as another program would.
fn publish(servers: &str, events: &[BufferedEvent]) {
    on_a_runtime(async {
        let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
        let client = options.connect(servers).await.unwrap();
        let context = async_nats::jetstream::new(client);
        for event in events {
            let subject = format!("herald.hq.{}.{}", event.site, event.kind);
            let id = format!("hq/{}/{}", event.site, event.id);
            let mut sent = false;
            while !sent {
                let message = async_nats::jetstream::message::PublishMessage::build()
                    .payload(event.to_json().into())
                    .message_id(&id);
                let published = context.send_publish(subject.clone(), message).await;
                let acknowledged = async { published?.await };
                sent = acknowledged.await.is_ok();
            }
        }
    });
}
