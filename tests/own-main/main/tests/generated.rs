//! `herald plugins new`: both of its forms compile and pass their own tests.

use crate::support::{cargo, herald, once_for_all, root, run, target, text};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

#[test]
fn a_project_of_its_own_passes_its_tests_and_runs() {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("radio");
    let path = project.to_str().unwrap();
    let told = run(herald(&root()).args(["plugins", "new", "radio", "--path", path]));
    assert!(
        told.ends_with("  cargo test\n  cargo run -- demo\n"),
        "{told}"
    );
    once_for_all(&project);
    let tested = run(&mut cargo(&project, &["test"]));
    assert!(tested.contains("4 passed"), "{tested}");
    let shown = run(cargo(&project, &["run"]).args(["--", "plugins", "show", "radio"]));
    assert!(
        shown.contains("[sinks.NAME]\nplugin = \"radio\"\n"),
        "{shown}"
    );
    assert!(
        shown.contains("[filters.NAME]\nplugin = \"radio\"\n"),
        "{shown}"
    );
    let seen = run(cargo(&project, &["run"]).args(["--", "demo", "--for", "2s", "--rate", "50"]));
    let roamed = seen.lines().filter(|line| line.contains(" client.roamed "));
    assert!(roamed.count() <= 1, "the filter is at work: {seen}");
    assert!(seen.contains("herald.connected"), "{seen}");
}

#[test]
fn a_container_gets_a_herald_with_the_plugin_of_a_folder() {
    let folder = TempDir::new().unwrap();
    let (project, out) = (folder.path().join("radio"), folder.path().join("out"));
    run(herald(folder.path()).args(["plugins", "new", "radio"]));
    once_for_all(&project);
    // What is built already is not built again.
    std::fs::create_dir(project.join(".cargo")).unwrap();
    let profile = text(&root().join("tests/own-main/Cargo.toml"));
    let (_, profile) = profile.split_once("\n[profile.dev]").unwrap();
    let profile = format!("[profile.dev]{profile}");
    std::fs::write(project.join(".cargo/config.toml"), profile).unwrap();
    let script = root().join("packaging/docker/build-with-plugin");
    run(Command::new(script)
        .args([&project, &out])
        .current_dir(&project)
        .env("CARGO", env!("CARGO"))
        .env("CARGO_TARGET_DIR", target())
        .env("OFFLINE", "1")
        .env("PROFILE", "dev"));
    let list = run(Command::new(out.join("herald")).args(["plugins", "list"]));
    assert!(list.contains("sink    radio "), "{list}");
}

#[test]
fn a_crate_among_the_others_passes_its_tests() {
    let folder = TempDir::new().unwrap();
    let checkout = folder.path();
    copy_checkout(checkout);
    let told = run(herald(&checkout.join("docs")).args(["plugins", "new", "two_radios"]));
    assert!(
        told.contains("\nNext:\n  cargo test -p herald-two-radios\n"),
        "{told}"
    );
    let list = text(&checkout.join("src/builtin.rs"));
    assert!(
        list.contains(".sink::<herald_two_radios::TwoRadiosSink>()"),
        "{list}"
    );
    let tested = run(&mut cargo(checkout, &["test", "-p", "herald-two-radios"]));
    assert!(tested.contains("4 passed"), "{tested}");
    // And so does the host with its lines for it.
    let shown = run(cargo(checkout, &["run"]).args(["--", "plugins", "show", "two_radios"]));
    assert!(shown.contains("plugin = \"two_radios\"\n"), "{shown}");
}

/// The sources, as they are under version control or about to be.
fn copy_checkout(to: &Path) {
    let script = format!(
        "tar -c --exclude=./target --exclude=./.git --exclude='./tests/own-main/target' . | tar -x -C '{}'",
        to.display()
    );
    run(Command::new("sh").args(["-c", &script]).current_dir(root()));
}
