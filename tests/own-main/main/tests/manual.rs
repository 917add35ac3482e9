//! docs/plugins.md: its sink, from an empty folder to a running host.

use crate::support::{cargo, once_for_all, root, run, text};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// What stands in the block behind the words "…, `name`:".
fn block(manual: &str, name: &str) -> String {
    let mention = format!("`{name}`:\n\n```");
    let (_, behind) = manual
        .split_once(&mention)
        .unwrap_or_else(|| panic!("the manual has no {name}"));
    let (_, body) = behind.split_once('\n').unwrap();
    body.split_once("```\n").unwrap().0.to_owned()
}

/// cargo in a project that wants the published crates, which are those of this checkout.
fn published(project: &Path, arguments: &[&str]) -> std::process::Command {
    let root = root();
    let mut command = cargo(project, arguments);
    for (name, path) in [
        ("unifi-herald", root.clone()),
        ("unifi-herald-plugin", root.join("plugins/api")),
    ] {
        let patch = format!(
            "patch.crates-io.{name}.path={:?}",
            path.display().to_string()
        );
        command.args(["--config", &patch]);
    }
    command
}

#[test]
fn its_sink_keeps_the_contract_and_runs() {
    let manual = text(&root().join("docs/plugins.md"));
    let folder = TempDir::new().unwrap();
    let project = folder.path();
    fs::create_dir(project.join("src")).unwrap();
    for name in ["Cargo.toml", "src/main.rs", "src/tests.rs", "config.toml"] {
        fs::write(project.join(name), block(&manual, name)).unwrap();
    }
    once_for_all(project);
    let tested = run(&mut published(project, &["test"]));
    assert!(tested.contains("1 passed"), "{tested}");
    let list = run(published(project, &["run"]).args(["--", "plugins", "list"]));
    let listed = list.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        listed.contains("postbox writes each event into a file of its own"),
        "{list}"
    );
    let demo = ["--", "demo", "--for", "2s", "--rate", "50"];
    run(published(project, &["run"]).args(demo));
    let files = fs::read_dir(project.join("box")).unwrap().count();
    assert!(files > 20, "{files}");
}
