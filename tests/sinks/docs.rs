//! Every configuration in docs/sinks can be read.

use crate::support::herald::Herald;
use std::fs;

#[test]
fn every_example_of_a_sink_is_a_configuration() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sinks");
    let mut tried = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let blocks = text.split("```toml\n").skip(1);
        for block in blocks.filter_map(|rest| rest.split("```").next()) {
            let herald = Herald::with(&format!(
                "{block}\n[controllers.home]\nurl = \"https://192.0.2.1\"\nauth = {{ username = \"herald\", password = \"x\" }}\n"
            ));
            herald
                .env("MQTT_PASSWORD", "x")
                .env("NATS_PASSWORD", "x")
                .run(&["check"])
                .with_code(0);
            tried += 1;
        }
    }
    assert!(tried >= 2, "docs/sinks has examples");
}
