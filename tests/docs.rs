//! The documentation speaks of what there is: every link leads somewhere, every command and flag exists.

use crate::support::herald::Herald;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page: those of the root, and the book.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                pages.push(path);
            }
        }
    }
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ] {
        pages.push(root().join(name));
    }
    pages.sort();
    pages
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for link in targets.filter(|link| !link.contains("://")) {
            let (path, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(path)
            };
            assert!(target.exists(), "{} links to {link}", page.display());
            if !part.is_empty() {
                let there = fs::read_to_string(&target).unwrap();
                let mut headings = there.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|line| anchor(line.trim_start_matches('#')) == part),
                    "{} links to {link}, where there is no such heading",
                    page.display()
                );
            }
            links += 1;
        }
    }
    assert!(links > 30, "{links}");
}

/// The commands in blocks of shell, without what is piped, redirected or commented.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut shell = false;
    for line in text.replace("\\\n", " ").lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            shell = !shell && matches!(language.trim(), "sh" | "bash" | "console");
            continue;
        }
        if !shell {
            continue;
        }
        let line = line.split(" #").next().unwrap_or_default();
        for command in line.split(['|', ';', '&', '>', '<']) {
            let mut words = command
                .split_whitespace()
                .skip_while(|word| *word == "sudo" || *word == "$");
            if words.next() == Some("herald") {
                commands.push(words.map(str::to_owned).collect());
            }
        }
    }
    commands
}

#[test]
fn every_command_and_flag_exists() {
    let herald = Herald::new();
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut help = |words: &[&str]| {
        let key = words.join(" ");
        helps
            .entry(key)
            .or_insert_with(|| {
                let mut arguments = words.to_vec();
                arguments.push("--help");
                herald.run(&arguments).with_code(0).stdout
            })
            .clone()
    };
    let mut count = 0;
    for page in pages() {
        for words in commands(&fs::read_to_string(&page).unwrap()) {
            let Some(verb) = words.first().filter(|verb| !verb.starts_with('-')) else {
                continue;
            };
            let mut text = help(&[verb]);
            let nested = words.get(1).is_some_and(|word| {
                text.contains("\nCommands:\n")
                    && text
                        .lines()
                        .any(|line| line.trim_start().split(' ').next() == Some(word))
            });
            if nested {
                text.push_str(&help(&[verb, &words[1]]));
            }
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                let flag = flag.split('=').next().unwrap_or_default();
                assert!(
                    text.contains(flag),
                    "{}: herald {}",
                    page.display(),
                    words.join(" ")
                );
            }
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}
