//! Both against the test kit: no network, and a clock that moves when it is told to.

use crate::{ExampleFilter, ExampleSink};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use unifi_herald_plugin::testing::{
    self, HttpWorld, TestContext, assert_sink_contract, header_ids,
};
use unifi_herald_plugin::{Batch, Filter, Kind, Sink, Verdict};

fn sink(context: &TestContext) -> ExampleSink {
    let options = json!({"url": "https://192.0.2.1/lines", "token": "t"});
    context.build(Path::new("."), options).unwrap()
}

#[tokio::test]
async fn keeps_the_contract_of_sinks() {
    let world = HttpWorld::new(
        |context| Box::new(sink(context)),
        header_ids("idempotency-key"),
    );
    assert_sink_contract(&mut world.one_by_one()).await;
}

#[tokio::test]
async fn a_line_is_the_summary_and_carries_the_token() {
    let context = TestContext::new();
    let events = testing::batch(1);
    sink(&context).deliver(Batch::new(&events)).await.unwrap();
    let request = context.http().take_requests().remove(0);
    assert_eq!(request.headers()["authorization"], "Bearer t");
    assert_eq!(request.body().as_ref(), events[0].summary.as_bytes());
}

#[test]
fn one_of_a_kind_passes_until_the_pause_is_over() {
    let context = TestContext::new();
    let options = json!({"pause": "10m"});
    let built = context.build_filter::<ExampleFilter>(Path::new("."), options);
    let mut filter = built.unwrap();
    let (roamed, offline) = (Kind::CLIENT_ROAMED, Kind::DEVICE_OFFLINE);
    let mut verdict = |kind| filter.apply(&testing::event(kind)).unwrap();
    assert_eq!(verdict(roamed), Verdict::Keep);
    assert_eq!(verdict(offline), Verdict::Keep);
    assert_eq!(verdict(roamed), Verdict::Drop);
    context.advance(Duration::from_secs(600));
    assert_eq!(verdict(roamed), Verdict::Keep);
}

#[test]
fn a_mistake_is_told_with_its_option() {
    let context = TestContext::new();
    let options = json!({"pause": "0s"});
    let built = context.build_filter::<ExampleFilter>(Path::new("."), options);
    let error = built.unwrap_err();
    assert_eq!(error.to_string(), "`pause`: write at least \"1s\"");
}
