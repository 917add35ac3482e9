//! The ways whose instructions are counted, from a part of the path to the whole of it.

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::config::{self, Controllers, Locator};
use unifi_herald::demo::{Carrier, Simulator, SimulatorOptions};
use unifi_herald::host::Host;
use unifi_herald::services::HostServices;
use unifi_herald::tasks::Tasks;
use unifi_herald::unifi::{Decoder, Site};
use unifi_herald_plugin::{BufferedEvent, Event, Services, Timestamp};

/// A part of the path of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A frame becomes an event.
    Decode,
    /// A frame of state, 6 KB, is looked at.
    SyncFrame,
    /// A frame becomes an event, and that a line.
    DecodeAndJson,
    /// A frame becomes a line in a file, through the whole host: ring, router, one script, memory, lane.
    MemoryToFile,
    /// The same with the store on disk.
    DiskToFile,
}

/// A day without surprises: the same frames in every run.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

impl Way {
    pub(crate) const ALL: [Self; 5] = [
        Self::Decode,
        Self::SyncFrame,
        Self::DecodeAndJson,
        Self::MemoryToFile,
        Self::DiskToFile,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::SyncFrame => "sync_frame",
            Self::DecodeAndJson => "decode_and_json",
            Self::MemoryToFile => "memory_to_file",
            Self::DiskToFile => "disk_to_file",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|way| way.name() == name).unwrap()
    }

    /// How much more is no accident: threads meet a little differently each time.
    pub(crate) fn tolerance(self) -> f64 {
        match self {
            Self::Decode | Self::SyncFrame | Self::DecodeAndJson => 0.02,
            Self::MemoryToFile => 0.05,
            Self::DiskToFile => 0.10,
        }
    }

    /// Walk `count` events of `frames`.
    pub(crate) fn walk(self, frames: &str, count: u64) {
        let frames = frames.lines().take(usize::try_from(count).unwrap());
        match self {
            Self::Decode => drop(decode(frames)),
            Self::SyncFrame => {
                let (mut decoder, frame) = (decoder(), state_frame());
                for _ in 0..count {
                    black_box(decoder.decode(black_box(&frame), NOW, &mut Vec::new()));
                }
            }
            Self::DecodeAndJson => {
                let mut line = Vec::new();
                for (seq, event) in (1..).zip(decode(frames)) {
                    line.clear();
                    BufferedEvent { seq, event }.write_json(&mut line);
                    black_box(&line);
                }
            }
            Self::MemoryToFile => to_file("memory", decode(frames)),
            Self::DiskToFile => to_file("disk", decode(frames)),
        }
    }
}

/// Frames of one event each: what happens in a simulated house.
pub(crate) fn frames(count: u64) -> String {
    let clock = Clock::manual(NOW);
    let simulator = Simulator::start(SimulatorOptions {
        clock: clock.clone(),
        ..SimulatorOptions::default()
    })
    .unwrap();
    let site = simulator.sites()[0];
    let mut frames = String::new();
    for _ in 0..count {
        clock.advance(Duration::from_millis(250));
        for entry in simulator.emit(site, 1) {
            let message = match entry.carrier {
                Carrier::Events => "events",
                Carrier::Alert => "alert",
            };
            let (head, raw) = (r#"{"meta":{"rc":"ok","message":"#, &entry.raw);
            frames.push_str(&format!("{head}\"{message}\"}},\"data\":[{raw}]}}\n"));
        }
    }
    frames
}

fn decoder() -> Decoder {
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    let mut decoder = Decoder::new("home".into(), site);
    let corpus = state_frame();
    decoder.decode(&corpus, NOW, &mut Vec::new());
    decoder
}

fn decode<'a>(frames: impl Iterator<Item = &'a str>) -> Vec<Arc<Event>> {
    let (mut decoder, mut events) = (decoder(), Vec::new());
    for frame in frames {
        decoder.decode(black_box(frame), NOW, &mut events);
    }
    events
}

/// A frame about the state of a client, as recorded.
fn state_frame() -> String {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/corpus/ws_messages.jsonl"
    );
    let corpus = fs::read_to_string(corpus).unwrap();
    let frame = corpus.lines().find(|line| line.contains("sta:sync"));
    frame.unwrap().to_owned()
}

const CONFIG: &str = r#"
[controllers.home]
url = "https://127.0.0.1:9"
auth = { username = "herald", password = "none" }
[buffer]
max_bytes = "256MiB"
[sinks.file]
plugin = "file"
options = { path = "events.jsonl" }
[chains.all]
steps = [{ where = 'event.kind != "wan.down" && event.level < 5' }, { sink = "file" }]
"#;

/// Put the events through a host that writes them to a file.
fn to_file(store: &str, mut events: Vec<Arc<Event>>) {
    let folder = tempfile::TempDir::new().unwrap();
    let config = format!("{CONFIG}[store]\nmode = \"{store}\"\n");
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let host = start(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(host.intake().push(&mut events));
    let stopped = host.stop(Duration::from_secs(600));
    assert!(stopped.left.is_empty(), "{stopped:?}");
}

fn start(folder: &Path) -> Host {
    let locator = Locator {
        file: Some(folder.join("config.toml")),
        environment: BTreeMap::new(),
        directory: folder.to_owned(),
        controllers: Controllers::Checked,
    };
    let services: Arc<dyn Services> = HostServices::new(Clock::system(), Tasks::new());
    let mut plan = config::load(&locator, &unifi_herald::builtin(), &services).unwrap();
    plan.controllers.clear();
    Host::start(plan, unifi_herald::builtin(), Clock::system()).unwrap()
}
