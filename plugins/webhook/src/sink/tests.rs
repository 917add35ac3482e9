//! The webhook against the contract of sinks, and what it puts on the wire.

use super::*;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use unifi_herald_plugin::testing::{
    Behaviour, EventBuilder, SinkWorld, TestContext, assert_sink_contract, batch,
};
use unifi_herald_plugin::{Fault, Kind};

fn build(context: &TestContext, options: &Value) -> Webhook {
    let mut all = json!({"url": "https://example.org/hook"});
    all.as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    context.build(Path::new("."), all).unwrap()
}

struct World {
    context: TestContext,
    options: Value,
    /// Whether each event has a request of its own.
    single: bool,
}

#[async_trait]
impl SinkWorld for World {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(build(&self.context, &self.options))
    }

    fn answer(&mut self, behaviour: Behaviour) {
        let http = self.context.http();
        match behaviour {
            Behaviour::Unavailable => http.always(503),
            Behaviour::Refuse => http.always(401),
            Behaviour::RefuseEvent => http.always(422),
            Behaviour::AcceptSome(count) => {
                http.always(503);
                (0..count).for_each(|_| http.answer(204, ""));
            }
            _ => http.always(202),
        }
    }

    fn arrived(&mut self) -> Vec<String> {
        let taken = self.context.http().take_exchanges();
        let posts = taken.into_iter().filter(|(request, status)| {
            request.method() == Method::POST && status.is_some_and(|status| status.is_success())
        });
        let bodies = posts.map(|(request, _)| serde_json::from_slice(request.body()).unwrap());
        let events = bodies.flat_map(|body: Value| match body {
            Value::Array(events) => events,
            event => vec![event],
        });
        events
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect()
    }

    fn supports(&self, behaviour: Behaviour) -> bool {
        self.single || !matches!(behaviour, Behaviour::AcceptSome(_))
    }
}

#[tokio::test]
async fn keeps_the_contract_of_sinks_in_every_format() {
    let formats = [
        (json!({}), false),
        (
            json!({"format": "json", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
            false,
        ),
        (
            json!({"format": "template", "template": "{{ events | tojson }}"}),
            false,
        ),
        (
            json!({"format": "template", "template": r#"{"id": "{{ event.id }}"}"#}),
            true,
        ),
    ];
    for (options, single) in formats {
        let context = TestContext::new();
        assert_sink_contract(&mut World {
            context,
            options,
            single,
        })
        .await;
    }
}

#[tokio::test]
async fn a_signed_request_is_whole() {
    let context = TestContext::new();
    let mut sink = build(
        &context,
        &json!({
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "headers": {"X-Team": "network"},
            "auth": {"username": "herald", "password": "pa:ss"},
            "method": "PUT",
        }),
    );
    sink.deliver(Batch::new(&batch(1))).await.unwrap();
    let request = context.http().take_requests().remove(0);
    assert_eq!(request.method(), "PUT");
    assert_eq!(request.uri(), "https://example.org/hook");
    let header = |name: &str| request.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "application/cloudevents+json");
    assert_eq!(header("x-team"), "network");
    assert_eq!(header("authorization"), "Basic aGVyYWxkOnBhOnNz");
    assert_eq!(header("webhook-id"), "test-1");
    assert_eq!(header("webhook-timestamp"), "1795368073");
    let signer = crate::signature::Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let expected = signer.sign("test-1", context.wall(), request.body());
    assert_eq!(header("webhook-signature"), expected);
}

#[tokio::test]
async fn a_second_try_has_the_same_id_and_a_new_time() {
    let context = TestContext::new();
    let mut sink = build(&context, &json!({"secret": "s"}));
    let events = batch(2);
    context.http().fail("connection refused");
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Unreachable);
    context.advance(Duration::from_secs(5));
    sink.deliver(Batch::new(&events).with_attempt(2))
        .await
        .unwrap();
    let [first, second] = &context.http().take_requests()[..] else {
        panic!("two requests")
    };
    let differs = |name: &str| first.headers()[name] != second.headers()[name];
    assert_eq!(first.body(), second.body());
    assert!(!differs("webhook-id"));
    assert!(differs("webhook-timestamp") && differs("webhook-signature"));
    assert_eq!(
        first.headers()["content-type"],
        "application/cloudevents-batch+json"
    );
}

#[tokio::test]
async fn secrets_are_never_said_even_when_the_destination_repeats_them() {
    let context = TestContext::new();
    let mut sink = build(
        &context,
        &json!({
            "url": "https://example.org/services/T000/B000/XXXXXXXX",
            "headers": {"x-key": "header-secret"},
            "auth": {"bearer": "bearer-secret"},
            "secret": "signing-secret",
        }),
    );
    let echo = "no bearer-secret or header-secret at /services/T000/B000/XXXXXXXX";
    for status in [401, 422, 503] {
        context.http().answer(status, echo);
        let error = sink.deliver(Batch::new(&batch(1))).await.unwrap_err();
        let plain = DeliveryError::from_status(status, None, "");
        assert_eq!(
            (error.retry(), error.fault()),
            (plain.retry(), plain.fault())
        );
        let said = format!("{error} {error:?} {sink:?}");
        assert!(
            error.to_string().ends_with("no *** or *** at ***"),
            "{error}"
        );
        for secret in ["bearer-secret", "header-secret", "signing-secret", "T000"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    let request = context.http().take_requests().remove(0);
    assert!(!format!("{:?}", request.headers()).contains("-secret"));
}

#[tokio::test]
async fn one_event_that_a_template_cannot_take_is_blamed_alone() {
    let context = TestContext::new();
    let template = r#"{"n": {{ event.fields.n }}}"#;
    let mut sink = build(
        &context,
        &json!({"format": "template", "template": template}),
    );
    let event = |id: &str| EventBuilder::new(Kind::WAN_UP).id(id);
    let events = [
        event("a").field("n", 1).buffered(1),
        event("b").buffered(2),
        event("c").field("n", 3).buffered(3),
    ];
    let error = sink.deliver(Batch::new(&events)).await.unwrap_err();
    assert_eq!((error.accepted(), error.retry()), (1, Retry::Never));
    assert!(
        error.to_string().contains("did not give valid JSON"),
        "{error}"
    );
    let bodies = context
        .http()
        .take_requests()
        .into_iter()
        .map(|r| r.into_body());
    assert_eq!(bodies.collect::<Vec<_>>(), [r#"{"n": 1}"#]);
}

#[tokio::test]
async fn answers_mean_what_they_mean_everywhere() {
    let context = TestContext::new();
    let mut sink = build(&context, &json!({}));
    for (status, fault, retry) in [
        (301, Fault::Configuration, Retry::Later),
        (404, Fault::Configuration, Retry::Later),
        (410, Fault::Gone, Retry::Later),
        (408, Fault::Unavailable, Retry::Later),
        (500, Fault::Unavailable, Retry::Later),
        (413, Fault::Event, Retry::Never),
    ] {
        context.http().answer(status, "");
        let error = sink.deliver(Batch::new(&batch(1))).await.unwrap_err();
        assert_eq!((error.fault(), error.retry()), (fault, retry), "{status}");
    }
    let mut busy = unifi_herald_plugin::http::Response::new(Bytes::new());
    *busy.status_mut() = unifi_herald_plugin::http::StatusCode::TOO_MANY_REQUESTS;
    busy.headers_mut()
        .insert("retry-after", HeaderValue::from_static("7"));
    context.http().answer_with(busy);
    let error = sink.deliver(Batch::new(&batch(1))).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_check_tells_a_refusal_from_a_hook_that_knows_only_post() {
    let context = TestContext::new();
    let mut sink = build(&context, &json!({"auth": {"bearer": "t"}}));
    context.http().answer(405, "");
    sink.check().await.unwrap();
    context.http().answer(401, "");
    assert_eq!(
        sink.check().await.unwrap_err().fault(),
        Fault::Configuration
    );
    context.http().fail("no such host");
    assert_eq!(sink.check().await.unwrap_err().fault(), Fault::Unreachable);
    let requests = context.http().take_requests();
    assert!(
        requests
            .iter()
            .all(|request| request.method() == Method::HEAD)
    );
    assert_eq!(requests[0].headers()["authorization"], "Bearer t");
}
