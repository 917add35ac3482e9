//! What docs/plugins.md shows works as it stands there; its sink in Rust is built by `tests/own-main`.

use crate::support::herald::Herald;

const MANUAL: &str = include_str!("../../docs/plugins.md");

/// The text of every block of code in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    MANUAL
        .split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn every_sink_in_it_can_be_configured_so() {
    let mut tried = 0;
    for block in blocks("toml") {
        // What is left is the project in Rust, and a filter that comes with no herald.
        if !block.starts_with("[sinks.") {
            continue;
        }
        let config = format!(
            "{block}\n[controllers.home]\nurl = \"https://192.0.2.1\"\nauth = {{ username = \"herald\", password = \"x\" }}\n"
        );
        let ended = Herald::with(&config).run(&["check"]).with_code(0);
        assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
        tried += 1;
    }
    assert_eq!(tried, 2);
}

#[test]
fn the_program_in_it_is_the_one_that_is_tested() {
    let tested = include_str!("../../plugins/exec/examples/append.py");
    assert_eq!(blocks("python"), [tested]);
}

#[test]
fn every_command_in_it_is_understood() {
    let commands = blocks("sh").into_iter().flat_map(str::lines);
    let commands = commands.map(|line| line.split(" #").next().unwrap_or_default().trim());
    let verbs = commands.filter_map(|line| {
        line.strip_prefix("herald ")
            .or_else(|| line.strip_prefix("cargo run -- "))
    });
    let mut tried = 0;
    for verb in verbs {
        let words: Vec<&str> = verb.split_whitespace().chain(["--help"]).collect();
        Herald::new().run(&words).with_code(0);
        tried += 1;
    }
    assert!(tried >= 4, "{tried}");
}
