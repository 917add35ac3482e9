//! Telegram against a bot API that keeps its documented limits.

use super::*;
use crate::fake::{
    Fake, Taken, World, hostile, huge, incident, pretty, refused, respond, tell, with_id_as_title,
};
use bytes::Bytes;
use std::marker::PhantomData;
use std::time::Duration;
use unifi_herald_plugin::http::Response;
use unifi_herald_plugin::testing::{EventBuilder, assert_sink_contract};
use unifi_herald_plugin::{AlertState, Fault, Kind, Retry};

const TOKEN: &str = "123456:ABC-secret_x";

/// What Telegram counts: the text without tags, and entities as what they stand for.
fn parsed(text: &str) -> Result<String, &'static str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&', '>']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = [
            ("<b>", ""),
            ("</b>", ""),
            ("</a>", ""),
            ("&amp;", "&"),
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
        ];
        if let Some((tag, plain)) = known.iter().find(|(tag, _)| rest.starts_with(tag)) {
            out.push_str(plain);
            rest = &rest[tag.len()..];
        } else if rest.starts_with("<a href=\"") {
            let end = rest.find("\">").ok_or("unclosed tag")?;
            rest = &rest[end + 2..];
        } else {
            return Err("Bad Request: can't parse entities");
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn rules(taken: &Taken, count: usize) -> Response<Bytes> {
    let error = |status: u16, text: &str| {
        let body = json!({"ok": false, "error_code": status, "description": text});
        respond(status, &body.to_string())
    };
    let path = taken.request.uri().path();
    let Some(method) = path.strip_prefix(&format!("/bot{TOKEN}/")) else {
        return error(404, "Not Found");
    };
    if taken.json["chat_id"] != -1001 {
        return error(400, "Bad Request: chat not found");
    }
    if method == "getChat" {
        return respond(200, "{\"ok\":true,\"result\":{\"id\":-1001}}");
    }
    match parsed(taken.json["text"].as_str().unwrap()) {
        Err(why) => error(400, why),
        Ok(text) if text.trim().is_empty() => error(400, "Bad Request: message text is empty"),
        Ok(text) if text.encode_utf16().count() > 4096 => {
            error(400, "Bad Request: message is too long")
        }
        Ok(_) => {
            let body = json!({"ok": true, "result": {"message_id": count}});
            respond(200, &body.to_string())
        }
    }
}

fn options() -> Value {
    json!({"token": TOKEN, "chat_id": -1001, "message_thread_id": 7, "link": "https://192.0.2.1/x?a&b"})
}

fn methods(fake: &Fake) -> Vec<String> {
    let taken = fake.taken().into_iter();
    taken
        .map(|taken| {
            taken
                .request
                .uri()
                .path()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    assert_sink_contract(&mut World::<Telegram> {
        fake: Fake::new(rules),
        options: with_id_as_title(&options()),
        event: |taken| {
            let text = taken.json["text"].as_str()?;
            let title = text.strip_prefix("<b>")?.split("</b>").next()?;
            Some(title.to_owned())
        },
        refuses: [
            (401, "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}"),
            (400, "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: can't parse entities\"}"),
        ],
        sink: PhantomData,
    })
    .await;
}

#[tokio::test]
async fn the_end_of_an_incident_edits_its_message() {
    let fake = Fake::new(rules);
    let mut sink: Telegram = fake.build(&options()).unwrap();
    tell(&mut sink, incident(AlertState::Firing)).await;
    tell(&mut sink, incident(AlertState::Resolved)).await;
    tell(
        &mut sink,
        EventBuilder::new(Kind::CLIENT_ROAMED).buffered(4),
    )
    .await;
    let bodies = fake.bodies();
    assert_eq!(bodies[1]["message_id"], 1);
    insta::assert_snapshot!("payloads", pretty(&bodies));
}

#[tokio::test]
async fn a_success_without_its_body_is_none() {
    let fake = Fake::new(rules);
    fake.break_off();
    let mut sink: Telegram = fake.build(&options()).unwrap();
    assert_eq!(refused(&mut sink).await.retry(), Retry::Later);
}

#[tokio::test]
async fn a_repetition_is_new_and_is_the_one_that_is_edited() {
    let fake = Fake::new(rules);
    let mut sink: Telegram = fake.build(&options()).unwrap();
    for state in [
        AlertState::Firing,
        AlertState::Repeated,
        AlertState::Folded,
        AlertState::Resolved,
        AlertState::Resolved,
    ] {
        tell(&mut sink, incident(state)).await;
    }
    let (new, edit) = ("sendMessage", "editMessageText");
    assert_eq!(methods(&fake), [new, new, edit, edit, new]);
}

#[tokio::test]
async fn a_restart_forgets_no_message() {
    let fake = Fake::new(rules);
    for state in [AlertState::Firing, AlertState::Resolved] {
        let mut sink: Telegram = fake.build(&options()).unwrap();
        tell(&mut sink, incident(state)).await;
    }
    assert_eq!(methods(&fake), ["sendMessage", "editMessageText"]);
}

#[tokio::test]
async fn an_edit_that_was_made_before_is_a_success_and_one_of_nothing_a_new_message() {
    let fake = Fake::new(rules);
    let mut sink: Telegram = fake.build(&options()).unwrap();
    let said =
        |text: &str| json!({"ok": false, "error_code": 400, "description": text}).to_string();
    tell(&mut sink, incident(AlertState::Firing)).await;
    fake.answer(
        400,
        &[],
        &said("Bad Request: message is not modified: same content"),
    );
    tell(&mut sink, incident(AlertState::Resolved)).await;
    assert_eq!(methods(&fake), ["sendMessage", "editMessageText"]);
    tell(&mut sink, incident(AlertState::Firing)).await;
    fake.answer(400, &[], &said("Bad Request: message to edit not found"));
    tell(&mut sink, incident(AlertState::Resolved)).await;
    assert_eq!(
        methods(&fake),
        ["sendMessage", "editMessageText", "sendMessage"]
    );
}

#[tokio::test]
async fn strangers_mention_nobody_and_lengths_are_held() {
    let fake = Fake::new(rules);
    let mut sink: Telegram = fake.build(&options()).unwrap();
    tell(&mut sink, hostile()).await;
    tell(&mut sink, huge()).await;
    let bodies = fake.bodies();
    let text = bodies[0]["text"].as_str().unwrap();
    assert!(
        !text.contains("@everyone") && !text.contains("@anna"),
        "{text}"
    );
    assert!(
        text.contains("&lt;b onload=&quot;x&quot;&gt;&amp;amp;"),
        "{text}"
    );
    assert!(!text.contains(['\u{202e}', '\u{1b}', '\r']));
    let text = parsed(bodies[1]["text"].as_str().unwrap()).unwrap();
    assert!((4000..=4096).contains(&text.encode_utf16().count()));
    assert!(text.ends_with("…\n\nOpen"), "{text}");
}

#[tokio::test]
async fn its_limit_says_how_long_to_wait() {
    let fake = Fake::new(rules);
    let mut sink: Telegram = fake.build(&options()).unwrap();
    let body = json!({
        "ok": false,
        "error_code": 429,
        "description": "Too Many Requests: retry after 35",
        "parameters": {"retry_after": 35},
    });
    fake.answer(429, &[], &body.to_string());
    let wait = Retry::After(Duration::from_secs(35));
    assert_eq!(refused(&mut sink).await.retry(), wait);
}

#[tokio::test]
async fn errors_say_who_is_at_fault_and_never_the_token() {
    let fake = Fake::new(rules);
    let mut sink: Telegram = fake.build(&options()).unwrap();
    for (status, said, fault, retry) in [
        (
            400,
            "Bad Request: can't parse entities",
            Fault::Event,
            Retry::Never,
        ),
        (
            400,
            "Bad Request: chat not found",
            Fault::Configuration,
            Retry::Later,
        ),
        (
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            Fault::Configuration,
            Retry::Later,
        ),
        (401, "Unauthorized", Fault::Configuration, Retry::Later),
        (
            403,
            "Forbidden: bot was kicked from the group chat",
            Fault::Configuration,
            Retry::Later,
        ),
        (404, "Not Found", Fault::Configuration, Retry::Later),
        (502, "Bad Gateway", Fault::Unavailable, Retry::Later),
    ] {
        let body = json!({"ok": false, "error_code": status, "description": said, "url": format!("/bot{TOKEN}/x")});
        fake.answer(status, &[], &body.to_string());
        let error = refused(&mut sink).await;
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{said}");
        assert!(error.to_string().contains(said), "{error}");
        assert!(!format!("{error} {error:?} {sink:?}").contains("secret"));
    }
    sink.check().await.unwrap();
    fake.answer(
        400,
        &[],
        "{\"ok\":false,\"description\":\"Bad Request: chat not found\"}",
    );
    assert_eq!(
        sink.check().await.unwrap_err().fault(),
        Fault::Configuration
    );
}

#[test]
fn a_chat_is_a_number_or_a_name_and_a_token_cannot_change_the_address() {
    let fake = Fake::new(rules);
    for chat in [json!(7), json!("@channel"), json!("-1001")] {
        fake.build::<Telegram>(&json!({"token": TOKEN, "chat_id": chat}))
            .unwrap();
    }
    for token in ["a/../b", "a?b", "a b"] {
        let options = json!({"token": token, "chat_id": 7});
        assert_eq!(
            fake.build::<Telegram>(&options).unwrap_err().option(),
            "token"
        );
    }
    let error = fake
        .build::<Telegram>(&json!({"token": TOKEN, "chat_id": true}))
        .unwrap_err();
    assert!(error.to_string().contains("a chat: its number"), "{error}");
}
