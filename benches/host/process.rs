//! A herald as a process, seen from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use unifi_herald::clock::Clock;
use unifi_herald::demo::Simulator;

const HERALD: &str = env!("CARGO_BIN_EXE_herald");

/// A running herald with the configuration in `folder`.
pub(crate) struct Herald {
    folder: PathBuf,
    child: Child,
}

impl Herald {
    pub(crate) fn start(folder: &Path) -> Self {
        let child = command(folder).arg("run").spawn().unwrap();
        Self {
            folder: folder.to_owned(),
            child,
        }
    }

    /// Started and listening to `simulator`.
    pub(crate) fn connected(folder: &Path, simulator: &Simulator) -> Self {
        let herald = Self::start(folder);
        let limit = Duration::from_secs(60);
        assert!(simulator.wait_for_sockets(1, limit), "it did not connect");
        herald
    }

    /// Process time so far, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        cpu_seconds(&self.child.id().to_string())
    }

    /// Most memory so far and memory now, in MiB.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap();
        let mib = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            let kib = line.split_whitespace().nth(1).unwrap();
            kib.parse::<f64>().unwrap() / 1024.0
        };
        (mib("VmHWM"), mib("VmRSS"))
    }

    /// What the books of the first sink say about `entry`.
    pub(crate) fn books(&self, entry: &str) -> u64 {
        let status = command(&self.folder)
            .args(["status", "--json"])
            .output()
            .unwrap();
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
        let sinks = status["sinks"].as_object().unwrap();
        sinks.values().next().unwrap()[entry].as_u64().unwrap()
    }

    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        self.child.wait().unwrap();
    }

    /// Stop without a drain.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(HERALD);
    command
        .arg("-c")
        .arg(folder.join("config.toml"))
        .env("XDG_RUNTIME_DIR", folder)
        .stderr(Stdio::null());
    command
}

/// User and system time of a process, in seconds: fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms.
pub(crate) fn cpu_seconds(pid: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    let ticks = after_name.split(' ').skip(11).take(2);
    ticks
        .map(|field| field.parse::<f64>().unwrap() / 100.0)
        .sum()
}

pub(crate) fn wait(clock: &Clock, time: Duration) {
    wait_until(clock, clock.now() + time);
}

pub(crate) fn wait_until(clock: &Clock, until: Instant) {
    while let Some(left) = until
        .checked_duration_since(clock.now())
        .filter(|left| !left.is_zero())
    {
        std::thread::park_timeout(left);
    }
}
