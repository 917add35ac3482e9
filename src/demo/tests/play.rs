//! What happens, and who hears of it.

use super::visitor::{LIMIT, Visitor, items, next, next_text};
use super::{of_kind, start, with_past};
use crate::config::ControllerKind;
use crate::demo::{Carrier, Network, Pace};
use serde_json::Value;
use std::collections::BTreeSet;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn admin_logins_of_the_classic_kind_come_by_super() {
    let (simulator, _clock) = with_past(0, |options| options.kind = ControllerKind::SelfHosted);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut above = visitor.subscribe("super").await;
    simulator.emit("default", 400);
    let entries = simulator.ledger().entries("super");
    assert!(
        !entries.is_empty()
            && entries
                .iter()
                .all(|entry| entry.key.starts_with("EVT_AD_Login"))
    );
    for entry in entries {
        assert_eq!(
            items(&next_text(&mut above).await)[0]["key"],
            entry.key.as_str()
        );
    }
    assert!(
        simulator
            .ledger()
            .entries("default")
            .iter()
            .all(|entry| !entry.key.starts_with("EVT_AD_Login"))
    );
}

#[tokio::test]
async fn what_happens_unheard_is_in_the_ledger() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let unheard = simulator.emit("default", 3);
    assert!(unheard.iter().all(|entry| entry.listeners == 0));
    let visitor = Visitor::logged_in(&simulator).await;
    let _socket = visitor.subscribe("default").await;
    assert!(
        simulator
            .emit("default", 3)
            .iter()
            .all(|entry| entry.listeners == 1)
    );
    assert_eq!(simulator.ledger().entries("default").len(), 6);
}

#[tokio::test]
async fn what_happens_does_not_depend_on_who_listens() {
    let (heard, _clock) = with_past(0, |_| {});
    let (unheard, _clock) = with_past(0, |_| {});
    let visitor = Visitor::logged_in(&heard).await;
    let _socket = visitor.subscribe("default").await;
    for _ in 0..20 {
        heard.sync("default");
        unheard.sync("default");
        let told = heard.emit("default", 5).into_iter();
        let same = unheard.emit("default", 5).into_iter();
        assert!(
            told.map(|entry| entry.raw.clone())
                .eq(same.map(|entry| entry.raw.clone()))
        );
    }
}

#[tokio::test]
async fn items_can_be_given_word_for_word() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut socket = visitor.subscribe("default").await;
    let raw = r#"{ "key" : "EVT_XX_Unheard_Of", "time": 1795000000000, "_id": "0123456789abcdef01234567" }"#;
    let entry = simulator
        .emit_item("default", Carrier::Events, raw)
        .unwrap();
    assert_eq!(
        (entry.id.as_deref(), entry.time.as_millis()),
        (Some("0123456789abcdef01234567"), 1_795_000_000_000)
    );
    assert!(next_text(&mut socket).await.contains(raw));
    assert!(
        simulator
            .emit_item("nowhere", Carrier::Events, raw)
            .is_none()
    );
}

#[tokio::test]
async fn text_ping_and_protocol_ping_are_answered() {
    use futures_util::SinkExt;
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut socket = visitor.subscribe("default").await;
    socket.send(Message::text("ping")).await.unwrap();
    assert_eq!(next_text(&mut socket).await, "pong");
    socket.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(
        next(&mut socket).await.unwrap().unwrap(),
        Message::Pong("x".into())
    );
}

#[tokio::test]
async fn it_plays_at_a_pace() {
    let simulator = start(|options| options.sites = vec![Network::House, Network::Office]);
    let visitor = Visitor::logged_in(&simulator).await;
    let (mut home, mut office) = (
        visitor.subscribe("default").await,
        visitor.subscribe("k3x9q2ab").await,
    );
    simulator.play(Pace::PerSecond(500.0));
    let mut kinds = BTreeSet::new();
    while kinds.len() < 3 {
        let frame: Value = serde_json::from_str(&next_text(&mut home).await).unwrap();
        kinds.insert(frame["meta"]["message"].as_str().unwrap().to_owned());
    }
    assert!(
        kinds.contains("events") && kinds.contains("sta:sync") && kinds.contains("device:sync"),
        "{kinds:?}"
    );
    next_text(&mut office).await;
    simulator.play(Pace::Still);
}

#[test]
fn when_it_is_told_to_keep_still_nothing_more_happens() {
    let simulator = start(|_| {});
    for _ in 0..20 {
        let before = simulator.ledger().made();
        simulator.play(Pace::PerSecond(100_000.0));
        while simulator.ledger().made() == before {
            std::thread::yield_now();
        }
        simulator.play(Pace::Still);
        let made = simulator.ledger().made();
        // What was under way would go on while this waits for the same lock.
        for _ in 0..1_000 {
            assert_eq!(simulator.ledger().made(), made);
        }
    }
}

#[tokio::test]
async fn flat_out_every_event_has_an_id_of_its_own() {
    let simulator = start(|options| options.sync_share = 0.5);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut socket = visitor.subscribe("default").await;
    simulator.play(Pace::FlatOut { items: 4 });
    let (mut ids, mut events, mut syncs) = (BTreeSet::new(), 0, 0);
    while events < 12_000 {
        let frame: Value = serde_json::from_str(&next_text(&mut socket).await).unwrap();
        if frame["meta"]["message"] != "events" {
            syncs += 1;
            continue;
        }
        for item in frame["data"].as_array().unwrap() {
            events += 1;
            assert!(
                ids.insert(item["_id"].as_str().unwrap().to_owned()),
                "a second {}",
                item["_id"]
            );
            assert!(item["time"].as_i64().unwrap() > 1_700_000_000_000);
        }
    }
    assert!(
        (2_000..4_000).contains(&syncs),
        "{syncs} sync frames for 3000 frames of events"
    );
    assert!(simulator.ledger().made() >= events);
}

#[tokio::test]
async fn it_stops_whatever_its_clients_do() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let address = simulator.url().trim_start_matches("https://").to_owned();
    let _mute = std::net::TcpStream::connect(address).unwrap();
    let _frozen = visitor.subscribe("default").await;
    simulator.mischief().freeze_sockets();
    let _deaf = visitor.subscribe("default").await;
    simulator.play(Pace::FlatOut { items: 4 });
    let stats = simulator.stats();
    assert!(simulator.wait_for_sockets(2, LIMIT));
    simulator.stop();
    assert_eq!(stats.counts().sockets, 0);
}
