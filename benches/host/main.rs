//! The whole host as a process of its own, over TLS with login, against the simulated controller in this one: events per
//! second, CPU per event, memory, time from frame to line, and beside it what a bare reader of the same socket costs.
//!
//! `cargo bench --bench host -- flow memory` runs the rows whose names contain every word.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints what it finds, and has nothing to say when it cannot go on"
)]

mod case;
mod floor;
mod flow;
mod latency;
mod process;
mod rest;

use case::{Case, Mode};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(task) = floor::Task::of(&arguments) {
        return task.run();
    }
    let words: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wanted = |name: &str| words.iter().all(|word| name.contains(word));
    println!("load {}", load());

    println!("\n| at full speed | events/s | CPU µs/event | peak MiB | lost |");
    println!("|---|---:|---:|---:|---:|");
    for sync_share in [0.0, 0.5, 0.95] {
        for writes in [false, true] {
            let name = floor::name(writes, sync_share);
            if wanted(&format!("flow floor {name}")) {
                println!("{}", floor::measure(&name, writes, sync_share));
            }
        }
    }
    for case in flow_cases() {
        if wanted(&format!("flow {}", case.name())) {
            println!("{}", flow::measure(&case));
        }
    }

    println!("\n| from frame to line | p50 ms | p99 ms | most ms | CPU of one core |");
    println!("|---|---:|---:|---:|---:|");
    for mode in [Mode::Memory, Mode::Disk] {
        for rate in [1_000, 10_000] {
            let case = Case::new(mode, 1, 1, 0.0);
            if wanted(&format!("latency {} {rate}", case.name())) {
                println!("{}", latency::measure(&case, rate));
            }
        }
    }

    println!("\n| at rest | |\n|---|---:|");
    for mode in [Mode::Memory, Mode::Disk] {
        if wanted(&format!("rest {}", mode.name())) {
            print!("{}", rest::idle(mode));
        }
    }
    if wanted("rest backlog") {
        print!("{}", rest::backlog());
    }
    if wanted("rest size") {
        print!("{}", rest::size());
    }
    println!("\nload {}", load());
}

/// Everything that the table has at full speed.
fn flow_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for mode in [Mode::Memory, Mode::Disk] {
        cases.extend([0.0, 0.5, 0.95].map(|sync_share| Case::new(mode, 1, 1, sync_share)));
        cases.push(Case::new(mode, 5, 1, 0.0));
        cases.push(Case::new(mode, 1, 5, 0.0));
    }
    cases
}

/// What else the machine is at: with more than one at work beside the measurement, wall times mean little.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
