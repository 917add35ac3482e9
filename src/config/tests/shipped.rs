//! The `config.toml` of the repository loads as it is, and with every example in it.

use super::House;
use crate::config::{Controllers, Plan, load};

const SHIPPED: &str = include_str!("../../../config.toml");
/// What begins a line that is an example.
const EXAMPLE: &str = "#: ";

fn plan(config: &str) -> Plan {
    let mut house = House::new(config);
    house.controllers = Controllers::Replaced;
    let folder = house.folder.path();
    std::fs::create_dir(folder.join("scripts")).unwrap();
    for script in config.split('"').filter(|text| text.ends_with(".rhai")) {
        std::fs::write(folder.join(script), "fn filter(event) { true }").unwrap();
    }
    load(&house.locator(), &crate::builtin(), &super::services())
        .unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn it_loads_as_it_is() {
    let plan = plan(SHIPPED);
    assert_eq!(plan.warnings, Vec::<String>::new());
    assert_eq!(plan.controllers[0].url, "https://192.168.1.1");
    let sinks: Vec<(&str, &str)> = plan
        .sinks
        .iter()
        .map(|sink| (&*sink.name, &*sink.plugin.plugin))
        .collect();
    assert_eq!(sinks, [("screen", "console"), ("archive", "file")]);
}

#[test]
fn every_example_in_it_loads_too() {
    let mut text = String::new();
    for line in SHIPPED.lines() {
        let line = line
            .strip_prefix(EXAMPLE)
            .or_else(|| line.strip_prefix(EXAMPLE.trim_end()))
            .unwrap_or(line);
        // The test has none of the places that secrets of the examples are in.
        let line = match line
            .split_once("{ env = ")
            .or_else(|| line.split_once("{ file = \"/run"))
        {
            Some((before, after)) if !line.trim_start().starts_with('#') => {
                let after = after.split_once('}').map_or("", |(_, after)| after);
                format!("{before}\"https://example.org/secret\"{after}")
            }
            _ => line.to_owned(),
        };
        text.push_str(&line);
        text.push('\n');
    }
    let plan = plan(&text);
    assert_eq!(plan.warnings, Vec::<String>::new());
    assert_eq!(
        (plan.controllers.len(), plan.sinks.len(), plan.chains.len()),
        (2, 9, 3)
    );
    assert_eq!(plan.scripts.len(), 1);
    assert_eq!(plan.chains[1].steps.len(), 11);
    assert_eq!((plan.alerts.len(), plan.digests.len()), (2, 1));
}
