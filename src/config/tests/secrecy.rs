//! Secrets are in no diagnostic, no listing and no `Debug`.

use super::House;

const SECRET: &str = "hunter2";

/// Secrets in every place, under right and wrong names.
const CONFIG: &str = r#"
[controllers.home]
url = "https://192.0.2.1"
auth = { username = "herald", password = "hunter2", totp = "hunter2", api_key = "hunter2" }

[heartbeat]
url = "https://hc.example.org/hunter2"

[sinks.p]
plugin = "pager"
options = { url = "https://anna:hunter2@192.0.2.9/x", wristband = "hunter2", headers = { Authorization = "Bearer hunter2", X-Team = "hunter2" } }
"#;

#[test]
fn a_good_configuration_shows_none() {
    let house = House::new(&CONFIG.replace("totp = \"hunter2\"", "totp = \"GEZDGNBVGY3TQOJQ\""));
    let plan = format!("{:?}", house.plan());
    assert!(!plan.contains(SECRET), "{plan}");
    assert!(plan.contains("herald"), "{plan}");
    let shown = house.show();
    assert!(
        !shown.contains(SECRET) && !shown.contains("GEZDG"),
        "{shown}"
    );
    assert!(shown.contains("wristband = \"***\""), "{shown}");
}

#[test]
fn overridden_secrets_are_not_shown_either() {
    let house = House::new(&CONFIG.replace("totp = \"hunter2\", ", ""))
        .env("HERALD__CONTROLLERS__HOME__AUTH__PASSWORD", "swordfish")
        .env("HERALD__SINKS__P__OPTIONS__WRISTBAND", "swordfish");
    let shown = house.show();
    assert!(
        !shown.contains("swordfish") && !shown.contains(SECRET),
        "{shown}"
    );
    let plan = format!("{:?}", house.plan());
    assert!(
        !plan.contains("swordfish") && !plan.contains(SECRET),
        "{plan}"
    );
}

#[test]
fn no_mistake_brings_one_to_light() {
    let mistakes = [
        ("username", "usrname"),
        ("password", "pasword"),
        ("password = \"hunter2\"", "password = [\"hunter2\"]"),
        (
            "password = \"hunter2\"",
            "password = { envy = \"hunter2\" }",
        ),
        ("auth = {", "auth = \"herald:hunter2\"\nbuth = {"),
        ("totp", "top"),
        ("https://192.0.2.1\"", "https://herald:hunter2@192.0.2.1\""),
        ("wristband = \"hunter2\"", "wristband = [\"hunter2\"]"),
        ("wristband", "wristbond"),
        ("plugin = \"pager\"", "plugin = \"pagr\""),
        ("Authorization = \"Bearer hunter2\"", "Authorization = 5"),
        ("X-Team = \"hunter2\"", "X-Team = [\"hunter2\"]"),
        ("password = \"hunter2\"", "password = \"hunter2"),
        ("password = \"hunter2\"", "password = hunter2"),
        ("password = \"hunter2\"", "password = \"\"\"hunter2"),
        ("api_key = \"hunter2\" }", "api_key = \"hunter2\""),
        ("[sinks.p]", "[sinks.p"),
        ("url = \"https://hc.example.org/", "url = \"//"),
        (
            "url = \"https://hc.example.org/",
            "evry = 5\nurl = \"ftp://",
        ),
        ("totp = \"hunter2\"", "totp = \"hunter2!\""),
    ];
    for (right, wrong) in mistakes {
        assert!(CONFIG.contains(right), "{right}");
        let errors = House::new(&CONFIG.replacen(right, wrong, 1)).errors();
        assert!(!errors.contains(SECRET), "{wrong}:\n{errors}");
    }
}

#[test]
fn a_numeric_secret_is_not_in_the_message() {
    let errors =
        House::new(&CONFIG.replace("password = \"hunter2\"", "password = 123456")).errors();
    assert!(
        errors.contains("expected a secret") && !errors.contains("123456"),
        "{errors}"
    );
    let errors =
        House::new(&CONFIG.replace("wristband = \"hunter2\"", "wristband = 123456")).errors();
    assert!(
        errors.contains("expected a secret") && !errors.contains("123456"),
        "{errors}"
    );
}
