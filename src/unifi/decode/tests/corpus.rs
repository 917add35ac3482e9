//! Every line of the corpus, decoded; a changed snapshot is a changed contract.

use super::*;

const FRAMES: &str = include_str!("../../../../tests/fixtures/corpus/ws_messages.jsonl");
const HISTORY: &str = include_str!("../../../../tests/fixtures/corpus/rest_events.jsonl");
const SYSTEM_LOG: &str = include_str!("../../../../tests/fixtures/corpus/system_log.jsonl");

/// What a frame was and the events in it, byte for byte as sinks get them.
fn shown(frame: &Frame, events: &[Arc<Event>]) -> String {
    let mut out = format!("{frame:?}\n");
    for event in events {
        out.push_str(&serde_json::to_string(&**event).unwrap());
        out.push('\n');
    }
    out
}

#[test]
fn frames() {
    let mut decoder = decoder();
    let mut out = String::new();
    for frame in FRAMES.lines() {
        let (frame, events) = decode(&mut decoder, frame);
        out.push_str(&shown(&frame, &events));
    }
    insta::assert_snapshot!("ws_messages", out);
    let counts = decoder.counts();
    assert_eq!((counts.bad_items, counts.bad_frames), (0, 0));
    assert_eq!((counts.unknown_keys, counts.unknown_kinds), (0, 0));
}

#[test]
fn history() {
    for (name, lines) in [("rest_events", HISTORY), ("system_log", SYSTEM_LOG)] {
        let mut decoder = decoder();
        let mut out = String::new();
        for line in lines.lines() {
            let event = decoder.history_item(line, RECEIVED).unwrap();
            assert_eq!(event.origin, Origin::Backfill);
            assert_eq!(event.raw.as_ref().map(Raw::as_str), Some(line));
            out.push_str(&shown(&Frame::Events, &[event]));
        }
        insta::assert_snapshot!(name, out);
        assert_eq!(decoder.counts().unknown_keys, 0, "{name}");
    }
}

#[test]
fn the_same_item_is_the_same_event_by_socket_and_by_history() {
    for line in HISTORY.lines().chain(SYSTEM_LOG.lines()) {
        // Also without an id of its own.
        let anonymous = line
            .replacen("\"_id\":", "\"x\":", 1)
            .replacen("\"id\":\"", "\"y\":\"", 1);
        for line in [line, &anonymous] {
            let streamed = event(&mut decoder(), line);
            let later = RECEIVED + std::time::Duration::from_secs(3600);
            let repaired = decoder().history_item(line, later).unwrap();
            assert_eq!(streamed.id, repaired.id);
            assert_eq!(streamed.time, repaired.time);
            assert_eq!(streamed.summary, repaired.summary);
            assert_eq!(streamed.origin, Origin::Stream);
        }
    }
}
