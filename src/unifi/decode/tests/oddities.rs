//! What real controllers do that a schema would forbid, and what hostile ones might.

use super::*;
use unifi_herald_plugin::{Kind, Severity};

#[test]
fn silence_is_not_a_message() {
    let mut decoder = decoder();
    for frame in ["", " \n", "pong", "\"pong\"", " pong\n"] {
        assert_eq!(decode(&mut decoder, frame), (Frame::Silent, vec![]));
    }
    assert_eq!(decoder.counts().bad_frames, 0);
}

#[test]
fn what_is_no_message_is_bad_and_says_why() {
    let mut decoder = decoder();
    for (frame, why) in [
        ("ping", BadFrame::NotAnObject),
        ("<html>", BadFrame::NotAnObject),
        ("[]", BadFrame::NotAnObject),
        ("{", BadFrame::NotAnObject),
        ("{}", BadFrame::NoMessage),
        (r#"{"meta":{"rc":"ok"},"data":[]}"#, BadFrame::NoMessage),
        (r#"{"meta":{"message":null}}"#, BadFrame::NoMessage),
        (r#"{"meta":"events","data":[]}"#, BadFrame::NoMessage),
    ] {
        assert_eq!(
            decode(&mut decoder, frame),
            (Frame::Bad(why), vec![]),
            "{frame}"
        );
    }
    assert_eq!(decoder.counts().bad_frames, 8);
    assert_eq!(BadFrame::NoMessage.to_string(), "no `meta.message`");
}

#[test]
fn every_kind_of_frame_has_its_class() {
    let mut decoder = decoder();
    for (kind, class) in [
        ("events", Frame::Events),
        ("alert", Frame::Events),
        ("vpn:connect", Frame::Events),
        ("vpn:disconnect", Frame::Events),
        ("client:disconnected", Frame::State),
        ("vpn-users:sync", Frame::State),
        ("session-metadata:sync", Frame::State),
        ("device:update", Frame::State),
        ("user:delete", Frame::State),
        ("speed-test:update", Frame::Other),
        ("setting:sync", Frame::Other),
        ("wlanconf:add", Frame::Other),
        ("portforward:whatever", Frame::Other),
        ("never:heard", Frame::Other),
        ("wu.connected", Frame::Other),
    ] {
        let frame = format!(r#"{{"meta":{{"rc":"ok","message":"{kind}"}},"data":[]}}"#);
        assert_eq!(decode(&mut decoder, &frame).0, class, "{kind}");
    }
    let counts = decoder.counts();
    assert_eq!((counts.unknown_kinds, counts.state_frames), (2, 5));
}

#[test]
fn frames_without_interest_are_not_parsed() {
    // Everything behind `meta` is nonsense, which only a parser would find out.
    let mut decoder = decoder();
    for kind in ["setting:sync", "session-metadata:sync", "never:heard"] {
        let frame = format!(r#"{{"meta":{{"message":"{kind}"}},"data":nonsense"#);
        assert!(!matches!(decode(&mut decoder, &frame).0, Frame::Bad(_)));
    }
}

#[test]
fn an_unknown_key_is_kept_and_counted() {
    let mut decoder = decoder();
    let unknown = event(
        &mut decoder,
        r#"{"key":"EVT_SW_PortUp","sw":"02:00:00:00:00:01","time":1579546533000,"msg":"Switch[02:00:00:00:00:01] port 3 is up"}"#,
    );
    assert_eq!(unknown.kind, Kind::UNKNOWN);
    assert_eq!(unknown.key.as_deref(), Some("EVT_SW_PortUp"));
    assert_eq!(&*unknown.summary, "02:00:00:00:00:01 port 3 is up");
    assert!(unknown.raw.is_some());
    let template = event(
        &mut decoder,
        r#"{"key":"NEW_THING_7","severity":"HIGH","message_raw":"{CLIENT} did a new thing {WAY}","parameters":{"CLIENT":{"id":"x","name":"Anna"},"WAY":{"name":"twice","enclosed_with_brackets":true}}}"#,
    );
    assert_eq!(template.kind, Kind::UNKNOWN);
    assert_eq!(template.severity, Severity::Error);
    assert_eq!(&*template.summary, "Anna did a new thing (twice)");
    let silent = event(&mut decoder, r#"{"key":"EVT_XX_Nothing"}"#);
    assert_eq!(&*silent.summary, "EVT_XX_Nothing");
    let keyless = event(&mut decoder, r#"{"msg":"something happened"}"#);
    assert_eq!(
        (keyless.kind, keyless.key.as_deref()),
        (Kind::UNKNOWN, None)
    );
    assert_eq!(&*keyless.summary, "something happened");
    assert_eq!(decoder.counts().unknown_keys, 4);
    assert_eq!(decoder.counts().events, 4);
}

#[test]
fn a_bad_item_costs_no_neighbour() {
    let good = r#"{"key":"EVT_WU_Connected","user":"02:00:00:00:00:01"}"#;
    for bad in [
        "null",
        "17",
        "\"text\"",
        "[]",
        "{}",
        r#"{"key":7e"#,
        r#"{"user":"02:00:00:00:00:01"}"#,
        r#"{"key":"A","#,
        "{]",
    ] {
        let mut decoder = decoder();
        let frame =
            format!(r#"{{"meta":{{"message":"events"}},"data":[{good},{bad},{good},{good}]}}"#);
        let (class, events) = decode(&mut decoder, &frame);
        assert_eq!((class, events.len()), (Frame::Events, 3), "{bad}");
        assert!(decoder.counts().bad_items >= 1, "{bad}");
    }
}

#[test]
fn numbers_may_be_huge_or_no_numbers() {
    for number in [
        "1e400",
        "-1e400",
        "99999999999999999999",
        "\"\"",
        "null",
        "{}",
        "\"x\"",
        "-36",
        "0.5",
    ] {
        let item = format!(
            r#"{{"key":"EVT_WU_Roam","user":"02:00:00:00:00:01","time":{number},"channel_from":{number},"channel_to":{number},"duration":{number},"port":{number}}}"#
        );
        let event = event(&mut decoder(), &item);
        assert_eq!(event.kind, Kind::CLIENT_ROAMED, "{number}");
        assert_eq!(event.time, RECEIVED, "{number}");
    }
}

#[test]
fn strings_and_numbers_say_the_same() {
    for (item, port) in [
        (
            r#"{"key":"EVT_SW_PoeOverload","sw":"02:00:00:00:00:01","port":5}"#,
            5,
        ),
        (
            r#"{"key":"EVT_SW_PoeOverload","sw":"02:00:00:00:00:01","port":"5"}"#,
            5,
        ),
    ] {
        let event = event(&mut decoder(), item);
        assert_eq!(event.port.as_ref().and_then(|p| p.number), Some(port));
    }
    let bridge = r#"{"key":"EVT_BB_ChannelChanged","bb":"02:00:00:00:00:01","bb_name":"Link","radio":"wifi0","channel_from":36,"channel_to":44}"#;
    let event = event(&mut decoder(), bridge);
    assert_eq!(&*event.summary, "Link changed its channel (36 → 44)");
}

#[test]
fn duplicate_keys_and_null_are_harmless() {
    let item = r#"{"key":"EVT_WU_Connected","key":"EVT_WU_Disconnected","user":null,"user":"02:00:00:00:00:01","ap":null,"hostname":false}"#;
    let event = event(&mut decoder(), item);
    assert_eq!(event.kind, Kind::CLIENT_DISCONNECTED);
    assert!(event.device.is_none());
    assert_eq!(event.raw.as_ref().map(Raw::as_str), Some(item));
}

#[test]
fn nesting_is_bounded() {
    let mut decoder = decoder();
    for levels in [63, 64, 1000, 200_000] {
        let item = format!(
            r#"{{"key":"A","x":{}{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        );
        let expected = usize::from(levels < 64);
        let frame = format!(r#"{{"meta":{{"message":"events"}},"data":[{item}]}}"#);
        assert_eq!(decode(&mut decoder, &frame).1.len(), expected, "{levels}");
        let by_history = decoder.history_item(&item, RECEIVED);
        assert_eq!(by_history.is_some(), expected == 1, "{levels}");
        // In the other order the whole frame is parsed.
        let frame = format!(r#"{{"data":[{item}],"meta":{{"message":"events"}}}}"#);
        assert_eq!(decode(&mut decoder, &frame).1.len(), expected, "{levels}");
    }
}

#[test]
fn a_huge_item_keeps_what_is_known_of_it() {
    let mut decoder = decoder();
    let item = format!(
        r#"{{"key":"EVT_WU_Connected","user":"02:00:00:00:00:01","ssid":"{0}","msg":"{0}","x":"{0}"}}"#,
        "ä".repeat(MAX_RAW / 2)
    );
    let event = event(&mut decoder, &item);
    assert!(event.raw_truncated && event.raw.is_none());
    assert_eq!(event.ssid.as_ref().unwrap().chars().count(), 128);
    assert!(event.summary.chars().count() <= 512);
    assert_eq!(decoder.counts().truncated, 1);
    let unknown = format!(
        r#"{{"key":"{0}","msg":"{0}","_id":"{0}"}}"#,
        "k".repeat(100_000)
    );
    let event = self::event(&mut decoder, &unknown);
    assert_eq!(event.key.as_ref().unwrap().len(), 128);
    assert_eq!((event.summary.len(), event.id.len()), (512, 25));
}

#[test]
fn text_of_strangers_cannot_break_a_line() {
    let item = r#"{"key":"EVT_WU_Connected","user":"02:00:00:00:00:01","hostname":"a\r\nb\u001b[2J\u202ec","ssid":"x\u0000y"}"#;
    let event = event(&mut decoder(), item);
    assert_eq!(
        event.client.as_ref().unwrap().name.as_deref(),
        Some("ab[2Jc")
    );
    assert_eq!(&*event.summary, "ab[2Jc connected to xy");
}

#[test]
fn line_breaks_between_tokens_are_kept_out_of_raw() {
    let event = event(&mut decoder(), "{\r\n\"key\": \"EVT_WU_Connected\"\n}");
    let raw = event.raw.as_ref().unwrap().as_str().to_owned();
    assert_eq!(raw, "{  \"key\": \"EVT_WU_Connected\" }");
}

#[test]
fn vpn_frames_are_events_by_themselves() {
    let mut decoder = decoder();
    let frame = r#"{"meta":{"rc":"ok","message":"vpn:connect"},"data":[{"_id":"5ee9f7ca453d4e00f3c04b57","name":"Office","ip":"192.0.2.9"}]}"#;
    let (_, events) = decode(&mut decoder, frame);
    assert_eq!(events[0].kind, Kind::VPN_CONNECTED);
    assert_eq!(events[0].key.as_deref(), Some("vpn:connect"));
    assert_eq!(
        &*events[0].summary,
        "Office connected to the VPN from 192.0.2.9"
    );
    let mut again = Vec::new();
    let later = RECEIVED + std::time::Duration::from_secs(60);
    decoder.decode(frame, later, &mut again);
    assert_ne!(
        events[0].id, again[0].id,
        "the id is the tunnel's, not the event's"
    );
    let gone = r#"{"meta":{"message":"client:disconnected"},"data":[{"id":"a","type":"VPN","name":"Anna"},{"id":"b","type":"WIRED","mac":"02:00:00:00:00:01"}]}"#;
    let (class, events) = decode(&mut decoder, gone);
    assert_eq!((class, events.len()), (Frame::State, 1));
    assert_eq!(events[0].kind, Kind::VPN_DISCONNECTED);
    assert_eq!(&*events[0].summary, "Anna disconnected from the VPN");
}

#[test]
fn old_alerts_with_finished_text_are_understood() {
    let frame = r#"{"meta":{"rc":"ok","message":"alert"},"data":[{"category":"AUDIT","id":"5ee9f7ca453d4e00f3c04b57","key":"ADMIN_ACCESS","message":"anna accessed UniFi Network","parameters":{"ADMIN":{"id":"x","name":"anna"},"IP":{"id":"192.0.2.1","name":"192.0.2.1"}},"severity":"LOW","timestamp":1579546533000,"type":"GENERAL"}]}"#;
    let (_, events) = decode(&mut decoder(), frame);
    assert_eq!(events[0].kind, Kind::ADMIN_LOGIN);
    assert_eq!(&*events[0].summary, "anna logged in from 192.0.2.1");
    assert_eq!(events[0].time.as_millis(), 1_579_546_533_000);
}

#[test]
fn one_of_key_and_event_is_enough() {
    for item in [
        r#"{"event":"CLIENT_ROAMED"}"#,
        r#"{"key":"CLIENT_ROAMED_2"}"#,
        r#"{"key":"SOMETHING_ELSE","event":"CLIENT_ROAMED"}"#,
        r#"{"key":"CLIENT_ROAMED_V3","event":"SOMETHING_ELSE"}"#,
    ] {
        assert_eq!(
            event(&mut decoder(), item).kind,
            Kind::CLIENT_ROAMED,
            "{item}"
        );
    }
}

#[test]
fn history_is_as_tolerant_as_the_stream() {
    let mut decoder = decoder();
    for item in ["", "null", "[]", "{", "{}", "{\"key\":\"A\"} x"] {
        assert_eq!(decoder.history_item(item, RECEIVED), None, "{item}");
    }
    assert_eq!(decoder.counts().bad_items, 6);
    let event = decoder
        .history_item(" {\"key\":\"EVT_WU_Roam\"}\n", RECEIVED)
        .unwrap();
    assert_eq!(event.origin, Origin::Backfill);
}
