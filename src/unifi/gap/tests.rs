//! The machine by itself, then against random histories, failures and crashes.

use super::*;
use crate::clock::Clock;
use proptest::prelude::*;
use std::collections::BTreeMap;

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
fn a_hole_is_fetched_then_its_end_once_more_and_then_it_is_closed() {
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
    let shrunk = repairs.fetched(&first, None);
    let tail = HoleChange::Shrink {
        id: 1,
        from: at(1850),
        to: Some(at(2000)),
    };
    assert_eq!(shrunk, [quiet(tail)], "settle and overlap stay in the row");
    let due = now(begun, 2090);
    assert_eq!(
        repairs.next(now(begun, 2001)),
        Next::Rest(Some(due.instant))
    );
    let second = slice(repairs.next(due));
    assert_eq!((second.from, second.to), (at(1850), at(2000)));
    assert_eq!(
        repairs.fetched(&second, None),
        [quiet(HoleChange::Close { id: 1 })]
    );
    assert_eq!(repairs.next(due), Next::Rest(None));
    assert!(repairs.is_empty());
}

#[test]
fn what_was_over_long_ago_is_fetched_once() {
    let begun = begin();
    let mut repairs = connected();
    repairs.open(hole(1, 1000, 2000, START), now(begun, 5000));
    let only = slice(repairs.next(now(begun, 5000)));
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
    assert!(repairs.narrow(&first));
    let first = slice(repairs.next(now(begun, 3 * day)));
    assert_eq!((first.from, first.to), (at(0), at(3 * 3600)));
    let shrunk = repairs.fetched(&first, Some(at(100)));
    assert!(matches!(shrunk[0].change, HoleChange::Shrink { from, .. } if from == at(100)));
    let rest = slice(repairs.next(now(begun, 3 * day)));
    assert_eq!(rest.from, at(100), "what was cut off comes next");
    let mut minute = rest;
    minute.to = minute.from + MIN_STEP;
    assert!(!repairs.narrow(&minute));
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

/// A site with a history that is written with a delay, herald's rows and journal, and what was told.
#[derive(Debug, Default)]
struct World {
    /// Time and the moment at which the history has it, in seconds.
    history: Vec<(i64, i64)>,
    rows: BTreeMap<u64, (Timestamp, Timestamp)>,
    journal: Vec<bool>,
    gaps: Vec<(Timestamp, Timestamp)>,
    /// What was in a hole once.
    owed: Vec<bool>,
}

/// Most items that a fetch holds at once.
const HELD: usize = 3;

impl World {
    fn commit(&mut self, news: &[News]) {
        for news in news {
            self.gaps
                .extend(news.gap.iter().map(|(gap, _)| (gap.from, gap.to)));
            match &news.change {
                HoleChange::Open(hole) => {
                    self.rows.insert(hole.id, (hole.from, hole.to.unwrap()));
                }
                HoleChange::Shrink { id, from, to } => {
                    let row = self.rows.get_mut(id).unwrap();
                    assert!(*from >= row.0, "a row does not grow by shrinking");
                    *row = (*from, to.unwrap());
                }
                HoleChange::Close { id } => {
                    self.rows.remove(id);
                }
            }
        }
    }

    /// What the history answers to a slice: numbers of the oldest items, and the time of the first that was too many.
    fn fetch(&self, slice: &Slice, second: i64) -> (Vec<usize>, Option<Timestamp>) {
        let mut found: Vec<usize> = (0..self.history.len())
            .filter(|number| {
                let (time, written) = self.history[*number];
                at(time) >= slice.from && at(time) <= slice.until && written <= second
            })
            .collect();
        found.sort_by_key(|number| self.history[*number].0);
        let cut = found.get(HELD).map(|number| at(self.history[*number].0));
        found.truncate(HELD);
        (found, cut)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for (number, (time, _)) in self.history.iter().enumerate() {
            let within =
                |(from, to): &(Timestamp, Timestamp)| *from <= at(*time) && at(*time) <= *to;
            prop_assert!(
                !self.owed[number]
                    || self.journal[number]
                    || self.rows.values().any(within)
                    || self.gaps.iter().any(within),
                "item {number} at {time} is forgotten: {self:?}"
            );
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Wait(i64),
    Reconnect(i64),
    Overflow(i64),
    Disconnect,
    Fetch { cut_short: bool },
    Fail,
    Gone(History),
    Login,
    Crash,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (1_i64..200).prop_map(Act::Wait),
        2 => (1_i64..3000).prop_map(Act::Reconnect),
        1 => (1_i64..3000).prop_map(Act::Overflow),
        1 => Just(Act::Disconnect),
        8 => prop::bool::weighted(0.1).prop_map(|cut_short| Act::Fetch { cut_short }),
        1 => Just(Act::Fail),
        1 => prop_oneof![Just(History::SystemLog), Just(History::Legacy)].prop_map(Act::Gone),
        1 => Just(Act::Login),
        1 => Just(Act::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Every item that was in a hole is fetched, or a row still covers it, or a gap was told; and the machine stays small
    /// and comes to rest.
    #[test]
    fn nothing_in_a_hole_is_forgotten(
        // At most three in a second, as many as a fetch holds; written within 80 s.
        history in prop::collection::btree_map(5000_i64..20_000, (1_usize..=2, 0_i64..80), 0..120),
        acts in prop::collection::vec(act(), 1..120),
        max_age in prop_oneof![Just(7 * 24 * 3600_u64), Just(2000)],
    ) {
        let begun = begin();
        let plan = BackfillPlan { max_age: SECOND * u32::try_from(max_age).unwrap(), ..plan() };
        let mut world = World::default();
        for (time, (times, lag)) in history {
            world.history.extend(std::iter::repeat_n((time, time + lag), times));
        }
        world.owed = vec![false; world.history.len()];
        world.journal = vec![false; world.history.len()];
        let mut repairs = Repairs::new(plan);
        let (mut second, mut id, mut login) = (8000, 0, 0);
        let owe = |world: &mut World, from: Timestamp, to: Timestamp| {
            for (number, (time, _)) in world.history.iter().enumerate() {
                world.owed[number] |= from <= at(*time) && at(*time) <= to;
            }
        };
        // In the end everything is given the time it needs.
        let end = std::iter::repeat_n([Act::Fetch { cut_short: false }, Act::Wait(30)], 400).flatten();
        let last = acts.len();
        for (number, act) in acts.into_iter().chain([Act::Login, Act::Reconnect(1)]).chain(end).enumerate() {
            let time = now(begun, second);
            match act {
                Act::Wait(seconds) => second += if number < last { seconds } else { 30 },
                Act::Reconnect(away) | Act::Overflow(away) => {
                    id += 1;
                    let made = if matches!(act, Act::Reconnect(_)) {
                        repairs.connected(true);
                        hole(id, second - away, second, RECONNECT)
                    } else {
                        let hole = hole(id, second - away, second - away + 100.min(away), "ring_overflow");
                        world.rows.insert(id, (hole.from, hole.to.unwrap()));
                        hole
                    };
                    owe(&mut world, made.from, made.to.unwrap());
                    world.commit(&repairs.open(made, time));
                }
                Act::Disconnect => repairs.connected(false),
                Act::Fetch { cut_short } => match repairs.next(time) {
                    Next::Rest(_) => {}
                    Next::Commit(news) => world.commit(&news),
                    Next::Fetch(slice) => {
                        prop_assert!(slice.from <= slice.to && slice.to <= slice.until);
                        let (found, cut) = world.fetch(&slice, second);
                        for number in found {
                            world.journal[number] = true;
                        }
                        let news = repairs.fetched(&slice, cut);
                        if cut_short {
                            // The process ends between the items and the change.
                            repairs = Repairs::new(plan);
                        } else {
                            world.commit(&news);
                        }
                    }
                },
                Act::Fail => repairs.failed(time.instant, 0.5, None),
                Act::Gone(history) => repairs.gone(history),
                Act::Login => {
                    login += 1;
                    repairs.logged_in(login);
                }
                Act::Crash => repairs = Repairs::new(plan),
            }
            if matches!(act, Act::Crash | Act::Fetch { cut_short: true }) {
                for (id, (from, to)) in world.rows.clone() {
                    let mut row = hole(id, 0, 0, RECONNECT);
                    (row.from, row.to) = (from, Some(to));
                    world.commit(&repairs.open(row, time));
                }
            }
            prop_assert!(repairs.len() <= MAX_HOLES);
            prop_assert!(world.rows.len() == repairs.len());
            world.check()?;
        }
        prop_assert_eq!(world.rows.len(), 0, "it comes to an end");
        prop_assert_eq!(repairs.next(now(begun, second)), Next::Rest(None));
    }
}
