//! Tests of the decoder on real and on damaged payloads.

mod corpus;
mod oddities;
mod people;
mod random;

use super::*;

pub(super) const RECEIVED: Timestamp = Timestamp::from_millis(1_795_367_000_000);

pub(super) fn decoder() -> Decoder {
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    Decoder::new("home".into(), site)
}

pub(super) fn decode(decoder: &mut Decoder, frame: &str) -> (Frame, Vec<Arc<Event>>) {
    let mut events = Vec::new();
    let frame = decoder.decode(frame, RECEIVED, &mut events);
    (frame, events)
}

#[test]
fn the_summary_alone_is_that_of_the_event() {
    let item = r#"{"_id":"1","key":"EVT_WU_Roam","user":"02:00:75:04:b4:37","hostname":"iphone","ssid":"Home"}"#;
    let event = event(&mut decoder(), item);
    let alone = decoder().summarize(item, 3);
    assert_eq!(alone, Some(event.summary.clone()));
    assert_eq!(decoder().summarize("[]", 1), None);
}

/// The only event of an `events` frame with this item.
pub(super) fn event(decoder: &mut Decoder, item: &str) -> Arc<Event> {
    let frame = format!(r#"{{"meta":{{"rc":"ok","message":"events"}},"data":[{item}]}}"#);
    let (_, mut events) = decode(decoder, &frame);
    assert_eq!(events.len(), 1, "{item}");
    events.remove(0)
}
