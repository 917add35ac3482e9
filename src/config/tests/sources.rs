//! Sources: what must be there, what is wrong with it, and where that is.

use super::{HOME, House, services};
use crate::config::{Controllers, Plan, load, show};

const BUILDING: &str = r#"[sources.building]
plugin = "nats"
options = { servers = ["nats://192.0.2.1"], subject = "events.>", stream = "EVENTS", durable = "herald-building" }
"#;

const REST: &str = r#"[sinks.screen]
plugin = "console"
[chains.all]
steps = [{ sink = "screen" }]
"#;

fn plan(house: &House) -> Result<Plan, String> {
    load(&house.locator(), &crate::builtin(), &services()).map_err(|errors| errors.to_string())
}

fn errors(config: &str) -> String {
    plan(&House::new(config)).unwrap_err()
}

#[test]
fn a_herald_with_sources_needs_no_controller() {
    let plan = plan(&House::new(&format!("{BUILDING}{REST}"))).unwrap();
    assert_eq!(plan.controllers, []);
    assert_eq!(plan.sources.len(), 1);
    assert_eq!(&*plan.sources[0].name, "building");
    assert_eq!(plan.sources[0].plugin.plugin, "nats");
    assert_eq!(plan.warnings, Vec::<String>::new());
    assert!(errors(REST).contains("add a table such as [controllers.home]"));
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_the_fix() {
    assert_eq!(
        errors(&format!(
            "{HOME}[sources.building]\nplugin = \"nat\"\n{REST}"
        )),
        "\
error: `sources.building.plugin`: there is no plugin `nat`
 --> config.toml:5:10
  |
5 | plugin = \"nat\"
  |          ^^^^^
  |
  = help: did you mean `nats`?"
    );
    for (text, place, said) in [
        ("[sources.b]\n", "sources.b.plugin", "one of nats"),
        (
            "[sources.B]\nplugin = \"nats\"\n",
            "sources.B",
            "not a name",
        ),
        (
            "[sources.b]\nplugin = \"nats\"\n",
            "sources.b.options.servers",
            "missing",
        ),
        (
            "[sources.b]\nplugin = \"nats\"\nretry = 5\n",
            "sources.b.retry",
            "known keys: plugin, options",
        ),
        (
            "[sources.b]\nplugin = \"nats\"\noptions = { servers = [\"nats://h\"], subject = \"a\", steam = \"E\" }\n",
            "config.toml:6:52",
            "did you mean `stream`?",
        ),
        (
            "[sources.b]\nplugin = \"nats\"\noptions = { servers = [\"nats://h\"], subject = \"a\", stream = \"E\" }\n",
            "sources.b.options.durable",
            "durable = \"herald-b\"",
        ),
    ] {
        let errors = errors(&format!("{HOME}{text}{REST}"));
        assert!(errors.contains(place) && errors.contains(said), "{errors}");
    }
}

#[test]
fn a_cluster_takes_what_others_publish_by_itself() {
    let cluster =
        "[store]\nmode = \"jetstream\"\njetstream = { servers = [\"nats://192.0.2.1\"] }\n";
    let errors = errors(&format!("{HOME}{BUILDING}{cluster}{REST}"));
    assert!(errors.contains("config.toml:4"), "{errors}");
    assert!(errors.contains("docs/scaling.md"), "{errors}");
}

#[test]
fn whom_events_of_a_source_are_from_is_for_others_to_say() {
    let chain =
        "[chains.c]\nwhen = { controllers = [\"building\"] }\nsteps = [{ sink = \"screen\" }]\n";
    assert!(errors(&format!("{HOME}{REST}{chain}")).contains("there is no controller `building`"));
    let plan = plan(&House::new(&format!("{HOME}{BUILDING}{REST}{chain}"))).unwrap();
    let warning = "`chains.c.when.controllers[0]`: there is no controller `building`, only events of a source can be from one";
    assert_eq!(plan.warnings, [warning]);
}

#[test]
fn simulated_controllers_are_not_joined_by_what_is_real() {
    let mut house = House::new(&format!("{HOME}{BUILDING}{REST}"));
    house.controllers = Controllers::Replaced;
    assert_eq!(plan(&house).unwrap().sources.len(), 0);
}

#[test]
fn what_is_shown_has_no_secret() {
    let account = BUILDING.replace(
        "servers =",
        "username = \"u\", password = \"topsecret\", servers =",
    );
    let house = House::new(&format!("{account}{REST}"));
    let shown = show(&house.locator(), &crate::builtin()).unwrap();
    assert!(shown.contains("[sources.building.options]"), "{shown}");
    assert!(!shown.contains("topsecret"), "{shown}");
    let wrong = account.replace("EVENTS", "E V");
    let errors = errors(&format!("{wrong}{REST}"));
    assert!(!errors.contains("topsecret"), "{errors}");
}
