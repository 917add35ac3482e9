mod alerts;

use super::*;
use crate::clock::Clock;
use crate::config::OnError;
use crate::store::{DeadLetter, Share};
use proptest::prelude::*;
use std::sync::Mutex;
use std::time::Duration;
use unifi_herald_plugin::{BoxError, BufferedEvent, Filter, Origin, Verdict};

type Function = Box<dyn FnMut(&Event) -> Result<Verdict, BoxError> + Send>;

/// A filter made of a closure.
struct Closure(Function);

impl Filter for Closure {
    fn apply(&mut self, event: &Event) -> Result<Verdict, BoxError> {
        (self.0)(event)
    }
}

fn step(
    function: impl FnMut(&Event) -> Result<Verdict, BoxError> + Send + 'static,
) -> (When, Action) {
    failing(OnError::Keep, function)
}

fn failing(
    on_error: OnError,
    function: impl FnMut(&Event) -> Result<Verdict, BoxError> + Send + 'static,
) -> (When, Action) {
    let made = Mutex::new(Some(function));
    let make = move || {
        let function = made.lock().unwrap().take().ok_or("made once only")?;
        Ok(Box::new(Closure(Box::new(function))) as Box<dyn Filter>)
    };
    made_by(on_error, make)
}

fn made_by(
    on_error: OnError,
    make: impl Fn() -> Result<Box<dyn Filter>, String> + Send + 'static,
) -> (When, Action) {
    let filter = FilterStep::new("f".into(), Box::new(make), on_error).unwrap();
    (When::default(), Action::Filter(filter))
}

fn sink(index: usize) -> (When, Action) {
    (When::default(), Action::Sink(index))
}

fn kinds(kinds: &[Kind]) -> When {
    When {
        kinds: Some(kinds.to_vec()),
        ..When::default()
    }
}

fn chain(when: &When, steps: Vec<(When, Action)>) -> Chain {
    Chain::new("c".into(), when, steps)
}

fn event(id: &str, kind: Kind) -> Arc<Event> {
    Arc::new(Event::new(kind, id, Timestamp::from_millis(0)))
}

struct Routed {
    events: Vec<BufferedEvent>,
    shares: Vec<Share>,
    dead: Vec<DeadLetter>,
}

impl Routed {
    /// The ids and numbers that a sink gets.
    fn of(&self, sink: usize) -> Vec<(String, u64)> {
        let share = self.shares.iter().find(|share| share.sink == sink);
        share
            .map(|share| {
                share
                    .events
                    .iter()
                    .map(|event| (event.id.to_string(), event.seq))
                    .collect()
            })
            .unwrap_or_default()
    }

    fn ids(&self, sink: usize) -> Vec<String> {
        self.of(sink).into_iter().map(|(id, _)| id).collect()
    }
}

fn route(chains: Vec<Chain>, events: &[Arc<Event>]) -> Routed {
    let clock = Clock::system();
    let now = Now {
        instant: clock.now(),
        wall: Timestamp::from_millis(0),
    };
    let mut chains = Chains::new(chains);
    let mut routing = Routing::new(4, 100);
    for event in events {
        chains.route(event, now, &mut routing);
    }
    let (events, shares, dead) = routing.take(now.wall);
    assert!(routing.is_empty());
    Routed {
        events,
        shares,
        dead,
    }
}

#[test]
fn a_sink_step_tees_and_a_filter_drops_for_what_is_behind_it() {
    let only_wan = |event: &Event| {
        Ok(if event.kind == Kind::WAN_DOWN {
            Verdict::Keep
        } else {
            Verdict::Drop
        })
    };
    let chains = vec![chain(
        &When::default(),
        vec![sink(0), step(only_wan), sink(1)],
    )];
    let routed = route(
        chains,
        &[event("a", Kind::CLIENT_ROAMED), event("b", Kind::WAN_DOWN)],
    );
    assert_eq!(routed.of(0), [("a".to_owned(), 100), ("b".to_owned(), 101)]);
    assert_eq!(routed.of(1), [("b".to_owned(), 101)]);
    assert_eq!(
        routed.events.len(),
        2,
        "dropped events are in the journal all the same"
    );
}

#[test]
fn the_condition_of_a_chain_keeps_out_and_that_of_a_step_passes_by() {
    let drop_all = |_: &Event| Ok(Verdict::Drop);
    let mut guarded = step(drop_all);
    guarded.0 = kinds(&[Kind::WAN_DOWN]);
    let chains = vec![
        chain(&kinds(&[Kind::WAN_DOWN]), vec![sink(0)]),
        chain(&When::default(), vec![guarded, sink(1)]),
    ];
    let routed = route(
        chains,
        &[event("a", Kind::CLIENT_ROAMED), event("b", Kind::WAN_DOWN)],
    );
    assert_eq!(routed.ids(0), ["b"]);
    assert_eq!(routed.ids(1), ["a"]);
}

#[test]
fn the_first_chain_that_gives_an_event_to_a_sink_wins() {
    let rename = |event: &Event| {
        let mut renamed = event.clone();
        renamed.summary = "renamed".into();
        Ok(Verdict::Replace(vec![renamed]))
    };
    let chains = vec![
        chain(&When::default(), vec![step(rename), sink(0)]),
        chain(&When::default(), vec![sink(0), sink(1)]),
    ];
    let routed = route(chains, &[event("a", Kind::WAN_DOWN)]);
    assert_eq!(routed.ids(0), ["a"]);
    assert_eq!(&*routed.shares[0].events[0].summary, "renamed");
    assert_eq!(
        &*routed.shares[1].events[0].summary, "",
        "another chain sees the event as it came"
    );
    assert_eq!(
        routed.of(0),
        routed.of(1),
        "and both are the same event, with the same number"
    );
}

#[test]
fn what_a_step_makes_has_a_stable_id_of_its_own_and_comes_after_its_parent() {
    let double = || {
        |event: &Event| {
            Ok(Verdict::Replace(vec![
                event.clone(),
                Event::new(Kind::SYSTEM_NOTICE, "x", event.time),
            ]))
        }
    };
    let chains = || {
        vec![
            chain(&When::default(), vec![step(double()), sink(0)]),
            chain(&When::default(), vec![step(|_| Ok(Verdict::Drop)), sink(1)]),
        ]
    };
    let routed = route(chains(), &[event("a", Kind::WAN_DOWN)]);
    let again = route(chains(), &[event("a", Kind::WAN_DOWN)]);
    assert_eq!(routed.of(0), again.of(0));
    let got = routed.of(0);
    assert_eq!((got[0].0.as_str(), got[0].1, got[1].1), ("a", 100, 101));
    assert_eq!(got[1].0.len(), 24);
    assert_eq!(routed.events[1].origin, Origin::Derived);
    assert_eq!(routed.events.len(), 2);
}

#[test]
fn shares_are_in_the_order_of_seq_whatever_the_chains_do() {
    let derive = |event: &Event| {
        Ok(Verdict::Replace(vec![Event::new(
            Kind::SYSTEM_NOTICE,
            "x",
            event.time,
        )]))
    };
    let chains = vec![
        chain(&When::default(), vec![step(derive), sink(0)]),
        chain(&When::default(), vec![sink(0)]),
    ];
    let routed = route(
        chains,
        &[event("a", Kind::WAN_DOWN), event("b", Kind::WAN_UP)],
    );
    let seqs: Vec<u64> = routed.of(0).into_iter().map(|(_, seq)| seq).collect();
    assert_eq!(seqs, [100, 101, 102, 103]);
}

#[test]
fn an_error_follows_on_error() {
    let fail = |_: &Event| Err("no idea".into());
    let panic = |_: &Event| panic!("boom");
    let chains = vec![
        chain(
            &When::default(),
            vec![failing(OnError::Keep, fail), sink(0)],
        ),
        chain(
            &When::default(),
            vec![failing(OnError::Drop, panic), sink(1)],
        ),
        chain(
            &When::default(),
            vec![failing(OnError::DeadLetter, fail), sink(2), sink(3)],
        ),
    ];
    let routed = route(chains, &[event("a", Kind::WAN_DOWN)]);
    assert_eq!(routed.ids(0), ["a"]);
    assert!(routed.ids(1).is_empty() && routed.ids(2).is_empty());
    let dead: Vec<_> = routed
        .dead
        .iter()
        .map(|dead| (dead.sink, dead.reason.as_str()))
        .collect();
    assert_eq!(
        dead,
        [(2, "filter `f`: no idea"), (3, "filter `f`: no idea")]
    );
}

#[test]
fn a_filter_is_made_anew_after_a_panic() {
    let make = || {
        let mut seen = 0;
        let function = move |event: &Event| {
            seen += 1;
            assert!(&*event.id != "bad", "boom");
            Ok(if seen == 1 {
                Verdict::Keep
            } else {
                Verdict::Drop
            })
        };
        Ok(Box::new(Closure(Box::new(function))) as Box<dyn Filter>)
    };
    let steps = vec![made_by(OnError::Drop, make), sink(0)];
    let events = ["a", "b", "bad", "c", "d"].map(|id| event(id, Kind::WAN_DOWN));
    let routed = route(vec![chain(&When::default(), steps)], &events);
    assert_eq!(routed.ids(0), ["a", "c"]);
}

#[test]
fn a_filter_that_keeps_breaking_down_is_bypassed_and_tried_again() {
    let made = Arc::new(Mutex::new(0));
    let count = Arc::clone(&made);
    let make = move || {
        *count.lock().unwrap() += 1;
        let function = |event: &Event| {
            assert!(&*event.id == "good", "boom");
            Ok(Verdict::Keep)
        };
        Ok(Box::new(Closure(Box::new(function))) as Box<dyn Filter>)
    };
    let steps = vec![made_by(OnError::Keep, make), sink(0)];
    let mut chains = Chains::new(vec![chain(&When::default(), steps)]);
    let health = chains.filter_health().remove(0).2;
    let start = Clock::system().now();
    let mut route = |id: &str, after: u64| {
        let now = Now {
            instant: start + Duration::from_secs(after),
            wall: Timestamp::from_millis(0),
        };
        chains.route(&event(id, Kind::WAN_DOWN), now, &mut Routing::new(1, 1));
        chains.iter().next().unwrap().degraded().next()
    };
    for _ in 1..20 {
        assert_eq!(route("bad", 0), None);
    }
    let said = Some("filter `f`: the filter panicked".to_owned());
    assert_eq!(route("bad", 0), said);
    assert_eq!(health.trouble().unwrap().error, "the filter panicked");
    let tried = *made.lock().unwrap();
    assert_eq!(route("bad", 9), said);
    assert_eq!(*made.lock().unwrap(), tried, "it rests");
    assert_eq!(route("bad", 10), said, "tried and failed");
    assert_eq!(route("good", 20), None);
    assert_eq!(health.trouble(), None);
}

proptest! {
    /// However chains tee, drop and copy: a sink never gets an id twice, and gets everything in the order of `seq`.
    #[test]
    fn no_sink_gets_an_id_twice(
        shape in prop::collection::vec(prop::collection::vec(0_usize..7, 0..6), 1..5),
        count in 1_usize..20,
    ) {
        let make = |code: &usize| match code {
            0..=3 => sink(*code),
            4 => step(|event| Ok(if event.id.len().is_multiple_of(2) { Verdict::Drop } else { Verdict::Keep })),
            5 => step(|event| Ok(Verdict::Replace(vec![Event::new(event.kind, "new", event.time), event.clone()]))),
            _ => step(|event| Ok(Verdict::Replace(vec![event.clone(), event.clone()]))),
        };
        let chains = shape.iter().map(|steps| chain(&When::default(), steps.iter().map(make).collect())).collect();
        let events: Vec<_> = (0..count).map(|number| event(&"e".repeat(number + 1), Kind::WAN_DOWN)).collect();
        let routed = route(chains, &events);
        for sink in 0..4 {
            let got = routed.of(sink);
            prop_assert!(got.windows(2).all(|pair| pair[0].1 < pair[1].1), "{:?}", got);
            let mut ids: Vec<_> = got.iter().map(|(id, _)| id).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), got.len());
        }
        prop_assert!(routed.events.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    }
}

#[test]
fn chains_and_steps_are_counted_where_events_go() {
    let several = |event: &Event| {
        let copy = |summary: &str| {
            let mut copy = Event::new(event.kind, summary, event.time);
            copy.summary = summary.into();
            copy
        };
        Ok(Verdict::Replace(vec![copy("x"), copy("y")]))
    };
    let steps = vec![
        (kinds(&[Kind::WAN_UP]), sink(0).1),
        step(several),
        step(|event| {
            Ok(if &*event.summary == "x" {
                Verdict::Drop
            } else {
                Verdict::Keep
            })
        }),
        sink(0),
    ];
    let mut chains = Chains::new(vec![chain(&kinds(&[Kind::WAN_UP, Kind::WAN_DOWN]), steps)]);
    let shape = Shape(vec![ChainShape {
        name: "c".to_owned(),
        steps: vec![String::new(); 4],
    }]);
    let tallies = ChainTally::of(&shape);
    let now = Now {
        instant: Clock::system().now(),
        wall: Timestamp::from_millis(0),
    };
    let mut routing = Routing::new(1, 1);
    routing.count(tallies.clone());
    for (id, kind) in [
        ("1", Kind::WAN_UP),
        ("2", Kind::WAN_DOWN),
        ("3", Kind::CLIENT_ROAMED),
    ] {
        chains.route(&event(id, kind), now, &mut routing);
    }
    assert_eq!((tallies[0].entered(), tallies[0].passed_by()), (2, 1));
    let did = |position: usize| -> Vec<(Deed, u64)> {
        let deeds = tallies[0].steps()[position].deeds();
        deeds.filter(|(_, count)| *count > 0).collect()
    };
    assert_eq!(did(0), [(Deed::Skipped, 1), (Deed::Given, 1)]);
    assert_eq!(did(1), [(Deed::Replaced, 2)]);
    assert_eq!(did(2), [(Deed::Kept, 2), (Deed::Dropped, 2)]);
    assert_eq!(did(3), [(Deed::Given, 2)]);
}
