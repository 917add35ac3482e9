//! The rules of the house that no linter knows: who may import whom, what a file looks like.

use std::fs;
use std::path::PathBuf;

/// Files that are tables, or close to it, and may be long.
const TABLES: &[&str] = &["src/unifi/catalog", "src/alert/words"];

/// Longest a file may be without being a table; tests of a module count apart.
const MAX_LINES: usize = 420;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folders`, with its path from the root and its text.
fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path)
                .unwrap()
                .map(|entry| entry.unwrap().path());
            open.extend(
                entries.filter(|path| path.file_name().is_none_or(|name| name != "target")),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .into_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!found.is_empty(), "no sources below {folders:?}");
    found.sort();
    found
}

/// The text without its tests, which may do what the code may not.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/") || name.starts_with("tests/")
}

/// Lines outside tests that contain one of `words`, as `file:line: text`.
fn mentions(files: &[(String, String)], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in files.iter().filter(|(name, _)| !is_test(name)) {
        for (number, line) in without_tests(text).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn the_deciding_modules_are_pure() {
    let mut pure = sources(&[
        "src/unifi",
        "src/unifi.rs",
        "src/alert",
        "src/alert.rs",
        "src/backoff.rs",
        "src/buffer.rs",
        "src/chain",
        "src/chain.rs",
        "src/digest.rs",
        "src/heartbeat.rs",
        "src/inlet.rs",
        "src/lane.rs",
    ]);
    pure.extend(
        sources(&["src/lane", "src/inlet"])
            .into_iter()
            .filter(|(name, _)| !name.contains("worker") && !name.contains("watch")),
    );
    let effects = [
        "std::fs",
        // An address is data, a socket is not.
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "UnixStream",
        "ToSocketAddrs",
        "tokio::",
        "reqwest",
        "tungstenite",
        "std::thread",
        "Instant::now",
        "SystemTime::now",
    ];
    assert_none(
        &mentions(&pure, &effects),
        "deciding modules open nothing, read no clock, spawn nothing",
    );
    let doing = [
        "crate::source",
        "crate::router",
        "crate::host",
        "crate::cli",
        "crate::services",
        "crate::tasks",
        "crate::clock",
    ];
    assert_none(
        &mentions(&pure, &doing),
        "deciding modules do not know the doing ones",
    );
}

#[test]
fn plugins_see_the_contract_and_nothing_of_the_host() {
    let plugins = sources(&["plugins"]);
    assert_none(
        &mentions(&plugins, &["unifi_herald::"]),
        "no plugin sees the host",
    );
    let contract: Vec<_> = plugins
        .into_iter()
        .filter(|(name, _)| name.starts_with("plugins/api"))
        .collect();
    assert_none(
        &mentions(&contract, &["herald_"]),
        "the contract sees no plugin",
    );
    for entry in fs::read_dir(root().join("plugins")).unwrap() {
        let folder = entry.unwrap().path();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let host = manifest
            .lines()
            .find(|line| line.starts_with("unifi-herald.") || line.starts_with("unifi-herald "));
        assert_eq!(host, None, "{} depends on the host", folder.display());
    }
}

#[test]
fn only_the_list_of_built_in_plugins_names_them() {
    let host = sources(&["src"])
        .into_iter()
        .filter(|(name, _)| name != "src/builtin.rs")
        .collect::<Vec<_>>();
    let folders = fs::read_dir(root().join("plugins")).unwrap();
    let crates: Vec<String> = folders
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|folder| format!("herald_{folder}::"))
        .collect();
    let crates: Vec<&str> = crates.iter().map(String::as_str).collect();
    assert_none(&mentions(&host, &crates), "see src/builtin.rs");
}

#[test]
fn every_file_says_what_it_is_for_and_is_not_too_long() {
    let mut found = Vec::new();
    for (name, text) in sources(&["src", "plugins", "benches"]) {
        if !is_test(&name) && !text.starts_with("//!") {
            found.push(format!("{name} does not begin with what it is for"));
        }
        if name.ends_with("/mod.rs") {
            found.push(format!("{name}: write `foo.rs` beside `foo/`"));
        }
        let lines = without_tests(&text).lines().count();
        if lines > MAX_LINES
            && !is_test(&name)
            && !TABLES.iter().any(|table| name.starts_with(table))
        {
            found.push(format!("{name} has {lines} lines: where is the seam?"));
        }
    }
    assert_none(&found, "files are for readers");
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    let everything = sources(&["src", "plugins", "tests", "benches"]);
    // Put together here, so that this file does not find itself.
    let words: Vec<String> = [
        ("#[allow", "("),
        ("#![allow", "("),
        ("todo", "!("),
        ("unimplemented", "!("),
        ("FIX", "ME"),
        ("#[ign", "ore"),
        ("thread::sl", "eep"),
    ]
    .iter()
    .map(|(first, second)| format!("{first}{second}"))
    .collect();
    let mut found = Vec::new();
    for (name, text) in &everything {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert_none(
        &found,
        "finish it, or take it out; expect a lint with a reason",
    );
}
