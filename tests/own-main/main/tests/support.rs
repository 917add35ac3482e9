//! The binary, cargo, and waiting on conditions.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The checkout that all this is in.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .canonicalize()
        .unwrap()
}

pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Our herald, to be run in a folder.
pub fn herald(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_own-herald"));
    command.current_dir(folder).env("UNIFI_PASSWORD", "x");
    command
}

/// cargo, to be run in a project that needs no other crates than we do: nothing is downloaded, and what is built
/// already is not built again.
pub fn cargo(project: &Path, arguments: &[&str]) -> Command {
    if !project.join("Cargo.lock").exists() {
        std::fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    }
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(project)
        .args(arguments)
        .args(["--offline", "--quiet"])
        .args(["--config", "profile.dev.debug=\"line-tables-only\""])
        .args(["--config", "profile.dev.package.\"*\".debug=false"])
        .env("CARGO_TARGET_DIR", target());
    command
}

/// Give a project's program the same features that its tests have, or cargo would build everything for each of them.
pub fn once_for_all(project: &Path) {
    let path = project.join("Cargo.toml");
    let manifest = text(&path);
    let contract = |line: &&str| line.starts_with("unifi-herald-plugin = ");
    let lines: Vec<&str> = manifest.lines().filter(contract).collect();
    let [plain, testing] = lines[..] else {
        panic!("once to build with, once to test with: {manifest}")
    };
    std::fs::write(path, manifest.replacen(plain, testing, 1)).unwrap();
}

/// Where cargo has put this binary: target/debug/deps/own-….
pub fn target() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(3).unwrap().to_owned()
}

/// Run it to its end; what it said.
///
/// # Panics
/// When it failed.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Tell it to stop, and demand that it delivered everything.
pub fn stopped(mut running: Child) {
    let kill = format!("kill -TERM {}", running.id());
    run(Command::new("sh").args(["-c", &kill]));
    assert!(running.wait().unwrap().success());
}

pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "not in time: {what}"
        );
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
