//! Whatever comes: never a panic, never a good item lost to a bad one.

use super::*;
use proptest::prelude::*;

const FRAMES: &str = include_str!("../../../../tests/fixtures/corpus/ws_messages.jsonl");
const HISTORY: &str = include_str!("../../../../tests/fixtures/corpus/rest_events.jsonl");
const SYSTEM_LOG: &str = include_str!("../../../../tests/fixtures/corpus/system_log.jsonl");

/// Real items of both shapes.
fn item() -> impl Strategy<Value = &'static str> {
    let items: Vec<&str> = HISTORY.lines().chain(SYSTEM_LOG.lines()).collect();
    proptest::sample::select(items)
}

/// Real frames that are not too long to be damaged in many ways.
fn frame() -> impl Strategy<Value = &'static str> {
    let frames: Vec<&str> = FRAMES.lines().filter(|line| line.len() < 4096).collect();
    proptest::sample::select(frames)
}

/// Any JSON value, with odd numbers and keys that mean something to the decoder.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("1e400".to_owned()),
        Just("-0".to_owned()),
        Just("\"\"".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        Just(r#""02:00:00:00:00:01""#.to_owned()),
        Just(r#""EVT_WU_Roam""#.to_owned()),
        Just("\"CLIENT_ROAMED\"".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-zé\\[\\]{}., ]{0,12}".prop_map(|text| format!("\"{text}\"")),
    ];
    let key = proptest::sample::select(vec![
        "key",
        "event",
        "time",
        "user",
        "guest",
        "ap",
        "ap_to",
        "msg",
        "message_raw",
        "parameters",
        "CLIENT",
        "DEVICE",
        "PORT",
        "WIFI_STATS",
        "id",
        "_id",
        "name",
        "duration",
        "channel_from",
        "radio",
        "admin",
        "catname",
        "x",
    ]);
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|list| format!("[{}]", list.join(","))),
            proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// `text` with some of its bytes replaced, inserted or cut out; always UTF-8.
fn damaged(text: String, blows: &[(usize, u8, u8)]) -> String {
    let mut bytes = text.into_bytes();
    for (at, how, byte) in blows {
        if bytes.is_empty() {
            break;
        }
        let at = at % bytes.len();
        match how % 3 {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            _ => drop(bytes.drain(at..(at + usize::from(*byte)).min(bytes.len()))),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn blows() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    let byte = prop_oneof![
        any::<u8>(),
        proptest::sample::select(b"\"\\{}[],: \n0".to_vec())
    ];
    proptest::collection::vec((any::<usize>(), any::<u8>(), byte), 1..6)
}

/// What must hold for whatever came out.
fn check(event: &Event) -> Result<(), TestCaseError> {
    prop_assert!(!event.summary.is_empty());
    prop_assert!(event.summary.chars().count() <= 512);
    prop_assert!(!event.summary.contains(char::is_control));
    prop_assert!(!event.id.is_empty() && event.id.len() <= 64);
    prop_assert!(event.raw.is_some() != event.raw_truncated);
    let json = serde_json::to_string(event).unwrap();
    prop_assert!(!json.contains('\n'));
    prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok());
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_classified(text in any::<String>()) {
        let mut decoder = decoder();
        let (_, events) = decode(&mut decoder, &text);
        prop_assert!(events.is_empty());
        prop_assert_eq!(decoder.history_item(&text, RECEIVED), None);
    }

    #[test]
    fn damaged_frames_never_panic(frame in frame(), blows in blows()) {
        let (_, events) = decode(&mut decoder(), &damaged(frame.to_owned(), &blows));
        for event in events {
            check(&event)?;
        }
    }

    #[test]
    fn any_item_is_an_event_or_counted(item in json()) {
        let mut decoder = decoder();
        let frame = format!(r#"{{"meta":{{"message":"events"}},"data":[{item}]}}"#);
        let (class, events) = decode(&mut decoder, &frame);
        prop_assert_eq!(class, Frame::Events);
        prop_assert_eq!(events.len() as u64 + decoder.counts().bad_items, 1);
        for event in events {
            check(&event)?;
        }
    }

    #[test]
    fn any_sync_frame_is_survived(item in json(), kind in proptest::sample::select(vec!["device:sync", "sta:sync", "user:delete"])) {
        let frame = format!(r#"{{"meta":{{"message":"{kind}"}},"data":[{item}]}}"#);
        prop_assert_eq!(decode(&mut decoder(), &frame).0, Frame::State);
    }

    #[test]
    fn a_value_of_any_sort_costs_no_neighbour(before in item(), odd in json(), after in item()) {
        let mut decoder = decoder();
        let frame = format!(r#"{{"meta":{{"message":"events"}},"data":[{before},{odd},{after}]}}"#);
        let (_, events) = decode(&mut decoder, &frame);
        let raws: Vec<&str> = events.iter().filter_map(|event| event.raw.as_ref()).map(Raw::as_str).collect();
        prop_assert_eq!(raws.first(), Some(&before));
        prop_assert_eq!(raws.last(), Some(&after));
    }

    #[test]
    fn damage_to_an_item_costs_no_neighbour(before in item(), victim in item(), after in item(), blows in blows()) {
        let mut decoder = decoder();
        let bad = damaged(victim.to_owned(), &blows);
        let frame = format!(r#"{{"meta":{{"message":"events"}},"data":[{before},{bad},{after},{after}]}}"#);
        let (_, events) = decode(&mut decoder, &frame);
        let raws: Vec<&str> = events.iter().filter_map(|event| event.raw.as_ref()).map(Raw::as_str).collect();
        prop_assert_eq!(raws.first(), Some(&before));
        // A bracket in the right place is the end of the list, for every reader.
        if !bad.contains(']') {
            prop_assert_eq!(raws.last(), Some(&after), "{}", frame);
        }
    }
}
