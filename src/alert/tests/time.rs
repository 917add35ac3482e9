//! Restarts, repairs, old events, and clocks that jump.

use super::line::{alert, device, span};
use super::*;
use proptest::prelude::*;
use std::time::Duration;
use unifi_herald_plugin::testing::START;
use unifi_herald_plugin::{AlertState, Kind};

const DOWN: &str = r#"
[alerts.down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.device.mac }}"
hold = "2m"
"#;

fn down(more: &str) -> Line {
    line(&format!("{DOWN}{more}"))
}

fn offline(line: &mut Line) -> &mut Line {
    line.push_device(Kind::DEVICE_OFFLINE, device(1, None))
}

#[test]
fn a_restart_neither_repeats_nor_forgets() {
    let mut line = down("");
    offline(&mut line).until("1m");
    line.restart();
    line.repaired().until("5m");
    line.restart();
    line.repaired().until("10m");
    line.push_device(Kind::DEVICE_ONLINE, device(1, None));
    assert_eq!(line.states(), ["2m firing", "10m resolved"]);
}

#[test]
fn what_fell_due_while_nobody_was_there_waits_for_the_first_repair_and_has_its_own_time() {
    let mut line = down("");
    offline(&mut line).until("1m");
    line.commit();
    line.sleep_until("30m").restart();
    line.hole(true).until("30m20s");
    assert!(
        line.told().is_empty(),
        "the history may tell that it came back"
    );
    line.hole(false).until("31m");
    assert_eq!(line.states(), ["1820s firing"]);
    assert_eq!(line.last().time, START + span("2m"), "its own time");
    assert!(
        alert(line.last()).body.contains("28m 20s late"),
        "{}",
        alert(line.last()).body
    );
}

#[test]
fn what_the_history_may_tell_late_is_not_waited_for() {
    let mut line = down("");
    offline(&mut line).until("1m");
    line.commit();
    line.sleep_until("30m").restart();
    line.hole(true).until("30m5s");
    assert!(line.told().is_empty());
    line.hole_is_read().until("30m6s");
    assert_eq!(line.states(), ["1805s firing"]);
    // Another hole on the way is waited for again.
    line.push_device(Kind::DEVICE_ONLINE, device(1, None));
    line.push_device(Kind::DEVICE_OFFLINE, device(2, None));
    line.until("32m").hole(true).until("32m30s");
    assert_eq!(line.states().len(), 2, "{:?}", line.told());
}

#[test]
fn the_repair_may_tell_that_there_is_nothing_to_tell() {
    let mut line = down("");
    offline(&mut line).until("1m");
    line.sleep_until("30m").restart();
    line.hole(true);
    line.push_history("90s", Kind::DEVICE_ONLINE, device(1, None));
    line.hole(false).until("2h");
    assert!(line.told().is_empty(), "{:?}", line.told());
}

#[test]
fn a_repair_that_takes_too_long_is_not_waited_for() {
    let mut line = down("");
    offline(&mut line).until("1m");
    line.sleep_until("30m").restart();
    line.until("2h");
    assert_eq!(line.states(), ["31m firing"]);
}

#[test]
fn history_is_told_in_its_own_order_and_makes_no_storm() {
    let mut line = down("repeat = \"10m\"");
    line.sleep_until("10h").hole(true);
    line.push_history("1h", Kind::DEVICE_OFFLINE, device(1, None));
    // Back within its hold.
    line.push_history("61m", Kind::DEVICE_ONLINE, device(1, None));
    line.push_history("2h", Kind::DEVICE_OFFLINE, device(1, None));
    line.push_history("9h", Kind::DEVICE_ONLINE, device(1, None));
    line.push_history("9h30m", Kind::DEVICE_OFFLINE, device(1, None));
    line.hole(false).until("10h");
    let told: Vec<_> = line
        .messages()
        .iter()
        .map(|event| (alert(event).state, event.time))
        .collect();
    let at = |text: &str| START + span(text);
    assert_eq!(
        told,
        [
            (AlertState::Firing, at("2h2m")),
            // Those that were missed are one.
            (AlertState::Repeated, at("8h52m")),
            (AlertState::Resolved, at("9h")),
            (AlertState::Firing, at("9h32m")),
            (AlertState::Repeated, at("9h52m")),
        ]
    );
}

#[test]
fn what_is_older_than_the_last_change_is_counted_and_changes_nothing() {
    let mut line = down("");
    line.until("1h");
    offline(&mut line).until("2h");
    line.push_history("30m", Kind::DEVICE_ONLINE, device(1, None));
    line.push_history("40m", Kind::DEVICE_OFFLINE, device(1, None));
    line.push_device(Kind::DEVICE_ONLINE, device(1, None));
    // It is well since two hours: an old failure does not come back.
    line.push_history("90m", Kind::DEVICE_OFFLINE, device(1, None));
    line.until("10h");
    assert_eq!(line.states(), ["62m firing", "2h resolved"]);
    assert_eq!(alert(line.last()).count, 2);
}

#[test]
fn an_end_that_was_under_way_when_it_fired_ends_it() {
    let mut line = down("");
    offline(&mut line).until("2m");
    line.push_with(Kind::DEVICE_ONLINE, |event| {
        event.device = Some(device(1, None));
        event.time = START + span("119s");
    });
    assert_eq!(line.states(), ["2m firing", "2m resolved"]);
    assert_eq!(alert(line.last()).duration_s, 119);
}

#[test]
fn a_clock_that_is_set_back_delays_nothing_for_longer_than_it_lasts() {
    let mut line = down("");
    line.until("48h");
    offline(&mut line).until("48h1m");
    line.sleep_until("1h").tick();
    line.until("62m");
    assert_eq!(line.states(), ["62m firing"]);
    // The clock of the controller goes on as it did.
    line.push_with(Kind::DEVICE_ONLINE, |event| {
        event.device = Some(device(1, None));
        event.time = START + span("48h3m");
    });
    assert_eq!(line.states().len(), 2);
}

#[test]
fn a_clock_that_jumps_ahead_makes_everything_due_once() {
    let mut line = down("repeat = \"1h\"");
    offline(&mut line).until("1m");
    line.sleep_until("99h").tick();
    assert_eq!(line.states(), ["99h firing", "99h repeated"]);
}

/// What may happen next: so many seconds pass, then something.
#[derive(Clone, Debug)]
enum Act {
    Offline(u8),
    Online(u8),
    Upgrading(u8),
    Nothing,
}

fn acts() -> impl Strategy<Value = Vec<(u16, Act)>> {
    let act = prop_oneof![
        4 => (0..6_u8).prop_map(Act::Offline),
        3 => (0..6_u8).prop_map(Act::Online),
        1 => (0..6_u8).prop_map(Act::Upgrading),
        1 => Just(Act::Nothing),
    ];
    prop::collection::vec((0..400_u16, act), 1..40)
}

/// Each option, there or not.
fn options() -> impl Strategy<Value = String> {
    let lines = [
        "hold = \"2m\"",
        "limit = \"2/10m\"",
        "flap = { max = 2, within = \"10m\" }",
        "inhibit_by = [\"uplink\"]",
        "resolve_after = \"20m\"",
        "mute_while = { from = [\"device.upgrading\"], until = [\"device.online\"], max = \"5m\" }",
        "group_by = [\"device.uplink.name\"]\ngroup_wait = \"30s\"",
        "quiet = { hours = \"00:00-12:00\" }",
    ];
    prop::collection::vec(any::<bool>(), lines.len()).prop_map(move |chosen| {
        let chosen = lines.iter().zip(chosen).filter(|(_, there)| *there);
        let chosen: Vec<&str> = chosen.map(|(line, _)| *line).collect();
        format!(
            "[alerts.down]\non = [\"device.offline\"]\nresolve_on = [\"device.online\"]\nkey = \"{{{{ event.device.mac }}}}\"\nrepeat = \"1h\"\n{}",
            chosen.join("\n")
        )
    })
}

fn play(line: &mut Line, acts: &[(u16, Act)]) {
    let mut at = Duration::ZERO;
    for (wait, act) in acts {
        at += Duration::from_secs(u64::from(*wait));
        line.until(&unifi_herald_plugin::Span(at).to_string());
        // Two on each of three, which hang on the next.
        let device = |number: u8| device(number, (number > 0).then(|| (number - 1) / 2));
        let (kind, number) = match act {
            Act::Offline(number) => (Kind::DEVICE_OFFLINE, number),
            Act::Online(number) => (Kind::DEVICE_ONLINE, number),
            Act::Upgrading(number) => (Kind::DEVICE_UPGRADING, number),
            Act::Nothing => continue,
        };
        line.push_device(kind, device(*number));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens, an end has a beginning, a beginning has one end at most, and what stays open is repeated or
    /// explained.
    #[test]
    fn every_end_has_a_beginning_and_nothing_is_open_for_ever_unheard(acts in acts(), config in options()) {
        let mut line = line(&config);
        play(&mut line, &acts);
        line.until("48h");
        let mut open: Vec<unifi_herald_plugin::Text> = Vec::new();
        for event in line.messages() {
            let alert = alert(&event);
            match alert.state {
                AlertState::Firing => {
                    prop_assert!(!open.contains(&alert.id), "fired twice: {:?}", line.told());
                    open.push(alert.id.clone());
                }
                AlertState::Resolved => {
                    prop_assert!(open.contains(&alert.id), "{:?}", line.told());
                    open.retain(|id| *id != alert.id);
                }
                AlertState::Repeated | AlertState::Folded => {
                    prop_assert!(open.contains(&alert.id), "{:?}", line.told());
                }
            }
        }
        // In the last day everything that is open was heard of.
        let recent = line.now - Duration::from_hours(24);
        for incident in line.alerts.incidents(line.now) {
            if incident.state == crate::alert::Phase::Folded {
                continue;
            }
            let heard = line.messages().iter().any(|event| alert(event).id == incident.id && event.received > recent);
            prop_assert!(heard, "{incident:?}\n{:?}", line.told());
        }
    }

    /// A process that dies after every step says the same as one that lives.
    #[test]
    fn restarts_change_nothing_of_what_is_said(acts in acts(), config in options()) {
        let (mut steady, mut dying) = (line(&config), line(&config));
        dying.restarts = true;
        let acts = &acts[..acts.len().min(8)];
        for line in [&mut steady, &mut dying] {
            play(line, acts);
            line.until("3h");
        }
        prop_assert_eq!(steady.messages(), dying.messages());
    }
}
