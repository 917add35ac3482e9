//! Who is at home: arrivals at once, leaves after a while, and a roam is neither.

use super::*;
use unifi_herald_plugin::testing::START;

const TRACKER: &str = "unifi-herald/home/default/state/client/aabbcc000001";

fn watching() -> Value {
    json!({"discovery": {"clients": ["Anna's iPhone"], "away_after": "5m", "devices": false}})
}

/// What Home Assistant's tracker would show, by its template.
async fn home(broker: &Broker) -> bool {
    let kept = Observer::retained(broker).await;
    let state: Value = serde_json::from_str(&kept[TRACKER]).unwrap();
    state["home"].as_bool().unwrap()
}

fn at(context: &TestContext, kind: Kind, seq: u64) -> [BufferedEvent; 1] {
    [event(kind)
        .id(&seq.to_string())
        .time(context.wall())
        .buffered(seq)]
}

#[tokio::test]
async fn arrivals_count_at_once_leaves_later_and_roams_never() {
    let broker = Broker::start().await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &watching());
    let minute = Duration::from_secs(60);
    deliver(&mut sink, &at(&context, Kind::CLIENT_CONNECTED, 1)).await;
    assert!(home(&broker).await);
    deliver(&mut sink, &at(&context, Kind::CLIENT_DISCONNECTED, 2)).await;
    context.advance(4 * minute);
    sink.wake(context.now()).await.unwrap();
    assert!(home(&broker).await, "not yet");
    deliver(&mut sink, &at(&context, Kind::CLIENT_ROAMED, 3)).await;
    context.advance(10 * minute);
    sink.wake(context.now()).await.unwrap();
    assert!(home(&broker).await, "it came back in time");
    deliver(&mut sink, &at(&context, Kind::CLIENT_DISCONNECTED, 4)).await;
    context.advance(5 * minute);
    sink.wake(context.now()).await.unwrap();
    assert!(!home(&broker).await);
    let kept = Observer::retained(&broker).await;
    let config: Value = serde_json::from_str(&kept[CLIENT_CONFIG]).unwrap();
    let tracker = &config["cmps"]["presence"];
    assert_eq!(
        (&tracker["p"], &tracker["stat_t"]),
        (&json!("device_tracker"), &json!(TRACKER))
    );
    assert_eq!(config["dev"]["cns"], json!([["mac", "aa:bb:cc:00:00:01"]]));
    assert!(
        !kept.contains_key(DEVICE_CONFIG),
        "devices are not announced"
    );
}

#[tokio::test]
async fn a_restart_forgets_no_leave() {
    let broker = Broker::start().await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &watching());
    deliver(&mut sink, &at(&context, Kind::CLIENT_CONNECTED, 1)).await;
    deliver(&mut sink, &at(&context, Kind::CLIENT_DISCONNECTED, 2)).await;
    drop(sink);
    let mut sink = build(&context, &broker, &watching());
    sink.wake(context.now()).await.unwrap();
    assert!(home(&broker).await);
    context.advance(Duration::from_secs(300));
    sink.wake(context.now()).await.unwrap();
    assert!(!home(&broker).await);
}

#[tokio::test]
async fn what_comes_late_from_the_history_changes_no_newer_state() {
    let broker = Broker::start().await;
    let context = TestContext::new();
    let mut sink = build(&context, &broker, &watching());
    deliver(&mut sink, &at(&context, Kind::CLIENT_CONNECTED, 1)).await;
    let late = event(Kind::CLIENT_DISCONNECTED).time(START - Duration::from_secs(3600));
    deliver(&mut sink, &[late.buffered(2)]).await;
    context.advance(Duration::from_secs(3600));
    sink.wake(context.now()).await.unwrap();
    assert!(home(&broker).await);
}
