//! The machine by itself.

mod random;

use super::*;
use crate::clock::Clock;

const SECOND: Duration = Duration::from_secs(1);

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

/// A moment so many seconds after the beginning of the test.
fn now(begun: Instant, second: i64) -> Now {
    Now {
        instant: begun + SECOND * u32::try_from(second).unwrap(),
        wall: at(second),
    }
}

fn begin() -> Instant {
    Clock::system().now()
}

fn plan() -> BackfillPlan {
    BackfillPlan::default()
}

fn hole(id: u64, from: i64, to: i64, reason: &str) -> Hole {
    Hole {
        id,
        controller: "home".into(),
        site: "default".into(),
        from: at(from),
        to: Some(at(to)),
        reason: reason.into(),
    }
}

fn connected() -> Repairs {
    let mut repairs = Repairs::new(plan());
    repairs.connected(true);
    repairs
}

fn slice(next: Next) -> Slice {
    match next {
        Next::Fetch(slice) => slice,
        other => panic!("{other:?}"),
    }
}

fn gaps(news: &[News]) -> Vec<(i64, i64, &'static str)> {
    let gap = |news: &News| {
        let (gap, reason) = news.gap.clone()?;
        Some((gap.from.as_secs(), gap.to.as_secs(), reason))
    };
    news.iter().filter_map(gap).collect()
}

#[test]
fn a_hole_is_fetched_then_its_end_soon_and_once_more_and_then_it_is_closed() {
    let begun = begin();
    let mut repairs = connected();
    let opened = repairs.open(hole(1, 1000, 2000, RECONNECT), now(begun, 2000));
    assert_eq!(
        opened,
        [quiet(HoleChange::Open(hole(1, 1000, 2000, RECONNECT)))]
    );
    let first = slice(repairs.next(now(begun, 2000)));
    assert_eq!(
        (first.from, first.to, first.until),
        (at(1000), at(2000), at(2010))
    );
    assert!(!first.seed);
    assert_eq!(repairs.looked_at_again(&first, None), Some(at(1850)));
    let shrunk = repairs.fetched(&first, None);
    let tail = HoleChange::Shrink {
        id: 1,
        from: at(1850),
        to: Some(at(2000)),
        read: true,
    };
    assert_eq!(shrunk, [quiet(tail)], "settle and overlap stay in the row");
    let (soon, due) = (now(begun, 2005), now(begun, 2090));
    assert_eq!(
        repairs.next(now(begun, 2001)),
        Next::Rest(Some(soon.instant))
    );
    let second = slice(repairs.next(soon));
    assert_eq!((second.from, second.to), (at(1850), at(2000)));
    assert_eq!(
        repairs.looked_at_again(&second, None),
        Some(at(1850)),
        "for what was in doubt only: the controller may not have written all of it yet"
    );
    assert_eq!(repairs.fetched(&second, None), []);
    assert_eq!(repairs.next(soon), Next::Rest(Some(due.instant)));
    let third = slice(repairs.next(due));
    assert_eq!((third.from, third.to), (at(1850), at(2000)));
    assert_eq!(repairs.looked_at_again(&third, None), None);
    assert_eq!(
        repairs.fetched(&third, None),
        [quiet(HoleChange::Close { id: 1 })]
    );
    assert_eq!(repairs.next(due), Next::Rest(None));
    assert!(repairs.is_empty());
}

#[test]
fn what_the_ring_lost_and_the_history_does_not_have_is_told() {
    // Short, and with a part that is fetched once.
    for from in [1990, 1000] {
        for (early, late, left) in [(0, 0, 30), (5, 7, 18), (20, 10, 0), (40, 40, 0)] {
            let begun = begin();
            let mut repairs = connected();
            let lost = hole(1, from, 2000, RING_OVERFLOW);
            repairs.open_lost(lost, 30, now(begun, 2000));
            let mut told = Vec::new();
            let mut at_second = 2000;
            while !repairs.is_empty() {
                match repairs.next(now(begun, at_second)) {
                    Next::Fetch(slice) => {
                        let mut times = vec![at(2005); 9];
                        times.extend(vec![at(1999); late]);
                        times.extend(vec![
                            at(from);
                            if slice.from <= at(from) { early } else { 0 }
                        ]);
                        repairs.brought(&slice, &times);
                        told.extend(repairs.fetched(&slice, None));
                    }
                    _ => at_second += 5,
                }
            }
            let counts = told.iter().filter_map(|news| news.gap.as_ref()?.0.count);
            let counts: Vec<_> = counts.collect();
            if left == 0 {
                assert_eq!(gaps(&told), [], "{from} {early} {late}");
            } else {
                assert_eq!(gaps(&told), [(from, 2000, RING_OVERFLOW)]);
                assert_eq!(counts, [left], "{from} {early} {late}");
            }
        }
    }
}

#[test]
fn that_a_short_hole_was_read_is_told_though_none_of_it_is_filled_for_good() {
    let begun = begin();
    let mut repairs = connected();
    repairs.open(hole(1, 1990, 2000, RECONNECT), now(begun, 2000));
    let first = slice(repairs.next(now(begun, 2000)));
    let read = HoleChange::Shrink {
        id: 1,
        from: at(1990),
        to: Some(at(2000)),
        read: true,
    };
    assert_eq!(repairs.fetched(&first, None), [quiet(read)]);
}

#[test]
fn an_end_that_settles_at_once_is_fetched_twice_only() {
    let begun = begin();
    let mut repairs = Repairs::new(BackfillPlan {
        settle: SECOND * 4,
        ..plan()
    });
    repairs.connected(true);
    repairs.open(hole(1, 1000, 2000, RECONNECT), now(begun, 2000));
    let first = slice(repairs.next(now(begun, 2000)));
    repairs.fetched(&first, None);
    let due = now(begun, 2004);
    assert_eq!(
        repairs.next(now(begun, 2000)),
        Next::Rest(Some(due.instant))
    );
    let second = slice(repairs.next(due));
    assert_eq!(
        repairs.fetched(&second, None),
        [quiet(HoleChange::Close { id: 1 })]
    );
}

#[test]
fn what_was_over_long_ago_is_fetched_once() {
    let begun = begin();
    let mut repairs = connected();
    repairs.open(hole(1, 1000, 2000, START), now(begun, 5000));
    let only = slice(repairs.next(now(begun, 5000)));
    assert_eq!(repairs.looked_at_again(&only, None), None);
    assert_eq!(
        repairs.fetched(&only, None),
        [quiet(HoleChange::Close { id: 1 })]
    );
}

#[test]
fn a_long_hole_is_fetched_in_slices_oldest_first_and_a_dense_one_in_shorter_ones() {
    let begun = begin();
    let mut repairs = connected();
    let day = 24 * 3600;
    repairs.open(hole(1, 0, 3 * day, START), now(begun, 3 * day));
    let first = slice(repairs.next(now(begun, 3 * day)));
    assert_eq!((first.from, first.to), (at(0), at(6 * 3600)));
    assert_eq!(first.until, first.to, "only the last goes beyond its end");
    assert!(repairs.narrow(&first, 1));
    let first = slice(repairs.next(now(begun, 3 * day)));
    assert_eq!((first.from, first.to), (at(0), at(3 * 3600)));
    let cut = Some(at(100));
    assert_eq!(repairs.looked_at_again(&first, cut), Some(at(98)));
    let shrunk = repairs.fetched(&first, cut);
    assert!(
        matches!(shrunk[0].change, HoleChange::Shrink { from, read: false, .. } if from == at(98))
    );
    let rest = slice(repairs.next(now(begun, 3 * day)));
    assert_eq!(
        rest.from,
        at(98),
        "what was cut off comes next, with its neighbours"
    );
    let short = repairs.looked_at_again(&rest, Some(at(101)));
    assert_eq!(
        short,
        Some(at(3 * day - 150)),
        "only the end of the hole: a short slice must come forward"
    );
    assert!(repairs.narrow(&rest, 30));
    let shorter = slice(repairs.next(now(begun, 3 * day)));
    assert_eq!(
        shorter.to.since(shorter.from),
        rest.to.since(rest.from) / 30
    );
    let mut shortest = rest;
    shortest.to = shortest.from + MIN_STEP;
    assert!(!repairs.narrow(&shortest, 2));
}

#[test]
fn failures_are_retried_later_and_only_while_connected() {
    let begun = begin();
    let mut repairs = Repairs::new(plan());
    repairs.open(hole(1, 0, 10, RECONNECT), now(begun, 10));
    assert_eq!(repairs.next(now(begun, 10)), Next::Rest(None));
    repairs.connected(true);
    slice(repairs.next(now(begun, 10)));
    repairs.failed(now(begun, 10).instant, 1.0, None);
    assert_eq!(
        repairs.next(now(begun, 10)),
        Next::Rest(Some(now(begun, 12).instant))
    );
    slice(repairs.next(now(begun, 12)));
    repairs.failed(now(begun, 12).instant, 1.0, Some(SECOND * 100));
    assert_eq!(
        repairs.next(now(begun, 13)),
        Next::Rest(Some(now(begun, 112).instant))
    );
    repairs.connected(false);
    repairs.connected(true);
    slice(repairs.next(now(begun, 14)));
}

#[test]
fn without_v2_the_legacy_history_is_asked_and_without_both_one_gap_is_told() {
    let begun = begin();
    let mut repairs = connected();
    repairs.logged_in(1);
    repairs.open(hole(1, 0, 10, RECONNECT), now(begun, 10));
    repairs.gone(History::SystemLog);
    let legacy = slice(repairs.next(now(begun, 10)));
    assert_eq!(legacy.to, repairs.holes[0].to, "all of it at once");
    assert_eq!(
        (legacy.histories.system_log, legacy.histories.legacy),
        (false, true)
    );
    repairs.gone(History::Legacy);
    let Next::Commit(news) = repairs.next(now(begun, 10)) else {
        panic!("a gap is to be told");
    };
    assert_eq!(gaps(&news), [(0, 10, HISTORY_UNAVAILABLE)]);
    assert_eq!(news[0].change, HoleChange::Close { id: 1 });
    // The next hole of this login is not asked for; another login looks again.
    repairs.open(hole(2, 20, 30, RECONNECT), now(begun, 30));
    repairs.logged_in(1);
    assert!(matches!(repairs.next(now(begun, 30)), Next::Commit(_)));
    repairs.open(hole(3, 40, 50, RECONNECT), now(begun, 50));
    repairs.logged_in(2);
    assert!(slice(repairs.next(now(begun, 50))).histories.system_log);
}

#[test]
fn what_is_older_than_max_age_is_told_and_the_rest_is_fetched() {
    let begun = begin();
    let mut repairs = Repairs::new(BackfillPlan {
        max_age: SECOND * 100,
        ..plan()
    });
    repairs.connected(true);
    let news = repairs.open(hole(1, 50, 850, START), now(begun, 1000));
    assert_eq!(gaps(&news), [(50, 850, TOO_OLD)]);
    let news = repairs.open(hole(2, 50, 1000, START), now(begun, 1000));
    assert_eq!(gaps(&news), [(50, 900, TOO_OLD)]);
    assert_eq!(
        news[0].change,
        HoleChange::Open(hole(2, 900, 1000, START)),
        "with the change that makes it so"
    );
    assert_eq!(slice(repairs.next(now(begun, 1000))).from, at(900));
    let Next::Commit(news) = repairs.next(now(begun, 1101)) else {
        panic!("it waited too long");
    };
    assert_eq!(gaps(&news), [(900, 1000, TOO_OLD)]);
}

#[test]
fn nobody_misses_what_was_before_herald() {
    let begun = begin();
    let mut repairs = connected();
    let names = ("home".into(), "default".into());
    let first = repairs.first_run((&names.0, &names.1), 1, now(begun, 700_000));
    assert_eq!(first.from, at(700_000) - plan().max_age);
    repairs.open(first, now(begun, 700_005));
    repairs.step = MAX_STEP;
    let seed = slice(repairs.next(now(begun, 700_005)));
    assert!(seed.seed);
    assert_eq!(seed.until, at(700_000), "the socket may tell what is newer");
    repairs.gone(History::SystemLog);
    repairs.gone(History::Legacy);
    let Next::Commit(news) = repairs.next(now(begun, 700_005)) else {
        panic!("it cannot be had");
    };
    assert_eq!(gaps(&news), []);
}

#[test]
fn holes_that_touch_become_one_and_there_are_never_many() {
    let begun = begin();
    let mut repairs = connected();
    repairs.open(hole(1, 100, 200, RECONNECT), now(begun, 200));
    let news = repairs.open(hole(2, 150, 300, RECONNECT), now(begun, 300));
    assert_eq!(
        news,
        [
            quiet(HoleChange::Open(hole(1, 100, 300, RECONNECT))),
            quiet(HoleChange::Close { id: 2 })
        ]
    );
    for id in 3..50 {
        let from = i64::try_from(id).unwrap() * 1000;
        repairs.open(hole(id, from, from + 10, RECONNECT), now(begun, from + 10));
    }
    assert_eq!(repairs.len(), MAX_HOLES);
}
