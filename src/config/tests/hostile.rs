//! No text makes the configuration's reader panic, and no place it names is outside of the text.

use super::House;
use proptest::prelude::*;

const SHIPPED: &str = include_str!("../../../config.toml");

/// Bits of TOML, good and bad.
const BITS: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "\n",
    "\r\n",
    "=",
    "[",
    "]",
    "[[",
    "{",
    "}",
    ",",
    ".",
    "#",
    "\\",
    "é",
    "\u{1f41e}",
    "\u{feff}",
    "\t",
    "0x",
    "1e999",
    "-",
    "nan",
    "2026-01-01",
    // On a line of its own: inside the quotes of another value it would be that value.
    "\npassword = \"hunter2",
    "[sinks.x]\n",
    "[[sinks]]\n",
    "options = 5\n",
    "auth.password = 5\n",
    "a.b.c = { d = [1, { e = 2 }] }\n",
    "99999999999999999999",
    "true",
];

/// The shipped configuration with a few pieces cut out and a few others put in.
fn damaged() -> impl Strategy<Value = String> {
    let cut = (
        any::<prop::sample::Index>(),
        0_usize..40,
        prop::sample::select(BITS),
    );
    prop::collection::vec(cut, 1..6).prop_map(|cuts| {
        let mut text: Vec<char> = SHIPPED.replace("#: ", "").chars().collect();
        for (at, length, bit) in cuts {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, bit.chars());
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_is_reported(text in damaged()) {
        if let Err(errors) = House::new(&text).load() {
            prop_assert!(!errors.to_string().contains("hunter2"));
            prop_assert!(!errors.render(true).contains("hunter2"));
            let lines: Vec<&str> = text.split('\n').collect();
            for error in errors.iter() {
                if let (Some(line), Some(column)) = (error.line, error.column) {
                    let columns = lines.get(line - 1).map(|line| line.chars().count());
                    prop_assert!(columns.is_some_and(|columns| column <= columns + 1), "{line}:{column}");
                }
            }
        }
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        drop(House::new(&text).load());
    }
}
