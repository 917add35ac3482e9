//! The default texts: readable for every kind, and for incidents and digests.

use super::*;
use crate::fake::{hostile, incident};
use unifi_herald_plugin::testing::{EventBuilder, START};
use unifi_herald_plugin::{Alert, Digest, DigestIncident, DigestTop, Kind};

fn show(event: &BufferedEvent) -> String {
    let message = Message::of(event, event.time);
    format!(
        "[{}] {}\n{}\n",
        message.label,
        message.title,
        message.text()
    )
}

#[test]
fn every_kind_has_a_readable_message() {
    for kind in Kind::ALL {
        let event = EventBuilder::new(*kind).buffered(1);
        let message = Message::of(&event, event.time);
        let says = event.alert.as_ref().map(|alert| alert.title.clone());
        let says = says.filter(|title| !title.is_empty());
        assert_eq!(
            message.title,
            &*says.unwrap_or_else(|| event.summary.clone())
        );
        let text = message.text();
        assert!(text.contains("Site: Home"), "{kind}: {text}");
        let whole = |line: &str| !line.ends_with(": ");
        assert!(text.lines().all(whole), "{kind}: {text}");
    }
}

#[test]
fn an_event_without_a_summary_is_called_by_its_kind() {
    let event = EventBuilder::new(Kind::WAN_DOWN)
        .summary(" \n ")
        .buffered(1);
    assert_eq!(Message::of(&event, event.time).title, "wan.down");
}

#[test]
fn facts_are_who_where_and_what() {
    let facts = |kind| {
        let message = Message::of(&EventBuilder::new(kind).buffered(1), START);
        let facts = message.facts.into_iter();
        facts
            .map(|fact| format!("{}={}", fact.name, fact.value))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        facts(Kind::DEVICE_OFFLINE),
        [
            "Site=Home",
            "Device=Kitchen (U6-Lite, f0:9f:c2:00:00:02)",
            "Uplink=SW-Core (port 2)",
        ]
    );
    assert_eq!(
        facts(Kind::THREAT_BLOCKED)[1..],
        [
            "Threat=ET MALWARE Suspicious User Agent (A Network Trojan was Detected)",
            "Action=blocked",
            "From=Anna's iPhone (192.0.2.17:50112, aa:bb:cc:00:00:01)",
            "To=203.0.113.9:443",
        ]
    );
    assert_eq!(
        facts(Kind::HERALD_GAP)[1],
        "Lost=3 events, 2026-11-22 17:21:13 UTC to 2026-11-22 17:21:43 UTC"
    );
}

#[test]
fn an_incident_says_how_it_stands() {
    let states = [
        AlertState::Firing,
        AlertState::Repeated,
        AlertState::Resolved,
        AlertState::Folded,
    ];
    let texts = states.map(|state| show(&incident(state)));
    insta::assert_snapshot!("incident", texts.join("\n"));
}

#[test]
fn a_digest_is_a_short_list() {
    let mut alert = Alert::new("i", "device_down", START);
    alert.title = "Attic is offline".into();
    let open = DigestIncident::of(&alert);
    alert.until = Some(START + Duration::from_secs(750));
    let mut digest = Digest::default();
    digest.since = START;
    digest.until = START + Duration::from_secs(86_400);
    digest.incidents = vec![open, DigestIncident::of(&alert)];
    digest.top = vec![DigestTop::new("client", "Anna's\niPhone", 5)];
    digest.counts.insert("client.roamed".into(), 12);
    digest.counts.insert("device.offline".into(), 30);
    let event = EventBuilder::new(Kind::DIGEST_READY).summary("Your network, last day");
    let event = event
        .with(|event| event.digest = Some(Box::new(digest.clone())))
        .buffered(1);
    insta::assert_snapshot!("digest", show(&event));
    for number in 0..100 {
        digest.counts.insert(format!("kind.{number}").into(), 1);
    }
    assert!(digest::body(&digest).contains("\n• and 82 more"));
}

#[test]
fn a_late_message_says_so() {
    let event = EventBuilder::new(Kind::WAN_DOWN).buffered(1);
    let late = |seconds| {
        let message = Message::of(&event, event.time + Duration::from_secs(seconds));
        message.facts.iter().any(|fact| fact.name == "Late")
    };
    assert_eq!((late(120), late(121)), (false, true));
}

#[test]
fn no_text_of_a_message_commands_anything() {
    let message = Message::of(&hostile(), START);
    let one_line = |text: &str| !text.chars().any(|c| c.is_control() || c == '\u{202e}');
    assert!(one_line(&message.title) && one_line(&message.site) && one_line(&message.label));
    assert!(message.facts.iter().all(|fact| one_line(&fact.value)));
    assert!(message.subject.as_deref().is_some_and(one_line));
    assert!(message.body.lines().all(one_line));
}

#[test]
fn a_voucher_is_not_given_away() {
    let event = EventBuilder::new(Kind::ADMIN_VOUCHER_CREATED).buffered(1);
    assert!(!show(&event).contains("12345-67890"));
}

#[test]
fn a_token_is_short_and_plain_and_differs() {
    assert_eq!(token("5ee9-f7_A"), "5ee9-f7_A");
    let odd = ["", "a b", "../x", &"x".repeat(65), "ü"].map(token);
    for (at, token) in odd.iter().enumerate() {
        assert_eq!(token.len(), 32);
        assert!(!odd[..at].contains(token));
    }
}
