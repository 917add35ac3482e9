//! What is told together, and what explains what.

use super::line::{alert, device};
use super::*;
use unifi_herald_plugin::{AlertState, Kind};

const OFFICE: &str = r#"
[alerts.down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.device.mac }}"
hold = "2m"
inhibit_by = ["uplink", "alert:internet"]

[alerts.gone]
on = ["client.disconnected"]
key = "{{ event.client.mac }}"
hold = "10s"
inhibit_by = ["uplink"]

[alerts.internet]
on = ["wan.down"]
resolve_on = ["wan.up"]
"#;

/// Eight access points on one switch, which is dead: it is told a little later than they are.
#[test]
fn eight_access_points_and_their_dead_switch_are_one_alert() {
    let mut line = line(OFFICE);
    for number in 1..=8 {
        line.push_device(Kind::DEVICE_OFFLINE, device(number, Some(100)));
    }
    line.until("20s")
        .push_device(Kind::DEVICE_OFFLINE, device(100, None));
    line.until("1h");
    assert_eq!(
        line.told(),
        [
            "140s down firing f0:9f:c2:00:00:64",
            "170s down folded f0:9f:c2:00:00:64"
        ]
    );
    let folded = alert(line.last());
    assert!(
        folded.title.ends_with("8 more because of it"),
        "{}",
        folded.title
    );
    assert_eq!(folded.body.lines().count(), 8);
    // Everything comes back: one message.
    line.push_device(Kind::DEVICE_ONLINE, device(100, None));
    line.until("61m");
    for number in 1..=8 {
        line.push_device(Kind::DEVICE_ONLINE, device(number, Some(100)));
    }
    line.until("3h");
    assert_eq!(line.told()[2..], ["1h down resolved f0:9f:c2:00:00:64"]);
    assert!(line.alerts.incidents(line.now).is_empty());
}

#[test]
fn what_is_still_down_when_its_explanation_is_over_is_told_after_its_hold() {
    let mut line = line(OFFICE);
    line.push_device(Kind::DEVICE_OFFLINE, device(100, None));
    line.until("10s")
        .push_device(Kind::DEVICE_OFFLINE, device(1, Some(100)));
    line.until("30m")
        .push_device(Kind::DEVICE_ONLINE, device(100, None));
    line.until("1h");
    let told = line.told();
    assert_eq!(told[0], "2m down firing f0:9f:c2:00:00:64");
    assert_eq!(
        told[2..],
        [
            "30m down resolved f0:9f:c2:00:00:64",
            "32m down firing f0:9f:c2:00:00:01"
        ]
    );
}

#[test]
fn a_chain_of_devices_is_one_alert() {
    let mut line = line(OFFICE);
    line.push_device(Kind::DEVICE_OFFLINE, device(1, Some(2)));
    line.push_device(Kind::DEVICE_OFFLINE, device(2, Some(3)));
    line.push_device(Kind::DEVICE_OFFLINE, device(3, None));
    line.until("1h");
    let firing = line
        .told()
        .into_iter()
        .filter(|told| told.contains("firing"));
    assert_eq!(
        firing.collect::<Vec<_>>(),
        ["2m down firing f0:9f:c2:00:00:03"]
    );
    assert_eq!(alert(line.last()).state, AlertState::Folded);
    assert_eq!(alert(line.last()).body.lines().count(), 2);
}

#[test]
fn forty_clients_and_their_dead_access_point_are_one_alert() {
    let mut line = line(OFFICE);
    for client in 0..40_u8 {
        line.push_with(Kind::CLIENT_DISCONNECTED, |event| {
            event.device = Some(device(1, None));
            let mac = unifi_herald_plugin::Mac::new([2, 0, 0, 0, 0, client]);
            event.client.as_mut().unwrap().mac = Some(mac);
        });
    }
    line.until("5s")
        .push_device(Kind::DEVICE_OFFLINE, device(1, None));
    line.until("1h");
    assert_eq!(line.states(), ["125s firing", "155s folded"]);
    assert!(alert(line.last()).title.contains("40 more"));
}

#[test]
fn another_alert_on_the_same_site_may_explain_it() {
    let mut line = line(OFFICE);
    line.push(Kind::WAN_DOWN);
    line.push_device(Kind::DEVICE_OFFLINE, device(1, None));
    line.push_with(Kind::DEVICE_OFFLINE, |event| {
        event.device = Some(device(2, None));
        event.site = "elsewhere".into();
    });
    line.until("10m").push(Kind::WAN_UP).until("1h");
    let told = line.told();
    assert_eq!(told[0], "0s internet firing ");
    assert!(
        told.contains(&"2m down firing f0:9f:c2:00:00:02".to_owned()),
        "elsewhere: {told:?}"
    );
    assert!(
        told.contains(&"12m down firing f0:9f:c2:00:00:01".to_owned()),
        "{told:?}"
    );
}

const GROUPED: &str = r#"
[alerts.down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.device.mac }}"
group_by = ["device.uplink.name"]
group_wait = "30s"
"#;

#[test]
fn a_group_is_told_once_and_is_over_with_its_last() {
    let mut line = line(GROUPED);
    for number in 1..=3 {
        line.push_device(Kind::DEVICE_OFFLINE, device(number, Some(100)));
        line.until(&format!("{}s", number * 5));
    }
    line.push_device(Kind::DEVICE_OFFLINE, device(9, Some(200)));
    line.until("10m");
    for number in 1..=3 {
        // What is online again may tell of no uplink.
        line.push_device(Kind::DEVICE_ONLINE, device(number, None));
        line.until(&format!("{}m", 10 + number));
    }
    line.until("1h");
    assert_eq!(
        line.told(),
        [
            "30s down firing D100",
            "45s down firing D200",
            "12m down resolved D100"
        ]
    );
    let first = line.messages()[0].clone();
    assert_eq!(alert(&first).count, 3);
    assert!(
        alert(&first).body.contains("Affected: f0:9f:c2:00:00:01, "),
        "{}",
        alert(&first).body
    );
}

#[test]
fn a_group_without_an_end_counts_what_came_within_its_wait() {
    let mut line = line(
        "[alerts.t]\non = [\"threat.*\"]\ngroup_by = [\"threat.signature\", \"src.ip\"]\ngroup_wait = \"30s\"\nbody = \"{{ alert.count }}x\"",
    );
    for second in 0..20 {
        line.until(&format!("{second}s"))
            .push(Kind::THREAT_DETECTED);
    }
    line.until("1h");
    assert_eq!(line.states(), ["30s firing"]);
    assert_eq!(&*alert(line.last()).body, "20x");
}
