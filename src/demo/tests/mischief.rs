//! Every misbehaviour can be seen from outside.

use super::of_kind;
use super::visitor::{LIMIT, Visitor, items, next, next_close, next_text};
use crate::config::ControllerKind;
use crate::demo::{Booting, Carrier, ConnectTrouble, Drip, Ending, Expiry, Junk, LoginTrouble};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self, Message};

#[tokio::test]
async fn sockets_end_in_every_way() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    for (ending, code) in [
        (Ending::Close(1000), Some(1000)),
        (Ending::Close(1008), Some(1008)),
        (Ending::Abort, None),
        (Ending::Cut, None),
    ] {
        let mut socket = visitor.subscribe("default").await;
        simulator.emit("default", 1);
        simulator.mischief().end_sockets(ending);
        next_text(&mut socket).await;
        assert_eq!(next_close(&mut socket).await, code, "{ending:?}");
        assert!(simulator.wait_for_sockets(0, LIMIT));
    }
}

#[tokio::test]
async fn events_are_lost_on_the_wire() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut socket = visitor.subscribe("default").await;
    simulator.mischief().swallow(2);
    let made = simulator.emit("default", 3);
    assert!(made.iter().all(|entry| entry.listeners == 1));
    assert!(next_text(&mut socket).await.contains(&made[2].raw));
    assert_eq!(simulator.ledger().made(), 3);
}

#[tokio::test]
async fn handshakes_fail_in_every_way() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let mischief = simulator.mischief();
    mischief.next_connects(ConnectTrouble::CloseAtOnce(1000), 2);
    mischief.next_connects(ConnectTrouble::WebPage, 1);
    mischief.next_connects(ConnectTrouble::Status(503), 1);
    for _ in 0..2 {
        assert_eq!(
            next_close(&mut visitor.connect("default").await.unwrap()).await,
            Some(1000)
        );
    }
    for status in [200, 503] {
        let refused = visitor.connect("default").await.unwrap_err();
        assert!(matches!(refused, tungstenite::Error::Http(reply) if reply.status() == status));
    }
    visitor.subscribe("default").await;
    assert_eq!(simulator.stats().counts().refused_connects, 2);
}

#[tokio::test]
async fn sessions_expire_in_both_ways() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    simulator.mischief().expire_sessions(Expiry::Stale);
    assert_eq!(visitor.get("/api/self/sites").await.status(), 401);
    assert_eq!(
        next_close(&mut visitor.connect("default").await.unwrap()).await,
        Some(1000)
    );
    let visitor = Visitor::logged_in(&simulator).await;
    let mut open = visitor.subscribe("default").await;
    simulator.mischief().expire_sessions(Expiry::Unauthorized);
    assert!(visitor.connect("default").await.is_err());
    simulator.emit("default", 1);
    next_text(&mut open).await;
}

#[tokio::test]
async fn logins_fail_in_every_way() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let mischief = simulator.mischief();
    mischief.next_logins(LoginTrouble::Throttled(Some(17)), 1);
    mischief.next_logins(LoginTrouble::Throttled(None), 1);
    mischief.next_logins(LoginTrouble::Refused, 1);
    mischief.next_logins(LoginTrouble::SecondFactor, 1);
    mischief.next_logins(LoginTrouble::WebPage, 1);
    let mut visitor = Visitor::new(&simulator);
    let password = simulator.options().password.clone();
    let reply = visitor.login("herald", &password, "").await;
    assert_eq!(
        (
            reply.status().as_u16(),
            reply.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "17")
    );
    let reply = visitor.login("herald", &password, "").await;
    assert!(reply.status() == 429 && reply.headers().get("retry-after").is_none());
    assert_eq!(visitor.login("herald", &password, "").await.status(), 403);
    assert_eq!(visitor.login("herald", &password, "").await.status(), 499);
    let reply = visitor.login("herald", &password, "").await;
    assert!(reply.text().await.unwrap().starts_with("<!doctype html>"));
    assert_eq!(visitor.login("herald", &password, "").await.status(), 200);
}

#[tokio::test]
async fn booting_answers_everything_with_an_error() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let mut visitor = Visitor::logged_in(&simulator).await;
    for (booting, status) in [(Booting::Unavailable, 503), (Booting::BadGateway, 502)] {
        simulator.mischief().booting(Some(booting));
        assert_eq!(visitor.get("/api/self/sites").await.status(), status);
        assert_eq!(visitor.login("herald", "x", "").await.status(), status);
        assert!(visitor.connect("default").await.is_err());
    }
    simulator.mischief().booting(None);
    Visitor::logged_in(&simulator)
        .await
        .subscribe("default")
        .await;
}

#[tokio::test]
async fn unplugged_lets_nobody_in() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut socket = visitor.subscribe("default").await;
    simulator.mischief().unplug(true);
    assert_eq!(next_close(&mut socket).await, None);
    assert!(
        Visitor::new(&simulator)
            .http
            .get(simulator.url())
            .send()
            .await
            .is_err()
    );
    simulator.mischief().unplug(false);
    assert!(
        Visitor::new(&simulator)
            .http
            .get(simulator.url())
            .send()
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_frozen_socket_is_silent_and_a_new_one_is_not() {
    use futures_util::SinkExt;
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut frozen = visitor.subscribe("default").await;
    simulator.mischief().freeze_sockets();
    let mut well = visitor.subscribe("default").await;
    simulator.emit("default", 1);
    next_text(&mut well).await;
    frozen.send(Message::Ping("x".into())).await.unwrap();
    well.send(Message::Ping("y".into())).await.unwrap();
    assert_eq!(
        next(&mut well).await.unwrap().unwrap(),
        Message::Pong("y".into())
    );
    // The well one was asked later and has answered; the frozen one still says nothing.
    let silence = tokio::time::timeout(
        Duration::from_millis(50),
        futures_util::StreamExt::next(&mut frozen),
    )
    .await;
    assert!(silence.is_err());
    simulator.mischief().end_sockets(Ending::Abort);
    assert_eq!(next_close(&mut frozen).await, None);
}

#[tokio::test]
async fn a_frozen_socket_is_open_until_its_reader_gives_up() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let frozen = visitor.subscribe("default").await;
    simulator.mischief().freeze_sockets();
    assert_eq!(simulator.stats().counts().sockets, 1);
    drop(frozen);
    let left = simulator.stats();
    let left = left.reached(|counts| counts.sockets == 0);
    tokio::time::timeout(LIMIT, left).await.unwrap();
}

#[tokio::test]
async fn junk_arrives_as_made() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut socket = visitor.subscribe("default").await;
    let mischief = simulator.mischief();
    for junk in [
        Junk::NotJson,
        Junk::Truncated,
        Junk::Pong,
        Junk::Empty,
        Junk::WrongTypes,
        Junk::WrongItems,
        Junk::NoData,
    ] {
        mischief.inject("default", &junk);
        assert_eq!(next_text(&mut socket).await.as_bytes(), junk.render());
    }
    mischief.inject("default", &Junk::Deep(5_000));
    assert!(next_text(&mut socket).await.contains(&"[".repeat(5_000)));
    mischief.inject("default", &Junk::UnknownKind);
    assert_eq!(items(&next_text(&mut socket).await).len(), 1);
    mischief.inject("default", &Junk::HugeSync(15 << 20));
    let huge = next_text(&mut socket).await;
    assert!((15 << 20..16 << 20).contains(&huge.len()));
    assert_eq!(simulator.ledger().made(), 0, "none of it is an event");
}

#[tokio::test]
async fn frames_can_be_grouped_doubled_and_dripped() {
    let simulator = of_kind(ControllerKind::UnifiOs);
    let visitor = Visitor::logged_in(&simulator).await;
    let mut socket = visitor.subscribe("default").await;
    let mischief = simulator.mischief();
    let raw = |n: u32| {
        format!(
            r#"{{"key":"EVT_LU_Connected","user":"02:00:00:00:00:0{n}","network":"LAN","time":1795000000000}}"#
        )
    };
    mischief.duplicate_every(1);
    simulator.emit_item("default", Carrier::Events, &raw(1));
    assert_eq!(next_text(&mut socket).await, next_text(&mut socket).await);
    mischief.duplicate_every(0);
    mischief.twin_every(1);
    let entry = simulator
        .emit_item("default", Carrier::Events, &raw(2))
        .unwrap();
    assert!(next_text(&mut socket).await.contains(&entry.raw));
    let twin = next_text(&mut socket).await;
    assert!(twin.contains(r#""message":"alert""#));
    assert!(twin.contains(simulator.ledger().system_log(&entry).unwrap()));
    mischief.clear();
    mischief.items_per_frame(10);
    simulator.emit("default", 40);
    let mut got = Vec::new();
    while got.len() < 40 {
        got.extend(items(&next_text(&mut socket).await));
    }
    assert_eq!(got.len(), 40);
    mischief.drip(Some(Drip {
        bytes: 100,
        pause: Duration::from_millis(1),
    }));
    simulator.emit_item("default", Carrier::Events, &raw(3));
    assert!(next_text(&mut socket).await.contains(&raw(3)));
}
