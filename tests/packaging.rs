//! What packages bring: the unit is locked up well, and the scripts are scripts.

use std::path::{Path, PathBuf};
use std::process::Command;

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(name)
}

#[test]
fn the_unit_is_exposed_to_little() {
    let ended = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager", "--threshold=19"])
        .arg(packaging("systemd/unifi-herald.service"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    // The threshold is ten times the level that people see: below 2.0.
    assert!(ended.status.success(), "{told}");
    assert!(told.contains("Overall exposure level"), "{told}");
}

#[test]
fn the_unit_runs_the_verb_that_exists_and_gives_up_where_trying_again_helps_nobody() {
    let unit = std::fs::read_to_string(packaging("systemd/unifi-herald.service")).unwrap();
    for line in [
        "ExecStart=/usr/bin/herald run -c /etc/unifi-herald/config.toml",
        "RestartPreventExitStatus=77 78",
        "LoadCredential=secrets:/etc/unifi-herald/secrets",
        "StateDirectory=unifi-herald",
    ] {
        assert!(unit.lines().any(|there| there == line), "{line}");
    }
}

#[test]
fn the_maintainer_scripts_are_sound_for_a_plain_shell() {
    for name in ["postinst", "prerm", "postrm"] {
        let ended = Command::new("sh")
            .arg("-n")
            .arg(packaging("debian").join(name))
            .output();
        assert!(ended.unwrap().status.success(), "{name}");
    }
}
