//! Slack against a webhook that keeps its documented limits.

use super::*;
use crate::fake::{
    Fake, Taken, World, hostile, huge, incident, pretty, refused, respond, tell, texts, utf16,
    with_id_as_title,
};
use bytes::Bytes;
use std::marker::PhantomData;
use std::time::Duration;
use unifi_herald_plugin::http::Response;
use unifi_herald_plugin::testing::{EventBuilder, assert_sink_contract};
use unifi_herald_plugin::{AlertState, Fault, Kind, Retry};

const PATH: &str = "/services/T000/B000/XXXXSECRET";

fn rules(taken: &Taken, _count: usize) -> Response<Bytes> {
    let body = &taken.json;
    let refuse = |why: &str| respond(400, why);
    if taken.request.uri().path() != PATH {
        return respond(404, "no_service");
    }
    if body["text"].as_str().is_none_or(str::is_empty) {
        return refuse("no_text");
    }
    let attachments = body["attachments"].as_array().unwrap();
    let blocks: Vec<_> = attachments
        .iter()
        .flat_map(|attachment| attachment["blocks"].as_array().unwrap())
        .collect();
    if blocks.len() > 50 || utf16(&body["text"]) > 40_000 {
        return refuse("invalid_blocks");
    }
    for block in blocks {
        let within = |text: &Value, most| (1..=most).contains(&utf16(&text["text"]));
        let good = match block["type"].as_str().unwrap() {
            "header" => within(&block["text"], 150) && block["text"]["type"] == "plain_text",
            "section" => {
                let fields = block["fields"].as_array();
                let none = Vec::new();
                let fields = fields.unwrap_or(&none);
                (block["text"].is_null() || within(&block["text"], 3000))
                    && fields.len() <= 10
                    && fields.iter().all(|field| within(field, 2000))
            }
            "context" => block["elements"].as_array().unwrap().len() <= 10,
            _ => false,
        };
        if !good {
            return refuse("invalid_blocks");
        }
    }
    respond(200, "ok")
}

fn options() -> Value {
    json!({"url": format!("https://hooks.slack.com{PATH}"), "link": "https://192.0.2.1/x?a=1&b=2"})
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    assert_sink_contract(&mut World::<Slack> {
        fake: Fake::new(rules),
        options: with_id_as_title(&options()),
        event: |taken| {
            let header = &taken.json["attachments"][0]["blocks"][0]["text"]["text"];
            header.as_str().map(str::to_owned)
        },
        refuses: [(404, "no_service"), (400, "invalid_blocks")],
        sink: PhantomData,
    })
    .await;
}

#[tokio::test]
async fn says_it_in_colour_and_with_facts() {
    let fake = Fake::new(rules);
    let mut sink: Slack = fake.build(&options()).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    tell(
        &mut sink,
        EventBuilder::new(Kind::THREAT_BLOCKED).buffered(4),
    )
    .await;
    insta::assert_snapshot!("payloads", pretty(&fake.bodies()));
}

#[tokio::test]
async fn strangers_mention_nobody_and_lengths_are_held() {
    let fake = Fake::new(rules);
    let mut sink: Slack = fake.build(&options()).unwrap();
    tell(&mut sink, hostile()).await;
    tell(&mut sink, huge()).await;
    let bodies = fake.bodies();
    for text in texts(&bodies[0]) {
        let ours = text.starts_with("<https://192.0.2.1");
        assert!(
            ours || !text.contains(['<', '>', '\u{202e}', '\u{1b}']),
            "{text}"
        );
    }
    let header = &bodies[1]["attachments"][0]["blocks"][0]["text"]["text"];
    assert!(header.as_str().unwrap().ends_with('…'));
    // No entity is cut in two.
    for text in texts(&bodies[1]) {
        for piece in text.split('&').skip(1) {
            assert!(
                ["amp;", "lt;", "gt;"]
                    .iter()
                    .any(|entity| piece.starts_with(entity))
                    || text.starts_with("<https")
            );
        }
    }
}

#[tokio::test]
async fn errors_say_who_is_at_fault() {
    let fake = Fake::new(rules);
    let mut sink: Slack = fake.build(&options()).unwrap();
    for (status, body, fault, retry) in [
        (400, "invalid_payload", Fault::Event, Retry::Never),
        (400, "user_not_found", Fault::Configuration, Retry::Later),
        (403, "action_prohibited", Fault::Configuration, Retry::Later),
        (404, "no_service", Fault::Configuration, Retry::Later),
        (
            410,
            "channel_is_archived",
            Fault::Configuration,
            Retry::Later,
        ),
        (500, "rollup_error", Fault::Unavailable, Retry::Later),
    ] {
        fake.answer(status, &[], body);
        let error = refused(&mut sink).await;
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{body}");
    }
    fake.answer(429, &[("retry-after", "30")], "rate_limited");
    let error = refused(&mut sink).await;
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(30)));
    fake.answer(
        404,
        &[],
        "no https://hooks.slack.com/services/T000/B000/XXXXSECRET",
    );
    let error = refused(&mut sink).await;
    assert!(!format!("{error} {error:?} {sink:?}").contains("XXXXSECRET"));
}

#[tokio::test]
async fn a_check_finds_the_webhook_without_a_message() {
    let fake = Fake::new(rules);
    let mut sink: Slack = fake.build(&options()).unwrap();
    sink.check().await.unwrap();
    fake.answer(404, &[], "no_service");
    assert_eq!(
        sink.check().await.unwrap_err().fault(),
        Fault::Configuration
    );
}
