//! PagerDuty against an Events API v2 that keeps its documented limits.

use super::*;
use crate::fake::{
    Fake, Taken, World, hostile, huge, incident, pretty, refused, respond, tell, texts,
};
use std::marker::PhantomData;
use unifi_herald_plugin::http::Response;
use unifi_herald_plugin::testing::{EventBuilder, assert_sink_contract};
use unifi_herald_plugin::{AlertState, Fault, Kind, Retry};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn rules(taken: &Taken, _count: usize) -> Response<Bytes> {
    let body = &taken.json;
    let error = |text: &str| {
        let body = json!({"status": "invalid event", "message": "Event object is invalid", "errors": [text]});
        respond(400, &body.to_string())
    };
    if taken.request.method() == Method::HEAD {
        return respond(405, "");
    }
    let chars = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let payload = &body["payload"];
    let severity = payload["severity"].as_str().unwrap_or_default();
    match () {
        () if taken.request.uri().path() != "/v2/enqueue" => respond(404, ""),
        () if taken.request.body().len() > 512 * 1024 => respond(413, ""),
        () if chars(&body["routing_key"]) != 32 => {
            error("Length of 'routing_key' is incorrect (should be 32 characters)")
        }
        () if chars(&body["dedup_key"]) > 255 => error("'dedup_key' is too long"),
        () if body["event_action"] == "resolve" => respond(202, "{\"status\":\"success\"}"),
        () if !(1..=1024).contains(&chars(&payload["summary"])) => error("summary"),
        () if chars(&payload["source"]) == 0 => error("source"),
        () if !["critical", "error", "warning", "info"].contains(&severity) => error("severity"),
        () => respond(202, "{\"status\":\"success\"}"),
    }
}

fn options() -> Value {
    json!({"routing_key": KEY, "link": "https://192.0.2.1/x"})
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    assert_sink_contract(&mut World::<PagerDuty> {
        fake: Fake::new(rules),
        options: options(),
        event: |taken| taken.json["dedup_key"].as_str().map(str::to_owned),
        refuses: [
            (
                400,
                "{\"errors\":[\"Length of 'routing_key' is incorrect\"]}",
            ),
            (400, "{\"status\":\"invalid event\"}"),
        ],
        sink: PhantomData,
    })
    .await;
}

#[tokio::test]
async fn an_incident_is_opened_and_resolved_by_its_key() {
    let fake = Fake::new(rules);
    let mut sink: PagerDuty = fake.build(&options()).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Repeated)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    tell(
        &mut sink,
        EventBuilder::new(Kind::CLIENT_ROAMED).buffered(4),
    )
    .await;
    let bodies = fake.bodies();
    assert!(bodies[..3].iter().all(|body| body["dedup_key"] == "inc1"));
    insta::assert_snapshot!("payloads", pretty(&bodies));
}

#[tokio::test]
async fn strangers_and_lengths_are_held() {
    let fake = Fake::new(rules);
    let mut sink: PagerDuty = fake.build(&options()).unwrap();
    tell(&mut sink, hostile()).await;
    tell(&mut sink, huge()).await;
    let bodies = fake.bodies();
    assert!(
        texts(&bodies[0])
            .iter()
            .all(|text| !text.contains(['\u{202e}', '\u{1b}', '\r']))
    );
    assert!(
        bodies[1]["payload"]["summary"]
            .as_str()
            .unwrap()
            .ends_with('…')
    );
    assert_eq!(bodies[1]["dedup_key"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn the_region_is_the_accounts() {
    let fake = Fake::new(rules);
    for (options, server) in [
        (
            json!({"routing_key": KEY}),
            "https://events.pagerduty.com/v2/enqueue",
        ),
        (
            json!({"routing_key": KEY, "region": "eu"}),
            "https://events.eu.pagerduty.com/v2/enqueue",
        ),
        (
            json!({"routing_key": KEY, "url": "http://127.0.0.1:9/"}),
            "http://127.0.0.1:9/v2/enqueue",
        ),
    ] {
        let mut sink: PagerDuty = fake.build(&options).unwrap();
        tell(&mut sink, incident(AlertState::Firing)).await;
        assert_eq!(fake.taken()[0].request.uri(), server);
    }
}

#[tokio::test]
async fn errors_say_who_is_at_fault_and_how_long_to_wait() {
    let fake = Fake::new(rules);
    let mut sink: PagerDuty = fake.build(&options()).unwrap();
    let after = |seconds| Retry::After(Duration::from_secs(seconds));
    for (status, headers, body, fault, retry) in [
        (
            400,
            &[][..],
            "{\"status\":\"invalid event\"}",
            Fault::Event,
            Retry::Never,
        ),
        (
            400,
            &[],
            "{\"errors\":[\"Length of 'routing_key' is incorrect\"]}",
            Fault::Configuration,
            Retry::Later,
        ),
        (429, &[], "", Fault::Unavailable, after(180)),
        (
            429,
            &[("retry-after", "20")],
            "",
            Fault::Unavailable,
            after(20),
        ),
        (500, &[], KEY, Fault::Unavailable, Retry::Later),
    ] {
        fake.answer(status, headers, body);
        let error = refused(&mut sink).await;
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{status}");
        assert!(!format!("{error} {error:?} {sink:?}").contains(KEY));
    }
    sink.check().await.unwrap();
}
