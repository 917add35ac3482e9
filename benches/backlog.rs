//! A store with a million events that a sink still awaits: its size, the start, the memory, and how long a search takes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints what it finds, and has nothing to say when it cannot go on"
)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::config::{BufferPlan, StoreMode, StorePlan, SyncMode, WhenFull};
use unifi_herald::store::{Commit, DiskStore, Share, Store};
use unifi_herald_plugin::{BufferedEvent, Client, Device, Event, Kind, Mac, Raw, Timestamp};

const EVENTS: u64 = 1_000_000;

/// Against which the memory is compared.
const FEW: u64 = 1_000;

/// Events in a commit, as the router makes them under load.
const BATCH: u64 = 512;

/// The first of them; one happens every second.
const BEGIN: i64 = 1_795_305_600_000;

fn main() {
    println!("{EVENTS} events in the journal, all of them pending for one sink\n");
    let small = Bench::new(FEW);
    let large = Bench::new(EVENTS);
    println!(
        "{:<44}{:>9.0} bytes",
        "size on disk, per event",
        (large.size() - small.size()) as f64 / (EVENTS - FEW) as f64
    );
    for bench in [&small, &large] {
        let (ready, peak) = bench.start();
        println!(
            "start with {:>9} pending: answers after{:>13.0} ms, peak memory {peak:.1} MiB",
            bench.events,
            ready.as_secs_f64() * 1e3,
        );
    }
    println!();
    for arguments in [
        "--limit 50",
        "--kind device.offline --limit 50",
        "--kind threat.detected",
        "--client aa:00:00:00:00:07 --limit 50",
        "--client anna-7 --device kitchen-3",
        "--since 1h --limit 50",
        "--text nothing-like-it",
        "--site nowhere",
    ] {
        let (took, lines) = large.search(arguments);
        println!(
            "{:<44}{:>9.0} ms, {lines} found",
            format!("herald events {arguments}"),
            took.as_secs_f64() * 1e3
        );
    }
}

/// A folder with a configuration and a store.
struct Bench {
    folder: tempfile::TempDir,
    events: u64,
    clock: Clock,
}

impl Bench {
    fn new(events: u64) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        // Nobody is there, neither the controller nor the destination: the backlog stays.
        let config = r#"
[controllers.home]
url = "https://127.0.0.1:9"
auth = { username = "herald", password = "none" }
[sinks.hook]
plugin = "webhook"
options = { url = "http://127.0.0.1:9/hook" }
[chains.all]
steps = [{ sink = "hook" }]
"#;
        fs::write(folder.path().join("config.toml"), config).unwrap();
        let bench = Self {
            folder,
            events,
            clock: Clock::system(),
        };
        bench.fill();
        bench
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("herald-data")
    }

    fn fill(&self) {
        let mut plan = StorePlan::new(StoreMode::Disk, self.data());
        plan.sync = SyncMode::Normal;
        plan.max_size = 64 << 30;
        plan.keep = Duration::from_secs(100 * 365 * 86_400);
        let buffer = BufferPlan {
            capacity: 10_000,
            when_full: WhenFull::Wait,
            max_wait: Duration::ZERO,
            max_bytes: 32 << 20,
        };
        let store = DiskStore::open(&plan, &["hook".into()], &buffer, Clock::system()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut next = 1;
        while next <= self.events {
            let end = (next + BATCH).min(self.events + 1);
            let events: Vec<_> = (next..end).map(event).collect();
            let commit = Commit {
                shares: vec![Share {
                    sink: 0,
                    events: events.clone(),
                }],
                // About what a chain of three steps leaves behind.
                verdicts: events.iter().map(|_| vec![0; 24]).collect(),
                events,
                ..Commit::default()
            };
            runtime.block_on(store.commit(commit)).unwrap();
            next = end;
        }
    }

    fn size(&self) -> u64 {
        fs::metadata(self.data().join("herald.db")).unwrap().len()
    }

    fn herald(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_herald"));
        command
            .arg("-c")
            .arg(self.folder.path().join("config.toml"))
            .stderr(Stdio::null());
        command
    }

    /// How long until a host says what is pending, and the most memory it had a while after.
    fn start(&self) -> (Duration, f64) {
        let begun = self.clock.now();
        let mut host = self.herald().arg("run").spawn().unwrap();
        let pending = format!(r#""pending":{}"#, self.events);
        loop {
            let status = self.herald().args(["status", "--json"]).output().unwrap();
            let text = String::from_utf8(status.stdout).unwrap();
            if text.contains(r#""state":"ok""#) || text.contains(r#""state":"retrying""#) {
                assert!(text.contains(&pending), "{text}");
                break;
            }
            assert!(host.try_wait().unwrap().is_none(), "it ended");
        }
        let ready = self.clock.now().duration_since(begun);
        // Several tries to deliver, and retention at work.
        let until = self.clock.now() + Duration::from_secs(8);
        while let Some(left) = until.checked_duration_since(self.clock.now()) {
            std::thread::park_timeout(left.max(Duration::from_millis(1)));
        }
        let peak = peak_mib(&host);
        host.kill().unwrap();
        host.wait().unwrap();
        (ready, peak)
    }

    /// How long a search takes, and how many lines it prints.
    fn search(&self, arguments: &str) -> (Duration, usize) {
        let begun = self.clock.now();
        let output = self
            .herald()
            .args(["events", "--json", "--no-raw"])
            .args(arguments.split(' '))
            .output()
            .unwrap();
        let took = self.clock.now().duration_since(begun);
        assert!(output.status.success());
        (took, memchr::memchr_iter(b'\n', &output.stdout).count())
    }
}

/// The `seq`-th second of a busy network: 200 clients, 20 access points, now and then something else.
fn event(seq: u64) -> BufferedEvent {
    let id = format!("5ee9f7ca453d4e00{seq:08x}");
    let time = Timestamp::from_millis(BEGIN + i64::try_from(seq).unwrap() * 1000);
    let kind = match seq {
        _ if seq % 250_000 == 17 => Kind::THREAT_DETECTED,
        _ if seq % 10_000 == 42 => Kind::DEVICE_OFFLINE,
        _ if seq.is_multiple_of(3) => Kind::CLIENT_DISCONNECTED,
        _ => Kind::CLIENT_CONNECTED,
    };
    let (client, device) = (seq % 200, seq / 7 % 20);
    let mut event = Event::new(kind, id.as_str(), time);
    event.controller = "home".into();
    event.site = "default".into();
    event.site_name = "Home".into();
    event.key = Some("EVT_WU_Connected".into());
    event.summary =
        format!("anna-{client} connected to Home at kitchen-{device} (5 GHz, channel 44)").into();
    event.client = Some(Client {
        mac: Some(Mac::new([0xaa, 0, 0, 0, 0, client as u8])),
        name: Some(format!("anna-{client}").into()),
        hostname: Some(format!("anna-{client}-phone").into()),
        ..Client::default()
    });
    event.device = Some(Device {
        mac: Some(Mac::new([0xf0, 0x9f, 0xc2, 0, 0, device as u8])),
        name: Some(format!("kitchen-{device}").into()),
        ..Device::default()
    });
    let raw = format!(
        r#"{{"_id":"{id}","key":"EVT_WU_Connected","subsystem":"wlan","site_id":"5c8d1a2b3c4d5e6f70819203","user":"aa:00:00:00:00:{client:02x}","hostname":"anna-{client}-phone","ssid":"Home","ap":"f0:9f:c2:00:00:{device:02x}","ap_name":"kitchen-{device}","radio":"na","channel":"44","time":{},"datetime":"2026-11-22T17:21:13Z","msg":"User[aa:00:00:00:00:{client:02x}] has connected to AP[f0:9f:c2:00:00:{device:02x}] with SSID \"Home\" on \"channel 44(na)\"","is_negative":false}}"#,
        time.as_millis()
    );
    event.raw = Raw::parse(&raw).ok();
    BufferedEvent {
        seq,
        event: Arc::new(event),
    }
}

fn peak_mib(host: &Child) -> f64 {
    let status = fs::read_to_string(
        Path::new("/proc")
            .join(host.id().to_string())
            .join("status"),
    );
    let status = status.unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<f64>().unwrap() / 1024.0
}
