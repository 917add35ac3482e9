//! Which holes a site begins with, and which a connection leaves.

use super::*;
use crate::clock::Clock;
use crate::store::{Hole, HoleChange, Watermark};
use crate::unifi::gap::{History, Next};

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

fn new_state(resume: Resume) -> SiteState {
    let site = Site {
        name: "default".into(),
        display: "Home".into(),
    };
    SiteState::new(&"home".into(), &site, BackfillPlan::default(), Some(resume))
}

/// What is opened by a run that comes up at `second`, where the last one left these.
fn opened(watermarks: Vec<Watermark>, holes: Vec<Hole>, second: i64) -> Vec<(String, i64, i64)> {
    let resume = Resume { watermarks, holes };
    let state = new_state(resume);
    let now = Now {
        instant: Clock::manual(at(second)).now(),
        wall: at(second),
    };
    let news = state.lock().came_up(now);
    let holes = news.into_iter().filter_map(|news| match news.change {
        HoleChange::Open(hole) => {
            let (from, to) = (hole.from.as_millis(), hole.to?.as_millis());
            Some((hole.reason.to_string(), from / 1_000, to / 1_000))
        }
        _ => None,
    });
    holes.collect()
}

#[test]
fn a_hole_begins_and_ends_by_the_clock_of_the_events() {
    let clock = Clock::manual(at(0));
    let now = |second: i64| Now {
        instant: clock.now(),
        wall: at(second),
    };
    let overlap = BackfillPlan::default().overlap;
    let reopened = |state: &mut Shared, second: i64| {
        state.lost();
        let news = state.came_up(now(second));
        let HoleChange::Open(hole) = news[0].change.clone() else {
            panic!("{news:?}");
        };
        ((hole.from + overlap).as_secs(), hole.to.unwrap().as_secs())
    };
    let told = |time: i64, second: i64| {
        let mut event = Event::new(unifi_herald_plugin::Kind::WAN_DOWN, "a", at(time));
        event.received = at(second);
        [Arc::new(event)]
    };
    let new = |watermarks: Vec<Watermark>| {
        let resume = Resume {
            watermarks,
            holes: Vec::new(),
        };
        new_state(resume)
    };
    let state = new(Vec::new());
    let mut state = state.lock();
    state.came_up(now(1_000_000));
    state.hear(&told(999_400, 1_000_000), now(1_000_000));
    state.hear(&[], now(1_000_100));
    assert_eq!(reopened(&mut state, 1_000_500), (999_500, 1_000_500));
    state.hear(&told(1_000_620, 1_000_600), now(1_000_600));
    // One hole with the one before, which still settles.
    assert_eq!(reopened(&mut state, 1_010_000).1, 1_010_020);

    // The run before knew of nothing newer, and this one has heard of nothing yet.
    let mark = Watermark {
        controller: "home".into(),
        site: "default".into(),
        time: at(999_000),
    };
    let state = new(vec![mark]);
    let mut state = state.lock();
    state.came_up(now(1_000_000));
    state.hear(&[], now(1_000_010));
    assert_eq!(reopened(&mut state, 1_000_020).0, 999_000);
    // Where there is no history, it is not made out that nobody listened.
    state.repairs = Repairs::new(BackfillPlan::default());
    state.repairs.gone(History::SystemLog);
    state.repairs.gone(History::Legacy);
    assert_eq!(reopened(&mut state, 1_000_030).0, 1_000_020);
}

#[test]
fn nothing_is_missed_before_the_first_connection_that_any_run_had() {
    let clock = Clock::manual(at(10_000_000));
    let now = |second: u64| Now {
        instant: clock.now() + std::time::Duration::from_secs(second),
        wall: at(10_000_000) + std::time::Duration::from_secs(second),
    };
    for broken in [false, true] {
        let state = new_state(Resume::default());
        let mut state = state.lock();
        assert_eq!(state.meet(now(0)).len(), 1);
        if broken {
            state.lost();
            assert!(state.meet(now(20)).is_empty());
        }
        assert_eq!(state.came_up(now(25)).len(), 1);
        state.repairs.gone(History::SystemLog);
        state.repairs.gone(History::Legacy);
        let mut gaps = Vec::new();
        while let Next::Commit(news) = state.repairs.next(now(25)) {
            gaps.extend(news.into_iter().filter_map(|news| news.gap));
        }
        let told: Vec<_> = gaps.iter().map(|(gap, _)| (gap.from, gap.to)).collect();
        let missed = (now(0).wall, now(25).wall);
        assert_eq!(told, if broken { vec![missed] } else { Vec::new() });
    }
}

#[test]
fn what_came_since_the_first_socket_is_no_history_whatever_clock_it_goes_by() {
    let overlap = i64::try_from(BackfillPlan::default().overlap.as_secs()).unwrap();
    let age = i64::try_from(BackfillPlan::default().max_age.as_secs()).unwrap();
    let met = opened(Vec::new(), Vec::new(), 10_000_000);
    assert_eq!(
        met,
        [
            ("first_run".to_owned(), 10_000_000 - age, 10_000_000),
            ("start".to_owned(), 10_000_000, 10_000_000),
        ]
    );
    // The first events were of five seconds before.
    let mark = Watermark {
        controller: "home".into(),
        site: "default".into(),
        time: at(9_999_995),
    };
    let hole = Hole {
        id: 1,
        controller: "home".into(),
        site: "default".into(),
        from: at(9_999_000),
        to: Some(at(10_000_000)),
        reason: FIRST_RUN.into(),
    };
    let again = opened(vec![mark], vec![hole], 10_000_030);
    assert_eq!(
        again,
        [
            ("first_run".to_owned(), 9_999_000, 9_999_995),
            ("start".to_owned(), 9_999_995 - overlap, 10_000_030),
        ]
    );
}
