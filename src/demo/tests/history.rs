//! The two history APIs against the ledger.

use super::visitor::{Visitor, body};
use super::{of_kind, with_past};
use crate::config::ControllerKind;
use crate::demo::History;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test]
async fn system_log_pages_hold_each_event_once() {
    let (simulator, _clock) = with_past(300, |_| {});
    let visitor = Visitor::logged_in(&simulator).await;
    let ledger = simulator.ledger();
    let known: Vec<_> = ledger
        .entries("default")
        .into_iter()
        .filter(|entry| entry.in_system_log())
        .collect();
    assert!(known.len() > 200);
    let (from, to) = (
        known[20].time.as_millis(),
        known[known.len() - 20].time.as_millis(),
    );
    let expected: BTreeSet<String> = known
        .iter()
        .filter(|entry| (from..=to).contains(&entry.time.as_millis()))
        .map(|entry| ledger.system_log(entry).unwrap().to_owned())
        .collect();
    let mut got = Vec::new();
    let mut pages = 1;
    while got.len() < expected.len() && pages < 100 {
        let ask = json!({"timestampFrom": from, "timestampTo": to, "pageNumber": pages - 1, "pageSize": 37});
        let page = body(
            visitor
                .post("/v2/api/site/default/system-log/all", ask)
                .await,
        )
        .await;
        assert_eq!(page["total_element_count"], expected.len());
        assert_eq!(page["total_page_count"], expected.len().div_ceil(37));
        got.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| (entry["timestamp"].as_i64().unwrap(), entry.clone())),
        );
        pages += 1;
    }
    assert!(got.is_sorted_by(|a, b| a.0 >= b.0), "newest first");
    let expected: BTreeSet<String> = expected
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap().to_string())
        .collect();
    assert_eq!(
        got.iter()
            .map(|(_, entry)| entry.to_string())
            .collect::<BTreeSet<_>>(),
        expected
    );
}

#[tokio::test]
async fn system_log_refuses_what_the_real_one_refuses() {
    let (simulator, _clock) = with_past(50, |_| {});
    let visitor = Visitor::logged_in(&simulator).await;
    let all = "/v2/api/site/default/system-log/all";
    assert_eq!(visitor.get(all).await.status(), 405);
    assert_eq!(
        visitor.post(all, json!({"pageSize": 1001})).await.status(),
        400
    );
    assert_eq!(
        visitor
            .post(all, json!({"pageSize": 10, "categories": ["MONITORING"]}))
            .await
            .status(),
        400
    );
    assert_eq!(
        visitor
            .post("/v2/api/site/default/system-log/triggers", json!({}))
            .await
            .status(),
        404
    );
    let only = json!({"pageSize": 1000, "categories": ["CLIENT_DEVICES"]});
    let page = body(visitor.post(all, only).await).await;
    let entries = page["data"].as_array().unwrap();
    assert!(
        !entries.is_empty()
            && entries
                .iter()
                .all(|entry| entry["category"] == "CLIENT_DEVICES")
    );
    let counts = body(
        visitor
            .post("/v2/api/site/default/system-log/count", json!({}))
            .await,
    )
    .await;
    assert!(
        counts["events"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["name"] == "CLIENT_ROAMED")
    );
}

#[tokio::test]
async fn stat_event_tells_the_same_items() {
    let (simulator, _clock) = with_past(120, |options| options.missing_id_share = 0.5);
    let visitor = Visitor::logged_in(&simulator).await;
    let ledger = simulator.ledger();
    let mut got = Vec::new();
    for start in [0, 50, 100] {
        let ask = json!({"_start": start, "_limit": 50, "within": 720, "_sort": "-time"});
        let page = body(visitor.post("/api/s/default/stat/event", ask).await).await;
        assert_eq!(page["meta"]["rc"], "ok");
        got.extend(page["data"].as_array().unwrap().clone());
    }
    let known: Vec<_> = ledger
        .entries("default")
        .into_iter()
        .filter(|entry| entry.in_legacy())
        .collect();
    assert_eq!(got.len(), known.len());
    assert!(
        got.iter()
            .all(|item| item["_id"].as_str().unwrap().len() == 24)
    );
    assert!(known.iter().any(|entry| entry.id.is_none()));
    for entry in known {
        let here =
            |item: &Value| serde_json::from_str::<Value>(entry.legacy().unwrap()).unwrap() == *item;
        assert!(got.iter().any(here), "{}", entry.raw);
    }
    let ask = json!({"within": 0});
    let page = body(visitor.post("/api/s/default/stat/event", ask).await).await;
    assert!(
        page["data"].as_array().unwrap().len() < 3,
        "the window ends now"
    );
}

#[tokio::test]
async fn history_apis_come_and_go() {
    for (history, legacy, v2) in [
        (History::Both, 200, 200),
        (History::SystemLogOnly, 404, 200),
        (History::LegacyOnly, 200, 404),
        (History::None, 404, 404),
    ] {
        let simulator = of_kind(ControllerKind::UnifiOs);
        simulator.mischief().history(history);
        let visitor = Visitor::logged_in(&simulator).await;
        let ask = json!({"pageSize": 10});
        assert_eq!(
            visitor
                .post("/api/s/default/stat/event", ask.clone())
                .await
                .status(),
            legacy,
            "{history:?}"
        );
        assert_eq!(
            visitor
                .post("/v2/api/site/default/system-log/all", ask)
                .await
                .status(),
            v2,
            "{history:?}"
        );
    }
}

#[tokio::test]
async fn history_lags_behind() {
    let (simulator, clock) = with_past(10, |_| {});
    simulator.mischief().history_lag(Duration::from_secs(5));
    clock.advance(Duration::from_millis(1));
    let visitor = Visitor::logged_in(&simulator).await;
    let count = async || {
        let page = body(visitor.post("/api/s/default/stat/event", json!({})).await).await;
        page["data"].as_array().unwrap().len()
    };
    let before = count().await;
    assert_eq!(before, 5, "the last five seconds are not there yet");
    clock.advance(Duration::from_secs(5));
    assert!(count().await > before);
}
