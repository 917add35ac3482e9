//! Digests over days of made-up time, over restarts, and whatever comes.

use super::*;
use collected::{MAX_INCIDENTS, MAX_TOP};
use jiff::civil::Time;
use proptest::prelude::*;
use std::time::Duration;
use unifi_herald_plugin::Digest;
use unifi_herald_plugin::testing::EventBuilder;

const HOUR: Duration = Duration::from_hours(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn digests(skip_empty: bool) -> Digests {
    let plan = DigestPlan {
        name: "daily".into(),
        at: Time::constant(7, 30, 0, 0),
        skip_empty,
    };
    Digests::new(&[plan], TimeZone::get("Europe/Berlin").unwrap())
}

/// Another process with the same plan and what the first had committed.
fn restarted(before: &mut Digests, skip_empty: bool) -> Digests {
    let changes = before.take_state();
    let entries: Vec<StateEntry> = changes
        .into_iter()
        .map(|change| match change {
            StateChange::Set {
                key,
                value,
                expires,
                ..
            } => StateEntry {
                key,
                value,
                expires,
            },
            other => panic!("{other:?}"),
        })
        .collect();
    let mut after = digests(skip_empty);
    let mut load = |_: &str| -> Result<_, ()> { Ok(entries.clone()) };
    after.load(&mut load).unwrap();
    after
}

fn event(number: usize, kind: Kind) -> Event {
    EventBuilder::new(kind).id(&number.to_string()).build()
}

/// What an incident says of itself.
fn message(number: usize, kind: Kind, incident: &str, since: Timestamp) -> Event {
    let named = |event: &mut Event| {
        if let Some(alert) = &mut event.alert {
            alert.id = incident.into();
            alert.title = format!("{incident} is down").into();
            alert.since = since;
            alert.until = alert.until.map(|_| since + HOUR);
        }
    };
    EventBuilder::new(kind)
        .id(&number.to_string())
        .with(named)
        .build()
}

/// The only digest that is told.
fn told(digests: &mut Digests, now: &str) -> (Text, Digest) {
    let told = digests.tick(at(now));
    let [(0, event)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (event.kind, event.origin),
        (Kind::DIGEST_READY, unifi_herald_plugin::Origin::Derived)
    );
    (event.summary.clone(), *event.digest.clone().unwrap())
}

#[test]
fn it_tells_how_many_who_and_which_incidents() {
    let mut digests = digests(true);
    let begun = at("2026-11-25T00:00:00Z");
    assert!(digests.tick(begun).is_empty());
    digests.collect(0, &message(1, Kind::ALERT_FIRING, "Attic", begun + HOUR));
    digests.collect(0, &message(2, Kind::ALERT_RESOLVED, "Attic", begun + HOUR));
    digests.collect(0, &message(3, Kind::ALERT_FIRING, "Cellar", begun));
    for number in 4..7 {
        digests.collect(0, &event(number, Kind::CLIENT_ROAMED));
    }
    digests.collect(0, &event(7, Kind::WAN_DOWN));
    let (summary, digest) = told(&mut digests, "2026-11-25T06:30:00Z");
    assert_eq!(
        &*summary,
        "Digest daily: 2 incidents, 1 of them open; 7 events, most of them client.roamed (3)"
    );
    assert_eq!(
        (digest.since, digest.until),
        (begun, at("2026-11-25T06:30:00Z"))
    );
    assert_eq!(digest.counts["client.roamed"], 3);
    let incidents: Vec<_> = digest
        .incidents
        .iter()
        .map(|one| (&*one.title, one.until))
        .collect();
    assert_eq!(
        incidents,
        [
            ("Cellar is down", None),
            ("Attic is down", Some(begun + HOUR * 2))
        ]
    );
    let top: Vec<_> = digest
        .top
        .iter()
        .map(|one| (&*one.what, &*one.name, one.count))
        .collect();
    assert_eq!(
        top,
        [
            ("client", "Anna's iPhone", 3),
            ("device", "Kitchen", 3),
            ("ssid", "Home", 3)
        ]
    );
    // What still lasts is in the next one, if anything else is.
    digests.collect(0, &event(8, Kind::WAN_UP));
    let (summary, digest) = told(&mut digests, "2026-11-26T06:30:00Z");
    assert_eq!(
        &*summary,
        "Digest daily: 1 incident, still open; 1 event, wan.up"
    );
    assert_eq!(digest.since, at("2026-11-25T06:30:00Z"));
    assert_eq!(digest.incidents.len(), 1);
    assert!(
        digests.tick(at("2026-11-27T06:30:00Z")).is_empty(),
        "nothing came"
    );
}

#[test]
fn an_empty_one_is_told_by_those_who_want_it() {
    let mut digests = digests(false);
    digests.tick(at("2026-11-25T00:00:00Z"));
    let (summary, digest) = told(&mut digests, "2026-11-25T06:30:00Z");
    assert_eq!(
        (&*summary, digest.counts.len()),
        ("Digest daily: no event", 0)
    );
}

#[test]
fn a_restart_forgets_nothing_and_a_time_that_passed_is_made_up_for_once() {
    let mut first = digests(true);
    // It collects before it first looks at a clock.
    first.collect(0, &event(1, Kind::WAN_DOWN));
    first.tick(at("2026-11-25T00:00:00Z"));
    first.collect(0, &event(2, Kind::WAN_DOWN));
    let mut second = restarted(&mut first, true);
    let now = at("2026-11-28T09:00:00Z");
    assert_eq!(second.wake_at(now), Some(at("2026-11-25T06:30:00Z")));
    let made_up = second.tick(now);
    assert_eq!(made_up.len(), 1);
    let digest = made_up[0].1.digest.clone().unwrap();
    assert_eq!(
        (digest.counts["wan.down"], digest.until),
        (2, at("2026-11-25T06:30:00Z"))
    );
    let in_time = first.tick(at("2026-11-25T06:30:00Z"));
    assert_eq!(
        in_time[0].1.id, made_up[0].1.id,
        "the same whenever it is told"
    );
    assert!(second.tick(now).is_empty());
    let mut third = restarted(&mut second, true);
    assert!(third.tick(now).is_empty());
    assert_eq!(third.wake_at(now), Some(at("2026-11-29T06:30:00Z")));
}

#[test]
fn what_comes_by_several_chains_is_collected_once() {
    let mut digests = digests(true);
    digests.tick(at("2026-11-25T00:00:00Z"));
    digests.collect(0, &event(1, Kind::WAN_DOWN));
    digests.collect(0, &event(1, Kind::WAN_DOWN));
    let (summary, _) = told(&mut digests, "2026-11-25T06:30:00Z");
    assert_eq!(&*summary, "Digest daily: 1 event, wan.down");
}

#[test]
fn a_clock_that_is_set_back_does_not_make_it_wait_for_days() {
    let mut digests = digests(false);
    digests.tick(at("2027-11-25T00:00:00Z"));
    digests.tick(at("2026-11-25T00:00:00Z"));
    let now = at("2026-11-25T06:30:00Z");
    assert_eq!(digests.wake_at(now), Some(now));
    assert_eq!(digests.tick(now).len(), 1);
}

#[test]
fn a_day_of_strangers_takes_no_more_than_its_room() {
    let mut digests = digests(true);
    let begun = at("2026-11-25T00:00:00Z");
    digests.tick(begun);
    for number in 0..3_000 {
        let name = format!("{number}-{}", "x".repeat(500));
        let stranger = EventBuilder::new(Kind::CLIENT_CONNECTED).id(&format!("c{number}"));
        digests.collect(0, &stranger.client_name(&name).build());
        if number % 10 == 0 {
            let regular = EventBuilder::new(Kind::CLIENT_CONNECTED).id(&format!("r{number}"));
            digests.collect(0, &regular.client_name("printer").build());
        }
        let incident = format!("incident {number}");
        digests.collect(0, &message(number, Kind::ALERT_FIRING, &incident, begun));
    }
    let state = digests.take_state();
    let StateChange::Set { value, .. } = &state[0] else {
        panic!("{state:?}")
    };
    assert!(value.len() < 128 * 1024, "{}", value.len());
    let (_, digest) = told(&mut digests, "2026-11-25T06:30:00Z");
    assert_eq!(digest.counts["client.connected"], 3_300);
    assert_eq!(
        (digest.incidents.len(), digest.top.len()),
        (MAX_INCIDENTS, MAX_TOP)
    );
    let printer = digest.top.iter().find(|one| &*one.name == "printer");
    assert_eq!(printer.map(|one| one.count), Some(300));
}

proptest! {
    /// Whatever comes and however often it is restarted: every event is told in exactly one digest, once a day.
    #[test]
    fn every_event_is_in_one_digest(
        steps in proptest::collection::vec((0usize..4, 1u64..40), 1..60),
    ) {
        let mut digests = digests(true);
        let mut now = at("2026-03-20T00:00:00Z");
        digests.tick(now);
        let (mut collected, mut counted, mut last) = (0u64, 0u64, None);
        for (number, (what, hours)) in steps.into_iter().enumerate() {
            match what {
                0 => now = now + HOUR * u32::try_from(hours).unwrap(),
                1 => digests = restarted_if_changed(digests),
                _ => {
                    digests.collect(0, &event(number, Kind::ALL[number % Kind::ALL.len()]));
                    collected += 1;
                }
            }
            for (_, told) in digests.tick(now) {
                let digest = told.digest.clone().unwrap();
                prop_assert!(digest.since < digest.until && digest.until <= now);
                prop_assert!(last.is_none_or(|last| digest.since >= last), "they do not overlap");
                last = Some(digest.until);
                counted += digest.counts.values().sum::<u64>();
            }
        }
        for (_, told) in digests.tick(now + HOUR * 30) {
            counted += told.digest.clone().unwrap().counts.values().sum::<u64>();
        }
        prop_assert_eq!(counted, collected);
    }
}

/// A restart whose store has everything that was ever set.
fn restarted_if_changed(mut before: Digests) -> Digests {
    before.digests[0].changed = true;
    restarted(&mut before, true)
}
