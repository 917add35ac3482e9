//! Machine instructions per event, counted by valgrind: they do not depend on the mood of the machine, so that a change
//! shows which no clock would.
//!
//! `cargo bench --bench instructions` compares with `benches/instructions.toml` and fails where more than its tolerance was
//! added; `cargo bench --bench instructions -- --keep` writes down what was counted. Words choose the rows.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints what it finds, and has nothing to say when it cannot go on"
)]

mod way;

use std::fs;
use std::process::{Command, ExitCode, Stdio};
use way::Way;

/// The argument that makes this program walk one way, to be watched by valgrind.
const FLAG: &str = "--walk";
/// Events walked: the difference of the two counts leaves out what is done once.
const FEW: u64 = 2_000;
const MANY: u64 = 6_000;
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.toml");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, way, frames, count] = &arguments[..]
        && flag == FLAG
    {
        Way::named(way).walk(&fs::read_to_string(frames).unwrap(), count.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    let there = Command::new("valgrind").arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!("instructions are not counted: there is no `valgrind`");
        return ExitCode::SUCCESS;
    }
    compare(&arguments)
}

fn compare(arguments: &[String]) -> ExitCode {
    let keep = arguments.iter().any(|argument| argument == "--keep");
    let words: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let mut kept: toml::Table = fs::read_to_string(KEPT).unwrap().parse().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let frames = folder.path().join("frames");
    fs::write(&frames, way::frames(MANY)).unwrap();
    println!("{:<18}{:>12}{:>12}{:>9}", "per event", "now", "kept", "");
    let mut worse = false;
    for way in Way::ALL {
        if !words.iter().all(|word| way.name().contains(word.as_str())) {
            continue;
        }
        let count = |events| instructions(way, frames.to_str().unwrap(), events);
        let now = (count(MANY) - count(FEW)) / i64::try_from(MANY - FEW).unwrap();
        let before = kept.get(way.name()).and_then(toml::Value::as_integer);
        let change = before.map_or(0.0, |before| now as f64 / before as f64 - 1.0);
        let too_much = change > way.tolerance();
        worse |= too_much;
        println!(
            "{:<18}{now:>12}{:>12}{:>+8.1}%{}",
            way.name(),
            before.unwrap_or_default(),
            change * 100.0,
            if too_much { "  too many" } else { "" }
        );
        if keep {
            kept.insert(way.name().to_owned(), now.into());
        }
    }
    if keep {
        let head = "# Instructions per event, as `cargo bench --bench instructions -- --keep` counted them.\n";
        fs::write(KEPT, format!("{head}{kept}")).unwrap();
    }
    ExitCode::from(u8::from(worse && !keep))
}

fn instructions(way: Way, frames: &str, events: u64) -> i64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args([FLAG, way.name(), frames, &events.to_string()])
        .stdout(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| line.contains("Collected :"));
    let line = line.unwrap_or_else(|| panic!("valgrind counted nothing:\n{said}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
