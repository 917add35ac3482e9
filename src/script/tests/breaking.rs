//! Whatever the text, the host survives it.

use super::*;
use proptest::prelude::*;

fn survive(text: &str) {
    let mut options = options();
    options.limits.operations = 2_000;
    let engine = Engine::new(options);
    let event = Arc::new(roam());
    let scripts = [
        engine.compile_text("test", text, &toml::Table::new()),
        engine.compile_where(text),
    ];
    for mut script in scripts.into_iter().flatten() {
        if let Err(error) = script.run(&event, &cx()) {
            assert!(!error.message.is_empty());
        }
    }
    assert_eq!(*event, roam());
}

/// Pieces that make sense to the language in an order that mostly does not.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "event",
        ".",
        "client",
        "name",
        "to",
        "fields",
        "raw",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ";",
        ",",
        "=",
        "==",
        "+",
        "-",
        "!",
        "&&",
        "||",
        "??",
        "?.",
        "|",
        "x",
        "1",
        "0",
        "-1",
        "1.5",
        "\"a\"",
        "'c'",
        "`${",
        "}`",
        "#{",
        "let x = ",
        "if ",
        "else ",
        "loop ",
        "for x in ",
        "switch ",
        "=>",
        "return ",
        "throw ",
        "try ",
        "catch ",
        "fn x(a) ",
        "import ",
        "params",
        "this",
        "derive()",
        "redact(\"client\")",
        "len()",
        "()",
        "true",
        "false",
        "summary",
        "severity",
        "+=",
        "..",
        "in ",
        "const ",
        "Fn(",
        "call",
        "global::",
        "in_hours(",
        "matches(",
        "glob(",
        "keys()",
        "event.fields.a.b",
        "event.raw.nested",
    ])
}

proptest! {
    // Each case builds several engines, which is slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_text(text in "\\PC{0,80}") {
        survive(&text);
        survive(&format!("fn filter(event) {{ {text} }}"));
    }

    #[test]
    fn pieces_of_the_language(pieces in prop::collection::vec(piece(), 0..24)) {
        let body = pieces.join(" ");
        survive(&body);
        survive(&format!("fn filter(event) {{ {body} }}"));
    }
}
