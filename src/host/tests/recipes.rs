//! Every configuration in `docs/recipes` is right as it stands, and the chief ones do what the page says.

use super::timeline::{Timeline, plan};
use std::path::Path;
use std::time::Duration;
use unifi_herald_plugin::Kind;

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

#[test]
fn every_block_loads_without_a_warning() {
    let mut count = 0;
    for (name, page) in pages() {
        for block in blocks(&page) {
            assert_eq!(
                plan(&with_secrets(block)).warnings,
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
    let plan = plan(&with_secrets(first));
    assert!(plan.alerts.len() > 5 && plan.sinks.len() == 1);
    let names: Vec<_> = plan.chains.iter().map(|chain| &*chain.name).collect();
    assert_eq!(names, ["essentials"]);
}

const MINUTE: Duration = Duration::from_mins(1);

/// The first block under the heading of this number, at work.
fn recipe(number: usize) -> Timeline {
    let pages: String = pages().into_iter().map(|(_, page)| page).collect();
    let heading = format!("\n## {number}. ");
    let section = pages.split(&heading).nth(1).unwrap();
    Timeline::of(&with_secrets(blocks(section)[0]))
}

#[test]
fn an_unknown_client_is_told_once() {
    let mut line = recipe(1);
    line.push(Kind::CLIENT_CONNECTED).pass(MINUTE);
    assert_eq!(line.told(), ["phone alert.firing New: Anna's iPhone"]);
    line.push(Kind::CLIENT_CONNECTED).pass(MINUTE);
    assert_eq!(line.told(), [""; 0]);
}

#[test]
fn a_device_is_told_when_it_is_gone_for_long_and_not_while_it_is_upgraded() {
    let mut line = recipe(2);
    line.push(Kind::DEVICE_OFFLINE).pass(MINUTE);
    line.push(Kind::DEVICE_ONLINE).pass(MINUTE * 10);
    assert_eq!(line.told(), [""; 0], "a minute is nothing");
    line.push(Kind::DEVICE_OFFLINE).pass(MINUTE * 3);
    assert_eq!(line.told(), ["phone alert.firing Kitchen is offline"]);
    line.push(Kind::DEVICE_ONLINE).pass(MINUTE);
    assert_eq!(
        line.told(),
        ["phone alert.resolved Over: Kitchen is offline"]
    );
    line.push(Kind::DEVICE_UPGRADE_SCHEDULED).pass(MINUTE);
    line.push(Kind::DEVICE_OFFLINE).pass(MINUTE * 8);
    line.push(Kind::DEVICE_UPGRADED).pass(MINUTE * 60);
    assert_eq!(line.told(), [""; 0], "that was an upgrade");
    line.push(Kind::DEVICE_UPGRADE_SCHEDULED).pass(MINUTE);
    line.push(Kind::DEVICE_OFFLINE).pass(MINUTE * 25);
    assert_eq!(
        line.told(),
        ["phone alert.firing Kitchen is offline"],
        "it did not come back from its upgrade"
    );
}

#[test]
fn a_storm_of_roams_is_told_once() {
    let mut line = recipe(6);
    for _ in 0..30 {
        line.push(Kind::CLIENT_ROAMED).pass(MINUTE / 2);
    }
    assert_eq!(
        line.told(),
        ["team alert.firing Anna's iPhone roams over and over"]
    );
}

#[test]
fn a_burst_of_threats_is_one_message() {
    let mut line = recipe(11);
    for _ in 0..500 {
        line.push(Kind::THREAT_DETECTED).pass(MINUTE / 100);
    }
    line.pass(MINUTE * 60);
    assert_eq!(line.told().len(), 1);
}

#[test]
fn an_administrator_is_told_of_at_a_new_address() {
    let mut line = recipe(12);
    for ip in ["192.0.2.1", "192.0.2.1", "192.0.2.2"] {
        line.push_with(Kind::ADMIN_LOGIN, |event| {
            event.admin.as_mut().unwrap().ip = Some(ip.into());
        });
        line.pass(MINUTE);
    }
    assert_eq!(
        line.told(),
        [
            "phone alert.firing anna logged in from 192.0.2.1",
            "phone alert.firing anna logged in from 192.0.2.2"
        ]
    );
}

#[test]
fn the_daily_mail_comes_once_and_not_when_nothing_happened() {
    let mut line = recipe(20);
    line.pass(MINUTE);
    line.push(Kind::WAN_DOWN)
        .push(Kind::WAN_UP)
        .push(Kind::CLIENT_ROAMED);
    line.pass(MINUTE * 60 * 24);
    let told = line.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("mail digest.ready Digest daily: 2 events"),
        "{told:?}"
    );
    line.pass(MINUTE * 60 * 24 * 3);
    assert_eq!(line.told(), [""; 0]);
}
