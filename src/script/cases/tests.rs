//! The cases of the shipped scripts, and what the runner says of cases that fail.

use super::*;

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

#[test]
fn every_shipped_script_has_cases_and_they_hold() {
    // Where a user copies them to, there is nothing else.
    let copied = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(scripts()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copied.path().join(file.file_name())).unwrap();
    }
    let mut wrong = Vec::new();
    let mut ran = 0;
    for script in scripts_in(copied.path()).unwrap() {
        let cases = Cases::read(&script).unwrap_or_else(|error| panic!("{error}"));
        assert!(
            cases.names().count() > 1,
            "{} has few cases",
            script.display()
        );
        for report in cases.run(|_| true) {
            ran += 1;
            wrong.extend(
                report
                    .differences
                    .iter()
                    .map(|found| format!("{}: {}: {found}", report.script, report.case)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > 20);
}

/// Every parameter of a head comment is read by the script, and every one read is in the comment.
#[test]
fn the_head_of_a_shipped_script_names_its_parameters() {
    for script in scripts_in(&scripts()).unwrap() {
        let text = std::fs::read_to_string(&script).unwrap();
        let (head, code) = text.split_once("\nfn ").unwrap();
        for used in code.split("params.").skip(1) {
            let name: String = used
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            assert!(
                head.contains(&format!("\n// {name} ")),
                "{}: `{name}` is not explained",
                script.display()
            );
        }
        let name = script.file_name().unwrap().to_str().unwrap();
        let config: String = head
            .lines()
            .filter_map(|line| line.strip_prefix("//   "))
            .map(|line| format!("{line}\n"))
            .collect();
        let config: toml::Table = toml::from_str(&config).unwrap();
        assert!(
            config["scripts"]
                .to_string()
                .contains(&format!("scripts/{name}")),
            "{name} shows no configuration"
        );
    }
}

const SCRIPT: &str = r#"
fn filter(event) {
    if event.kind == "wan.down" { return false; }
    if event.kind == "wan.up" { return [event, event.derive()]; }
    if event.kind == "lte.limit" { throw "limit"; }
    event.fields.n = count("k", params.window ?? "1h");
    event.fields.night = in_hours("00:00-06:00");
    true
}"#;

/// What the cases in `text` say, one line for each difference.
fn told(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.rhai");
    std::fs::write(&script, SCRIPT).unwrap();
    std::fs::write(Cases::beside(&script), text).unwrap();
    let cases = Cases::read(&script).unwrap_or_else(|error| panic!("{error}"));
    let reports = cases.run(|_| true);
    assert!(
        reports
            .iter()
            .all(|report| report.ok == report.differences.is_empty())
    );
    let differences = reports.iter().flat_map(|report| &report.differences);
    differences.map(ToString::to_string).collect()
}

fn steps(steps: &str) -> Vec<String> {
    told(&format!("[[case]]\nname = \"a\"\nsteps = [{steps}]"))
}

#[test]
fn what_differs_is_told_field_by_field() {
    for (step, expected) in [
        (
            r#"{ event = { kind = "wan.down" }, expect = "keep" }"#,
            &["step 1 at 0s: expected keep, got drop"][..],
        ),
        (
            r#"{ at = "5m", event = { kind = "client.roamed" }, expect = "drop" }"#,
            &["step 1 at 5m: expected drop, got keep"],
        ),
        (
            r#"{ event = { kind = "client.roamed" }, expect = { fields = { n = 2 }, to = { channel = 36, x = 1 }, ssid = "Home", absent = ["client.name"] } }"#,
            &[
                "step 1 at 0s: fields.n: expected 2, got 1",
                "step 1 at 0s: to.channel: expected 36, got 44",
                "step 1 at 0s: to.x: expected 1, got nothing",
                "step 1 at 0s: client.name: expected nothing, got \"Anna's iPhone\"",
            ],
        ),
        (
            r#"{ event = { kind = "wan.up" }, expect = "keep" }"#,
            &["step 1 at 0s: expected keep, got 2 events"],
        ),
        (
            r#"{ event = { kind = "wan.up" }, expect = [{ origin = "stream" }, { origin = "stream" }] }"#,
            &["step 1 at 0s: [1].origin: expected \"stream\", got \"derived\""],
        ),
        (
            r#"{ event = { kind = "wan.up" }, expect = [] }"#,
            &["step 1 at 0s: expected 0 events, got 2 events"],
        ),
        (
            r#"{ event = { kind = "lte.limit" }, expect = { error = "limit" } }"#,
            &[],
        ),
        (
            r#"{ event = { kind = "wan.down" }, expect = { error = "limit" } }"#,
            &["step 1 at 0s: expected the error \"limit\", got drop"],
        ),
    ] {
        let mut told = steps(step);
        told.sort();
        let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(told, expected, "{step}");
    }
    let told = steps(r#"{ event = { kind = "lte.limit" }, expect = "drop" }"#);
    assert!(
        told[0].contains("expected drop, got the error") && told[0].contains("s.rhai:5:"),
        "{told:?}"
    );
}

#[test]
fn time_and_zone_are_those_of_the_case_and_state_is_fresh() {
    let text = r#"
        zone = "Europe/Berlin"
        start = "2026-03-28T23:30:00Z"
        [[case]]
        name = "a"
        steps = [
          { event = { kind = "client.roamed" }, expect = { time = "2026-03-28T23:30:00Z", fields = { n = 1, night = true } } },
          { at = "30m", event = { kind = "client.roamed" }, expect = { time = "2026-03-29T00:00:00.000Z", fields = { n = 2 } } },
          { event = { kind = "client.roamed" }, expect = { time = "2026-03-29T00:00:00Z", fields = { n = 3 } } },
          { at = "1h", event = { kind = "client.roamed", origin = "backfill", time = "2026-03-28T20:00:00Z" }, expect = { fields = { n = 1, night = false } } },
        ]
        [[case]]
        name = "b"
        zone = "UTC"
        params = { window = "1m" }
        steps = [
          { event = { kind = "client.roamed" }, expect = { fields = { n = 1, night = false } } },
          { at = "1m", event = { kind = "client.roamed" }, expect = { fields = { n = 1 } } },
        ]"#;
    assert_eq!(told(text), [""; 0]);
}

#[test]
fn a_case_that_cannot_be_run_says_why() {
    for (step, message) in [
        (
            r#"{ event = { }, expect = "keep" }"#,
            "an event has `kind`, `corpus` or `frame`",
        ),
        (
            r#"{ event = { kind = "x.y" }, expect = "keep" }"#,
            "step 1: `kind`: ",
        ),
        (
            r#"{ event = { kind = "wan.down", client = { nmae = "x" } }, expect = "keep" }"#,
            "an event of this kind has no field `client",
        ),
        (
            r#"{ event = { kind = "wan.down", severity = "loud" }, expect = "keep" }"#,
            "this is no event",
        ),
        (
            r#"{ event = { kind = "wan.down" }, expect = "maybe" }"#,
            "`expect` is \"keep\", \"drop\"",
        ),
        (
            r#"{ at = "soon", event = { kind = "wan.down" }, expect = "drop" }"#,
            "`at`: expected a time",
        ),
        (
            r#"{ event = { corpus = "x.jsonl:1" }, expect = "drop" }"#,
            "there is no `",
        ),
        (
            r#"{ event = { corpus = "x" }, expect = "drop" }"#,
            "`x` is not FILE:LINE",
        ),
        (
            r#"{ event = { frame = "nonsense" }, expect = "drop" }"#,
            "the payload has 0 events, none at 0",
        ),
    ] {
        let told = steps(step);
        assert!(
            told.len() == 1 && told[0].contains(message),
            "{step}: {told:?}"
        );
    }
    assert!(told("zone = \"Mars\"\n[[case]]\nname = \"a\"\nsteps = []")[0].contains("`zone`"));
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.rhai");
    std::fs::write(&script, "fn filter(event) { tru }").unwrap();
    assert!(Cases::read(&script).is_err(), "no file");
    std::fs::write(Cases::beside(&script), "[[case]]\nname = \"a\"\nstep = []").unwrap();
    let error = Cases::read(&script).unwrap_err().to_string();
    assert!(
        error.contains("s.cases.toml") && error.contains("line 3"),
        "{error}"
    );
    std::fs::write(Cases::beside(&script), "[[case]]\nname = \"a\"\nsteps = []").unwrap();
    let reports = Cases::read(&script).unwrap().run(|_| true);
    assert!(
        reports[0].differences[0].got.contains("s.rhai:1:20"),
        "{reports:?}"
    );
}
