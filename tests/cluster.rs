//! Several heralds on a real JetStream cluster: nothing lost, nothing forgotten, doubles only with the same id.

mod collectors;
mod failures;
mod words;
mod workers;

use crate::support::eventually;
use crate::support::herald::{Herald, Running};
use crate::support::nats::{NatsServer, on_a_runtime};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use tempfile::TempDir;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{BufferedEvent, Kind};

/// A script whose memory shows every event it ever saw.
const COUNTER: &str = r#"
fn filter(event) {
    let n = get("n");
    if n == () { n = 0; }
    n += 1;
    set("n", n);
    event.fields.n = n;
    true
}
"#;

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

    fn replicated(self) -> Self {
        Self {
            more: ", replicas = 3".to_owned(),
            ..self
        }
    }

    /// A herald that runs a counting script, and writes what comes into `NAME.jsonl`.
    fn worker(&self, name: &str) -> (Herald, Running) {
        let herald = Herald::with(&format!(
            r#"
[host]
role = "process"

[store]
mode      = "jetstream"
jetstream = {{ servers = [{servers}]{more} }}

[scripts.counter]
file = "counter.rhai"

[sinks.archive]
plugin  = "file"
options = {{ path = "{folder}/{name}.jsonl" }}

[chains.all]
steps = [{{ script = "counter" }}, {{ sink = "archive" }}]
"#,
            servers = self.servers,
            more = self.more,
            folder = self.folder.path().display()
        ));
        herald.write("counter.rhai", COUNTER);
        let running = herald.start(&["run"]);
        (herald, running)
    }

    /// Everything that workers wrote, but what heralds say of themselves.
    fn written(&self) -> Vec<BufferedEvent> {
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
        found.retain(|event: &BufferedEvent| event.category() != "herald");
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
