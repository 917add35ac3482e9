//! What a history tells before all of its neighbours.

use super::*;

/// An event of the system log that it will tell again.
fn early(event: &Event) -> Report<'_> {
    Report {
        event,
        source: Some(EventSource::HistoryV2),
        early: true,
    }
}

#[test]
fn what_is_in_doubt_is_decided_when_its_neighbour_is_told() {
    // "a" was lost, and "b" came by the socket just behind; the log tells of "a" before it has written "b".
    let b = event("b", 500);
    let (log_of_a, log_of_b) = (event("x", 0), event("y", 500));
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    let mut dedupe = Dedupe::new(10);
    assert_eq!(admit(&mut dedupe, &b, EventSource::SocketEvents), new);
    for _ in 0..2 {
        assert_eq!(dedupe.admit([early(&log_of_a)]), [Admission::Later]);
    }
    // Also where both will be told once more.
    let told = dedupe.admit([early(&log_of_a), early(&log_of_b)]);
    assert_eq!(told, [new, duplicate]);
    let log = Some(EventSource::HistoryV2);
    let told = dedupe.admit([(&log_of_a, log), (&log_of_b, log)]);
    assert_eq!(told, [duplicate, duplicate]);
    // What was withdrawn leaves nothing behind, and takes nothing with it.
    for n in 0..10 {
        admit(&mut dedupe, &event(&format!("later{n}"), 60_000), None);
    }
    assert_eq!(dedupe.sites[0].2.held().0, 10);
}

#[test]
fn neighbours_however_near_are_not_exchanged() {
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    let (socket, log) = (EventSource::SocketEvents, Some(EventSource::HistoryV2));
    for apart in [1, 20, 99, 100, 101, 1_999] {
        // "a" was lost, and the log tells of it before it has written "b".
        let (b, log_of_a, log_of_b) = (event("b", apart), event("x", 0), event("y", apart));
        let mut dedupe = Dedupe::new(10);
        assert_eq!(admit(&mut dedupe, &b, socket), new);
        assert_eq!(dedupe.admit([early(&log_of_a)]), [Admission::Later]);
        let told = dedupe.admit([(&log_of_a, log), (&log_of_b, log)]);
        assert_eq!(told, [new, duplicate], "{apart}");
        // The log tells of "a" before "b" comes by the socket: both are told, by whichever way.
        let mut dedupe = Dedupe::new(10);
        assert_eq!(dedupe.admit([early(&log_of_a)]), [new]);
        let by_socket = admit(&mut dedupe, &b, socket);
        let told = dedupe.admit([(&log_of_a, log), (&log_of_b, log)]);
        assert_eq!(told[0], duplicate);
        assert_ne!(by_socket, told[1], "b once, {apart}");
    }
}

#[test]
fn what_is_beyond_doubt_does_not_wait() {
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    let mut dedupe = Dedupe::new(10);
    let a = event("a", 0);
    assert_eq!(admit(&mut dedupe, &a, EventSource::SocketEvents), new);
    let (log_of_a, log_of_c) = (event("x", 0), event("z", 9_000));
    assert_eq!(
        dedupe.admit([early(&log_of_a), early(&log_of_c)]),
        [duplicate, new]
    );
    // The socket tells of the next before the log does: it is not taken for "c", which the socket lost.
    let d = event("d", 9_500);
    assert_eq!(admit(&mut dedupe, &d, EventSource::SocketEvents), new);
    let log_of_d = event("w", 9_500);
    let log = Some(EventSource::HistoryV2);
    let told = dedupe.admit([(&log_of_a, log), (&log_of_c, log), (&log_of_d, log)]);
    assert_eq!(told, [duplicate, duplicate, duplicate]);
}
