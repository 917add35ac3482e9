//! Who comes in, and as what.

use super::visitor::{LIMIT, Visitor, body, next_close, next_text};
use super::{BOTH, of_kind, start};
use crate::clock::Clock;
use crate::config::ControllerKind;
use crate::demo::SimulatorOptions;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self};
use unifi_herald_plugin::Timestamp;

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
