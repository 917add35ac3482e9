//! Whole holes against a history that grows while it is read: nothing is left out, and how much is asked.

use super::*;
use crate::clock::Clock;
use crate::config::BackfillPlan;
use crate::store::Hole;
use crate::unifi::gap::{Histories, History, Next, Now, RECONNECT, Repairs};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

/// A history, the oldest item first: time in milliseconds, and a number of its own.
#[derive(Debug, Default)]
struct Past {
    items: Vec<(i64, usize)>,
    asked: usize,
    /// Whether a page can be asked for by its place.
    knows_places: bool,
}

/// What was brought of a slice: the oldest items, and from when on some are left out.
#[derive(Default)]
struct Held {
    items: BTreeSet<(i64, usize)>,
    cut: Option<Timestamp>,
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

impl Past {
    fn new(times: impl IntoIterator<Item = i64>) -> Self {
        let mut past = Self {
            knows_places: true,
            ..Self::default()
        };
        for time in times {
            past.write(time);
        }
        past
    }

    fn write(&mut self, time: i64) {
        let item = (time, self.items.len());
        let place = self.items.partition_point(|other| *other < item);
        self.items.insert(place, item);
    }

    fn read(&mut self, place: usize, limit: usize) -> Vec<(i64, usize)> {
        self.asked += 1;
        let place = if self.knows_places { place } else { 0 };
        self.items
            .iter()
            .rev()
            .skip(place)
            .take(limit)
            .copied()
            .collect()
    }
}

impl Held {
    fn add(&mut self, item: (i64, usize), hold: usize) {
        if self.cut.is_some_and(|cut| at(item.0) >= cut) {
            return;
        }
        self.items.insert(item);
        if self.items.len() > hold {
            let newest = self.items.pop_last().unwrap();
            self.leave_out_from(at(newest.0));
        }
    }

    fn leave_out_from(&mut self, time: Timestamp) {
        self.cut = Some(self.cut.map_or(time, |cut| cut.min(time)));
        self.items.retain(|item| at(item.0) < time);
    }
}

/// How a history is read.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    page: usize,
    hold: usize,
}

/// Read one slice; `meanwhile` happens to the history before each question.
fn walk(
    past: &mut Past,
    slice: &Slice,
    sizes: Sizes,
    marks: &mut Marks,
    meanwhile: &mut impl FnMut(&mut Past),
) -> Held {
    let mut held = Held::default();
    let mut walk = Walk::new(slice, sizes.hold, marks);
    let mut last = None;
    while let Some(ask) = walk.next() {
        meanwhile(past);
        match ask {
            Ask::Item(place) => {
                let found = past.read(place, 1);
                walk.item(match found.first() {
                    Some((time, _)) => ItemRead::Of(at(*time)),
                    None => ItemRead::None,
                });
            }
            Ask::Page(place) => {
                let found = past.read(place, sizes.page);
                let again = !found.is_empty() && found.first() == last.as_ref();
                last = found.first().copied();
                let mut page = PageRead {
                    items: found.len(),
                    oldest: Vec::new(),
                    again,
                };
                for chunk in found.chunks(CHUNK).filter(|_| !again) {
                    page.oldest.push(chunk.last().map(|(time, _)| at(*time)));
                    for item in chunk {
                        if (slice.from..=slice.until).contains(&at(item.0)) {
                            held.add(*item, sizes.hold);
                        }
                    }
                }
                if let Some(cut) = walk.page(&page) {
                    held.leave_out_from(cut);
                }
            }
        }
    }
    *marks = walk.into_marks();
    held
}

/// Fill a hole as herald does, with this history only; the numbers of what was brought.
fn fill(
    past: &mut Past,
    (from, to): (i64, i64),
    sizes: Sizes,
    mut meanwhile: impl FnMut(&mut Past),
) -> BTreeSet<usize> {
    let plan = BackfillPlan {
        settle: Duration::ZERO,
        ..BackfillPlan::default()
    };
    let now = Now {
        instant: Clock::system().now(),
        wall: at(to),
    };
    let mut repairs = Repairs::new(plan);
    repairs.connected(true);
    repairs.gone(History::SystemLog);
    let hole = Hole {
        id: 1,
        controller: "home".into(),
        site: "default".into(),
        from: at(from),
        to: Some(at(to)),
        reason: RECONNECT.into(),
    };
    repairs.open(hole, now);
    let mut marks = Marks::default();
    let mut brought = BTreeSet::new();
    let mut slices = 0;
    while let Next::Fetch(slice) = repairs.next(now) {
        let held = walk(past, &slice, sizes, &mut marks, &mut meanwhile);
        brought.extend(held.items.iter().map(|(_, number)| *number));
        repairs.fetched(&slice, held.cut);
        slices += 1;
        assert!(slices < 100_000, "it comes to an end");
    }
    assert!(repairs.is_empty());
    brought
}

#[test]
fn a_long_hole_costs_about_as_many_questions_as_it_has_pages() {
    let sizes = Sizes {
        page: 1_000,
        hold: 5_000,
    };
    let minute = 60_000;
    // One hole of 50 000 in a history that goes on before it, and a little that happens meanwhile.
    for (before, apart) in [(0, 200), (80_000, 200), (80_000, 40)] {
        let end = 50_000 * apart;
        let mut past = Past::new((-before..50_000).map(|n| n * apart));
        let mut newest = end;
        let brought = fill(&mut past, (0, end), sizes, |past| {
            newest += apart;
            past.write(newest);
        });
        let first = usize::try_from(before).unwrap();
        assert!((first..first + 50_000).all(|number| brought.contains(&number)));
        assert!(past.asked <= 90, "{} questions", past.asked);
    }
    // And what is short is asked for as ever: a page, and nothing else.
    let mut past = Past::new((0..100_000).map(|n| n * minute));
    let hole = (99_500 * minute, 99_999 * minute);
    let brought = fill(&mut past, hole, sizes, |_| {});
    assert_eq!(brought, (99_500..100_000).collect());
    assert!(past.asked <= 2, "{} questions", past.asked);
}

#[test]
fn a_controller_that_knows_no_places_is_not_asked_for_ever() {
    let mut past = Past::new((0..3_000).map(|n| n * 1000));
    past.knows_places = false;
    let sizes = Sizes {
        page: 200,
        hold: 100,
    };
    let brought = fill(&mut past, (0, 3_000_000), sizes, |_| {});
    assert!((2_800..3_000).all(|number| brought.contains(&number)));
    assert!(past.asked < 200, "{} questions", past.asked);
}

proptest! {
    #[test]
    fn nothing_in_a_hole_is_left_out_while_the_history_grows(
        // Storms, too, in which many happen in one moment.
        steps in prop::collection::vec(prop_oneof![Just(0_i64), Just(0), 1..30_i64, 1..5_000_i64], 0..900),
        hole in (0..100_u32, 0..100_u32),
        page in 1..40_usize,
        hold in 2..90_usize,
        meanwhile in prop::collection::vec((0..6_usize, 0..4_000_i64), 1..40),
    ) {
        let mut time = 0;
        let times: Vec<i64> = steps.iter().map(|step| { time += step; time }).collect();
        let share = |percent: u32| time * i64::from(percent) / 100;
        let (from, to) = (share(hole.0.min(hole.1)), share(hole.0.max(hole.1)));
        let mut past = Past::new(times.iter().copied());
        let mut rounds = meanwhile.iter().cycle();
        let mut newest = time;
        let mut growth = 2_000;
        let brought = fill(&mut past, (from, to), Sizes { page, hold }, |past| {
            let (count, step) = rounds.next().unwrap();
            // As many as a page would look like a controller that knows no places.
            for _ in 0..(*count).min(growth).min(page - 1) {
                newest += step;
                growth -= 1;
                past.write(newest);
            }
        });
        // Of more in one moment than is held, some are left out, as with every history.
        let crowded = |time: i64| past.items.iter().filter(|other| other.0 == time).count() > hold;
        for (number, time) in times.iter().enumerate() {
            let within = from <= *time && *time <= to;
            prop_assert!(!within || brought.contains(&number) || crowded(*time), "{number} at {time}");
        }
    }

    #[test]
    fn what_is_remembered_of_another_history_is_not_believed(
        former in prop::collection::vec(0..200_000_i64, 0..400),
        times in prop::collection::btree_set(0..200_000_i64, 0..400),
        from in 0..200_000_i64,
        length in 0..200_000_i64,
        margin in prop_oneof![Just(0), Just(10_000)],
        page in 1..40_usize,
        hold in 2..90_usize,
    ) {
        let sizes = Sizes { page, hold };
        let slice = |from, to| Slice {
            hole: 1,
            from: at(from),
            to: at(to),
            until: at(to + margin),
            histories: Histories { system_log: false, legacy: true },
            seed: false,
            asked: Now { instant: Clock::system().now(), wall: at(to) },
        };
        let mut marks = Marks::default();
        walk(&mut Past::new(former), &slice(from / 2, from), sizes, &mut marks, &mut |_| {});
        let wanted = slice(from, from + length);
        let mut past = Past::new(times.iter().copied());
        let held = walk(&mut past, &wanted, sizes, &mut marks, &mut |_| {});
        let whole = |time: Timestamp| held.cut.map_or(time <= wanted.until, |cut| time < cut);
        for (time, number) in past.items {
            let brought = held.items.contains(&(time, number));
            prop_assert!(brought == (at(time) >= wanted.from && whole(at(time))), "{time}");
        }
        prop_assert!(held.cut.is_none_or(|cut| cut > wanted.from));
    }
}
