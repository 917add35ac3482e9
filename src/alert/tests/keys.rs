//! One key of the configuration at a time.

use super::line::{alert, device, span};
use super::*;
use unifi_herald_plugin::testing::START;
use unifi_herald_plugin::{AlertState, Kind, Origin, Severity};

const DOWN: &str = r#"
[alerts.down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.device.mac }}"
"#;

fn down(more: &str) -> Line {
    line(&format!("{DOWN}{more}"))
}

fn offline(line: &mut Line) -> &mut Line {
    line.push_device(Kind::DEVICE_OFFLINE, device(1, None))
}

fn online(line: &mut Line) -> &mut Line {
    line.push_device(Kind::DEVICE_ONLINE, device(1, None))
}

#[test]
fn what_begins_is_told_and_what_ends_is_told() {
    let mut line = down("title = \"{{ event.device.name }} is offline\"");
    offline(&mut line);
    online(line.until("10m"));
    assert_eq!(line.states(), ["0s firing", "10m resolved"]);
    let [firing, resolved] = line.messages().try_into().unwrap();
    assert_eq!(
        (firing.kind, resolved.kind),
        (Kind::ALERT_FIRING, Kind::ALERT_RESOLVED)
    );
    assert_eq!(
        (&*firing.summary, &*resolved.summary),
        ("D1 is offline", "Over: D1 is offline")
    );
    assert_eq!((&*firing.controller, &*firing.site), ("home", "default"));
    assert_eq!(
        firing.device,
        Some(device(1, None)),
        "the opener's subjects"
    );
    assert_eq!(
        (firing.origin, firing.severity),
        (Origin::Derived, Severity::Error)
    );
    assert_eq!(
        firing.severity, resolved.severity,
        "what lets one pass lets both pass"
    );
    let (first, last) = (alert(&firing), alert(&resolved));
    assert_eq!((&first.id, &first.since), (&last.id, &last.since));
    assert_eq!((first.until, last.until), (None, Some(START + span("10m"))));
    assert_eq!((last.duration_s, last.count), (600, 1));
    assert_eq!(last.events.len(), 2, "the one that ended it is the last");
    assert_ne!(firing.id, resolved.id);
    assert!(line.alerts.incidents(line.now).is_empty());
}

#[test]
fn an_end_without_a_beginning_says_nothing() {
    let mut line = down("");
    online(&mut line);
    assert_eq!(line.told(), [""; 0]);
}

#[test]
fn hold_is_cancelled_by_its_opposite() {
    let mut line = down("hold = \"2m\"");
    online(offline(&mut line).until("119s"));
    offline(line.until("10m"));
    line.until("1h");
    assert_eq!(line.states(), ["12m firing"]);
    assert_eq!(
        alert(line.last()).since,
        START + span("10m"),
        "not since the cancelled one"
    );
}

#[test]
fn each_key_is_its_own_and_so_is_each_site() {
    let mut line = down("hold = \"1m\"");
    for number in 1..=3 {
        line.push_device(Kind::DEVICE_OFFLINE, device(number, None));
    }
    line.push_with(Kind::DEVICE_OFFLINE, |event| {
        event.device = Some(device(1, None));
        event.site = "other".into();
    });
    online(line.until("30s"));
    line.until("1h");
    assert_eq!(line.states(), ["1m firing", "1m firing", "1m firing"]);
    assert!(line.messages().iter().any(|event| &*event.site == "other"));
}

#[test]
fn without_a_key_there_is_one_incident_for_each_site() {
    let mut line = line("[alerts.a]\non = [\"wan.down\"]\nresolve_on = [\"wan.up\"]");
    line.push(Kind::WAN_DOWN).push(Kind::WAN_DOWN);
    line.push_with(Kind::WAN_DOWN, |event| event.site = "other".into());
    assert_eq!(line.states(), ["0s firing", "0s firing"]);
}

#[test]
fn what_is_missing_in_a_key_is_said_once_in_a_while_and_never_an_empty_key() {
    let mut line = down("");
    for _ in 0..3 {
        line.push_with(Kind::DEVICE_OFFLINE, |event| event.device = None);
    }
    let notices = line.messages();
    assert_eq!(notices.len(), 1);
    assert_eq!(
        (notices[0].kind, notices[0].severity),
        (Kind::SYSTEM_NOTICE, Severity::Warning)
    );
    assert!(
        notices[0].summary.contains("down"),
        "{}",
        notices[0].summary
    );
    assert!(notices[0].reason.is_some());
    line.until("10m")
        .push_with(Kind::DEVICE_OFFLINE, |event| event.device = None);
    assert_eq!(line.messages().len(), 2);
    assert!(line.alerts.incidents(line.now).is_empty());
}

#[test]
fn where_decides_what_opens_and_not_what_ends() {
    let mut line =
        down("where = 'event.device.name != \"D2\" && event.kind == \"device.offline\"'");
    line.push_device(Kind::DEVICE_OFFLINE, device(2, None));
    online(offline(&mut line).until("1m"));
    assert_eq!(line.states(), ["0s firing", "1m resolved"]);
}

#[test]
fn without_an_end_it_fires_and_closes_at_once() {
    let mut line = line(
        "[alerts.t]\non = [\"threat.*\"]\nkey = \"{{ event.threat.signature }}\"\nseverity = \"critical\"",
    );
    line.push(Kind::THREAT_DETECTED)
        .until("1m")
        .push(Kind::THREAT_BLOCKED)
        .until("1h");
    assert_eq!(line.states(), ["0s firing", "1m firing"]);
    let ids: Vec<_> = line
        .messages()
        .iter()
        .map(|event| alert(event).id.clone())
        .collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(line.last().severity, Severity::Critical);
}

#[test]
fn an_open_incident_is_repeated_until_it_is_acknowledged_or_over() {
    let mut line = down("repeat = \"6h\"");
    offline(&mut line).until("13h");
    let id = alert(line.last()).id.clone();
    assert!(line.alerts.acknowledge(&id) && !line.alerts.acknowledge("x"));
    online(line.until("30h"));
    line.until("50h");
    assert_eq!(
        line.states(),
        ["0s firing", "6h repeated", "12h repeated", "30h resolved"]
    );
    assert_eq!(alert(&line.messages()[2]).duration_s, 12 * 3600);
}

#[test]
fn a_limit_counts_what_it_does_not_tell() {
    let mut line = line(
        "[alerts.t]\non = [\"traffic.blocked\"]\nkey = \"{{ event.src.ip | default('x') }}\"\nlimit = \"2/10m\"",
    );
    for minute in 0..12 {
        line.until(&format!("{minute}m"))
            .push(Kind::TRAFFIC_BLOCKED);
    }
    assert_eq!(
        line.states(),
        ["0s firing", "1m firing", "10m firing", "11m firing"]
    );
    let counts: Vec<u64> = line
        .messages()
        .iter()
        .map(|event| alert(event).count)
        .collect();
    assert_eq!(counts, [1, 1, 9, 1]);
}

#[test]
fn a_limit_delays_what_lasts() {
    let mut line = down("limit = \"1/10m\"");
    online(offline(&mut line).until("1m"));
    offline(line.until("2m")).until("1h");
    assert_eq!(line.states(), ["0s firing", "1m resolved", "10m firing"]);
}

#[test]
fn a_limited_incident_that_ends_before_its_turn_is_never_told() {
    let mut line = down("limit = \"1/10m\"");
    for minute in [0, 2, 4] {
        offline(line.until(&format!("{minute}m")));
        online(line.until(&format!("{}m", minute + 1)));
    }
    line.until("1h");
    assert_eq!(line.states(), ["0s firing", "1m resolved"]);
}

#[test]
fn what_comes_and_goes_is_told_once_and_its_end_when_it_is_calm() {
    let mut line = down("hold = \"2m\"\nflap = { max = 3, within = \"10m\" }");
    // Each time shorter than the hold: without `flap` nobody would hear of it.
    for minute in 0..8 {
        offline(line.until(&format!("{minute}m")));
        online(line.until(&format!("{minute}m30s")));
    }
    line.until("2h");
    assert_eq!(
        line.states(),
        ["3m firing", "17m30s resolved"].map(|s| s.replace("17m30s", "1050s"))
    );
    assert!(alert(&line.messages()[0]).body.contains("comes and goes"));
    // After that it is as before.
    offline(&mut line).until("3h");
    assert_eq!(line.states()[2], "122m firing");
}

#[test]
fn it_is_over_when_nothing_came_for_a_while() {
    let mut line = line(
        "[alerts.r]\non = [\"wifi.rogue_ap\"]\nkey = \"{{ event.ssid | default('-') }}\"\nresolve_after = \"30m\"",
    );
    line.push(Kind::WIFI_ROGUE_AP)
        .until("20m")
        .push(Kind::WIFI_ROGUE_AP)
        .until("2h");
    assert_eq!(line.states(), ["0s firing", "50m resolved"]);
    assert_eq!(alert(line.last()).until, Some(START + span("50m")));
}

#[test]
fn a_field_is_waited_for_and_then_done_without() {
    const CONFIG: &str = "[alerts.new]\non = [\"client.connected\"]\nkey = \"{{ event.client.mac }}\"\nwait_for = { field = \"client.ip\", max = \"30s\" }\nbody = \"{{ event.client.ip }}\"";
    let nameless = |line: &mut Line, ip: Option<&str>| {
        line.push_with(Kind::CLIENT_CONNECTED, |event| {
            event.client.as_mut().unwrap().ip = ip.map(Into::into);
        });
    };
    let mut told = line(CONFIG);
    nameless(&mut told, Some("192.0.2.1"));
    assert_eq!(told.states(), ["0s firing"], "it is there");
    let mut without = line(CONFIG);
    nameless(&mut without, None);
    without.until("1h");
    assert_eq!(without.states(), ["30s firing"]);
    let mut later = line(CONFIG);
    nameless(&mut later, None);
    later.until("10s");
    nameless(&mut later, Some("192.0.2.7"));
    later.until("1h");
    assert_eq!(later.states(), ["11s firing"]);
    assert_eq!(&*alert(later.last()).body, "192.0.2.7");
}

#[test]
fn templates_see_the_first_and_the_last_event() {
    let mut line = down(
        "title = \"\"\"{{ event.device.name }}\n\n is  off\"\"\"\nbody = \"{{ alert.count }} {{ alert.keys | join(',') }}\"\ntitle_resolved = \"{{ last.kind }} after {{ alert.duration_s | duration }}\"\nbody_resolved = \"{{ event.time | local('%H:%M') }}\"",
    );
    offline(&mut line);
    online(line.until("200s"));
    let [firing, resolved] = line.messages().try_into().unwrap();
    assert_eq!(&*alert(&firing).title, "D1 is off", "one line");
    assert_eq!(&*alert(&firing).body, "1 f0:9f:c2:00:00:01");
    assert_eq!(&*alert(&resolved).title, "device.online after 3m 20s");
    assert_eq!(alert(&resolved).body.len(), 5);
}

#[test]
fn a_template_that_fails_does_not_keep_the_message_back() {
    let mut line = down(
        "title = \"{{ event.time | local(event.device.name ~ '%') }}\"\nbody = \"{{ event.time | duration }}\"",
    );
    offline(&mut line);
    let told = alert(line.last());
    assert!(
        !told.title.is_empty() && told.body.contains("Since:"),
        "{told:?}"
    );
}

#[test]
fn text_of_strangers_has_no_line_and_no_end() {
    let mut line = down("title = \"{{ event.device.name }}\"");
    line.push_with(Kind::DEVICE_OFFLINE, |event| {
        let mut odd = device(1, None);
        odd.name = Some(format!("{{{{ 7 * 7 }}}}\nx{}", "ä".repeat(4000)).into());
        event.device = Some(odd);
    });
    let title = &alert(line.last()).title;
    assert!(
        title.starts_with("{{ 7 * 7 }} x") && title.len() <= 512,
        "{title}"
    );
}

#[test]
fn an_alert_has_counted_an_event_once_however_often_it_comes() {
    let mut line = down("hold = \"1m\"");
    offline(&mut line);
    line.push_with(Kind::DEVICE_OFFLINE, |event| {
        event.device = Some(device(1, None));
        event.id = "e1".into();
    });
    line.until("1h");
    assert_eq!(alert(line.last()).count, 1);
    assert_eq!(alert(line.last()).state, AlertState::Firing);
}
