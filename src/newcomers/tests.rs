//! Who is new and who is not, over restarts, with and without lists, and at the bound.

use super::*;
use std::collections::BTreeMap;
use std::convert::Infallible;
use unifi_herald_plugin::{Client, Device, Kind};

/// What the store would keep: scope and key, and the value.
type Kept = BTreeMap<(String, String), Vec<u8>>;

fn mac(number: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, number])
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn event(kind: Kind, client: u8) -> Event {
    let mut event = Event::new(kind, format!("e{client}"), at(7));
    event.controller = "home".into();
    event.site = "default".into();
    event.site_name = "Home".into();
    event.client = Some(Client {
        mac: Some(mac(client)),
        ..Client::default()
    });
    event
}

fn joins(client: u8) -> Event {
    event(Kind::CLIENT_CONNECTED, client)
}

fn roll(clients: &[u8]) -> Roll {
    Roll {
        controller: "home".into(),
        site: "default".into(),
        clients: clients.iter().copied().map(mac).collect(),
    }
}

fn listed(clients: &[u8]) -> Newcomers {
    let mut newcomers = Newcomers::default();
    newcomers.take_roll(&roll(clients), at(0));
    newcomers
}

fn commit(newcomers: &mut Newcomers, kept: &mut Kept) {
    let mut changes = Vec::new();
    newcomers.take_state(&mut changes);
    for change in changes {
        match change {
            StateChange::Set {
                scope, key, value, ..
            } => drop(kept.insert((scope.to_string(), key.to_string()), value)),
            StateChange::Forget { scope, key } => {
                kept.remove(&(scope.to_string(), key.to_string()));
            }
            StateChange::Clear { .. } => panic!("nothing is cleared"),
        }
    }
}

fn restarted(kept: &Kept, capacity: usize) -> Newcomers {
    let mut newcomers = Newcomers::with_capacity(capacity);
    let load = |wanted: &str| -> Result<Vec<StateEntry>, Infallible> {
        let entries = kept.iter().filter(|((scope, _), _)| scope == wanted);
        let entry = |((_, key), value): (&(String, String), &Vec<u8>)| StateEntry {
            key: key.as_str().into(),
            value: value.clone(),
            expires: None,
        };
        Ok(entries.map(entry).collect())
    };
    newcomers.load(load).unwrap();
    newcomers
}

#[test]
fn an_unknown_client_is_told_once_and_a_listed_one_never() {
    let mut newcomers = listed(&[1]);
    assert_eq!(newcomers.judge(&joins(1), false, at(9)), None);
    let made = newcomers.judge(&joins(2), false, at(9)).unwrap();
    assert_eq!(made.kind, Kind::CLIENT_FIRST_SEEN);
    assert_eq!(newcomers.judge(&joins(2), false, at(9)), None);
    // A client of another site is another matter.
    let mut elsewhere = joins(2);
    elsewhere.site = "cabin".into();
    let mut cabin = roll(&[]);
    cabin.site = "cabin".into();
    newcomers.take_roll(&cabin, at(9));
    assert!(newcomers.judge(&elsewhere, false, at(9)).is_some());
}

#[test]
fn what_is_made_is_about_the_same_client_place_and_time() {
    let mut parent = joins(1);
    parent.received = at(8);
    parent.ssid = Some("Attic-WiFi".into());
    parent.device = Some(Device {
        name: Some("Attic".into()),
        ..Device::default()
    });
    if let Some(client) = &mut parent.client {
        client.name = Some("anna-phone".into());
        client.random_mac = true;
    }
    let made = listed(&[]).judge(&parent, false, at(9)).unwrap();
    assert_eq!(
        &*made.summary,
        "anna-phone (random address) joined Attic-WiFi for the first time, at Attic"
    );
    assert_eq!((made.time, made.received), (at(7), at(8)));
    assert_eq!(made.origin, Origin::Derived);
    assert_eq!((&*made.controller, &*made.site), ("home", "default"));
    assert_eq!(
        (&made.client, &made.device, &made.ssid),
        (&parent.client, &parent.device, &parent.ssid)
    );
    // Made again of the same, it is the same.
    let again = listed(&[]).judge(&parent, false, at(99)).unwrap();
    assert_eq!(made, again);
    assert_ne!(made.id, parent.id);
    let bare = listed(&[]).judge(&joins(1), false, at(9)).unwrap();
    assert_eq!(
        &*bare.summary,
        "02:00:00:00:00:01 joined Home for the first time"
    );
}

#[test]
fn what_does_not_say_that_a_client_is_there_makes_nothing_and_teaches_nothing() {
    let mut newcomers = listed(&[]);
    for kind in [
        Kind::CLIENT_DISCONNECTED,
        Kind::CLIENT_BLOCKED,
        Kind::GUEST_EXPIRED,
        Kind::UNKNOWN,
    ] {
        assert_eq!(newcomers.judge(&event(kind, 1), false, at(9)), None);
    }
    let mut derived = joins(1);
    derived.origin = Origin::Derived;
    assert_eq!(newcomers.judge(&derived, false, at(9)), None);
    let mut roamed = event(Kind::CLIENT_ROAMED, 1);
    roamed.origin = Origin::Backfill;
    assert!(newcomers.judge(&roamed, false, at(9)).is_some());
}

#[test]
fn history_from_before_herald_is_learned_in_silence() {
    let mut newcomers = listed(&[]);
    assert_eq!(newcomers.judge(&joins(1), true, at(9)), None);
    assert_eq!(newcomers.judge(&joins(1), false, at(9)), None);
}

#[test]
fn without_lists_the_first_day_is_silent_whether_or_not_herald_is_restarted() {
    let day = 24 * 60 * 60 * 1000;
    let (mut kept, mut newcomers) = (Kept::new(), Newcomers::default());
    assert_eq!(newcomers.judge(&joins(1), false, at(0)), None);
    commit(&mut newcomers, &mut kept);
    let mut newcomers = restarted(&kept, CAPACITY);
    assert_eq!(newcomers.judge(&joins(2), false, at(day - 1)), None);
    assert_eq!(newcomers.judge(&joins(1), false, at(day)), None);
    assert!(newcomers.judge(&joins(3), false, at(day)).is_some());
    // Lists that come after all end the silence at once.
    let mut newcomers = restarted(&kept, CAPACITY);
    newcomers.take_roll(&roll(&[4]), at(5));
    assert_eq!(newcomers.judge(&joins(4), false, at(6)), None);
    assert!(newcomers.judge(&joins(5), false, at(6)).is_some());
}

#[test]
fn a_restart_makes_nobody_new_and_the_lists_it_reads_make_nobody_known() {
    let mut kept = Kept::new();
    let mut newcomers = listed(&[1]);
    assert!(newcomers.judge(&joins(2), false, at(9)).is_some());
    commit(&mut newcomers, &mut kept);
    let mut changes = Vec::new();
    newcomers.take_state(&mut changes);
    assert_eq!(changes, []);
    // The third joined while herald was stopped: it is listed, and the history tells of it.
    let mut newcomers = restarted(&kept, CAPACITY);
    newcomers.take_roll(&roll(&[1, 2, 3]), at(20));
    assert_eq!(newcomers.judge(&joins(1), false, at(21)), None);
    assert_eq!(newcomers.judge(&joins(2), false, at(21)), None);
    assert!(newcomers.judge(&joins(3), false, at(21)).is_some());
}

#[test]
fn beyond_the_bound_the_longest_unseen_is_forgotten_counted_and_gone_from_the_store() {
    let day = 24 * 60 * 60 * 1000;
    let mut newcomers = Newcomers::with_capacity(3);
    newcomers.take_roll(&roll(&[1, 2, 3]), at(0));
    let mut kept = Kept::new();
    // The first is there every day, so it is not the one.
    assert_eq!(newcomers.judge(&joins(1), false, at(day)), None);
    assert!(newcomers.judge(&joins(4), false, at(day + 1)).is_some());
    assert_eq!(newcomers.forgotten(), 1);
    commit(&mut newcomers, &mut kept);
    let clients = kept.keys().filter(|(scope, _)| scope != SCOPE);
    let clients: Vec<_> = clients.map(|(_, key)| key.clone()).collect();
    assert_eq!(
        clients,
        [
            "02:00:00:00:00:01",
            "02:00:00:00:00:03",
            "02:00:00:00:00:04"
        ]
    );
    let mut newcomers = restarted(&kept, 3);
    assert_eq!(newcomers.judge(&joins(1), false, at(day + 2)), None);
    assert!(newcomers.judge(&joins(2), false, at(day + 2)).is_some());
}

#[test]
fn state_that_cannot_be_read_is_passed_over() {
    let mut kept = Kept::new();
    commit(&mut listed(&[1]), &mut kept);
    let scope = scope_of("home", "default");
    kept.insert((scope.clone(), "no address".to_owned()), b"1".to_vec());
    kept.insert((scope, mac(2).to_string()), vec![0xff]);
    kept.insert((SCOPE.to_owned(), "home/odd".to_owned()), b"?".to_vec());
    let mut newcomers = restarted(&kept, CAPACITY);
    assert_eq!(newcomers.sites.len(), 1);
    assert_eq!(newcomers.judge(&joins(1), false, at(1)), None);
    assert!(newcomers.judge(&joins(2), false, at(1)).is_some());
}
