//! Every snippet of `docs/scripting.md` does what the page says.

use super::*;
use crate::script::cases::Cases;
use crate::script::memory::{MAX_CHANGES, MAX_KEY, MAX_VALUE, MAX_WINDOWS, MemoryLimits};

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

/// A folder with what the page says to put under `scripts`.
struct Page {
    folder: tempfile::TempDir,
    params: toml::Table,
    /// The script shown last.
    script: String,
    ran: usize,
}

impl Page {
    fn rhai(&mut self, text: &str) {
        self.ran += 1;
        if let Some(path) = text.lines().next().unwrap().strip_prefix("// scripts/") {
            let file = self.folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            return std::fs::write(file, text).unwrap();
        }
        let engine = Engine::new(EngineOptions {
            scripts_dir: Some(self.folder.path().to_owned()),
            ..options()
        });
        let script = if text.contains("fn filter(event)") {
            text.clone_into(&mut self.script);
            engine.compile_text("docs", text, &self.params)
        } else {
            engine.compile_where(text)
        };
        let mut script = script.unwrap_or_else(|error| panic!("{error} in\n{text}"));
        let mut guest = roam();
        guest.client.as_mut().unwrap().guest = true;
        for event in [roam(), guest, bare()] {
            script
                .run(&Arc::new(event), &cx())
                .unwrap_or_else(|error| panic!("{error} in\n{text}"));
        }
    }

    fn toml(&mut self, text: &str) {
        let config: toml::Table = toml::from_str(text).unwrap();
        if config.contains_key("case") {
            return assert_eq!(self.differences(text), [""; 0]);
        }
        let scripts = config.get("scripts").and_then(toml::Value::as_table);
        let script = scripts.and_then(|scripts| scripts.values().next());
        let found = script
            .and_then(|script| script.get("params"))
            .and_then(toml::Value::as_table);
        if let Some(found) = found {
            self.params = found.clone();
        }
    }

    /// What the cases in `text` say of the script shown last.
    fn differences(&mut self, text: &str) -> Vec<String> {
        self.ran += 1;
        let script = self.folder.path().join("restless.rhai");
        std::fs::write(&script, &self.script).unwrap();
        std::fs::write(Cases::beside(&script), text).unwrap();
        let reports = Cases::read(&script).unwrap().run(|_| true);
        assert!(!reports.is_empty());
        let differences = reports.iter().flat_map(|report| &report.differences);
        differences.map(ToString::to_string).collect()
    }
}

#[test]
fn every_snippet_runs() {
    let mut page = Page {
        folder: tempfile::tempdir().unwrap(),
        params: toml::Table::new(),
        script: String::new(),
        ran: 0,
    };
    let mut cases = "";
    for (language, text) in blocks() {
        match language {
            "toml" => {
                page.toml(text);
                cases = if text.contains("[[case]]") {
                    text
                } else {
                    cases
                };
            }
            "rhai" => page.rhai(text),
            // What `herald test` says when the cases before it are wrong.
            "text" => {
                let wrong = cases.replace("welcome = true", "welcome = false");
                let told = page.differences(&wrong);
                assert!(told.len() == 1 && text.contains(&told[0]), "{told:?}");
            }
            other => panic!("a block of `{other}`"),
        }
    }
    assert_eq!(page.ran, 13);
}

#[test]
fn every_shipped_script_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    for script in cases::scripts_in(&folder).unwrap() {
        let name = script.file_name().unwrap().to_str().unwrap();
        assert!(PAGE.contains(&format!("| `{name}` |")), "{name}");
    }
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
        ("or 4 ms", limits.time.as_millis() == 4),
        ("than 8 deep", limits.calls == 8),
        ("texts of 64 KiB", limits.string == 64 * 1024),
        ("arrays of 1024 elements", limits.array == 1024),
        ("maps of 512 entries", limits.map == 512),
        ("happens 20 times running", LIMITS_IN_A_ROW == 20),
        ("again every 10 seconds", REST.as_secs() == 10),
        ("an array of at most 64 events", MAX_EVENTS == 64),
        ("has room for 64 KiB as JSON", MAX_FIELDS == 64 * 1024),
        ("up to 4 KiB as JSON", MAX_VALUE == 4096),
        (
            "A key has 256 bytes and 8 windows",
            MAX_KEY == 256 && MAX_WINDOWS == 8,
        ),
        ("One run may make 1024 changes", MAX_CHANGES == 1024),
        (
            "room for 50 000 keys or 8 MiB",
            MemoryLimits::default()
                == MemoryLimits {
                    keys: 50_000,
                    bytes: 8 << 20,
                },
        ),
    ] {
        assert!(PAGE.replace('\n', " ").contains(text) && number, "{text}");
    }
}
