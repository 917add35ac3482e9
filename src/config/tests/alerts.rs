//! Alerts and digests: what is read, what is refused and how that is said, and what does nothing.

use super::{HOME, House};
use crate::config::{Inhibitor, QuietThen, RatePlan};
use std::time::Duration;
use unifi_herald_plugin::{Kind, Severity};

const REST: &str = r#"
[sinks.s]
plugin = "null"
[chains.c]
steps = [{ alert = "a" }, { alert = "b" }, { digest = "d" }, { sink = "s" }]
[alerts.b]
on = ["wan.*"]
[digests.d]
at = "7:30"
"#;

fn house(alert: &str) -> House {
    House::new(&format!("{HOME}{REST}[alerts.a]\n{alert}\n"))
}

#[test]
fn every_key_is_read() {
    let plan = house(
        r#"
on = ["device.off*", "port.loop"]
resolve_on = ["device.online"]
where = "event.level > 2"
key = "{{ event.device.mac }}"
hold = "2m"
group_by = ["device.uplink.name", "{{ event.site }}"]
group_wait = "30s"
repeat = "6h"
limit = "3/10m"
flap = { max = 4, within = "5m" }
quiet = { hours = "22:00-07:00", then = "d" }
resolve_after = "1d"
inhibit_by = ["uplink", "alert:b"]
mute_while = { from = ["device.upgrading"], until = ["device.online"], max = "20m" }
wait_for = { field = "event.client.ip" }
severity = "critical"
title = "{{ event.device.name }}"
pass = true
"#,
    )
    .plan();
    assert_eq!(plan.warnings, Vec::<String>::new());
    let names: Vec<&str> = plan.alerts.iter().map(|alert| &*alert.name).collect();
    assert_eq!(names, ["b", "a"], "in the order of the file");
    let alert = &plan.alerts[1];
    assert_eq!(alert.on, [Kind::DEVICE_OFFLINE, Kind::PORT_LOOP]);
    assert_eq!(
        (alert.hold, alert.group_wait),
        (Duration::from_secs(120), Duration::from_secs(30))
    );
    assert_eq!(
        alert.group_by,
        ["{{ event.device.uplink.name }}", "{{ event.site }}"]
    );
    let limit = RatePlan {
        max: 3,
        within: Duration::from_secs(600),
    };
    assert_eq!(
        (alert.limit, alert.repeat),
        (Some(limit), Some(Duration::from_secs(21_600)))
    );
    assert_eq!(alert.quiet.unwrap().then, QuietThen::Digest(0));
    assert_eq!(alert.inhibit_by, [Inhibitor::Uplink, Inhibitor::Alert(0)]);
    let wait = alert.wait_for.as_ref().unwrap();
    assert_eq!(
        (&*wait.field, wait.max),
        ("client.ip", Duration::from_secs(30))
    );
    assert_eq!(
        (alert.severity, alert.pass, alert.lasts()),
        (Some(Severity::Critical), true, true)
    );
    assert!(!plan.alerts[0].lasts() && !plan.alerts[0].on.is_empty());
    assert_eq!(plan.digests[0].at, jiff::civil::Time::constant(7, 30, 0, 0));
    assert!(plan.digests[0].skip_empty);
}

/// A pattern for everything means everything that a controller says.
#[test]
fn alerts_do_not_watch_alerts() {
    let plan = house("on = [\"*\"]").plan();
    let alert = plan
        .alerts
        .iter()
        .find(|alert| &*alert.name == "a")
        .unwrap();
    assert!(alert.on.contains(&Kind::WAN_DOWN) && !alert.on.contains(&Kind::ALERT_FIRING));
    assert!(
        house("on = [\"alert.*\"]")
            .errors()
            .contains("alerts do not watch")
    );
    assert!(
        house("on = [\"digest.ready\"]")
            .errors()
            .contains("alerts do not watch")
    );
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    for (alert, place, message) in [
        ("", "alerts.a.on", "missing"),
        (
            "on = [\"device.offlin\"]",
            "alerts.a.on[0]",
            "did you mean `device.offline`?",
        ),
        (
            "on = [\"wan.down\"]\nkey = \"{{ event.wan.nmae }}\"",
            "alerts.a.key",
            "did you mean `wan.name`?",
        ),
        (
            "on = [\"wan.down\"]\nkey = \"{{ event\"",
            "alerts.a.key",
            "syntax error",
        ),
        (
            "on = [\"wan.down\"]\nkey = \"device.mac\"",
            "alerts.a.key",
            "the same for every event",
        ),
        (
            "on = [\"wan.down\"]\ntitle = \"{{ nonsense }}\"",
            "alerts.a.title",
            "a template sees",
        ),
        (
            "on = [\"wan.down\"]\nwhere = \"event.\"",
            "alerts.a.where",
            "",
        ),
        (
            "on = [\"wan.down\"]\nlimit = \"often\"",
            "alerts.a.limit",
            "\"1/10m\"",
        ),
        (
            "on = [\"wan.down\"]\nlimit = \"0/10m\"",
            "alerts.a.limit",
            "\"1/10m\"",
        ),
        (
            "on = [\"wan.down\"]\nrepeat = \"0s\"",
            "alerts.a.repeat",
            "more than",
        ),
        (
            "on = [\"wan.down\"]\nflap = { max = 3 }",
            "alerts.a.flap.within",
            "missing",
        ),
        (
            "on = [\"wan.down\"]\nquiet = { hours = \"25:00-7:00\" }",
            "alerts.a.quiet.hours",
            "is not a time",
        ),
        (
            "on = [\"wan.down\"]\nquiet = { hours = \"22:00-07:00\", then = \"e\" }",
            "alerts.a.quiet.then",
            "there is no digest `e`",
        ),
        (
            "on = [\"wan.down\"]\ninhibit_by = [\"alert:c\"]",
            "alerts.a.inhibit_by[0]",
            "there is no alert `c`",
        ),
        (
            "on = [\"wan.down\"]\ninhibit_by = [\"alert:a\"]",
            "alerts.a.inhibit_by[0]",
            "does not explain itself",
        ),
        (
            "on = [\"wan.down\"]\ninhibit_by = [\"uplinks\"]",
            "alerts.a.inhibit_by[0]",
            "write \"uplink\"",
        ),
        (
            "on = [\"wan.down\"]\nmute_while = { from = [\"wan.up\"] }",
            "alerts.a.mute_while.max",
            "missing",
        ),
        (
            "on = [\"wan.down\"]\nwait_for = { field = \"client.ipp\" }",
            "alerts.a.wait_for.field",
            "did you mean `client.ip`?",
        ),
        (
            "on = [\"wan.down\"]\ngroup_by = [\"client.macs\"]",
            "alerts.a.group_by[0]",
            "did you mean `client.mac`?",
        ),
    ] {
        let errors = house(alert).errors();
        assert!(errors.contains(&format!("`{place}`")), "{alert}\n{errors}");
        assert!(errors.contains(message), "{alert}\n{errors}");
    }
    let config = format!("{HOME}[digests.d]\nat = \"half past\"\n[digests.e]\n");
    let errors = House::new(&config).errors();
    assert!(
        errors.contains("`digests.d.at`") && errors.contains("`digests.e.at`: missing"),
        "{errors}"
    );
    let config = format!(
        "{HOME}[alerts.down]\non = [\"wan.down\"]\n[chains.c]\nsteps = [{{ alert = \"dwn\" }}]"
    );
    let errors = House::new(&config).errors();
    assert!(
        errors.contains("there is no alert `dwn`") && errors.contains("did you mean `down`?"),
        "{errors}"
    );
}

#[test]
fn a_kind_that_ends_what_it_opens_is_a_warning_unless_a_condition_divides_it() {
    let alert = "on = [\"device.*\"]\nresolve_on = [\"device.online\", \"wan.up\"]\n";
    let warned = |more: &str| {
        let plan = house(&format!("{alert}{more}")).plan();
        let of_both = |warning: &&String| warning.contains("in `on` and in `resolve_on`");
        plan.warnings.iter().find(of_both).cloned()
    };
    let warning = warned("").unwrap();
    assert!(
        warning.starts_with("alerts.a: device.online is"),
        "{warning}"
    );
    assert_eq!(warned("where = 'event.fields.uptime < 60'\n"), None);
}

#[test]
fn what_does_nothing_is_a_warning() {
    let house = House::new(&format!(
        "{HOME}{REST}[alerts.a]\non = [\"wan.down\"]\nrepeat = \"1h\"\ngroup_wait = \"5s\"\n[alerts.idle]\non = [\"wan.up\"]\n[digests.idle]\nat = \"8:00\""
    ));
    let warnings = house.plan().warnings.join("\n");
    for part in [
        "alerts.a.repeat does nothing",
        "alerts.a.group_wait does nothing",
        "no chain uses the alert `idle`",
        "no chain uses the digest `idle`",
    ] {
        assert!(warnings.contains(part), "{part}\n{warnings}");
    }
}
