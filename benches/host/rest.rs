//! What does not depend on speed: the start, the memory of a herald that has nothing to do or nobody to give to, and the
//! size of the program.

use crate::case::{Case, Mode, head, simulator};
use crate::flow::PACE;
use crate::process::{Herald, wait};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::demo::Pace;

const LOGIN: &str = "/api/auth/login";
/// A start is short: the best of several.
const STARTS: usize = 5;
const PENDING: u64 = 1_000_000;
const SETTLED: Duration = Duration::from_secs(3);

pub(crate) fn idle(mode: Mode) -> String {
    let clock = Clock::system();
    let mut best = Duration::MAX;
    let mut memory = 0.0;
    for _ in 0..STARTS {
        let simulator = simulator(0.0);
        let folder = tempfile::TempDir::new().unwrap();
        Case::new(mode, 1, 1, 0.0).write(folder.path(), &simulator, None);
        let begun = clock.now();
        let herald = Herald::start(folder.path());
        let limit = Duration::from_secs(60);
        let came = simulator
            .stats()
            .wait(limit, |counts| counts.requests.contains_key(LOGIN));
        assert!(came, "it did not log in");
        best = best.min(clock.now().duration_since(begun));
        assert!(simulator.wait_for_sockets(1, limit), "it did not connect");
        wait(&clock, SETTLED);
        (_, memory) = herald.memory();
        herald.stop();
        simulator.stop();
    }
    let (name, ms) = (mode.name(), best.as_secs_f64() * 1e3);
    format!(
        "| from start to login request, {name} | {ms:.0} ms |\n| memory with nothing to do, {name} | {memory:.1} MiB |\n"
    )
}

/// A million events that nobody takes.
pub(crate) fn backlog() -> String {
    let simulator = simulator(0.0);
    let folder = tempfile::TempDir::new().unwrap();
    let mut config = head(Mode::Disk, &simulator);
    config.push_str(
        r#"
[sinks.hook]
plugin = "webhook"
options = { url = "http://127.0.0.1:9/hook" }
[chains.all]
steps = [{ sink = "hook" }]
"#,
    );
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let herald = Herald::connected(folder.path(), &simulator);
    let clock = Clock::system();
    let (cpu, begun) = (herald.cpu(), clock.now());
    simulator.play(PACE);
    while herald.books("pending") < PENDING {
        wait(&clock, Duration::from_millis(500));
    }
    simulator.play(Pace::Still);
    let pending = herald.books("pending") as f64;
    let (cpu, elapsed) = (herald.cpu() - cpu, clock.now().duration_since(begun));
    wait(&clock, SETTLED);
    let (peak, memory) = herald.memory();
    herald.kill();
    simulator.stop();
    let mut text = String::new();
    writeln!(
        text,
        "| memory with 1,000,000 pending on disk: most, then | {peak:.1} MiB, {memory:.1} MiB |"
    )
    .unwrap();
    let (rate, each) = (pending / elapsed.as_secs_f64(), cpu * 1e6 / pending);
    writeln!(
        text,
        "| … taken in at | {rate:.0} events/s, {each:.2} µs each |"
    )
    .unwrap();
    text
}

pub(crate) fn size() -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let stripped = folder.path().join("herald");
    let strip = Command::new("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(env!("CARGO_BIN_EXE_herald"))
        .status();
    match strip {
        Ok(status) if status.success() => {
            let bytes = fs::metadata(&stripped).unwrap().len() as f64;
            format!(
                "| stripped program | {:.1} MiB |\n",
                bytes / (1 << 20) as f64
            )
        }
        _ => "| stripped program | not measured: there is no `strip` |\n".to_owned(),
    }
}
