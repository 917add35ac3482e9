//! The decisions of rotation, with made-up files and times.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const HOUR: i64 = 3_600_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn policy(size: Option<u64>, every: Option<Every>) -> Policy {
    Policy {
        size,
        every,
        ..Policy::default()
    }
}

#[test]
fn a_file_is_set_aside_when_the_batch_does_not_fit() {
    let policy = policy(Some(100), None);
    assert!(!policy.due(60, 40, at(0), at(0), &Zone::utc()));
    assert!(policy.due(60, 41, at(0), at(0), &Zone::utc()));
    assert!(
        !policy.due(0, 1000, at(0), at(0), &Zone::utc()),
        "an empty file has room for anything"
    );
}

#[test]
fn a_file_is_set_aside_when_its_day_is_over_and_not_when_a_clock_is_set_back() {
    let (policy, utc) = (policy(None, Some(Every::Day)), Zone::utc());
    assert!(!policy.due(1, 1, at(0), at(24 * HOUR - 1), &utc));
    assert!(policy.due(1, 1, at(24 * HOUR - 1), at(24 * HOUR), &utc));
    assert!(!policy.due(1, 1, at(24 * HOUR), at(24 * HOUR - 1), &utc));
    let hourly = Policy {
        every: Some(Every::Hour),
        ..policy
    };
    assert!(hourly.due(1, 1, at(HOUR - 1), at(HOUR), &utc));
}

#[test]
fn a_day_begins_at_local_midnight_and_an_hour_at_the_full_hour() {
    let daily = policy(None, Some(Every::Day));
    let hourly = policy(None, Some(Every::Hour));
    // Half past five ahead, as in India.
    let zone = Zone::new(|_| 19_800);
    let midnight = 18 * HOUR + HOUR / 2;
    for (policy, boundary) in [(daily, midnight), (hourly, midnight), (hourly, HOUR / 2)] {
        assert!(policy.due(1, 1, at(boundary - 1), at(boundary), &zone));
        assert!(!policy.due(1, 1, at(boundary), at(boundary + HOUR - 1), &zone));
    }
    assert!(!daily.due(1, 1, at(24 * HOUR - 1), at(24 * HOUR), &zone));
    assert!(!hourly.due(1, 1, at(HOUR - 1), at(HOUR), &zone));
}

#[test]
fn a_change_to_winter_time_neither_ends_a_day_twice_nor_joins_two_hours() {
    // Two hours ahead, from noon on one hour.
    let zone = Zone::new(|at| if at.as_secs() < 43_200 { 7200 } else { 3600 });
    let hourly = policy(None, Some(Every::Hour));
    let daily = policy(None, Some(Every::Day));
    assert!(hourly.due(1, 1, at(12 * HOUR - 1), at(12 * HOUR), &zone));
    assert!(!daily.due(1, 1, at(12 * HOUR - 1), at(12 * HOUR), &zone));
    assert!(daily.due(1, 1, at(23 * HOUR - 1), at(23 * HOUR), &zone));
}

#[test]
fn names_are_read_back_and_strangers_are_left_alone() {
    for text in [".000001", ".000042.gz", ".000042.zst.tmp", ".1234567"] {
        assert_eq!(Aside::parse(text).unwrap().suffix(), text);
    }
    for text in [
        "",
        ".",
        ".1",
        ".old",
        ".00001",
        ".0000001",
        ".000001.bz2",
        ".000001.gz.tmp2",
        "000001",
        ".99999999999999999999",
    ] {
        assert_eq!(Aside::parse(text), None, "{text}");
    }
}

#[test]
fn a_crash_is_finished_and_leftovers_go() {
    let policy = Policy {
        compress: Compression::Gzip,
        ..Policy::default()
    };
    let aside = |suffix| Aside::parse(suffix).unwrap();
    let found = [
        ".000001.gz",
        ".000002",
        ".000002.gz",
        ".000003.gz.tmp",
        ".000003",
        ".000004.gz.tmp",
    ];
    let chores = policy.chores(&found.map(aside));
    let expected = [
        Chore::Settle {
            number: 2,
            compressed: true,
        },
        Chore::Settle {
            number: 3,
            compressed: false,
        },
        Chore::Remove(vec![aside(".000004.gz.tmp")]),
    ];
    assert_eq!(chores, expected);
}

#[test]
fn without_compression_a_plain_file_is_left_alone() {
    let found = [Aside::parse(".000001").unwrap()];
    assert_eq!(Policy::default().chores(&found), []);
}

fn asides() -> impl Strategy<Value = Vec<Aside>> {
    let compression = prop::sample::select(&Compression::ALL);
    let form = (any::<bool>(), compression).prop_map(|(whole, compression)| match whole {
        true => Form::Whole(compression),
        false => Form::Partial(compression),
    });
    let aside = (1_u64..20, form).prop_map(|(number, form)| Aside { number, form });
    prop::collection::btree_set(aside, 0..30).prop_map(|set| set.into_iter().collect())
}

proptest! {
    #[test]
    fn only_the_oldest_beyond_keep_are_removed(found in asides(), keep in 1_usize..8) {
        let policy = Policy { keep: Some(keep), compress: Compression::Zstd, ..Policy::default() };
        let whole = |file: &&Aside| matches!(file.form, Form::Whole(_));
        let before: BTreeSet<u64> = found.iter().filter(whole).map(|file| file.number).collect();
        let mut left = before.clone();
        for chore in policy.chores(&found) {
            if let Chore::Remove(files) = chore {
                left.retain(|number| files.iter().all(|file| file.number != *number));
            }
        }
        let newest: BTreeSet<u64> = before.into_iter().rev().take(keep).collect();
        prop_assert_eq!(left, newest);
    }

    #[test]
    fn a_new_number_is_above_all_others(found in asides()) {
        let next = Aside::next_number(&found);
        prop_assert!(found.iter().all(|file| file.number < next));
    }
}
