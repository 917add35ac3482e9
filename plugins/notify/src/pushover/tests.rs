//! Pushover against an API that keeps its documented limits.

use super::*;
use crate::fake::{
    Fake, Taken, World, hostile, huge, incident, pretty, refused, respond, tell, texts,
    with_id_as_title,
};
use bytes::Bytes;
use serde_json::Value;
use std::marker::PhantomData;
use unifi_herald_plugin::http::Response;
use unifi_herald_plugin::testing::{EventBuilder, assert_sink_contract, batch};
use unifi_herald_plugin::{Fault, Kind, Retry};

fn rules(taken: &Taken, count: usize) -> Response<Bytes> {
    let body = &taken.json;
    let error = |text: &str| {
        let body = json!({"status": 0, "errors": [text], "request": "r"});
        respond(400, &body.to_string())
    };
    let length = |name: &str| body[name].as_str().map_or(0, |text| text.chars().count());
    if body["token"] != "apptoken" {
        return respond(
            400,
            "{\"token\":\"invalid\",\"errors\":[\"application token is invalid\"],\"status\":0}",
        );
    }
    let path = taken.request.uri().path();
    if path != "/1/messages.json" {
        let known = path == "/1/users/validate.json"
            || path.starts_with("/1/receipts/") && path.ends_with(".json");
        return respond(
            if known { 200 } else { 404 },
            "{\"status\":1,\"request\":\"r\"}",
        );
    }
    let priority = body["priority"].as_i64().unwrap();
    let retry = body["retry"].as_u64().unwrap_or(0);
    let expire = body["expire"].as_u64().unwrap_or(0);
    match () {
        () if body["user"] != "userkey" => respond(
            400,
            "{\"user\":\"invalid\",\"errors\":[\"user identifier is invalid\"],\"status\":0}",
        ),
        () if length("message") == 0 => error("message cannot be blank"),
        () if length("message") > 1024 => error("message is too long"),
        () if length("title") > 250 => error("title is too long"),
        () if length("url") > 512 || length("url_title") > 100 => error("url is too long"),
        () if !(-2..=2).contains(&priority) => error("priority is invalid"),
        () if priority == 2 && !(30..=10_800).contains(&retry) => error("retry must be supplied"),
        () if priority == 2 && !(1..=10_800).contains(&expire) => error("expire must be supplied"),
        () if priority == 2 => {
            let receipt = format!("receipt{count:023}");
            let body = json!({"status": 1, "request": "r", "receipt": receipt});
            respond(200, &body.to_string())
        }
        () => respond(200, "{\"status\":1,\"request\":\"r\"}"),
    }
}

fn options() -> Value {
    json!({"token": "apptoken", "user": "userkey", "link": "https://192.0.2.1/x"})
}

fn ways(fake: &Fake) -> Vec<String> {
    let taken = fake.taken().into_iter();
    taken
        .map(|taken| {
            taken
                .request
                .uri()
                .path()
                .trim_start_matches("/1/")
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    assert_sink_contract(&mut World::<Pushover> {
        fake: Fake::new(rules),
        options: with_id_as_title(&options()),
        event: |taken| taken.json["title"].as_str().map(str::to_owned),
        refuses: [
            (400, "{\"token\":\"invalid\",\"status\":0}"),
            (400, "{\"errors\":[\"message is too long\"],\"status\":0}"),
        ],
        sink: PhantomData,
    })
    .await;
}

#[tokio::test]
async fn what_is_critical_rings_until_it_is_over() {
    let fake = Fake::new(rules);
    let mut sink: Pushover = fake.build(&options()).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    tell(
        &mut sink,
        EventBuilder::new(Kind::CLIENT_ROAMED).buffered(4),
    )
    .await;
    let taken = fake.taken();
    let path = taken[1].request.uri().path();
    assert_eq!(
        path,
        "/1/receipts/receipt00000000000000000000001/cancel.json"
    );
    let bodies: Vec<Value> = taken.into_iter().map(|taken| taken.json).collect();
    insta::assert_snapshot!("payloads", pretty(&bodies));
}

#[tokio::test]
async fn a_success_without_its_body_is_none() {
    let fake = Fake::new(rules);
    fake.break_off();
    let mut sink: Pushover = fake.build(&options()).unwrap();
    assert_eq!(refused(&mut sink).await.retry(), Retry::Later);
}

#[tokio::test]
async fn a_repetition_takes_the_place_of_what_rings_and_a_restart_forgets_no_receipt() {
    let fake = Fake::new(rules);
    let mut sink: Pushover = fake.build(&options()).unwrap();
    for state in [AlertState::Firing, AlertState::Repeated, AlertState::Folded] {
        tell(&mut sink, incident(state)).await;
    }
    let messages = "messages.json".to_owned();
    let cancel = "receipts/receipt00000000000000000000001/cancel.json".to_owned();
    assert_eq!(
        ways(&fake),
        [messages.clone(), cancel, messages.clone(), messages.clone()]
    );
    let mut next: Pushover = fake.build(&options()).unwrap();
    tell(&mut next, incident(AlertState::Resolved)).await;
    let cancel = "receipts/receipt00000000000000000000003/cancel.json".to_owned();
    assert_eq!(ways(&fake), [cancel, messages]);
}

#[tokio::test]
async fn without_a_receipt_the_tag_helps() {
    let fake = Fake::new(rules);
    let mut sink: Pushover = fake.build(&options()).unwrap();
    tell(&mut sink, incident(AlertState::Resolved)).await;
    assert_eq!(
        ways(&fake),
        ["receipts/cancel_by_tag/inc1.json", "messages.json"]
    );
}

#[tokio::test]
async fn a_cancel_that_fails_comes_again_and_one_that_is_not_needed_does_not() {
    let fake = Fake::new(rules);
    let mut sink: Pushover = fake.build(&options()).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    fake.answer(500, &[], "");
    let over = [incident(AlertState::Resolved)];
    let error = sink.deliver(Batch::new(&over)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(5)));
    fake.answer(
        400,
        &[],
        "{\"status\":0,\"errors\":[\"receipt is expired\"]}",
    );
    sink.deliver(Batch::new(&over)).await.unwrap();
    let ways = ways(&fake);
    assert_eq!(ways[1], ways[2]);
    assert_eq!(ways[3], "messages.json");
}

#[tokio::test]
async fn emergencies_can_be_forbidden() {
    let fake = Fake::new(rules);
    let mut options = options();
    options["emergency"] = false.into();
    let mut sink: Pushover = fake.build(&options).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    let bodies = fake.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["priority"], 1);
    assert!(bodies[0]["retry"].is_null());
}

#[tokio::test]
async fn strangers_and_lengths_are_held() {
    let fake = Fake::new(rules);
    let mut sink: Pushover = fake.build(&options()).unwrap();
    tell(&mut sink, hostile()).await;
    tell(&mut sink, huge()).await;
    let bodies = fake.bodies();
    assert!(
        texts(&bodies[0])
            .iter()
            .all(|text| !text.contains(['\u{202e}', '\u{1b}', '\r']))
    );
    // Without this Pushover shows text as text.
    assert!(bodies[0]["html"].is_null());
    assert!(bodies[1]["message"].as_str().unwrap().ends_with('…'));
}

#[tokio::test]
async fn the_months_quota_says_how_long_to_wait() {
    let fake = Fake::new(rules);
    let mut sink: Pushover = fake.build(&options()).unwrap();
    let reset = (fake.wall().as_secs() + 90).to_string();
    fake.answer(
        429,
        &[
            ("x-limit-app-remaining", "0"),
            ("x-limit-app-reset", &reset),
        ],
        "",
    );
    let seconds = |seconds| Retry::After(Duration::from_secs(seconds));
    assert_eq!(refused(&mut sink).await.retry(), seconds(90));
    fake.answer(429, &[], "");
    assert_eq!(refused(&mut sink).await.retry(), seconds(3600));
    // The last one of the month: the next is not even tried.
    let last = [
        ("x-limit-app-remaining", "0"),
        ("x-limit-app-reset", reset.as_str()),
    ];
    fake.answer(200, &last, "{\"status\":1}");
    fake.taken();
    let error = sink.deliver(Batch::new(&batch(2))).await.unwrap_err();
    assert_eq!((error.accepted(), error.retry()), (1, seconds(90)));
    assert_eq!(fake.taken().len(), 1);
}

#[tokio::test]
async fn errors_say_who_is_at_fault() {
    let fake = Fake::new(rules);
    let mut sink: Pushover = fake.build(&options()).unwrap();
    for (status, body, fault) in [
        (
            400,
            "{\"errors\":[\"message is too long\"],\"status\":0}",
            Fault::Event,
        ),
        (
            400,
            "{\"user\":\"invalid\",\"errors\":[\"userkey is no user\"],\"status\":0}",
            Fault::Configuration,
        ),
        (
            400,
            "{\"token\":\"invalid\",\"errors\":[\"apptoken\"],\"status\":0}",
            Fault::Configuration,
        ),
        (503, "", Fault::Unavailable),
    ] {
        fake.answer(status, &[], body);
        let error = refused(&mut sink).await;
        assert_eq!(error.fault(), fault, "{body}");
        assert_eq!(error.retry() == Retry::Never, fault == Fault::Event);
        let said = format!("{error} {error:?} {sink:?}");
        assert!(!said.contains("apptoken") && !said.contains("userkey"));
    }
    sink.check().await.unwrap();
    fake.answer(400, &[], "{\"user\":\"invalid\",\"status\":0}");
    assert_eq!(
        sink.check().await.unwrap_err().fault(),
        Fault::Configuration
    );
}

#[test]
fn mistakes_are_found_when_it_is_built() {
    let fake = Fake::new(rules);
    for (name, value) in [
        ("retry", json!("10s")),
        ("expire", json!("4h")),
        ("link", json!(format!("https://h/{}", "x".repeat(600)))),
    ] {
        let mut options = options();
        options[name] = value;
        assert_eq!(fake.build::<Pushover>(&options).unwrap_err().option(), name);
    }
}
