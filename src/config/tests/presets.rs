//! Presets: what they stand for, and what stands in their way.

use super::{HOME, House};
use crate::config::presets::{PRESETS, Preset};
use std::time::Duration;

const SINKS: &str = "[sinks.phone]\nplugin = \"null\"\n[sinks.archive]\nplugin = \"null\"\n[chains.all]\nsteps = [{ sink = \"archive\" }]\n";

/// The plan as text, without the folder's name.
fn plan(config: &str) -> String {
    let house = House::new(config);
    let plan = format!("{:#?}", house.plan());
    plan.replace(&house.folder.path().display().to_string(), "FOLDER")
}

fn text(sinks: &[&str]) -> String {
    Preset::find("essentials").unwrap().text(sinks)
}

#[test]
fn a_preset_is_what_it_shows() {
    let by_name = plan(&format!("presets = [\"essentials\"]\n{HOME}{SINKS}"));
    let by_text = plan(&format!("{HOME}{SINKS}{}", text(&["phone"])));
    assert_eq!(by_name, by_text);
    let both = format!(
        "presets = [\"essentials\"]\npreset_sinks = [\"archive\", \"phone\"]\n{HOME}{SINKS}"
    );
    let by_text = plan(&format!("{HOME}{SINKS}{}", text(&["archive", "phone"])));
    assert_eq!(plan(&both), by_text);
}

#[test]
fn every_preset_is_right_and_warns_of_nothing() {
    for preset in PRESETS {
        let config = format!("presets = [\"{}\"]\n{HOME}{SINKS}", preset.name);
        assert_eq!(House::new(&config).plan().warnings, Vec::<String>::new());
        assert!(!preset.text(&["phone"]).contains("#:"), "{}", preset.name);
        assert!(!preset.summary.is_empty());
    }
}

#[test]
fn the_environment_overrides_a_preset() {
    let house = House::new(&format!("presets = [\"essentials\"]\n{HOME}{SINKS}"))
        .env("HERALD__ALERTS__DEVICE_DOWN__HOLD", "7m");
    let plan = house.plan();
    let alerts = plan.alerts.iter();
    let down: Vec<_> = alerts.filter(|one| &*one.name == "device_down").collect();
    assert_eq!(down.len(), 1);
    assert_eq!(down[0].hold, Duration::from_mins(7));
    assert!(!down[0].on.is_empty());
}

#[test]
fn an_alert_of_ones_own_takes_the_place_of_the_presets() {
    let mine = "[alerts.device_down]\non = [\"device.offline\"]\nhold = \"9m\"\ninhibit_by = [\"alert:wan_down\"]\n";
    let house = House::new(&format!("presets = [\"essentials\"]\n{HOME}{SINKS}{mine}"));
    let plan = house.plan();
    assert_eq!(plan.warnings, Vec::<String>::new());
    let alerts = plan.alerts.iter();
    let down: Vec<_> = alerts.filter(|one| &*one.name == "device_down").collect();
    assert_eq!(down.len(), 1);
    assert_eq!(down[0].hold, Duration::from_mins(9));
    assert_eq!(down[0].repeat, None, "nothing of the preset's is left");
    let again = House::new(&house.show());
    assert_eq!(again.show(), house.show());
}

#[test]
fn a_preset_without_a_sink_of_its_own_is_a_warning() {
    let used = SINKS.replace(
        "sink = \"archive\"",
        "sink = \"archive\" }, { sink = \"phone\"",
    );
    for (sinks, why) in [
        (used.as_str(), "every one is named by a chain; say which"),
        ("", "there is none; add a table [sinks.NAME]"),
    ] {
        let plan = House::new(&format!("presets = [\"essentials\"]\n{HOME}{sinks}")).plan();
        let warnings = plan.warnings.join("\n");
        let expected = format!("no sink is left for `presets`: {why}");
        assert!(warnings.contains(&expected), "{warnings}");
        assert!(!plan.alerts.is_empty());
    }
}

#[test]
fn what_is_shown_of_a_configuration_with_presets_loads_again() {
    let shown = House::new(&format!("presets = [\"essentials\"]\n{HOME}{SINKS}")).show();
    assert!(shown.contains("[alerts.device_down]"), "{shown}");
    let again = House::new(&shown);
    assert_eq!(again.show(), shown);
    again.plan();
}

#[test]
fn what_stands_in_their_way_is_told() {
    let refused = |config: &str| House::new(config).errors();
    let errors = refused(&format!("presets = [\"esentials\"]\n{HOME}{SINKS}"));
    assert!(
        errors.contains("`presets[0]`: there is no preset `esentials`")
            && errors.contains("did you mean `essentials`?"),
        "{errors}"
    );
    let errors = refused(&format!("presets = 5\n{HOME}{SINKS}"));
    assert!(errors.contains("expected a list"), "{errors}");
    let mine = "[chains.essentials]\nsteps = [{ sink = \"phone\" }]\n";
    let errors = refused(&format!("presets = [\"essentials\"]\n{HOME}{SINKS}{mine}"));
    assert!(
        errors.contains("`chains.essentials`: the preset `essentials` has one of this name")
            && errors.contains("[chains.essentials]\n")
            && errors.contains("herald presets show essentials"),
        "{errors}"
    );
    let errors = refused(&format!(
        "presets = [\"essentials\"]\npreset_sinks = [\"fone\"]\n{HOME}{SINKS}"
    ));
    assert!(
        errors.contains("`preset_sinks[0]`: there is no sink `fone`"),
        "{errors}"
    );
    let errors = refused(&format!("preset_sinks = [\"phone\"]\n{HOME}{SINKS}"));
    assert!(
        errors.contains("there is no preset that would send to them"),
        "{errors}"
    );
}
