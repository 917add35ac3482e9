//! The source against a real nats-server.

mod contract;

use super::*;
use crate::tests::server::{Server, read, stream};
use serde_json::{Value, json};
use std::path::Path;
use unifi_herald_plugin::Fault;
use unifi_herald_plugin::testing::TestContext;

fn build(server: &Server, more: &Value) -> NatsSource {
    let mut options = json!({"servers": [server.url()], "subject": "unifi.>"});
    let more = more.as_object().unwrap().clone();
    options.as_object_mut().unwrap().extend(more);
    let context = TestContext::new();
    context.build_source(Path::new("."), options).unwrap()
}

fn kept() -> Value {
    json!({"stream": "unifi", "durable": "herald"})
}

async fn publish(client: &async_nats::Client, texts: impl IntoIterator<Item = String>) {
    for text in texts {
        client.publish("unifi.test", text.into()).await.unwrap();
    }
    read(client).await;
}

fn texts(messages: &[Message]) -> Vec<String> {
    let text = |message: &Message| String::from_utf8_lossy(&message.payload).into_owned();
    messages.iter().map(text).collect()
}

/// Receive and settle until there are so many.
async fn take(source: &mut NatsSource, count: usize, as_what: Settled) -> Vec<String> {
    let mut found = Vec::new();
    while found.len() < count {
        let messages = source.receive().await.unwrap();
        found.extend(texts(&messages));
        source.settle(&vec![as_what; messages.len()]).await.unwrap();
    }
    found
}

fn numbered(numbers: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    numbers.map(|number| format!("{number:04}"))
}

#[tokio::test]
async fn who_listens_hears_what_is_published_from_then_on() {
    let server = Server::start().await;
    let client = server.client(None).await;
    publish(&client, numbered(0..5)).await;
    let mut source = build(&server, &json!({}));
    source.check().await.unwrap();
    source.open().await.unwrap();
    assert!(!source.redelivers());
    publish(&client, numbered(5..25)).await;
    let heard = take(&mut source, 20, Settled::Kept).await;
    assert_eq!(heard, numbered(5..25).collect::<Vec<_>>());
    assert_eq!(source.take_lost(), 0);
}

#[tokio::test]
async fn who_listens_too_slowly_is_told_that_something_was_lost() {
    let server = Server::start().await;
    let client = server.client(None).await;
    let mut source = build(&server, &json!({}));
    source.open().await.unwrap();
    let mut lost = 0;
    // Nobody receives meanwhile: what waits has its bound.
    while lost == 0 {
        publish(&client, numbered(0..1000)).await;
        lost += source.take_lost();
    }
    assert!(!source.receive().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_settled_comes_again_and_what_is_settled_does_not() {
    let server = Server::start().await;
    let client = server.client(None).await;
    let kept_by = stream(&client).await;
    publish(&client, numbered(0..10)).await;
    let mut source = build(&server, &kept());
    assert!(source.redelivers());
    source.check().await.unwrap();
    let names = kept_by.consumer_names();
    assert_eq!(names.count().await, 0, "a check makes nothing");
    source.open().await.unwrap();
    assert_eq!(source.receive().await.unwrap().len(), 10);
    let mut info = kept_by.consumer_info("herald").await.unwrap();
    assert_eq!((info.num_ack_pending, info.num_pending), (10, 0));

    source.settle(&[Settled::Kept; 10]).await.unwrap();
    publish(&client, numbered(10..12)).await;
    let refused = take(&mut source, 2, Settled::Refused).await;
    assert_eq!(refused, ["0010", "0011"]);
    while info.num_ack_pending + info.num_pending as usize > 0
        || info.ack_floor.stream_sequence < 12
    {
        info = kept_by.consumer_info("herald").await.unwrap();
    }
    let mut again = build(&server, &kept());
    again.open().await.unwrap();
    publish(&client, numbered(12..13)).await;
    assert_eq!(take(&mut again, 1, Settled::Kept).await, ["0012"]);
}

#[tokio::test]
async fn large_messages_come_a_few_at_a_time() {
    let server = Server::start().await;
    let client = server.client(None).await;
    stream(&client).await;
    let largest = client.server_info().max_payload;
    let mut source = build(&server, &kept());
    source.open().await.unwrap();
    for _ in 0..20 {
        publish(&client, ["x".repeat(largest)]).await;
    }
    let (mut count, mut most) = (0, 0);
    while count < 20 {
        let messages = source.receive().await.unwrap();
        let bytes: usize = messages.iter().map(|message| message.payload.len()).sum();
        most = most.max(bytes);
        count += messages.len();
        source
            .settle(&vec![Settled::Kept; messages.len()])
            .await
            .unwrap();
    }
    assert!(most <= MAX_BYTES + largest, "{most}");
}

#[tokio::test]
async fn what_is_missing_and_what_is_taken_is_said() {
    let server = Server::start().await;
    let client = server.client(None).await;
    let mut source = build(&server, &kept());
    for tried in [source.check().await, source.open().await] {
        let error = tried.unwrap_err();
        assert_eq!(error.fault(), Fault::Configuration);
        assert!(error.to_string().contains("no stream unifi"), "{error}");
    }
    stream(&client).await;
    source.open().await.unwrap();
    let other = json!({"stream": "unifi", "durable": "herald", "subject": "unifi.other"});
    let error = build(&server, &other).open().await.unwrap_err();
    assert!(error.to_string().contains("another `durable`"), "{error}");
}

#[tokio::test]
async fn a_refusal_and_a_lost_connection_end_the_receiving() {
    let config = "authorization { users: [ { user: deaf, password: x, permissions: { subscribe: \"_INBOX.>\" } } ] }";
    let mut server = Server::with(config).await;
    let account = json!({"username": "deaf", "password": "x"});
    let error = build(&server, &account).open().await.unwrap_err();
    assert_eq!(error.fault(), Fault::Configuration, "{error}");
    let wrong = json!({"username": "deaf", "password": "topsecret"});
    let error = build(&server, &wrong).open().await.unwrap_err();
    assert_eq!(error.fault(), Fault::Configuration, "{error}");
    assert!(!format!("{error} {error:?}").contains("topsecret"));

    server.restart("").await;
    let client = server.client(None).await;
    stream(&client).await;
    for way in [json!({}), kept()] {
        let mut source = build(&server, &way);
        source.open().await.unwrap();
        let (received, ()) = tokio::join!(source.receive(), async { server.kill() });
        assert_eq!(received.unwrap_err().fault(), Fault::Unreachable);
        server.restart("").await;
        source.open().await.unwrap();
    }
}
