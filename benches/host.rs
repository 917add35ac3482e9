//! The whole host as a process of its own, over TLS with login, against the simulated controller at full speed: events
//! per second, CPU per event, memory.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints what it finds, and has nothing to say when it cannot go on"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use unifi_herald::clock::Clock;
use unifi_herald::demo::{Pace, Simulator, SimulatorOptions};

const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(6);

/// One row of the table.
struct Case {
    name: &'static str,
    scripts: usize,
    sinks: usize,
    sync_share: f64,
    pace: Pace,
}

const FULL: Pace = Pace::FlatOut { items: 4 };

const CASES: &[Case] = &[
    Case {
        name: "1 script, 1 file",
        scripts: 1,
        sinks: 1,
        sync_share: 0.0,
        pace: FULL,
    },
    Case {
        name: "5 scripts, 1 file",
        scripts: 5,
        sinks: 1,
        sync_share: 0.0,
        pace: FULL,
    },
    Case {
        name: "1 script, 5 files",
        scripts: 1,
        sinks: 5,
        sync_share: 0.0,
        pace: FULL,
    },
    Case {
        name: "half sync frames",
        scripts: 1,
        sinks: 1,
        sync_share: 0.5,
        pace: FULL,
    },
    Case {
        name: "1,000 events/s",
        scripts: 1,
        sinks: 1,
        sync_share: 0.0,
        pace: Pace::PerSecond(1000.0),
    },
];

fn main() {
    println!(
        "{:<22}{:>12}{:>16}{:>12}{:>12}",
        "memory store", "events/s", "CPU µs/event", "peak MiB", "lines lost"
    );
    for case in CASES {
        measure(case);
    }
}

fn measure(case: &Case) {
    let options = SimulatorOptions {
        sync_share: case.sync_share,
        ..SimulatorOptions::default()
    };
    let simulator = Simulator::start(options).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("config.toml"), config(case, &simulator)).unwrap();
    let herald = env!("CARGO_BIN_EXE_herald");
    let mut host = Command::new(herald)
        .arg("-c")
        .arg(folder.path().join("config.toml"))
        .arg("run")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(
        simulator.wait_for_sockets(1, Duration::from_secs(30)),
        "the host did not connect"
    );
    let clock = Clock::system();
    simulator.play(case.pace);
    wait(&clock, WARM_UP);
    let (lines, cpu, begun) = (lines(folder.path()), cpu_seconds(&host), clock.now());
    wait(&clock, MEASURED);
    let elapsed = clock.now().duration_since(begun).as_secs_f64();
    let cpu = cpu_seconds(&host) - cpu;
    let written = crate::lines(folder.path()) - lines;
    let peak = peak_mib(&host);
    simulator.play(Pace::Still);
    stop(&mut host);
    let events = written as f64;
    println!(
        "{:<22}{:>12.0}{:>16.2}{:>12.1}{:>12}",
        case.name,
        events / elapsed,
        cpu * 1e6 / events,
        peak,
        gaps(folder.path())
    );
    simulator.stop();
}

fn config(case: &Case, simulator: &Simulator) -> String {
    let options = simulator.options();
    let mut config = format!(
        r#"
[controllers.home]
url = "{}"
auth = {{ username = "{}", password = "{}" }}
tls = {{ pin_sha256 = "{}" }}
[store]
mode = "memory"
"#,
        simulator.url(),
        options.username,
        options.password,
        simulator.fingerprint()
    );
    let mut steps = String::new();
    for _ in 0..case.scripts {
        steps.push_str(r#"{ where = 'event.kind != "wan.down" && event.level < 5' }, "#);
    }
    for sink in 0..case.sinks {
        write!(config, "[sinks.s{sink}]\nplugin = \"file\"\nbatch = {{ max = 500 }}\noptions = {{ path = \"{sink}.jsonl\" }}\n").unwrap();
        write!(steps, "{{ sink = \"s{sink}\" }}, ").unwrap();
    }
    write!(config, "[chains.all]\nsteps = [{steps}]\n").unwrap();
    config
}

fn wait(clock: &Clock, time: Duration) {
    let until: Instant = clock.now() + time;
    while let Some(left) = until
        .checked_duration_since(clock.now())
        .filter(|left| !left.is_zero())
    {
        std::thread::park_timeout(left);
    }
}

/// Lines of the first sink's file, which is not rotated.
fn lines(folder: &Path) -> u64 {
    let text = fs::read(folder.join("0.jsonl")).unwrap_or_default();
    memchr::memchr_iter(b'\n', &text).count() as u64
}

/// How many events `herald.gap` says were lost.
fn gaps(folder: &Path) -> u64 {
    let text = fs::read_to_string(folder.join("0.jsonl")).unwrap_or_default();
    let gaps = text
        .lines()
        .filter(|line| line.contains(r#""kind":"herald.gap""#));
    gaps.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()?["count"].as_u64())
        .sum()
}

/// User and system time of a process, in seconds: fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms.
fn cpu_seconds(host: &Child) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", host.id())).unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    let ticks: Vec<f64> = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap())
        .collect();
    (ticks[0] + ticks[1]) / 100.0
}

fn peak_mib(host: &Child) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", host.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}

fn stop(host: &mut Child) {
    let killed = Command::new("kill")
        .arg(host.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    host.wait().unwrap();
}
