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

#[test]
fn the_rules_for_prometheus_are_valid() {
    let ended = Command::new("promtool")
        .args(["check", "rules"])
        .arg(packaging("prometheus/rules.yml"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && told.contains("9 rules found"),
        "{told}"
    );
}

#[test]
fn rules_and_dashboard_ask_only_for_metrics_there_are() {
    let shown = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/metrics.rs"),
    )
    .unwrap();
    for file in ["prometheus/rules.yml", "grafana/unifi-herald.json"] {
        let text = std::fs::read_to_string(packaging(file)).unwrap();
        let names = text.match_indices("herald_").map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            rest[..end.unwrap_or(rest.len())].trim_end_matches("_bucket")
        });
        let mut count = 0;
        for name in names {
            assert!(shown.contains(&format!("\"{name}\"")), "{file}: {name}");
            count += 1;
        }
        assert!(count > 5, "{file}");
    }
    let dashboard = std::fs::read(packaging("grafana/unifi-herald.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_slice(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 8);
}

#[test]
fn the_image_runs_without_rights_and_tells_how_it_is() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, last) = text.split_once("\nFROM debian:").unwrap();
    assert!(last.contains("\nUSER 10001\n"), "{last}");
    assert!(
        last.contains("\nHEALTHCHECK ") && last.contains("[\"/usr/local/bin/herald\", \"health\"]"),
        "{last}"
    );
    let compose = std::fs::read_to_string(packaging("compose/compose.yaml")).unwrap();
    for line in ["    read_only: true", "    cap_drop: [ALL]"] {
        assert!(compose.lines().any(|there| there == line), "{line}");
    }
}
