//! Nanoseconds per event for every stage of the way: decode, summary, script, chain, lane, file, webhook.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement prints what it finds, and has nothing to say when it cannot go on"
)]

use divan::{Bencher, counter::ItemsCount};
use scripts::condition;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::chain::{Action, Chain, Chains, Now, Routing, Shape};
use unifi_herald::clock::Clock;
use unifi_herald::config::{BufferPlan, RetryPlan, When, WhenFull};
use unifi_herald::lane::{Lane, Next};
use unifi_herald::store::{Commit, MemoryStore, Settled, Share, Store};
use unifi_herald::unifi::{Decoder, Dedupe, EventSource, Site};
use unifi_herald_plugin::testing::TestContext;
use unifi_herald_plugin::{Batch, BufferedEvent, Event, Kind, SinkPlugin, Timestamp};

mod scripts;

fn main() {
    divan::main();
}

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const BATCH: u64 = 512;

/// A roam as a console sends it.
const ROAM: &str = r#"{"meta":{"rc":"ok","message":"events"},"data":[{"user":"02:00:75:04:b4:37","ap_from":"02:00:5b:48:40:b3","ap_to":"02:00:7d:58:44:28","radio_from":"na","radio_to":"na","radio":"na","channel_from":"36","channel_to":"44","channel":"44","ssid":"Home","hostname":"iphone","key":"EVT_WU_Roam","subsystem":"wlan","is_negative":false,"site_id":"68b7d8452fe4675a142e9ecb","time":1790000000000,"datetime":"2026-09-21T14:13:20Z","msg":"User[02:00:75:04:b4:37] roams from AP[02:00:5b:48:40:b3] to AP[02:00:7d:58:44:28] from \"channel 36(na)\" to \"channel 44(na)\" on \"Home\"","_id":"5ee9f7ca453d4e00f3c04b57"}]}"#;

fn decoder() -> Decoder {
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    let mut decoder = Decoder::new("home".into(), site);
    let devices = br#"{"meta":{"rc":"ok"},"data":[{"mac":"02:00:5b:48:40:b3","name":"Attic","model":"U6-Lite","type":"uap"},{"mac":"02:00:7d:58:44:28","name":"Kitchen","model":"U6-Lite","type":"uap"}]}"#;
    let users =
        br#"{"meta":{"rc":"ok"},"data":[{"mac":"02:00:75:04:b4:37","name":"Anna's iPhone"}]}"#;
    decoder.names().load_devices(devices).unwrap();
    decoder.names().load_users(users).unwrap();
    decoder
}

fn roam() -> Arc<Event> {
    let mut events = Vec::new();
    decoder().decode(ROAM, NOW, &mut events);
    assert_eq!(events[0].kind, Kind::CLIENT_ROAMED);
    events.remove(0)
}

/// A batch of roams with ids of their own.
fn roams() -> Vec<BufferedEvent> {
    let event = roam();
    let buffered = |seq: u64| {
        let mut event = (*event).clone();
        event.id = format!("{seq:024x}").into();
        BufferedEvent {
            seq,
            event: Arc::new(event),
        }
    };
    (0..BATCH).map(buffered).collect()
}

fn corpus() -> Vec<String> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/corpus/ws_messages.jsonl"
    );
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[divan::bench]
fn decode_event(bencher: Bencher) {
    let mut decoder = decoder();
    let mut events = Vec::new();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        events.clear();
        decoder.decode(black_box(ROAM), NOW, &mut events)
    });
}

#[divan::bench(args = ["sta:sync", "device:sync", "dpiapp:sync"])]
fn decode_other_frame(bencher: Bencher, kind: &str) {
    let frame = corpus()
        .into_iter()
        .find(|frame| frame.contains(kind))
        .unwrap();
    let mut decoder = decoder();
    let mut events = Vec::new();
    bencher.bench_local(|| decoder.decode(black_box(&frame), NOW, &mut events));
}

/// The sentence alone: herald's own for a roam, the controller's words with names in them for a key nobody knows.
#[divan::bench(args = ["EVT_WU_Roam", "EVT_WU_Unheard"])]
fn summary(bencher: Bencher, key: &str) {
    const TIMES: u32 = 100;
    let (_, item) = ROAM.split_once(r#""data":["#).unwrap();
    let item = item.trim_end_matches("]}").replace("EVT_WU_Roam", key);
    let mut decoder = decoder();
    let name = "Anna's iPhone";
    assert!(decoder.summarize(&item, 1).unwrap().contains(name));
    bencher
        .counter(ItemsCount::new(TIMES))
        .bench_local(|| decoder.summarize(black_box(&item), TIMES));
}

/// The slowest of the recorded frames, found by trying them all.
#[divan::bench]
fn decode_worst_frame(bencher: Bencher) {
    let (clock, mut decoder, mut events) = (Clock::system(), decoder(), Vec::new());
    let mut slowness = |frame: &String| {
        let mut time = || {
            let begun = clock.now();
            for _ in 0..100 {
                events.clear();
                decoder.decode(black_box(frame), NOW, &mut events);
            }
            clock.now().duration_since(begun)
        };
        (0..5).map(|_| time()).min()
    };
    let frames = corpus();
    let worst = frames.iter().max_by_key(|frame| slowness(frame)).unwrap();
    let mut decoder = self::decoder();
    let mut events = Vec::new();
    bencher.bench_local(|| {
        events.clear();
        decoder.decode(black_box(worst), NOW, &mut events)
    });
}

/// From the name in a configuration or a journal to the kind.
#[divan::bench]
fn kind_of_a_name(bencher: Bencher) {
    bencher.bench_local(|| black_box("client.roamed").parse::<Kind>());
}

/// The key that a frame names to the kind, with as little around it as an item may have.
#[divan::bench(args = ["EVT_WU_Roam", "CLIENT_ROAMED_2", "never heard of"])]
fn kind_of_a_key(bencher: Bencher, key: &str) {
    let frame =
        format!(r#"{{"meta":{{"message":"events"}},"data":[{{"_id":"1","key":"{key}"}}]}}"#);
    let (mut decoder, mut events) = (decoder(), Vec::new());
    bencher.bench_local(|| {
        events.clear();
        decoder.decode(black_box(&frame), NOW, &mut events)
    });
}

#[divan::bench]
fn recognise_duplicates(bencher: Bencher) {
    let mut dedupe = Dedupe::new(65_536);
    let events = roams();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        let events = events.iter();
        black_box(dedupe.admit(events.map(|event| (&*event.event, EventSource::of(event)))))
    });
}

#[divan::bench(args = [0, 1, 5])]
fn chain(bencher: Bencher, scripts: usize) {
    route(bencher, scripts, Routing::new(1, 0));
}

/// As `chain`, with the record of what each step did.
#[divan::bench(args = [0, 1, 5])]
fn chain_recorded(bencher: Bencher, scripts: usize) {
    let mut routing = Routing::new(1, 0);
    routing.record_verdicts(&Shape::default());
    route(bencher, scripts, routing);
}

fn route(bencher: Bencher, scripts: usize, mut routing: Routing) {
    let step = || {
        let source = r#"event.kind == "client.roamed" && event.to.channel > 36"#;
        (When::default(), Action::Script(Box::new(condition(source))))
    };
    let mut steps: Vec<_> = (0..scripts).map(|_| step()).collect();
    steps.push((When::default(), Action::Sink(0)));
    let when = When {
        kinds: Some(vec![Kind::CLIENT_ROAMED]),
        ..When::default()
    };
    let mut chains = Chains::new(vec![Chain::new("bench".into(), &when, steps)]);
    let events = roams();
    let now = Now {
        instant: Clock::system().now(),
        wall: NOW,
    };
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for event in &events {
            chains.route(&event.event, now, &mut routing);
        }
        (routing.take(NOW), routing.take_verdicts())
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[divan::bench(args = [1, 5])]
fn memory_store_commit_claim_settle(bencher: Bencher, sinks: usize) {
    let buffer = BufferPlan {
        capacity: 10_000,
        when_full: WhenFull::Wait,
        max_wait: Duration::ZERO,
        max_bytes: 1 << 30,
    };
    let names: Vec<_> = (0..sinks).map(|sink| sink.to_string().into()).collect();
    let store = MemoryStore::new(&names, &buffer, Clock::system());
    let (events, runtime) = (roams(), runtime());
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        runtime.block_on(async {
            let shares = (0..sinks).map(|sink| Share {
                sink,
                events: events.clone(),
            });
            let commit = Commit {
                events: events.clone(),
                shares: shares.collect(),
                ..Commit::default()
            };
            store.commit(commit).await.unwrap();
            for sink in 0..sinks {
                let claimed = store.claim(sink, 512).await;
                let settled = claimed
                    .iter()
                    .map(|event| Settled::Delivered { seq: event.seq });
                store.settle(sink, settled.collect()).await.unwrap();
            }
        });
    });
}

#[divan::bench]
fn lane_decision(bencher: Bencher) {
    let retry = RetryPlan {
        min: Duration::from_secs(1),
        max: Duration::from_secs(30),
        give_up_after: None,
    };
    let mut lane = Lane::new(100, &retry);
    let now = Clock::system().now();
    bencher.counter(ItemsCount::new(100_u32)).bench_local(|| {
        if let Next::Deliver(offer) = lane.next(now, 100) {
            black_box(lane.delivered(offer, 100));
        }
    });
}

#[divan::bench]
fn event_as_json(bencher: Bencher) {
    let events = roams();
    let mut line = Vec::new();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        line.clear();
        events[0].write_json(&mut line);
        line.len()
    });
}

/// The body of a request with a signature, as far as it can be measured without a network.
#[divan::bench(args = [1, 20])]
fn webhook_sink(bencher: Bencher, events: usize) {
    use unifi_herald_plugin::Sink as _;
    let (events, runtime) = (roams()[..events].to_vec(), runtime());
    let context = TestContext::new();
    let _inside = runtime.enter();
    let options = serde_json::json!({"url": "https://example.org/hook", "secret": "a secret"});
    let folder = tempfile::TempDir::new().unwrap();
    let mut sink: herald_webhook::Webhook = context.build(folder.path(), options).unwrap();
    bencher
        .counter(ItemsCount::new(events.len()))
        .bench_local(|| {
            runtime.block_on(sink.deliver(Batch::new(&events))).unwrap();
            context.http().take_requests()
        });
}

#[divan::bench]
fn file_sink(bencher: Bencher) {
    let (events, runtime) = (roams(), runtime());
    let folder = tempfile::TempDir::new().unwrap();
    let context = TestContext::new();
    let _inside = runtime.enter();
    let options = toml::from_str(r#"path = "events.jsonl""#).unwrap();
    let mut sink =
        herald_file::File::build(options, &context.build_context("bench", folder.path())).unwrap();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        use unifi_herald_plugin::Sink as _;
        runtime.block_on(sink.deliver(Batch::new(&events))).unwrap();
    });
}
