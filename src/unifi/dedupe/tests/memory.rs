//! What is remembered, and for how long.

use super::*;

#[test]
fn memory_is_bounded_and_leaves_nothing_behind() {
    let mut dedupe = Dedupe::new(100);
    for n in 0..10_000_i64 {
        let source = SOURCES[usize::try_from(n % 4).unwrap()];
        let mut event = event(&n.to_string(), n * 700);
        event.client = Some(Client {
            mac: Some(mac(u8::try_from(n % 7).unwrap())),
            ..Client::default()
        });
        admit(&mut dedupe, &event, source);
        let (ids, waiting, keys) = dedupe.sites[0].2.held();
        assert!(ids <= 100 && waiting <= ids && keys <= waiting);
    }
    let admission = admit(&mut dedupe, &event("0", 0), EventSource::SocketEvents);
    assert_eq!(admission, Admission::New, "long forgotten");
}

#[test]
fn what_an_earlier_run_had_is_known_and_waits_for_its_twin() {
    let mut dedupe = Dedupe::new(1000);
    // Two that may look like twins, and were told apart when they came.
    dedupe.remember(&event("a", 0), EventSource::SocketEvents);
    dedupe.remember(&event("b", 100), EventSource::SocketAlert);
    assert_eq!(
        admit(&mut dedupe, &event("a", 0), EventSource::SocketEvents),
        Admission::Duplicate,
        "by its id"
    );
    let mut told = |id, ms| admit(&mut dedupe, &event(id, ms), EventSource::HistoryV2);
    assert_eq!(told("c", 50), Admission::Duplicate, "the twin of one");
    assert_eq!(told("d", 60), Admission::Duplicate, "the twin of the other");
    assert_eq!(told("e", 70), Admission::New);
}

#[test]
fn what_is_forgotten_before_its_twin_does_not_wait_when_it_is_remembered_again() {
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    let (socket, log) = (EventSource::SocketEvents, EventSource::HistoryV2);
    let mut dedupe = Dedupe::new(2);
    assert_eq!(admit(&mut dedupe, &event("a", 0), socket), new);
    assert_eq!(admit(&mut dedupe, &event("x", 0), log), duplicate);
    // "a" is forgotten, "x" is not.
    assert_eq!(admit(&mut dedupe, &event("c", 60_000), socket), new);
    dedupe.remember(&event("a", 0), socket);
    // The socket lost "b", of which the log tells now.
    assert_eq!(admit(&mut dedupe, &event("y", 300), log), new);
    // Whoever has only the id of the one that is forgotten renews the other.
    dedupe.remember(&event("a", 0), socket);
    assert_eq!(admit(&mut dedupe, &event("x", 0), log), duplicate);
    // Both are forgotten, and nothing of them is left.
    assert_eq!(admit(&mut dedupe, &event("f", 80_000), socket), new);
    assert_eq!(admit(&mut dedupe, &event("d", 90_000), socket), new);
    assert_eq!(admit(&mut dedupe, &event("e", 99_000), socket), new);
    assert_eq!(dedupe.sites[0].2.held(), (2, 2, 2));
    assert_eq!(admit(&mut dedupe, &event("a", 0), socket), new);
}

#[test]
fn what_is_remembered_again_lasts_as_long_as_anything_new() {
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    let (socket, log) = (EventSource::SocketEvents, EventSource::HistoryV2);
    let mut dedupe = Dedupe::new(4);
    // One that waits for its twin, and one that has it.
    assert_eq!(admit(&mut dedupe, &event("a", 0), socket), new);
    assert_eq!(admit(&mut dedupe, &event("b", 10_000), socket), new);
    assert_eq!(admit(&mut dedupe, &event("y", 10_000), log), duplicate);
    for (id, ms) in [("a", 0), ("b", 10_000)] {
        dedupe.remember(&event(id, ms), socket);
    }
    for n in 0..2 {
        dedupe.remember(&event(&format!("c{n}"), 60_000 * (n + 1)), socket);
    }
    assert_eq!(admit(&mut dedupe, &event("b", 10_000), socket), duplicate);
    assert_eq!(admit(&mut dedupe, &event("x", 0), log), duplicate);
    // The ids of forgotten twins are beside those of the four.
    let (ids, waiting, keys) = dedupe.sites[0].2.held();
    assert!(ids <= 8, "{ids}");
    assert_eq!((waiting, keys), (2, 2));
    // The one with a twin has not begun to wait again.
    assert_eq!(admit(&mut dedupe, &event("z", 10_300), log), new);
}
