//! Every snippet of `docs/alerts.md` does what the page says.

use super::line::plan;
use crate::script::cases::AlertCases;

const PAGE: &str = include_str!("../../../docs/alerts.md");

/// The fenced blocks of the page in order.
fn blocks() -> Vec<&'static str> {
    let mut parts = PAGE.split("```");
    let mut blocks = Vec::new();
    while let (Some(_), Some(block)) = (parts.next(), parts.next()) {
        blocks.push(block.strip_prefix("toml\n").unwrap());
    }
    blocks
}

/// `# alerts/NAME.cases.toml` in the first line.
fn file_of(block: &str) -> Option<&str> {
    block.lines().next()?.strip_prefix("# alerts/")
}

#[test]
fn every_example_on_the_page_holds() {
    let blocks = blocks();
    let configs = blocks.iter().filter(|block| file_of(block).is_none());
    let config: String = configs.copied().collect();
    let plan = plan(&config);
    let folder = tempfile::tempdir().unwrap();
    let mut ran = 0;
    for block in &blocks {
        let Some(name) = file_of(block) else { continue };
        let file = folder.path().join(name);
        std::fs::write(&file, block).unwrap();
        let cases = AlertCases::read(&file).unwrap_or_else(|error| panic!("{error}"));
        for report in cases.run(&plan, |_| true) {
            let told: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
            assert!(report.ok, "{}: {}: {told:?}", report.script, report.case);
            ran += 1;
        }
    }
    assert!(ran > 12, "{ran}");
}

#[test]
fn every_key_is_on_the_page_and_in_an_example() {
    let examples: String = blocks().concat();
    for key in [
        "on",
        "resolve_on",
        "where",
        "key",
        "hold",
        "group_by",
        "group_wait",
        "repeat",
        "limit",
        "flap",
        "quiet",
        "resolve_after",
        "inhibit_by",
        "mute_while",
        "wait_for",
        "severity",
        "title",
        "body",
        "title_resolved",
        "body_resolved",
        "pass",
        "at",
        "skip_empty",
    ] {
        let set = examples
            .lines()
            .any(|line| line.split('=').next().unwrap().trim() == key);
        assert!(set, "{key}");
        let told = PAGE.contains(&format!("`{key}`")) || PAGE.contains(&format!("`{key} ="));
        assert!(told || ["at", "skip_empty"].contains(&key), "{key}");
    }
}

#[test]
fn a_case_that_does_not_hold_says_what_differs() {
    let plan = plan("[alerts.w]\non = [\"wan.down\"]\nresolve_on = [\"wan.up\"]\ntitle = \"gone\"");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.cases.toml");
    let told = |steps: &str| -> Vec<String> {
        std::fs::write(&file, format!("[[case]]\nname = \"a\"\nsteps = [{steps}]")).unwrap();
        let reports = AlertCases::read(&file).unwrap().run(&plan, |_| true);
        reports[0]
            .differences
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    let down = "event = { kind = \"wan.down\" }";
    assert_eq!(
        told(&format!("{{ {down}, expect = \"nothing\" }}")),
        ["step 1 at 0s: expected nothing, got firing"]
    );
    assert_eq!(
        told(&format!(
            "{{ {down}, expect = {{ firing = {{ title = \"down\" }} }} }}"
        )),
        ["step 1 at 0s: firing.title: expected \"down\", got \"gone\""]
    );
    assert_eq!(
        told(&format!(
            "{{ {down}, expect = {{ firing = {{}} }} }}, {{ at = \"5m\", expect = {{ resolved = {{}} }} }}"
        )),
        ["step 2 at 5m: expected resolved, got nothing"]
    );
    assert!(told("{ expect = \"maybe\" }")[0].contains("`expect` is \"nothing\""));
    let other = folder.path().join("x.cases.toml");
    std::fs::write(&other, "[[case]]\nname = \"a\"\nsteps = []").unwrap();
    let reports = AlertCases::read(&other).unwrap().run(&plan, |_| true);
    assert!(
        reports[0].differences[0]
            .got
            .contains("there is no alert `x`")
    );
}
