//! Alerts and digests as steps: what reaches them, and where what they say goes on.

use super::*;
use crate::alert::{Alerts, Counted, Rule, SharedAlerts};
use crate::chain::verdict;
use crate::config::{AlertPlan, DigestPlan};
use crate::digest::Digests;
use crate::script::RunContext;
use jiff::tz::TimeZone;

fn alert(name: &str, on: Kind, resolve_on: Kind, pass: bool) -> Rule {
    let plan = AlertPlan {
        pass,
        ..AlertPlan::testing(name, on, resolve_on)
    };
    Rule::new(plan, &TimeZone::UTC).unwrap()
}

fn watching(chains: Vec<Chain>, rules: Vec<Rule>) -> Chains {
    let mut alerts = Alerts::new(TimeZone::UTC);
    for rule in rules {
        alerts.push(rule, None);
    }
    let digest = DigestPlan {
        name: "daily".into(),
        at: jiff::civil::Time::constant(7, 30, 0, 0),
        skip_empty: true,
    };
    let digests = Digests::new(&[digest], TimeZone::UTC);
    Chains::new(chains).watching(SharedAlerts::new(alerts), digests)
}

fn alert_step(position: usize) -> (When, Action) {
    (When::default(), Action::Alert(position))
}

fn at(ms: i64) -> Now {
    Now {
        instant: Clock::manual(Timestamp::from_millis(0)).now(),
        wall: Timestamp::from_millis(ms),
    }
}

fn on_site(id: &str, kind: Kind, site: &str) -> Arc<Event> {
    let mut event = Event::new(kind, id, Timestamp::from_millis(0));
    event.site = site.into();
    Arc::new(event)
}

/// What each sink gets: kinds.
fn kinds_of(routing: &mut Routing, sink: usize) -> Vec<Kind> {
    let (_, shares, _) = routing.take(Timestamp::from_millis(0));
    let share = shares.into_iter().find(|share| share.sink == sink);
    let events = share.map_or_else(Vec::new, |share| share.events);
    events.iter().map(|event| event.kind).collect()
}

#[test]
fn what_an_alert_says_goes_on_behind_it_in_every_chain_that_admits_its_site() {
    let when = |site: &str, kind: Kind| When {
        sites: Some(vec![site.to_owned()]),
        kinds: Some(vec![kind]),
        min_severity: Some(unifi_herald_plugin::Severity::Critical),
        ..When::default()
    };
    let chains = vec![
        // Neither its kinds nor its severity would let the event in.
        chain(
            &when("a", Kind::CLIENT_ROAMED),
            vec![sink(0), alert_step(0), sink(1)],
        ),
        chain(
            &when("b", Kind::CLIENT_ROAMED),
            vec![alert_step(0), sink(2)],
        ),
        chain(&When::default(), vec![sink(3)]),
    ];
    let mut chains = watching(
        chains,
        vec![alert("x", Kind::LTE_LIMIT, Kind::LTE_CONNECTED, false)],
    );
    let mut routing = Routing::new(4, 1);
    chains.route(&on_site("1", Kind::LTE_LIMIT, "a"), at(0), &mut routing);
    let (events, shares, _) = routing.take(Timestamp::from_millis(0));
    assert_eq!(
        events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [Kind::LTE_LIMIT, Kind::ALERT_FIRING]
    );
    let shares: Vec<_> = shares
        .iter()
        .map(|share| (share.sink, share.events[0].kind))
        .collect();
    assert_eq!(shares, [(1, Kind::ALERT_FIRING), (3, Kind::LTE_LIMIT)]);
    assert!(!chains.take_state().is_empty());
}

#[test]
fn two_chains_that_name_an_alert_count_an_event_once_and_give_a_sink_one_message() {
    let chains = vec![
        chain(&When::default(), vec![alert_step(0), sink(0)]),
        chain(&When::default(), vec![alert_step(0), sink(0)]),
    ];
    let mut chains = watching(
        chains,
        vec![alert("x", Kind::WAN_DOWN, Kind::WAN_UP, false)],
    );
    let mut routing = Routing::new(1, 1);
    chains.route(&on_site("1", Kind::WAN_DOWN, "a"), at(0), &mut routing);
    assert_eq!(kinds_of(&mut routing, 0), [Kind::ALERT_FIRING]);
    let incidents = chains.alerts().lock().incidents(Timestamp::from_millis(0));
    assert_eq!((incidents.len(), incidents[0].count), (1, 1));
}

#[test]
fn an_alert_lets_pass_what_it_is_told_to_and_what_is_not_for_it() {
    for (pass, expected) in [
        (
            true,
            vec![Kind::WAN_DOWN, Kind::ALERT_FIRING, Kind::WAN_DEGRADED],
        ),
        (false, vec![Kind::ALERT_FIRING, Kind::WAN_DEGRADED]),
    ] {
        let chains = vec![chain(&When::default(), vec![alert_step(0), sink(0)])];
        let mut chains = watching(chains, vec![alert("x", Kind::WAN_DOWN, Kind::WAN_UP, pass)]);
        let mut routing = Routing::new(1, 1);
        for (id, kind) in [("1", Kind::WAN_DOWN), ("2", Kind::WAN_DEGRADED)] {
            chains.route(&on_site(id, kind, "a"), at(0), &mut routing);
        }
        assert_eq!(kinds_of(&mut routing, 0), expected);
    }
}

#[test]
fn the_way_of_a_message_begins_behind_its_step() {
    let chains = vec![chain(
        &When::default(),
        vec![sink(0), alert_step(0), sink(1)],
    )];
    let mut chains = watching(
        chains,
        vec![alert("x", Kind::WAN_DOWN, Kind::WAN_UP, false)],
    );
    let mut routing = Routing::new(2, 1);
    routing.record_verdicts(&Shape::default());
    chains.route(&on_site("1", Kind::WAN_DOWN, "a"), at(0), &mut routing);
    let records = routing.take_verdicts();
    let deeds = |record: &[u8]| -> Vec<Deed> {
        let (_, chains) = verdict::read(record).unwrap();
        chains[0].steps.iter().map(|step| step.deed).collect()
    };
    assert_eq!(deeds(&records[0]), [Deed::Given, Deed::Counted]);
    assert_eq!(deeds(&records[1]), [Deed::Skipped, Deed::Said, Deed::Given]);
}

#[test]
fn what_is_for_the_journal_only_changes_no_alert() {
    let chains = vec![chain(&When::default(), vec![alert_step(0), sink(0)])];
    let mut chains = watching(
        chains,
        vec![alert("x", Kind::WAN_DOWN, Kind::WAN_UP, false)],
    );
    let mut routing = Routing::new(1, 1);
    routing.for_journal_only(true);
    chains.route(&on_site("1", Kind::WAN_DOWN, "a"), at(0), &mut routing);
    assert!(
        chains
            .alerts()
            .lock()
            .incidents(Timestamp::from_millis(0))
            .is_empty()
    );
}

#[test]
fn a_digest_keeps_what_comes_and_speaks_at_its_time_behind_its_step() {
    let steps = vec![(When::default(), Action::Digest(0)), sink(0)];
    let elsewhere = When {
        sites: Some(vec!["b".to_owned()]),
        ..When::default()
    };
    let chains = vec![chain(&elsewhere, steps)];
    let mut chains = watching(chains, Vec::new());
    let mut routing = Routing::new(1, 1);
    chains.tick(at(0), &mut routing);
    chains.route(&on_site("1", Kind::WAN_DOWN, "b"), at(1), &mut routing);
    assert_eq!(kinds_of(&mut routing, 0), []);
    let due = chains.wake_at(Timestamp::from_millis(1)).unwrap();
    assert_eq!(due.as_millis(), 27_000_000);
    chains.tick(at(due.as_millis()), &mut routing);
    assert_eq!(kinds_of(&mut routing, 0), [Kind::DIGEST_READY]);
}

#[test]
fn new_chains_go_on_with_the_incidents_of_the_old_ones_under_the_same_desk() {
    let steps = || vec![chain(&When::default(), vec![alert_step(0), sink(0)])];
    let rule = || alert("x", Kind::WAN_DOWN, Kind::WAN_UP, false);
    let mut old = watching(steps(), vec![rule()]);
    let desk = old.alerts().clone();
    let mut routing = Routing::new(1, 1);
    old.route(&on_site("1", Kind::WAN_DOWN, "a"), at(0), &mut routing);
    let chains = vec![chain(&When::default(), vec![alert_step(1), sink(0)])];
    let other = alert("y", Kind::LTE_LIMIT, Kind::LTE_CONNECTED, false);
    let mut new = watching(chains, vec![other, rule()]);
    new.inherit_state(&old);
    drop(old);
    drop(kinds_of(&mut routing, 0));
    assert_eq!(desk.lock().incidents(Timestamp::from_millis(0)).len(), 1);
    new.route(&on_site("2", Kind::WAN_UP, "a"), at(9), &mut routing);
    assert_eq!(kinds_of(&mut routing, 0), [Kind::ALERT_RESOLVED]);
    assert!(desk.lock().incidents(Timestamp::from_millis(0)).is_empty());
    let context = RunContext {
        now: Timestamp::from_millis(0),
        instant: at(0).instant,
        salt: "c/0",
    };
    let unrelated = on_site("3", Kind::WAN_UP, "a");
    let counted = desk
        .lock()
        .apply(0, &unrelated, Timestamp::from_millis(0), &context);
    assert_eq!(counted, Counted::No, "it is the other alert now");
}
