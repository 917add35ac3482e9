//! Every snippet of `docs/scripting.md` does what the page says.

use super::*;

const PAGE: &str = include_str!("../../../docs/scripting.md");

/// The fenced blocks of the page in order: language and text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut parts = PAGE.split("```");
    parts.next();
    let mut blocks = Vec::new();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        blocks.push(block.split_once('\n').unwrap());
    }
    blocks
}

#[test]
fn every_snippet_runs() {
    let mut params = toml::Table::new();
    let mut ran = 0;
    for (language, text) in blocks() {
        match language {
            "toml" => {
                let config: toml::Table = toml::from_str(text).unwrap();
                let scripts = config.get("scripts").and_then(toml::Value::as_table);
                let script = scripts.and_then(|scripts| scripts.values().next());
                let found = script
                    .and_then(|script| script.get("params"))
                    .and_then(toml::Value::as_table);
                if let Some(found) = found {
                    params = found.clone();
                }
            }
            "rhai" => {
                let script = if text.contains("fn filter(event)") {
                    engine().compile_text("docs", text, &params)
                } else {
                    engine().compile_where(text)
                };
                let mut script = script.unwrap_or_else(|error| panic!("{error} in\n{text}"));
                let mut guest = roam();
                guest.client.as_mut().unwrap().guest = true;
                for event in [roam(), guest, bare()] {
                    script
                        .run(&Arc::new(event), &cx())
                        .unwrap_or_else(|error| panic!("{error} in\n{text}"));
                }
                ran += 1;
            }
            "text" => {}
            other => panic!("a block of `{other}`"),
        }
    }
    assert_eq!(ran, 8);
}

/// The rows of the table of absent fields, each with what it gives.
#[test]
fn the_table_of_absent_fields_is_true() {
    let table = PAGE.split("| with `x` absent | gives |").nth(1).unwrap();
    let mut rows = 0;
    for row in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let mut cells = row.trim_matches('|').split(" | ");
        let (questions, gives) = (cells.next().unwrap(), cells.next().unwrap().trim());
        for question in questions.split('`').skip(1).step_by(2) {
            let expression = question
                .replace("x", "event.to.channel")
                .replace("{ … }", "{ true } else { false }");
            match gives {
                "true" | "false" => assert_eq!(
                    passes(&expression, &bare()),
                    gives == "true",
                    "{expression}"
                ),
                number if number.parse::<i64>().is_ok() => {
                    assert!(
                        passes(&format!("({expression}) == {number}"), &bare()),
                        "{expression}"
                    );
                }
                _ => {
                    let expression = format!(
                        "let result = {}",
                        expression.replace('…', "event.level > 0")
                    );
                    assert!(
                        wrong(&expression, &bare())
                            .message
                            .starts_with("expected true or false"),
                        "{expression}"
                    );
                }
            }
            rows += 1;
        }
    }
    assert_eq!(rows, 19);
}

/// The numbers of the page are those of the program.
#[test]
fn the_limits_are_those_of_the_page() {
    let limits = Limits::default();
    for (text, number) in [
        ("after 100 000 operations", limits.operations == 100_000),
        ("or 10 ms", limits.time.as_millis() == 10),
        ("than 8 deep", limits.calls == 8),
        ("texts of 64 KiB", limits.string == 64 * 1024),
        ("arrays of 1024 elements", limits.array == 1024),
        ("maps of 512 entries", limits.map == 512),
        ("happens 20 times running", LIMITS_IN_A_ROW == 20),
        ("again every 10 seconds", REST.as_secs() == 10),
        ("an array of at most 64 events", MAX_EVENTS == 64),
        ("has room for 64 KiB as JSON", MAX_FIELDS == 64 * 1024),
    ] {
        assert!(PAGE.replace('\n', " ").contains(text) && number, "{text}");
    }
}
