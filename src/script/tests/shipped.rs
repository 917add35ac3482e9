//! The scripts that come with the product do what they say.

use super::*;
use unifi_herald_plugin::Severity;

fn shipped(name: &str, params: &str) -> Script {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scripts")
        .join(name);
    let params = toml::from_str(params).unwrap();
    let plan = ScriptPlan {
        file,
        on_error: crate::config::OnError::Keep,
        params,
    };
    engine()
        .compile_file(name, &plan)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn at(time: &str) -> RunContext<'static> {
    RunContext {
        now: time.parse().unwrap(),
        ..cx()
    }
}

fn kept(script: &mut Script, event: &Event, time: &str) -> Option<Event> {
    match script
        .run(&Arc::new(event.clone()), &at(time))
        .unwrap_or_else(|error| panic!("{error}"))
    {
        Outcome::Keep(event) => Some((*event).clone()),
        Outcome::Drop => None,
        Outcome::Many(_) => panic!("many"),
    }
}

const FRIDAY_NOON: &str = "2026-06-05T10:00:00Z";
const FRIDAY_NIGHT: &str = "2026-06-05T21:00:00Z";

#[test]
fn every_shipped_script_compiles_and_is_tested_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".rhai")).collect();
    names.sort();
    let this = include_str!("shipped.rs");
    for name in names {
        assert!(this.contains(&format!("\"{name}\"")), "{name} has no test");
        shipped(&name, "");
    }
}

#[test]
fn office_hours() {
    let event = roam();
    let mut script = shipped("office_hours.rhai", "");
    assert!(kept(&mut script, &event, FRIDAY_NOON).is_none());
    assert!(kept(&mut script, &event, FRIDAY_NIGHT).is_some());
    assert!(
        kept(&mut script, &bare(), FRIDAY_NOON).is_some(),
        "critical passes at any time"
    );
    let mut script = shipped(
        "office_hours.rhai",
        "hours = \"20:00-24:00\"\npass = \"within\"\nalways_from = \"info\"",
    );
    assert!(kept(&mut script, &event, FRIDAY_NOON).is_some());
    let mut script = shipped(
        "office_hours.rhai",
        "hours = \"20:00-24:00\"\npass = \"within\"",
    );
    assert!(kept(&mut script, &event, FRIDAY_NOON).is_none());
    assert!(kept(&mut script, &event, FRIDAY_NIGHT).is_some());
    let error = shipped("office_hours.rhai", "pass = \"x\"")
        .run(&Arc::new(event.clone()), &cx())
        .unwrap_err();
    assert_eq!(
        error.message,
        "office_hours: `pass` must be \"outside\" or \"within\""
    );
    let error = shipped("office_hours.rhai", "always_from = \"x\"")
        .run(&Arc::new(event), &cx())
        .unwrap_err();
    assert_eq!(error.message, "office_hours: there is no severity \"x\"");
}

#[test]
fn redact_personal() {
    let mut guest = roam();
    guest.client.as_mut().unwrap().guest = true;
    let event = kept(
        &mut shipped("redact_personal.rhai", "more = [\"ssid\"]"),
        &guest,
        FRIDAY_NOON,
    )
    .unwrap();
    let json = serde_json::to_string(&event).unwrap();
    for secret in ["Anna", "iphone", "02:00:00:00:00:01", "rssi", "\"ssid\""] {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
    assert!(json.contains("Kitchen"), "{json}");
    assert_eq!(
        kept(
            &mut shipped("redact_personal.rhai", "keep_guests = true"),
            &guest,
            FRIDAY_NOON
        ),
        Some(guest)
    );
    let event = kept(
        &mut shipped("redact_personal.rhai", "fields = [\"client.name\"]"),
        &roam(),
        FRIDAY_NOON,
    )
    .unwrap();
    assert_eq!(event.client.unwrap().mac, Some(mac(1)));
}

#[test]
fn severity_by_device() {
    let mut event = roam();
    event.kind = Kind::DEVICE_OFFLINE;
    event.severity = Severity::Error;
    let mut script = shipped(
        "severity_by_device.rhai",
        "devices = { \"kit*\" = \"info\", \"02:00:*\" = \"notice\" }",
    );
    let changed = kept(&mut script, &event, FRIDAY_NOON).unwrap();
    assert_eq!(
        (changed.severity, &changed.fields["severity_was"]),
        (Severity::Notice, &"error".into())
    );
    // Another device, another kind, no device at all: as before.
    let mut other = event.clone();
    other.device = None;
    assert_eq!(kept(&mut script, &other, FRIDAY_NOON), Some(other));
    assert_eq!(kept(&mut script, &roam(), FRIDAY_NOON), Some(roam()));
    let mut script = shipped(
        "severity_by_device.rhai",
        "devices = { \"kit*\" = \"bad\" }",
    );
    let error = script.run(&Arc::new(event), &cx()).unwrap_err();
    assert_eq!(
        error.message,
        "severity_by_device: there is no severity \"bad\""
    );
}
