//! Every configuration in docs/sources can be read.

use crate::support::herald::Herald;
use std::fs;

#[test]
fn every_example_of_a_source_is_a_configuration() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sources");
    let mut tried = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let blocks = text.split("```toml\n").skip(1);
        for block in blocks.filter_map(|rest| rest.split("```").next()) {
            let herald = Herald::with(block).env("NATS_PASSWORD", "x");
            herald.run(&["check"]).with_code(0);
            tried += 1;
        }
    }
    assert!(tried >= 2, "docs/sources has examples");
}
