//! Any event becomes a message that the RFCs allow and that says the same.

use super::*;
use crate::reader::{Message, read_cef, read_message};
use proptest::prelude::*;
use serde_json::Value;
use unifi_herald_plugin::testing::{EventBuilder, START};
use unifi_herald_plugin::{Kind, Raw};

fn head(format: Format, max_size: usize) -> Head {
    Head {
        facility: 16,
        hostname: "herald.example.org".to_owned(),
        app_name: "unifi-herald".to_owned(),
        protocol: Protocol::Rfc5424,
        format,
        max_size,
    }
}

fn read(head: &Head, event: &BufferedEvent) -> Message {
    let text = head.message(event);
    assert!(text.len() <= head.max_size, "{} bytes", text.len());
    read_message(&text).unwrap()
}

#[test]
fn a_message_is_as_the_documentation_shows_it() {
    let event = EventBuilder::new(Kind::DEVICE_OFFLINE)
        .id("5ee9")
        .buffered(1);
    let text = head(Format::Json, 65_536).message(&event);
    let start = "<131>1 2026-11-22T17:21:13.440Z herald.example.org unifi-herald - device.offline \
                 [unifi-herald@32473 id=\"5ee9\" kind=\"device.offline\" controller=\"home\" site=\"default\"] {\"v\":1,";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with(&event.to_json()));
}

#[test]
fn the_old_protocol_has_its_own_header() {
    let mut head = head(Format::Cef, 65_536);
    head.protocol = Protocol::Rfc3164;
    let at = |text: &str| {
        let event = EventBuilder::new(Kind::WAN_DOWN).time(text.parse().unwrap());
        head.message(&event.buffered(1))
    };
    let text = at("2026-11-02T07:05:09.999Z");
    assert!(
        text.starts_with("<130>Nov  2 07:05:09 herald.example.org unifi-herald: CEF:0|"),
        "{text}"
    );
    assert!(at("2027-01-31T00:00:00Z").starts_with("<130>Jan 31 00:00:00 "));
}

#[test]
fn every_kind_makes_a_message_in_every_format() {
    for kind in Kind::ALL {
        let event = EventBuilder::new(*kind).buffered(1);
        let json = read(&head(Format::Json, 65_536), &event);
        assert_eq!(json.msgid, kind.as_str());
        let cef = read(&head(Format::Cef, 65_536), &event);
        let cef = read_cef(&cef.body).unwrap();
        assert_eq!(cef.header[3], kind.as_str());
    }
}

#[test]
fn raw_goes_first_and_only_then_is_anything_cut() {
    let raw = format!("{{\"x\":\n\"{}\"}}", "y".repeat(2000));
    let event = EventBuilder::new(Kind::CLIENT_ROAMED)
        .with(|event| event.raw = Raw::parse(&raw).ok())
        .buffered(1);
    let whole: Value =
        serde_json::from_str(&read(&head(Format::Json, 65_536), &event).body).unwrap();
    assert_eq!(whole["raw"]["x"], "y".repeat(2000));
    let short: Value = serde_json::from_str(&read(&head(Format::Json, 1400), &event).body).unwrap();
    assert_eq!(
        (&short["raw"], &short["raw_truncated"]),
        (&Value::Null, &true.into())
    );
    assert_eq!(short["id"], "test-client.roamed");
    let cut = read(&head(Format::Json, 480), &event);
    assert!(
        cut.body.ends_with('…') && cut.body.starts_with("{\"v\":1,"),
        "{cut:?}"
    );
}

/// What it looks like once controls are spaces and values have their longest length.
fn shown(text: &str) -> String {
    text.chars().map(visible).collect()
}

proptest! {
    #[test]
    fn any_event_is_read_back(
        id in "[0-9a-f]{1,24}",
        site in "\\PC{0,20}",
        name in ".{0,80}",
        summary in any::<String>(),
        severity in 0usize..6,
        kind in 0..Kind::ALL.len(),
        ms in 0i64..4_000_000_000_000,
        max_size in 480usize..4096,
    ) {
        let severity = Severity::ALL[severity];
        let event = EventBuilder::new(Kind::ALL[kind])
            .id(&id)
            .site("home", &site, "Home")
            .client_name(&name)
            .summary(&summary)
            .severity(severity)
            .time(Timestamp::from_millis(ms))
            .buffered(7);
        for format in [Format::Json, Format::Cef] {
            let wide = read(&head(format, 1_000_000), &event);
            prop_assert_eq!(wide.facility, 16);
            prop_assert_eq!(u32::from(wide.severity), super::severity(severity));
            prop_assert_eq!(&wide.time, &event.time.to_string());
            prop_assert_eq!(&wide.data["id"], &id);
            if site.len() * 2 <= LONGEST_VALUE {
                prop_assert_eq!(wide.data.get("site").map_or("", |site| &**site), &*shown(&site));
            }
            if format == Format::Json {
                let back: Value = serde_json::from_str(&wide.body).unwrap();
                prop_assert_eq!(&back["summary"], &summary.chars().map(|c| {
                    // JSON escapes the first 32 controls; the others stand there as they are.
                    if c.is_control() && c >= '\u{7f}' { ' ' } else { c }
                }).collect::<String>());
                prop_assert_eq!(&back["id"], &id);
            } else {
                let back = read_cef(&wide.body).unwrap();
                prop_assert_eq!(back.get("externalId"), Some(&*id));
                let expected: String = summary.chars().map(|c| {
                    if matches!(c, '\n' | '\r') { c } else { visible(c) }
                }).collect();
                prop_assert_eq!(back.get("msg").unwrap_or(""), &*expected);
            }
            // However little room there is, the header is whole and no escape is torn.
            let narrow = read(&head(format, max_size), &event);
            prop_assert_eq!(&narrow.msgid, event.kind.as_str());
            if format == Format::Cef {
                read_cef(&narrow.body).unwrap();
            }
        }
    }
}

#[test]
fn long_names_are_cut_in_structured_data_too() {
    let event = EventBuilder::new(Kind::WAN_UP)
        .site("home", &"]".repeat(500), "Home")
        .time(START)
        .buffered(1);
    let site = read(&head(Format::Cef, 65_536), &event).data["site"].clone();
    assert_eq!(site, format!("{}…", "]".repeat(62)));
}
