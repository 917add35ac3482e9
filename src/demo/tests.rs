//! The simulator over the wire: both kinds, logins, the CSRF rule, histories and every misbehaviour.

use super::visitor::{LIMIT, Visitor, body, items, next, next_close, next_text};
use super::{
    Booting, Carrier, ConnectTrouble, Drip, Ending, Expiry, History, Junk, LoginTrouble, Network,
    Pace, Simulator, SimulatorOptions,
};
use crate::clock::Clock;
use crate::config::ControllerKind;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self, Message};
use unifi_herald_plugin::Timestamp;

const BOTH: [ControllerKind; 2] = [ControllerKind::UnifiOs, ControllerKind::SelfHosted];

fn start(change: impl FnOnce(&mut SimulatorOptions)) -> Simulator {
    let mut options = SimulatorOptions {
        alert_share: 0.0,
        missing_id_share: 0.0,
        ..SimulatorOptions::default()
    };
    change(&mut options);
    Simulator::start(options).unwrap()
}

fn of_kind(kind: ControllerKind) -> Simulator {
    start(|options| options.kind = kind)
}

#[tokio::test]
async fn root_tells_the_kind() {
    let os = of_kind(ControllerKind::UnifiOs);
    let reply = Visitor::new(&os).http.get(os.url()).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(
        reply.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let classic = of_kind(ControllerKind::SelfHosted);
    let reply = Visitor::new(&classic)
        .http
        .get(classic.url())
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            reply.status().as_u16(),
            reply.headers()["location"].to_str().unwrap()
        ),
        (302, "/manage")
    );
}

#[tokio::test]
async fn login_opens_rest_and_socket() {
    for kind in BOTH {
        let simulator = of_kind(kind);
        assert_eq!(
            Visitor::new(&simulator)
                .get("/api/self/sites")
                .await
                .status(),
            401
        );
        let refused = Visitor::new(&simulator)
            .connect("default")
            .await
            .unwrap_err();
        assert!(matches!(refused, tungstenite::Error::Http(reply) if reply.status() == 401));
        let visitor = Visitor::logged_in(&simulator).await;
        let sites = body(visitor.get("/api/self/sites").await).await;
        assert_eq!(
            (&sites["data"][0]["name"], &sites["data"][0]["desc"]),
            (&json!("default"), &json!("Home"))
        );
        for (path, least) in [
            ("self", 1),
            ("stat/sysinfo", 1),
            ("stat/device", 5),
            ("stat/sta", 5),
            ("rest/user", 15),
        ] {
            let list = body(visitor.get(&format!("/api/s/default/{path}")).await).await;
            assert!(list["data"].as_array().unwrap().len() >= least, "{path}");
        }
        let mut socket = visitor.subscribe("default").await;
        assert!(simulator.wait_for_sockets(1, LIMIT));
        let made = simulator.emit("default", 1);
        if made[0].site == "default" {
            assert_eq!(
                next_text(&mut socket).await,
                format!(
                    r#"{{"meta":{{"rc":"ok","message":"events"}},"data":[{}]}}"#,
                    made[0].raw
                )
            );
        }
        drop(socket);
        assert!(simulator.wait_for_sockets(0, LIMIT));
    }
}

#[tokio::test]
async fn cookies_look_like_the_kind() {
    let os = of_kind(ControllerKind::UnifiOs);
    let SimulatorOptions {
        username, password, ..
    } = os.options().clone();
    let reply = Visitor::new(&os).login(&username, &password, "").await;
    let cookie = reply.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("TOKEN=") && cookie.ends_with("Partitioned"));
    let payload = cookie.split('.').nth(1).unwrap();
    let claims =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        claims["csrfToken"].as_str().unwrap(),
        reply.headers()["x-csrf-token"].to_str().unwrap()
    );
    assert!(claims["exp"].as_i64().unwrap() > claims["iat"].as_i64().unwrap());
    let user = body(reply).await;
    assert!(user.get("meta").is_none() && user["username"] == "herald");
    let classic = of_kind(ControllerKind::SelfHosted);
    let visitor = Visitor::logged_in(&classic).await;
    assert_eq!(
        visitor.cookies.keys().collect::<Vec<_>>(),
        ["csrf_token", "unifises"]
    );
}

#[tokio::test]
async fn mutations_need_the_csrf_token() {
    for kind in BOTH {
        let simulator = of_kind(kind);
        let mut visitor = Visitor::logged_in(&simulator).await;
        let ask = json!({"_limit": 1});
        assert_eq!(
            visitor
                .post("/api/s/default/stat/event", ask.clone())
                .await
                .status(),
            200
        );
        let csrf = visitor.csrf.take();
        assert_eq!(
            visitor
                .post("/api/s/default/stat/event", ask.clone())
                .await
                .status(),
            403
        );
        assert_eq!(visitor.get("/api/s/default/stat/sta").await.status(), 200);
        visitor.csrf = csrf;
        simulator.mischief().rotate_csrf();
        let reply = visitor.get("/api/s/default/self").await;
        let updated = reply.headers()["x-updated-csrf-token"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            visitor
                .post("/api/s/default/stat/event", ask.clone())
                .await
                .status(),
            403
        );
        visitor.csrf = Some(updated);
        assert_eq!(
            visitor
                .post("/api/s/default/stat/event", ask)
                .await
                .status(),
            200
        );
    }
}

#[tokio::test]
async fn wrong_passwords_lead_to_a_lockout() {
    let clock = Clock::manual(Timestamp::from_millis(1_795_000_000_000));
    let simulator = start(|options| options.clock = clock.clone());
    let mut visitor = Visitor::new(&simulator);
    for _ in 0..5 {
        let reply = visitor.login("herald", "wrong", "").await;
        assert_eq!(reply.status(), 403);
        assert_eq!(
            body(reply).await["code"],
            "AUTHENTICATION_FAILED_INVALID_CREDENTIALS"
        );
    }
    let password = simulator.options().password.clone();
    let reply = visitor.login("herald", &password, "").await;
    assert_eq!(reply.status(), 429);
    assert_eq!(
        body(reply).await["code"],
        "AUTHENTICATION_FAILED_LIMIT_REACHED"
    );
    clock.advance(Duration::from_secs(299));
    assert_eq!(
        visitor.login("herald", &password, "").await.status(),
        429,
        "asking keeps it shut"
    );
    clock.advance(Duration::from_secs(299));
    assert_eq!(visitor.login("herald", &password, "").await.status(), 429);
    clock.advance(Duration::from_secs(301));
    assert_eq!(visitor.login("herald", &password, "").await.status(), 200);
    let counts = simulator.stats().counts();
    assert_eq!((counts.logins, counts.refused_logins), (1, 8));
    let classic = of_kind(ControllerKind::SelfHosted);
    let reply = Visitor::new(&classic).login("herald", "wrong", "").await;
    assert_eq!(reply.status(), 400);
    assert_eq!(body(reply).await["meta"]["msg"], "api.err.Invalid");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_checked() {
    for (kind, status) in [
        (ControllerKind::UnifiOs, 499),
        (ControllerKind::SelfHosted, 400),
    ] {
        let simulator = start(|options| {
            options.kind = kind;
            options.totp = Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned());
            options.clock = Clock::manual(Timestamp::from_millis(1_111_111_109_000));
        });
        let password = simulator.options().password.clone();
        let mut visitor = Visitor::new(&simulator);
        assert_eq!(
            visitor.login("herald", &password, "").await.status(),
            status
        );
        assert_ne!(
            visitor.login("herald", &password, "123456").await.status(),
            200
        );
        assert_eq!(
            visitor.login("herald", &password, "081804").await.status(),
            200
        );
    }
}

#[tokio::test]
async fn sessions_end_by_logout_and_by_time() {
    for kind in BOTH {
        let clock = Clock::manual(Timestamp::from_millis(1_795_000_000_000));
        let simulator = start(|options| {
            options.kind = kind;
            options.clock = clock.clone();
            options.session = Some(Duration::from_secs(900));
        });
        let visitor = Visitor::logged_in(&simulator).await;
        clock.advance(Duration::from_secs(901));
        assert_eq!(visitor.get("/api/self/sites").await.status(), 401);
        let visitor = Visitor::logged_in(&simulator).await;
        let path = if kind == ControllerKind::UnifiOs {
            "/api/auth/logout"
        } else {
            "/api/logout"
        };
        assert_eq!(
            visitor
                .send(Method::POST, format!("{}{path}", simulator.url()), None)
                .await
                .status(),
            200
        );
        assert_eq!(visitor.get("/api/self/sites").await.status(), 401);
        assert_eq!(simulator.stats().counts().logouts, 1);
    }
}

#[tokio::test]
async fn an_api_key_is_for_rest_only() {
    let simulator = start(|options| options.api_key = Some("key-1".to_owned()));
    let mut visitor = Visitor::new(&simulator);
    visitor.api_key = Some("key-1".to_owned());
    assert_eq!(visitor.get("/api/self/sites").await.status(), 200);
    let window =
        json!({"timestampFrom": 0, "timestampTo": i64::MAX, "pageNumber": 0, "pageSize": 10});
    assert_eq!(
        visitor
            .post("/v2/api/site/default/system-log/all", window)
            .await
            .status(),
        200,
        "no CSRF token needed"
    );
    let mut socket = visitor.connect("default").await.unwrap();
    assert_eq!(
        next_close(&mut socket).await,
        Some(1000),
        "accepted, closed, no frame"
    );
    let mut mixed = Visitor::logged_in(&simulator).await;
    mixed.api_key = Some("key-1".to_owned());
    assert_eq!(mixed.get("/api/self/sites").await.status(), 403);
    assert!(mixed.connect("default").await.is_err());
    visitor.api_key = Some("key-2".to_owned());
    assert_eq!(visitor.get("/api/self/sites").await.status(), 401);
}

/// A simulator on a clock that stands still, moved on by a second per event, with `count` events made.
fn with_past(count: usize, change: impl FnOnce(&mut SimulatorOptions)) -> (Simulator, Clock) {
    let clock = Clock::manual(Timestamp::from_millis(1_795_000_000_000));
    let simulator = start(|options| {
        options.clock = clock.clone();
        change(options);
    });
    for _ in 0..count {
        clock.advance(Duration::from_secs(1));
        simulator.emit("default", 1);
    }
    (simulator, clock)
}

#[tokio::test]
async fn system_log_pages_hold_each_event_once() {
    let (simulator, _clock) = with_past(300, |_| {});
    let visitor = Visitor::logged_in(&simulator).await;
    let ledger = simulator.ledger();
    let known: Vec<_> = ledger
        .entries("default")
        .into_iter()
        .filter(|entry| entry.in_system_log())
        .collect();
    assert!(known.len() > 200);
    let (from, to) = (
        known[20].time.as_millis(),
        known[known.len() - 20].time.as_millis(),
    );
    let expected: BTreeSet<String> = known
        .iter()
        .filter(|entry| (from..=to).contains(&entry.time.as_millis()))
        .map(|entry| ledger.system_log(entry).unwrap().to_owned())
        .collect();
    let mut got = Vec::new();
    let mut pages = 1;
    while got.len() < expected.len() && pages < 100 {
        let ask = json!({"timestampFrom": from, "timestampTo": to, "pageNumber": pages - 1, "pageSize": 37});
        let page = body(
            visitor
                .post("/v2/api/site/default/system-log/all", ask)
                .await,
        )
        .await;
        assert_eq!(page["total_element_count"], expected.len());
        assert_eq!(page["total_page_count"], expected.len().div_ceil(37));
        got.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| (entry["timestamp"].as_i64().unwrap(), entry.clone())),
        );
        pages += 1;
    }
    assert!(got.is_sorted_by(|a, b| a.0 >= b.0), "newest first");
    let expected: BTreeSet<String> = expected
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap().to_string())
        .collect();
    assert_eq!(
        got.iter()
            .map(|(_, entry)| entry.to_string())
            .collect::<BTreeSet<_>>(),
        expected
    );
}

#[tokio::test]
async fn system_log_refuses_what_the_real_one_refuses() {
    let (simulator, _clock) = with_past(50, |_| {});
    let visitor = Visitor::logged_in(&simulator).await;
    let all = "/v2/api/site/default/system-log/all";
    assert_eq!(visitor.get(all).await.status(), 405);
    assert_eq!(
        visitor.post(all, json!({"pageSize": 1001})).await.status(),
        400
    );
    assert_eq!(
        visitor
            .post(all, json!({"pageSize": 10, "categories": ["MONITORING"]}))
            .await
            .status(),
        400
    );
    assert_eq!(
        visitor
            .post("/v2/api/site/default/system-log/triggers", json!({}))
            .await
            .status(),
        404
    );
    let only = json!({"pageSize": 1000, "categories": ["CLIENT_DEVICES"]});
    let page = body(visitor.post(all, only).await).await;
    let entries = page["data"].as_array().unwrap();
    assert!(
        !entries.is_empty()
            && entries
                .iter()
                .all(|entry| entry["category"] == "CLIENT_DEVICES")
    );
    let counts = body(
        visitor
            .post("/v2/api/site/default/system-log/count", json!({}))
            .await,
    )
    .await;
    assert!(
        counts["events"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["name"] == "CLIENT_ROAMED")
    );
}

#[tokio::test]
async fn stat_event_tells_the_same_items() {
    let (simulator, _clock) = with_past(120, |options| options.missing_id_share = 0.5);
    let visitor = Visitor::logged_in(&simulator).await;
    let ledger = simulator.ledger();
    let mut got = Vec::new();
    for start in [0, 50, 100] {
        let ask = json!({"_start": start, "_limit": 50, "within": 720, "_sort": "-time"});
        let page = body(visitor.post("/api/s/default/stat/event", ask).await).await;
        assert_eq!(page["meta"]["rc"], "ok");
        got.extend(page["data"].as_array().unwrap().clone());
    }
    let known: Vec<_> = ledger
        .entries("default")
        .into_iter()
        .filter(|entry| entry.in_legacy())
        .collect();
    assert_eq!(got.len(), known.len());
    assert!(
        got.iter()
            .all(|item| item["_id"].as_str().unwrap().len() == 24)
    );
    assert!(known.iter().any(|entry| entry.id.is_none()));
    for entry in known {
        let here =
            |item: &Value| serde_json::from_str::<Value>(entry.legacy().unwrap()).unwrap() == *item;
        assert!(got.iter().any(here), "{}", entry.raw);
    }
    let ask = json!({"within": 0});
    let page = body(visitor.post("/api/s/default/stat/event", ask).await).await;
    assert!(
        page["data"].as_array().unwrap().len() < 3,
        "the window ends now"
    );
}

#[tokio::test]
async fn history_apis_come_and_go() {
    for (history, legacy, v2) in [
        (History::Both, 200, 200),
        (History::SystemLogOnly, 404, 200),
        (History::LegacyOnly, 200, 404),
        (History::None, 404, 404),
    ] {
        let simulator = of_kind(ControllerKind::UnifiOs);
        simulator.mischief().history(history);
        let visitor = Visitor::logged_in(&simulator).await;
        let ask = json!({"pageSize": 10});
        assert_eq!(
            visitor
                .post("/api/s/default/stat/event", ask.clone())
                .await
                .status(),
            legacy,
            "{history:?}"
        );
        assert_eq!(
            visitor
                .post("/v2/api/site/default/system-log/all", ask)
                .await
                .status(),
            v2,
            "{history:?}"
        );
    }
}

#[tokio::test]
async fn history_lags_behind() {
    let (simulator, clock) = with_past(10, |_| {});
    simulator.mischief().history_lag(Duration::from_secs(5));
    clock.advance(Duration::from_millis(1));
    let visitor = Visitor::logged_in(&simulator).await;
    let count = async || {
        let page = body(visitor.post("/api/s/default/stat/event", json!({})).await).await;
        page["data"].as_array().unwrap().len()
    };
    let before = count().await;
    assert_eq!(before, 5, "the last five seconds are not there yet");
    clock.advance(Duration::from_secs(5));
    assert!(count().await > before);
}

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
    simulator.mischief().unplug(true);
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
        assert_eq!(next_text(&mut socket).await, junk.render());
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
