//! The exec sink with real programs: the contract, what they say, how they end, what they may not do.

use super::*;
use serde_json::{Value, json};
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use unifi_herald_plugin::testing::{
    Behaviour, SinkWorld, TestContext, assert_sink_contract, batch,
};
use unifi_herald_plugin::{Fault, Retry};

mod endings;
mod options;

/// What every program here begins with: the next line is in `line`, and its id in `id`.
const NEXT: &str = r#"next() { IFS= read -r line && id=${line#*'"id":"'} && id=${id%%'"'*}; }
ack() { printf '{"ack":"%s"}\n' "$1"; }
"#;

/// A folder that a program works in.
struct Place {
    context: TestContext,
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            context: TestContext::new(),
            folder: TempDir::new().unwrap(),
        }
    }

    fn build(&self, options: Value) -> Exec {
        self.context.build(self.folder.path(), options).unwrap()
    }

    /// A sink for a program in shell.
    fn shell(&self, script: &str) -> Exec {
        self.shell_with(script, &json!({}))
    }

    fn shell_with(&self, script: &str, more: &Value) -> Exec {
        let mut options = json!({"command": ["sh", "-c", format!("{NEXT}{script}")]});
        let table = options.as_object_mut().unwrap();
        table.extend(more.as_object().unwrap().clone());
        self.build(options)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// The ids in a file of lines of events.
    fn ids(&self, name: &str) -> Vec<String> {
        let text = self.read(name);
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        text[..whole].lines().map(id_of).collect()
    }

    /// Wait until a file has text.
    async fn file(&self, name: &str) -> String {
        until(|| self.read(name).ends_with('\n')).await;
        self.read(name)
    }
}

fn id_of(line: &str) -> String {
    serde_json::from_str::<BufferedEvent>(line)
        .map_or_else(|_| line.to_owned(), |event| event.id.to_string())
}

async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

/// Poll once and drop, as a lane does when its timeout is over.
async fn cancelled<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = std::future::ready(()) => None,
    }
}

struct World(Place);

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        let script = r#"
while next; do
    read -r mode count <mode
    if [ "$mode" = some ] && [ "$count" -gt 0 ]; then
        echo "some $((count - 1))" >mode
        mode=accept
    fi
    case $mode in
    accept) printf '%s\n' "$line" >>arrived; ack "$id" ;;
    reject) printf '{"reject":"%s","reason":"no"}\n' "$id" ;;
    *) printf '{"retry":"%s"}\n' "$id" ;;
    esac
done"#;
        Box::new(self.0.shell(script))
    }

    fn answer(&mut self, behaviour: Behaviour) {
        let mode = match behaviour {
            Behaviour::AcceptSome(count) => format!("some {count}\n"),
            Behaviour::Unavailable => "away 0\n".to_owned(),
            Behaviour::RefuseEvent => "reject 0\n".to_owned(),
            _ => "accept 0\n".to_owned(),
        };
        self.0.write("mode", &mode);
    }

    fn arrived(&mut self) -> Vec<String> {
        let ids = self.0.ids("arrived");
        let seen: usize = self.0.read("seen").parse().unwrap_or(0);
        self.0.write("seen", &ids.len().to_string());
        ids[seen..].to_vec()
    }

    fn supports(&self, behaviour: Behaviour) -> bool {
        behaviour != Behaviour::Refuse
    }
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    assert_sink_contract(&mut World(Place::new())).await;
}

#[tokio::test]
async fn one_answer_covers_all_before_it() {
    let place = Place::new();
    let mut sink = place.shell("while next && next && next; do ack \"$id\"; done");
    sink.deliver(Batch::new(&batch(3))).await.unwrap();
    sink.deliver(Batch::new(&batch(6)[3..])).await.unwrap();
}

#[tokio::test]
async fn the_event_that_is_rejected_is_blamed_and_what_came_behind_it_is_not_sent_again() {
    let place = Place::new();
    let mut sink = place.shell(
        r#"while next; do
    echo "$id" >>seen
    case $id in test-2) printf '{"reject":"%s","reason":"too long"}\n' "$id" ;; *) ack "$id" ;; esac
done"#,
    );
    let events = batch(3);
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!((error.accepted(), error.retry()), (1, Retry::Never));
    assert_eq!(error.to_string(), "the program says: too long");
    let alone = sink.deliver(Batch::new(&events[1..2])).await.unwrap_err();
    assert_eq!((alone.accepted(), alone.retry()), (0, Retry::Never));
    sink.deliver(Batch::new(&events[2..])).await.unwrap();
    assert_eq!(place.read("seen"), "test-1\ntest-2\ntest-3\ntest-2\n");
}

#[tokio::test]
async fn it_waits_as_long_as_the_program_wants() {
    let place = Place::new();
    let mut sink = place.shell(
        r#"while next; do printf '{"retry":"%s","after":"7s","reason":"busy"}\n' "$id"; done"#,
    );
    let error = sink.deliver(Batch::new(&batch(1))).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
    assert_eq!(error.to_string(), "the program says: busy");
}

#[tokio::test]
async fn what_is_no_answer_is_passed_over_however_long_it_is() {
    let place = Place::new();
    let mut sink = place.shell(
        r#"head -c 3000000 /dev/zero | tr '\0' x
echo
echo hello
echo '{"ack":"nobody"}'
yes noise | head -n 10000
while next; do ack "$id"; done"#,
    );
    sink.deliver(Batch::new(&batch(3))).await.unwrap();
}

#[tokio::test]
async fn more_than_a_pipe_holds_goes_through_in_order() {
    let place = Place::new();
    let mut sink = place.shell("while next; do printf '%s\\n' \"$line\" >>seen; ack \"$id\"; done");
    let events = batch(1000);
    sink.deliver(Batch::new(&events)).await.unwrap();
    let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    assert_eq!(place.ids("seen"), ids);
}

#[tokio::test]
async fn with_write_nothing_is_torn_doubled_or_lost_whenever_it_is_cancelled() {
    for cancellations in 0..6 {
        let place = Place::new();
        let mut sink = place.shell_with(
            "while next; do printf '%s\\n' \"$line\" >>seen; done; echo noise",
            &json!({"ack": "write"}),
        );
        // More than a pipe holds, so that a delivery stops in the middle of a line.
        let events = batch(300);
        for _ in 0..cancellations {
            if cancelled(sink.deliver(Batch::new(&events))).await.is_some() {
                break;
            }
            sink.silent = 0;
        }
        sink.deliver(Batch::new(&events[..200])).await.unwrap();
        sink.deliver(Batch::new(&events[200..])).await.unwrap();
        Box::new(sink).close().await.unwrap();
        let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
        assert_eq!(place.ids("seen"), ids, "{cancellations} cancellations");
    }
}

#[tokio::test]
async fn the_examples_do_what_they_say() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let events = batch(3);
    let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();

    let place = Place::new();
    let python = examples.join("append.py");
    let mut sink = place.build(json!({"command": ["python3", python]}));
    sink.deliver(Batch::new(&events)).await.unwrap();
    let text = place.read("summaries.txt");
    let first_words: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(first_words, ids);
    assert!(text.contains("Anna's iPhone"), "{text}");

    let place = Place::new();
    let mut sink = place.build(json!({"command": [examples.join("append.sh")]}));
    sink.deliver(Batch::new(&events)).await.unwrap();
    assert_eq!(place.ids("events.jsonl"), ids);
}
