//! The router and alerts: it wakes when something is due, and keeps what is changed at the desk.

use super::*;
use crate::alert::{Alerts, NewSilence, Rule, SharedAlerts};
use crate::config::AlertPlan;
use crate::digest::Digests;
use crate::tasks::Tasks;
use jiff::tz::TimeZone;

/// A router with an alert before its sink, at work.
fn at_work() -> (Rig, Desk, Tasks) {
    let mut rig = rig(100);
    let mut alerts = Alerts::new(TimeZone::UTC);
    let plan = AlertPlan {
        hold: Duration::from_secs(120),
        ..AlertPlan::testing("down", Kind::WAN_DOWN, Kind::WAN_UP)
    };
    alerts.push(Rule::new(plan, &TimeZone::UTC).unwrap(), None);
    let shared = SharedAlerts::new(alerts);
    let steps = vec![
        (When::default(), Action::Alert(0)),
        (When::default(), Action::Sink(0)),
    ];
    let chain = Chain::new("c".into(), &When::default(), steps);
    rig.router.chains = Chains::new(vec![chain]).watching(shared.clone(), Digests::default());
    let desk = Desk::new(shared, rig.router.clock.clone());
    rig.router.desk = desk.clone();
    (rig, desk, Tasks::new())
}

#[tokio::test(start_paused = true)]
async fn it_wakes_when_an_alert_has_something_to_say() {
    let (rig, desk, tasks) = at_work();
    let clock = rig.router.clock.clone();
    let stop = CancellationToken::new();
    tasks.spawn(rig.router.run(stop.clone()));
    rig.intake.push(&mut vec![event(1, Kind::WAN_DOWN)]).await;
    let claimed = rig.store.claim(0, 10).await;
    assert_eq!(claimed[0].kind, Kind::ALERT_FIRING);
    assert_eq!(clock.wall().as_millis() / 1000, 120);
    assert_eq!(desk.incidents().len(), 1);
    rig.intake
        .push(&mut vec![event(200_000, Kind::WAN_UP)])
        .await;
    let claimed = rig.store.claim(0, 10).await;
    assert_eq!(claimed[0].kind, Kind::ALERT_RESOLVED);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_at_the_desk_is_kept_before_the_desk_says_so() {
    let (rig, desk, tasks) = at_work();
    let new = || NewSilence {
        alert: Some("*".into()),
        seconds: 3600,
        ..NewSilence::default()
    };
    let late = desk.silence(new()).await;
    assert_eq!(
        late,
        Err(crate::desk::DeskError::NotKept),
        "nobody is at work"
    );
    let stop = CancellationToken::new();
    tasks.spawn(rig.router.run(stop.clone()));
    let kept = desk.silence(new()).await.unwrap();
    assert!(desk.silences().contains(&kept));
    assert!(desk.end_silence(&kept.id).await.is_ok());
    assert!(desk.end_silence(&kept.id).await.is_err() && desk.acknowledge("x").await.is_err());
    stop.cancel();
}
