//! Apprise against an API server that keeps its documented rules.

use super::*;
use crate::fake::{
    Fake, Taken, World, hostile, huge, incident, pretty, refused, refused_at, respond, tell, texts,
    with_id_as_title,
};
use serde_json::{Value, json};
use std::marker::PhantomData;
use unifi_herald_plugin::http::Response;
use unifi_herald_plugin::testing::{EventBuilder, assert_sink_contract};
use unifi_herald_plugin::{AlertState, Fault, Kind, Retry};

fn rules(taken: &Taken, _count: usize) -> Response<Bytes> {
    let body = &taken.json;
    let has = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
    let one_of = |name: &str, all: &[&str]| all.contains(&body[name].as_str().unwrap_or_default());
    match taken.request.uri().path() {
        "/status" => return respond(200, "OK"),
        "/notify/house" => {}
        "/notify" if has("urls") => {}
        "/notify/unknown" => return respond(204, ""),
        _ => return respond(404, ""),
    }
    let types = ["info", "success", "warning", "failure"];
    let formats = ["text", "markdown", "html"];
    if has("body") && one_of("type", &types) && one_of("format", &formats) {
        respond(200, "{}")
    } else {
        respond(400, "{\"error\":\"bad request\"}")
    }
}

fn options() -> Value {
    json!({"url": "http://apprise:8000/", "key": "house", "tag": "family", "link": "https://192.0.2.1/x"})
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    for options in [
        options(),
        json!({"url": "http://apprise:8000", "urls": "mailto://user:pass@example.org"}),
    ] {
        assert_sink_contract(&mut World::<Apprise> {
            fake: Fake::new(rules),
            options: with_id_as_title(&options),
            event: |taken| taken.json["title"].as_str().map(str::to_owned),
            refuses: [(403, ""), (400, "")],
            sink: PhantomData,
        })
        .await;
    }
}

#[tokio::test]
async fn a_message_has_the_type_of_its_severity() {
    let fake = Fake::new(rules);
    let mut sink: Apprise = fake.build(&options()).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    let mut sink: Apprise = fake
        .build(&json!({"url": "http://apprise:8000", "urls": "json://h"}))
        .unwrap();
    tell(
        &mut sink,
        EventBuilder::new(Kind::CLIENT_ROAMED).buffered(4),
    )
    .await;
    insta::assert_snapshot!("payloads", pretty(&fake.bodies()));
}

#[tokio::test]
async fn strangers_and_lengths_are_held() {
    let fake = Fake::new(rules);
    let mut sink: Apprise = fake.build(&options()).unwrap();
    tell(&mut sink, hostile()).await;
    tell(&mut sink, huge()).await;
    let bodies = fake.bodies();
    assert!(
        texts(&bodies[0])
            .iter()
            .all(|text| !text.contains(['\u{202e}', '\u{1b}', '\r']))
    );
    assert!(
        bodies[1]["body"]
            .as_str()
            .unwrap()
            .ends_with("…\n\nhttps://192.0.2.1/x")
    );
}

#[tokio::test]
async fn errors_say_who_is_at_fault() {
    let fake = Fake::new(rules);
    let mut sink: Apprise = fake.build(&options()).unwrap();
    for (status, fault, retry) in [
        (204, Fault::Configuration, Retry::Later),
        (400, Fault::Event, Retry::Never),
        (404, Fault::Configuration, Retry::Later),
        (500, Fault::Unavailable, Retry::Later),
    ] {
        fake.answer(status, &[], "");
        let error = refused(&mut sink).await;
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{status}");
    }
    sink.check().await.unwrap();
    fake.answer(417, &[], "");
    sink.check().await.unwrap_err();
}

#[tokio::test]
async fn when_some_services_failed_the_others_are_not_told_for_ever() {
    let fake = Fake::new(rules);
    let mut sink: Apprise = fake.build(&options()).unwrap();
    for attempt in 1..MOST_TRIES {
        fake.answer(424, &[], "{\"error\":\"one failed\"}");
        let error = refused_at(&mut sink, attempt).await;
        assert_eq!(error.retry(), Retry::After(BETWEEN_TRIES));
    }
    fake.answer(424, &[], "");
    assert_eq!(
        refused_at(&mut sink, MOST_TRIES).await.retry(),
        Retry::Never
    );
}

#[test]
fn mistakes_are_found_when_it_is_built() {
    let fake = Fake::new(rules);
    for (options, option) in [
        (json!({"url": "http://h"}), ""),
        (json!({"url": "http://h", "key": "a", "urls": "b"}), ""),
        (json!({"url": "http://h", "key": "a/b"}), "key"),
        (json!({"url": "http://h", "urls": "b", "tag": "x"}), "tag"),
    ] {
        assert_eq!(
            fake.build::<Apprise>(&options).unwrap_err().option(),
            option
        );
    }
}
