//! Every configuration in `docs/recipes` is right as it stands.

use super::House;
use crate::config::{Controllers, Plan, load};
use std::path::Path;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The pages with their texts.
fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes");
    let pages = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    });
    pages.collect()
}

/// The blocks of TOML in a page.
fn blocks(page: &str) -> Vec<&str> {
    let blocks = page.split("```toml\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// A block with something in the place of what a test's environment does not have.
fn with_secrets(block: &str) -> String {
    let mut text = block.to_owned();
    while let Some(at) = text.find("{ env = ") {
        let end = at + text[at..].find('}').unwrap() + 1;
        let key = text[..at].trim_end_matches([' ', '=']);
        let secret = if key.ends_with("url") {
            "https://example.org/secret"
        } else {
            SECRET
        };
        text.replace_range(at..end, &format!("{secret:?}"));
    }
    text
}

fn plan(block: &str) -> Plan {
    let mut house = House::new(&with_secrets(block));
    house.controllers = Controllers::Replaced;
    let folder = house.folder.path();
    std::fs::create_dir(folder.join("scripts")).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    for script in std::fs::read_dir(shipped).unwrap() {
        let script = script.unwrap();
        std::fs::copy(
            script.path(),
            folder.join("scripts").join(script.file_name()),
        )
        .unwrap();
    }
    load(&house.locator(), &crate::builtin(), &super::services())
        .unwrap_or_else(|errors| panic!("{errors}\nin\n{block}"))
}

#[test]
fn every_block_loads_without_a_warning() {
    let mut count = 0;
    for (name, page) in pages() {
        for block in blocks(&page) {
            assert_eq!(
                plan(block).warnings,
                Vec::<String>::new(),
                "{name}:\n{block}"
            );
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn there_are_twenty_of_them() {
    let pages: String = pages().into_iter().map(|(_, page)| page).collect();
    for number in 1..=20 {
        assert!(pages.contains(&format!("\n## {number}. ")), "{number}");
    }
}

#[test]
fn the_first_push_takes_less_than_ten_lines() {
    let pages = pages();
    let (_, home) = pages.iter().find(|(name, _)| name == "home.md").unwrap();
    let first = blocks(home)[0];
    // Beside it only the controller, in three lines: see config.toml.
    assert!(first.lines().count() + 3 < 10, "{first}");
    let plan = plan(first);
    assert!(plan.alerts.len() > 5 && plan.sinks.len() == 1);
    let names: Vec<_> = plan.chains.iter().map(|chain| &*chain.name).collect();
    assert_eq!(names, ["essentials"]);
}
