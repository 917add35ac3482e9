//! Discord against a webhook that keeps its documented limits.

use super::*;
use crate::fake::{
    Fake, Taken, World, hostile, huge, incident, pretty, refused, respond, tell, texts, utf16,
    with_id_as_title,
};
use serde_json::Value;
use std::marker::PhantomData;
use unifi_herald_plugin::http::Response;
use unifi_herald_plugin::testing::{EventBuilder, assert_sink_contract, batch};
use unifi_herald_plugin::{AlertState, Fault, Kind, Retry};

const PATH: &str = "/api/webhooks/123/SECRETTOKEN";

fn rules(taken: &Taken, count: usize) -> Response<Bytes> {
    let path = taken.request.uri().path();
    let refuse = |why: &str| respond(400, &json!({"code": 50_035, "message": why}).to_string());
    if taken.request.method() == Method::GET {
        return respond(200, "{\"name\":\"hook\"}");
    }
    if !path.starts_with(PATH) {
        return respond(404, "{\"code\":10015,\"message\":\"Unknown Webhook\"}");
    }
    let embeds = taken.json["embeds"].as_array().unwrap();
    if embeds.len() > 10 {
        return refuse("embeds");
    }
    let mut total = 0;
    for embed in embeds {
        let none = Vec::new();
        let fields = embed["fields"].as_array().unwrap_or(&none);
        let lengths = [
            (utf16(&embed["title"]), 256),
            (utf16(&embed["description"]), 4096),
            (utf16(&embed["footer"]["text"]), 2048),
            (fields.len(), 25),
        ];
        let cells = fields
            .iter()
            .flat_map(|field| [(utf16(&field["name"]), 256), (utf16(&field["value"]), 1024)]);
        let cells: Vec<_> = cells.collect();
        if lengths
            .iter()
            .chain(&cells)
            .any(|(length, most)| length > most)
            || cells.iter().any(|(length, _)| *length == 0)
        {
            return refuse("embed field too long, or empty");
        }
        total += lengths[..3]
            .iter()
            .chain(&cells)
            .map(|(length, _)| length)
            .sum::<usize>();
    }
    if total > 6000 {
        return refuse("embeds are longer than 6000 together");
    }
    respond(200, &json!({"id": (1000 + count).to_string()}).to_string())
}

fn options() -> Value {
    json!({"url": format!("https://discord.com{PATH}")})
}

fn sink(fake: &Fake) -> Discord {
    fake.build(&options()).unwrap()
}

fn ways(fake: &Fake) -> Vec<String> {
    let taken = fake.taken().into_iter();
    taken
        .map(|taken| {
            let way = taken.request.uri().path_and_query().unwrap().as_str();
            format!(
                "{} {}",
                taken.request.method(),
                way.trim_start_matches(PATH)
            )
        })
        .collect()
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    assert_sink_contract(&mut World::<Discord> {
        fake: Fake::new(rules),
        options: with_id_as_title(&options()),
        event: |taken| taken.json["embeds"][0]["title"].as_str().map(str::to_owned),
        refuses: [(404, "{\"code\":10015}"), (400, "{\"code\":50035}")],
        sink: PhantomData,
    })
    .await;
}

#[tokio::test]
async fn the_end_of_an_incident_edits_its_message() {
    let fake = Fake::new(rules);
    let mut sink: Discord = fake
        .build(&json!({
            "url": format!("https://discord.com{PATH}"),
            "thread_id": 77,
            "link": "https://192.0.2.1/x",
        }))
        .unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    tell(
        &mut sink,
        EventBuilder::new(Kind::CLIENT_ROAMED).buffered(4),
    )
    .await;
    let taken = fake.taken();
    let bodies: Vec<Value> = taken.iter().map(|taken| taken.json.clone()).collect();
    assert_eq!(
        taken[0].request.uri().query(),
        Some("wait=true&thread_id=77")
    );
    assert_eq!(taken[1].request.method(), Method::PATCH);
    let path = taken[1].request.uri().path_and_query().unwrap().as_str();
    assert_eq!(path, format!("{PATH}/messages/1001?thread_id=77"));
    insta::assert_snapshot!("payloads", pretty(&bodies));
}

#[tokio::test]
async fn a_success_without_its_body_is_not_said_again() {
    let fake = Fake::new(rules);
    fake.break_off();
    let mut sink = sink(&fake);
    tell(&mut sink, incident(AlertState::Firing)).await;
    // Which message it was is not known, so that its end is a message of its own.
    tell(&mut sink, incident(AlertState::Resolved)).await;
    assert_eq!(ways(&fake), ["POST ?wait=true", "POST ?wait=true"]);
}

#[tokio::test]
async fn a_repetition_is_new_and_is_the_one_that_is_edited() {
    let fake = Fake::new(rules);
    let mut sink = sink(&fake);
    for state in [
        AlertState::Firing,
        AlertState::Repeated,
        AlertState::Folded,
        AlertState::Resolved,
        AlertState::Resolved,
    ] {
        tell(&mut sink, incident(state)).await;
    }
    let new = "POST ?wait=true";
    let edit = "PATCH /messages/1002";
    assert_eq!(ways(&fake), [new, new, edit, edit, new]);
}

#[tokio::test]
async fn an_end_whose_message_is_unknown_or_gone_is_a_message() {
    let fake = Fake::new(rules);
    let mut fresh = sink(&fake);
    tell(&mut fresh, incident(AlertState::Resolved)).await;
    assert_eq!(ways(&fake), ["POST ?wait=true"]);
    let mut sink = sink(&fake);
    tell(&mut sink, incident(AlertState::Firing)).await;
    fake.answer(404, &[], "{\"code\":10008,\"message\":\"Unknown Message\"}");
    tell(&mut sink, incident(AlertState::Resolved)).await;
    let ways = ways(&fake);
    assert!(
        ways[1].starts_with("PATCH") && ways[2].starts_with("POST"),
        "{ways:?}"
    );
}

#[tokio::test]
async fn an_edit_that_fails_comes_again_as_an_edit() {
    let fake = Fake::new(rules);
    let mut sink = sink(&fake);
    tell(&mut sink, incident(AlertState::Firing)).await;
    fake.answer(502, &[], "");
    let events = [incident(AlertState::Resolved)];
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unavailable);
    sink.deliver(Batch::new(&events)).await.unwrap();
    let edit = "PATCH /messages/1001";
    assert_eq!(ways(&fake), ["POST ?wait=true", edit, edit]);
}

#[tokio::test]
async fn a_restart_forgets_no_message() {
    let fake = Fake::new(rules);
    tell(&mut sink(&fake), incident(AlertState::Firing)).await;
    tell(&mut sink(&fake), incident(AlertState::Resolved)).await;
    assert_eq!(ways(&fake), ["POST ?wait=true", "PATCH /messages/1001"]);
}

#[tokio::test]
async fn an_id_that_is_no_number_is_not_put_into_an_address() {
    let fake = Fake::new(rules);
    let mut sink = sink(&fake);
    fake.answer(200, &[], "{\"id\":\"../../x\"}");
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    assert_eq!(ways(&fake), ["POST ?wait=true", "POST ?wait=true"]);
}

#[tokio::test]
async fn strangers_mention_nobody_and_lengths_are_held() {
    let fake = Fake::new(rules);
    let mut sink = sink(&fake);
    tell(&mut sink, hostile()).await;
    tell(&mut sink, huge()).await;
    let bodies = fake.bodies();
    assert_eq!(bodies[0]["allowed_mentions"], json!({"parse": []}));
    let title = bodies[0]["embeds"][0]["title"].as_str().unwrap();
    assert!(title.starts_with(r"\@everyone \<!channel\>"), "{title}");
    assert!(
        title.contains(r"\[x\]\(https://evil.example\) \*\*b\*\*"),
        "{title}"
    );
    assert!(
        texts(&bodies[0])
            .iter()
            .all(|text| !text.contains(['\u{202e}', '\u{1b}', '\r']))
    );
    let long = &bodies[1]["embeds"][0];
    assert!(long["description"].as_str().unwrap().ends_with('…'));
    assert!(utf16(&long["description"]) > 4000);
}

#[tokio::test]
async fn its_limits_say_how_long_to_wait() {
    let fake = Fake::new(rules);
    let mut sink = sink(&fake);
    let body =
        "{\"message\":\"You are being rate limited.\",\"retry_after\":0.75,\"global\":false}";
    for (headers, wait) in [
        (
            &[("retry-after", "2"), ("x-ratelimit-reset-after", "1.5")][..],
            2000,
        ),
        (&[("x-ratelimit-reset-after", "1.5")], 1500),
        (&[], 750),
    ] {
        fake.answer(429, headers, body);
        let wait = Retry::After(Duration::from_millis(wait));
        assert_eq!(refused(&mut sink).await.retry(), wait);
    }
}

#[tokio::test]
async fn an_empty_bucket_holds_the_next_message_back() {
    let fake = Fake::new(rules);
    let mut sink = sink(&fake);
    let empty = [
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset-after", "3"),
    ];
    fake.answer(200, &empty, "{\"id\":\"1\"}");
    let events = batch(3);
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!(error.accepted(), 1);
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(3)));
    assert_eq!(fake.taken().len(), 1);
    fake.advance(Duration::from_secs(3));
    sink.deliver(Batch::new(&events[1..])).await.unwrap();
}

#[tokio::test]
async fn errors_say_who_is_at_fault() {
    let fake = Fake::new(rules);
    let mut sink = sink(&fake);
    for (status, fault, retry) in [
        (400, Fault::Event, Retry::Never),
        (401, Fault::Configuration, Retry::Later),
        (404, Fault::Configuration, Retry::Later),
        (503, Fault::Unavailable, Retry::Later),
    ] {
        fake.answer(status, &[], "no webhook at /api/webhooks/123/SECRETTOKEN https://discord.com/api/webhooks/123/SECRETTOKEN");
        let error = refused(&mut sink).await;
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{status}");
        assert!(!format!("{error} {error:?} {sink:?}").contains("SECRETTOKEN"));
    }
    fake.answer(404, &[], "{\"code\":10015}");
    assert_eq!(
        sink.check().await.unwrap_err().fault(),
        Fault::Configuration
    );
}
