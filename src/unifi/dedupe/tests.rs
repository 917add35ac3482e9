//! Tests of duplicates: what is the same, what never is.

mod early;
mod memory;
mod siteless;

use super::*;
use proptest::prelude::*;
use unifi_herald_plugin::{Admin, Client, Device, Endpoint, Kind, Mac, Timestamp, Wan};

const SOURCES: [EventSource; 4] = [
    EventSource::SocketEvents,
    EventSource::SocketAlert,
    EventSource::HistoryV2,
    EventSource::HistoryLegacy,
];

fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last])
}

fn event(id: &str, ms: i64) -> Event {
    let mut event = Event::new(
        Kind::CLIENT_CONNECTED,
        id,
        Timestamp::from_millis(1_579_546_533_000 + ms),
    );
    event.controller = "home".into();
    event.site = "default".into();
    event.client = Some(Client {
        mac: Some(mac(1)),
        ..Client::default()
    });
    event
}

fn with_device(mut event: Event, last: u8) -> Event {
    event.device = Some(Device {
        mac: Some(mac(last)),
        ..Device::default()
    });
    event
}

/// An event that comes alone.
fn admit(dedupe: &mut Dedupe, event: &Event, source: impl Into<Option<EventSource>>) -> Admission {
    dedupe.admit([(event, source.into())])[0]
}

/// Whether `second`, by the system log, is taken for the twin of `first`, by the socket.
fn are_twins(first: &Event, second: &Event) -> bool {
    let mut dedupe = Dedupe::new(10);
    assert_eq!(
        admit(&mut dedupe, first, EventSource::SocketEvents),
        Admission::New
    );
    admit(&mut dedupe, second, EventSource::HistoryV2) == Admission::Duplicate
}

#[test]
fn an_id_comes_once_for_each_controller_and_site() {
    let mut dedupe = Dedupe::new(10);
    let first = event("a", 0);
    assert_eq!(
        admit(&mut dedupe, &first, EventSource::SocketEvents),
        Admission::New
    );
    for source in SOURCES {
        assert_eq!(admit(&mut dedupe, &first, source), Admission::Duplicate);
    }
    assert_eq!(admit(&mut dedupe, &first, None), Admission::Duplicate);
    let mut other = first.clone();
    other.site = "garden".into();
    assert_eq!(
        admit(&mut dedupe, &other, EventSource::SocketEvents),
        Admission::New
    );
    other.controller = "cabin".into();
    other.site = "default".into();
    assert_eq!(
        admit(&mut dedupe, &other, EventSource::SocketEvents),
        Admission::New
    );
}

#[test]
fn a_twin_is_merged_once_between_any_two_sources() {
    for first in SOURCES {
        for second in SOURCES {
            let mut dedupe = Dedupe::new(10);
            assert_eq!(admit(&mut dedupe, &event("a", 0), first), Admission::New);
            let expected = if first == second {
                Admission::New
            } else {
                Admission::Duplicate
            };
            assert_eq!(admit(&mut dedupe, &event("b", 2000), second), expected);
            // The first has its twin now; and another report of the second's source is another event.
            assert_eq!(admit(&mut dedupe, &event("c", 0), second), Admission::New);
            // What was merged is known by its id too.
            assert_eq!(
                admit(&mut dedupe, &event("b", 2000), first),
                Admission::Duplicate
            );
        }
    }
}

#[test]
fn time_kind_and_subjects_must_match() {
    let first = with_device(event("a", 0), 9);
    assert!(are_twins(&first, &with_device(event("b", -2000), 9)));
    assert!(!are_twins(&first, &with_device(event("b", 2001), 9)));
    assert!(are_twins(&first, &event("b", 0)), "one names no device");
    assert!(!are_twins(&first, &with_device(event("b", 0), 8)));
    let mut other = with_device(event("b", 0), 9);
    other.kind = Kind::CLIENT_DISCONNECTED;
    assert!(!are_twins(&first, &other));
    let mut other = with_device(event("b", 0), 9);
    other.ssid = Some("Home".into());
    assert!(are_twins(&first, &other));
    let mut first = first;
    first.ssid = Some("Guests".into());
    assert!(!are_twins(&first, &other));
    let mut nobody = event("b", 0);
    nobody.client = None;
    assert!(!are_twins(&first, &nobody), "nothing is shared");
}

#[test]
fn rare_subjects_bring_twins_together() {
    let bare = |id: &str, kind: Kind| {
        let mut event = event(id, 0);
        event.kind = kind;
        event.client = None;
        event
    };
    let mut login = bare("a", Kind::ADMIN_LOGIN);
    login.admin = Some(Admin {
        name: Some("anna".into()),
        ip: Some("192.0.2.1".into()),
    });
    let mut access = bare("b", Kind::ADMIN_LOGIN);
    access.admin = Some(Admin {
        name: Some("anna".into()),
        ip: None,
    });
    assert!(are_twins(&login, &access));
    access.admin = Some(Admin {
        name: Some("bert".into()),
        ip: None,
    });
    assert!(!are_twins(&login, &access));

    let end = |ip: &str, mac: Option<Mac>| {
        Some(Box::new(Endpoint {
            ip: Some(ip.into()),
            mac,
            ..Endpoint::default()
        }))
    };
    let mut alert = bare("a", Kind::THREAT_DETECTED);
    alert.src = end("192.0.2.1", Some(mac(1)));
    alert.dst = end("198.51.100.1", Some(mac(2)));
    let mut log = with_device(bare("b", Kind::THREAT_DETECTED), 9);
    log.dst = end("198.51.100.1", None);
    assert!(are_twins(&alert, &log));
    log.src = end("192.0.2.2", None);
    assert!(!are_twins(&alert, &log));

    let wan = |name: Option<&str>, interface: Option<&str>| {
        Some(Box::new(Wan {
            name: name.map(Into::into),
            interface: interface.map(Into::into),
            isp: None,
        }))
    };
    let mut down = bare("a", Kind::WAN_DOWN);
    down.wan = wan(None, Some("eth8"));
    let mut failed = bare("b", Kind::WAN_DOWN);
    failed.wan = wan(Some("WAN1"), None);
    assert!(!are_twins(&down, &failed), "two names of two things");
    failed.wan = wan(Some("WAN1"), Some("eth8"));
    assert!(are_twins(&down, &failed));
}

#[test]
fn the_nearest_in_time_is_the_twin() {
    let mut dedupe = Dedupe::new(10);
    for (id, ms) in [("a", 0), ("b", 1500), ("c", 3000)] {
        let admission = admit(&mut dedupe, &event(id, ms), EventSource::SocketEvents);
        assert_eq!(admission, Admission::New);
    }
    for (id, ms) in [("x", 1400), ("y", 100), ("z", 2900)] {
        let admission = admit(&mut dedupe, &event(id, ms), EventSource::SocketAlert);
        assert_eq!(admission, Admission::Duplicate, "{id}");
    }
    let admission = admit(&mut dedupe, &event("w", 1500), EventSource::SocketAlert);
    assert_eq!(admission, Admission::New);
}

#[test]
fn of_what_comes_together_the_nearest_are_twins() {
    // The socket lost "a", of which the history tells first.
    let (a, b) = (event("a", 0), event("b", 500));
    let (twin_of_a, twin_of_b) = (event("x", 0), event("y", 500));
    let log = Some(EventSource::HistoryV2);
    let mut dedupe = Dedupe::new(10);
    assert_eq!(
        admit(&mut dedupe, &b, EventSource::SocketEvents),
        Admission::New
    );
    assert_eq!(
        dedupe.admit([(&twin_of_a, log), (&twin_of_b, log)]),
        [Admission::New, Admission::Duplicate]
    );
    // What comes together may be each other's twins, and be known.
    let mut dedupe = Dedupe::new(10);
    let socket = Some(EventSource::SocketEvents);
    let all = [
        (&a, socket),
        (&twin_of_b, log),
        (&twin_of_a, log),
        (&a, socket),
        (&b, socket),
    ];
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    assert_eq!(
        dedupe.admit(all),
        [new, new, duplicate, duplicate, duplicate]
    );
}

#[test]
fn a_storm_of_one_client_finds_its_twins() {
    let mut dedupe = Dedupe::new(10_000);
    let times = || (0..1_500).map(|n| n * 10);
    for ms in times() {
        let told = event(&format!("s{ms}"), ms);
        let admission = admit(&mut dedupe, &told, EventSource::SocketEvents);
        assert_eq!(admission, Admission::New);
    }
    for ms in times() {
        let told = event(&format!("l{ms}"), ms);
        let admission = admit(&mut dedupe, &told, EventSource::HistoryV2);
        assert_eq!(admission, Admission::Duplicate, "{ms}");
    }
}

#[test]
fn a_storm_within_one_moment_finds_its_twins() {
    let count = 1_000;
    let named = |prefix: &str| -> Vec<Event> {
        let names = (0..count).map(|n| format!("{prefix}{n}"));
        names.map(|name| event(&name, 0)).collect()
    };
    let (told, lost) = (named("s"), named("l"));
    let log: Vec<_> = named("x").into_iter().chain(named("y")).collect();
    let of_log = |event| (event, Some(EventSource::HistoryV2));
    let mut dedupe = Dedupe::new(10_000);
    // What the socket lost is in the log before what it told.
    for event in &lost[..count / 2] {
        assert_eq!(
            admit(&mut dedupe, event, EventSource::HistoryV2),
            Admission::New
        );
    }
    for event in &told {
        admit(&mut dedupe, event, EventSource::SocketEvents);
    }
    let admitted = dedupe.admit(log.iter().map(of_log));
    let new = admitted
        .iter()
        .filter(|admission| **admission == Admission::New);
    // Half of those that the socket told have their twins before.
    assert_eq!(new.count(), 2 * count - count / 2);
}

#[test]
fn sites_are_told_apart_within_what_comes_together() {
    let mut other = event("a", 0);
    other.site = "garden".into();
    let (one, log) = (event("a", 0), event("b", 0));
    let socket = Some(EventSource::SocketEvents);
    let mut dedupe = Dedupe::new(10);
    let all = [
        (&one, socket),
        (&other, socket),
        (&log, Some(EventSource::HistoryV2)),
        (&other, None),
    ];
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    assert_eq!(dedupe.admit(all), [new, new, duplicate, duplicate]);
}

#[test]
fn what_came_by_a_source_is_no_twin_of_its_neighbour_there() {
    let mut dedupe = Dedupe::new(10);
    assert_eq!(
        admit(&mut dedupe, &event("a", 0), EventSource::SocketEvents),
        Admission::New
    );
    assert_eq!(
        admit(&mut dedupe, &event("a", 0), EventSource::HistoryLegacy),
        Admission::Duplicate
    );
    assert_eq!(
        admit(&mut dedupe, &event("b", 1000), EventSource::HistoryLegacy),
        Admission::New
    );
}

#[test]
fn different_ids_of_one_store_are_different_events() {
    let (one, two) = ("8485efa41d5a6ecf592cd22f", "f3f78bbd49018b6cbc04b210");
    let mut dedupe = Dedupe::new(10);
    assert_eq!(
        admit(&mut dedupe, &event(one, 0), EventSource::SocketEvents),
        Admission::New
    );
    assert_eq!(
        admit(&mut dedupe, &event(two, 1000), EventSource::HistoryLegacy),
        Admission::New
    );
    // The system log is another store, with ids of its own.
    let third = event("2954882bf524b32bd30a023e", 0);
    assert_eq!(
        admit(&mut dedupe, &third, EventSource::HistoryV2),
        Admission::Duplicate
    );
}

#[test]
fn what_a_history_tells_by_its_id_is_no_twin_of_another_that_came_with_it() {
    use EventSource::{HistoryV2, SocketAlert};
    let mut dedupe = Dedupe::new(10);
    let told = event("b", 1_800);
    admit(&mut dedupe, &told, SocketAlert);
    let (missed, again) = (event("a", 0), told.clone());
    let history = [(&missed, Some(HistoryV2)), (&again, Some(HistoryV2))];
    let expected = [Admission::New, Admission::Duplicate];
    assert_eq!(dedupe.admit(history), expected);
}

#[test]
fn where_alerts_have_the_ids_of_the_system_log_different_ids_are_different_events() {
    use EventSource::{HistoryV2, SocketAlert};
    let id = |number: u8| format!("5ee9f7ca453d4e00f3c04b{number:02x}");
    let mut dedupe = Dedupe::new(10);
    let known = event(&id(1), 0);
    admit(&mut dedupe, &known, SocketAlert);
    assert_eq!(admit(&mut dedupe, &known, HistoryV2), Admission::Duplicate);
    admit(&mut dedupe, &event(&id(2), 10_000), SocketAlert);
    let missed = event(&id(3), 9_000);
    assert_eq!(admit(&mut dedupe, &missed, HistoryV2), Admission::New);
    // An `events` frame has other ids for the same thing.
    let told = event(&id(4), 20_000);
    admit(&mut dedupe, &told, EventSource::SocketEvents);
    let twin = event(&id(5), 20_000);
    assert_eq!(admit(&mut dedupe, &twin, HistoryV2), Admission::Duplicate);
}

#[test]
fn what_herald_makes_has_no_twins() {
    let mut derived = event("a", 0);
    derived.origin = Origin::Derived;
    assert_eq!(EventSource::of(&derived), None);
    let mut dedupe = Dedupe::new(10);
    assert_eq!(admit(&mut dedupe, &derived, None), Admission::New);
    assert_eq!(
        admit(&mut dedupe, &event("b", 0), EventSource::SocketEvents),
        Admission::New
    );
}

#[test]
fn the_source_is_told_by_origin_and_key() {
    let mut event = event("a", 0);
    for (origin, key, source) in [
        (
            Origin::Stream,
            Some("EVT_WU_Roam"),
            EventSource::SocketEvents,
        ),
        (
            Origin::Stream,
            Some("CLIENT_ROAMED"),
            EventSource::SocketAlert,
        ),
        (
            Origin::Backfill,
            Some("EVT_WU_Roam"),
            EventSource::HistoryLegacy,
        ),
        (Origin::Backfill, None, EventSource::HistoryV2),
    ] {
        event.origin = origin;
        event.key = key.map(Into::into);
        assert_eq!(EventSource::of(&event), Some(source));
    }
}

/// One thing that happened to one of few clients, and which sources report it.
fn happening() -> impl Strategy<Value = (u8, i64, bool, bool)> {
    (0..3_u8, 0..8_000_i64, any::<bool>(), any::<bool>())
}

proptest! {
    /// However like each other they are: with every time told exactly, what one source lost is never put in the place of
    /// what it told.
    #[test]
    fn what_a_source_lost_comes_from_the_other(all in proptest::collection::btree_map(0..8_000_i64, any::<bool>(), 0..40)) {
        let mut dedupe = Dedupe::new(1000);
        for (ms, told) in &all {
            if *told {
                let event = event(&format!("s{ms}"), *ms);
                prop_assert_eq!(admit(&mut dedupe, &event, EventSource::SocketEvents), Admission::New);
            }
        }
        let log: Vec<_> = all.keys().map(|ms| event(&format!("l{ms}"), *ms)).collect();
        let admitted = dedupe.admit(log.iter().map(|event| (event, Some(EventSource::HistoryV2))));
        for (told, admission) in all.values().zip(admitted) {
            prop_assert_eq!(*told, admission == Admission::Duplicate);
        }
    }

    #[test]
    fn events_of_one_source_are_never_merged(all in proptest::collection::vec(happening(), 0..60), source in 0..4_usize) {
        let mut dedupe = Dedupe::new(1000);
        for (n, (client, ms, ..)) in all.iter().enumerate() {
            let mut event = event(&n.to_string(), *ms);
            event.client = Some(Client { mac: Some(mac(*client)), ..Client::default() });
            prop_assert_eq!(admit(&mut dedupe, &event, SOURCES[source]), Admission::New);
        }
    }

    #[test]
    fn no_source_loses_more_than_another_reported(
        all in proptest::collection::vec(happening(), 0..60),
        shuffle in any::<u64>(),
        together in 1..70_usize,
    ) {
        // Every happening is reported by one or both of two sources, in any order, up to 2 s apart.
        let mut reports = Vec::new();
        for (n, (client, ms, by_socket, by_log)) in all.iter().enumerate() {
            if *by_socket || !*by_log {
                reports.push((EventSource::SocketEvents, *client, *ms, format!("s{n}")));
            }
            if *by_log {
                reports.push((EventSource::HistoryV2, *client, *ms, format!("l{n}")));
            }
        }
        let mut order: Vec<usize> = (0..reports.len()).collect();
        order.sort_by_key(|n| (*n as u64).wrapping_mul(shuffle | 1));
        let told: Vec<_> = order.iter().map(|n| {
            let (source, client, ms, id) = &reports[*n];
            let mut event = event(id, *ms);
            event.client = Some(Client { mac: Some(mac(*client)), ..Client::default() });
            (event, Some(*source), *client)
        }).collect();
        let mut dedupe = Dedupe::new(1000);
        let mut new = [0_usize; 3];
        for piece in told.chunks(together) {
            let admitted = dedupe.admit(piece.iter().map(|(event, source, _)| (event, *source)));
            for ((.., client), admission) in piece.iter().zip(admitted) {
                new[usize::from(*client)] += usize::from(admission == Admission::New);
            }
        }
        for client in 0..3_u8 {
            let of = |source: EventSource| reports.iter().filter(|report| report.0 == source && report.1 == client).count();
            let (socket, log) = (of(EventSource::SocketEvents), of(EventSource::HistoryV2));
            let kept = new[usize::from(client)];
            // One to one: what is dropped has a partner that is kept.
            prop_assert!(kept >= socket.max(log), "{kept} of {socket} and {log}");
            prop_assert!(kept <= socket + log);
        }
    }

    #[test]
    fn lone_twins_are_merged_exactly_once(ms in 0..100_000_i64, apart in -2000..=2000_i64, first in 0..4_usize, further in 1..4_usize) {
        let second = (first + further) % 4;
        let mut dedupe = Dedupe::new(10);
        prop_assert_eq!(admit(&mut dedupe, &event("a", ms), SOURCES[first]), Admission::New);
        prop_assert_eq!(admit(&mut dedupe, &event("b", ms + apart), SOURCES[second]), Admission::Duplicate);
        prop_assert_eq!(admit(&mut dedupe, &event("c", ms + apart), SOURCES[second]), Admission::New);
    }
}
