//! ntfy against a server that keeps its documented limits.

use super::*;
use crate::fake::{
    Fake, Taken, World, hostile, huge, incident, pretty, refused, respond, tell, texts,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::marker::PhantomData;
use unifi_herald_plugin::http::Response;
use unifi_herald_plugin::testing::{EventBuilder, assert_sink_contract};
use unifi_herald_plugin::{AlertState, Fault, Kind, Retry};

fn rules(taken: &Taken, _count: usize) -> Response<Bytes> {
    let error = |status: u16, code: u32, text: &str| {
        let body = json!({"code": code, "http": status, "error": text});
        respond(status, &body.to_string())
    };
    if taken.request.uri().path() == "/v1/account" {
        return respond(200, "{}");
    }
    let body = &taken.json;
    let length = |name: &str| body[name].as_str().map_or(0, str::len);
    let id = body["sequence_id"].as_str().unwrap_or("-");
    let plain = |text: &str| (1..=64).contains(&text.len()) && token(text) == text;
    let tags = body["tags"].as_array().unwrap();
    let tags: usize = tags.iter().map(|tag| tag.as_str().unwrap().len() + 1).sum();
    match () {
        () if taken.request.uri().path() != "/" => error(400, 40_024, "not the root"),
        () if taken.request.headers()["content-type"] != "application/json" => {
            error(400, 40_024, "not JSON")
        }
        () if !plain(body["topic"].as_str().unwrap_or_default()) => error(400, 40_009, "topic"),
        () if !plain(id) => error(400, 40_049, "sequence ID invalid"),
        () if length("title") > 1024 => error(400, 40_057, "title too long"),
        () if tags > 512 => error(400, 40_058, "tags too long"),
        () if !(1..=5).contains(&body["priority"].as_u64().unwrap()) => {
            error(400, 40_007, "priority")
        }
        () if length("message") > 4096 => error(413, 41_301, "attachment too large"),
        () => respond(200, "{\"id\":\"x\"}"),
    }
}

fn options() -> Value {
    json!({"topic": "home", "token": "tk_secret", "link": "https://192.0.2.1/x", "tags": ["home"]})
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    assert_sink_contract(&mut World::<Ntfy> {
        fake: Fake::new(rules),
        options: options(),
        event: |taken| taken.json["sequence_id"].as_str().map(str::to_owned),
        refuses: [(403, ""), (400, "{\"code\":40011}")],
        sink: PhantomData,
    })
    .await;
}

#[tokio::test]
async fn a_recovery_updates_what_the_failure_sent() {
    let fake = Fake::new(rules);
    let mut sink: Ntfy = fake.build(&options()).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    tell(
        &mut sink,
        EventBuilder::new(Kind::CLIENT_ROAMED).buffered(4),
    )
    .await;
    let taken = fake.taken();
    assert!(
        taken
            .iter()
            .all(|taken| taken.request.headers()["authorization"] == "Bearer tk_secret")
    );
    assert_eq!(taken[0].request.uri(), "https://ntfy.sh/");
    let bodies: Vec<Value> = taken.into_iter().map(|taken| taken.json).collect();
    assert_eq!(bodies[0]["sequence_id"], bodies[1]["sequence_id"]);
    insta::assert_snapshot!("payloads", pretty(&bodies));
}

#[tokio::test]
async fn strangers_and_lengths_are_held() {
    let fake = Fake::new(rules);
    let mut sink: Ntfy = fake.build(&options()).unwrap();
    tell(&mut sink, hostile()).await;
    tell(&mut sink, huge()).await;
    let bodies = fake.bodies();
    let lines = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(texts(&bodies[0]).iter().all(|text| !text.contains(lines)));
    assert!(!bodies[0]["title"].as_str().unwrap().contains('\n'));
    for name in ["title", "message"] {
        assert!(bodies[1][name].as_str().unwrap().ends_with('…'), "{name}");
    }
    assert!(bodies[1]["title"].as_str().unwrap().len() > 1000);
}

#[tokio::test]
async fn its_limits_say_how_long_to_wait() {
    let fake = Fake::new(rules);
    let mut sink: Ntfy = fake.build(&options()).unwrap();
    let seconds = Duration::from_secs;
    fake.answer(429, &[], "{\"code\":42901,\"http\":429}");
    assert_eq!(refused(&mut sink).await.retry(), Retry::After(seconds(5)));
    fake.answer(429, &[("retry-after", "17")], "{\"code\":42901}");
    assert_eq!(refused(&mut sink).await.retry(), Retry::After(seconds(17)));
    // The day has hours to go, but somebody may pay for more messages before.
    fake.answer(429, &[], "{\"code\":42908,\"http\":429}");
    assert_eq!(
        refused(&mut sink).await.retry(),
        Retry::After(seconds(3600))
    );
    let midnight = 86_400 - u64::try_from(fake.wall().as_secs() % 86_400).unwrap();
    fake.advance(seconds(midnight - 90));
    fake.answer(429, &[], "{\"code\":42908,\"http\":429}");
    assert_eq!(refused(&mut sink).await.retry(), Retry::After(seconds(90)));
}

#[tokio::test]
async fn errors_say_who_is_at_fault() {
    let fake = Fake::new(rules);
    let mut sink: Ntfy = fake.build(&options()).unwrap();
    for (status, body, fault, retry) in [
        (400, "{\"code\":40011}", Fault::Event, Retry::Never),
        (400, "{\"code\":40010}", Fault::Configuration, Retry::Later),
        (401, "", Fault::Configuration, Retry::Later),
        (403, "tk_secret may not", Fault::Configuration, Retry::Later),
        (413, "", Fault::Event, Retry::Never),
        (502, "", Fault::Unavailable, Retry::Later),
    ] {
        fake.answer(status, &[], body);
        let error = refused(&mut sink).await;
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{status}");
        assert!(!format!("{error} {error:?} {sink:?}").contains("tk_secret"));
    }
    fake.answer(401, &[], "");
    assert_eq!(
        sink.check().await.unwrap_err().fault(),
        Fault::Configuration
    );
    sink.check().await.unwrap();
}

#[test]
fn mistakes_are_found_when_it_is_built() {
    let fake = Fake::new(rules);
    for (options, option) in [
        (json!({"topic": "my home"}), "topic"),
        (json!({"topic": "home", "url": "ntfy.sh"}), "url"),
        (json!({"topic": "home", "token": "a\nb"}), "token"),
        (json!({"topic": "home", "tags": ["x".repeat(500)]}), "tags"),
        (json!({"topic": "home", "title": "{{ x }}"}), "title"),
    ] {
        assert_eq!(fake.build::<Ntfy>(&options).unwrap_err().option(), option);
    }
}
