//! `herald schema`: what editors and readers get is what the code has.

use super::Herald;

#[test]
fn the_page_of_reference_is_that_of_the_code() {
    let ended = Herald::new().run(&["schema", "--markdown"]).with_code(0);
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let there = std::fs::read_to_string(page).unwrap();
    assert!(
        there == ended.stdout,
        "run `herald schema --markdown > docs/configuration.md`"
    );
}

#[test]
fn the_schema_is_json_and_names_the_plugins() {
    let ended = Herald::new().run(&["schema"]).with_code(0);
    let schema: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema["properties"]["controllers"].is_object());
    let plugins = &schema["$defs"]["SinkTable"]["properties"]["plugin"]["enum"];
    assert!(
        plugins
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name == "ntfy"),
        "{plugins}"
    );
}
