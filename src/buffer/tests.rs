use super::*;
use crate::clock::Clock;
use proptest::prelude::*;
use unifi_herald_plugin::{Kind, Timestamp};

fn event(number: u64) -> Arc<Event> {
    let time = Timestamp::from_millis(i64::try_from(number).unwrap());
    Arc::new(Event::new(Kind::CLIENT_CONNECTED, number.to_string(), time))
}

fn ring(events: usize, when_full: WhenFull) -> Ring {
    Ring::new(Limits {
        events,
        bytes: usize::MAX,
        when_full,
        max_wait: Duration::from_secs(5),
    })
}

fn ids(ring: &mut Ring) -> Vec<String> {
    let mut out = Vec::new();
    ring.take(usize::MAX, &mut out);
    out.iter()
        .filter_map(Item::event)
        .map(|event| event.id.to_string())
        .collect()
}

fn lost(ring: &mut Ring) -> Vec<Gap> {
    ring.take_losses()
        .into_iter()
        .map(|loss| loss.gap)
        .collect()
}

#[test]
fn a_piece_of_history_is_taken_whole() {
    let mut ring = ring(100, WhenFull::Wait);
    let history = |number| {
        let mut event = Event::clone(&event(number));
        event.origin = Origin::Backfill;
        Item::Early(Arc::new(event))
    };
    let now = Clock::system().now();
    for number in 0..4 {
        ring.offer(&event(number), now);
    }
    for number in 4..20 {
        ring.offer_history(history(number)).unwrap();
    }
    ring.offer(&event(20), now);
    let mut take = |max| {
        let mut out = Vec::new();
        ring.take(max, &mut out);
        out.len()
    };
    assert_eq!([take(2), take(3), take(3)], [2, 18, 1]);
}

#[test]
fn where_enough_waits_the_router_goes_first_for_a_moment() {
    const MS: Duration = Duration::from_millis(1);
    let now = Clock::system().now();
    let mut ring = ring(10_000, WhenFull::Wait);
    let fill = |ring: &mut Ring, count| {
        (0..count).for_each(|number| assert_eq!(ring.offer(&event(number), now), Offer::Taken));
    };
    fill(&mut ring, 1_023);
    assert_eq!(ring.pause(now), None);
    fill(&mut ring, 1);
    let until = now + 100 * MS;
    assert_eq!(ring.pause(now), Some(until));
    assert_eq!(ring.pause(now + 99 * MS), Some(until));
    // The router takes nothing: it is not waited for any more, and there is room for all that may come.
    assert_eq!(ring.pause(until), None);
    fill(&mut ring, 5_000);
    assert_eq!(ring.pause(now + 500 * MS), None);
    // Until it takes something.
    ring.take(1, &mut Vec::new());
    let now = now + 500 * MS;
    assert_eq!(ring.pause(now), Some(now + 100 * MS));
    ring.take(5_000, &mut Vec::new());
    assert_eq!(ring.pause(now), None);

    for policy in [WhenFull::DropOldest, WhenFull::DropNewest] {
        let mut ring = self::ring(10_000, policy);
        fill(&mut ring, 2_000);
        assert_eq!(ring.pause(now), None, "it was told not to wait");
    }
}

#[test]
fn drop_oldest_keeps_the_newest_and_records_the_hole() {
    let now = Clock::system().now();
    let mut ring = ring(3, WhenFull::DropOldest);
    for number in 0..5 {
        assert_eq!(ring.offer(&event(number), now), Offer::Taken);
    }
    assert_eq!(ids(&mut ring), ["2", "3", "4"]);
    let gap = Gap {
        from: Timestamp::from_millis(0),
        to: Timestamp::from_millis(1),
        count: Some(2),
    };
    assert_eq!(lost(&mut ring), [gap]);
    assert_eq!(lost(&mut ring), [], "a loss is told once");
}

#[test]
fn drop_newest_keeps_the_oldest() {
    let now = Clock::system().now();
    let mut ring = ring(2, WhenFull::DropNewest);
    for number in 0..4 {
        assert_eq!(ring.offer(&event(number), now), Offer::Taken);
    }
    assert_eq!(ids(&mut ring), ["0", "1"]);
    assert_eq!(lost(&mut ring)[0].count, Some(2));
}

#[test]
fn wait_holds_the_source_for_max_wait_and_then_drops_the_oldest() {
    let now = Clock::system().now();
    let second = Duration::from_secs(1);
    let mut ring = ring(1, WhenFull::Wait);
    assert_eq!(ring.offer(&event(0), now), Offer::Taken);
    assert_eq!(ring.offer(&event(1), now), Offer::Full(now + 5 * second));
    assert_eq!(
        ring.offer(&event(1), now + 4 * second),
        Offer::Full(now + 5 * second)
    );
    assert_eq!(ring.offer(&event(1), now + 5 * second), Offer::Taken);
    // The reader still stands still: the next event is not made to wait another five seconds.
    assert_eq!(ring.offer(&event(2), now + 5 * second), Offer::Taken);
    assert_eq!(lost(&mut ring)[0].count, Some(2));
    assert_eq!(ids(&mut ring), ["2"]);
    // Somebody took: patience starts anew.
    assert_eq!(ring.offer(&event(3), now + 9 * second), Offer::Taken);
    assert_eq!(
        ring.offer(&event(4), now + 9 * second),
        Offer::Full(now + 14 * second)
    );
}

#[test]
fn bytes_are_a_bound_too_but_never_shut_out_a_large_event() {
    let now = Clock::system().now();
    let weight = event(0).weight();
    let limits = Limits {
        events: 100,
        bytes: weight * 2,
        when_full: WhenFull::DropOldest,
        max_wait: Duration::ZERO,
    };
    let mut ring = Ring::new(limits);
    for number in 0..3 {
        ring.offer(&event(number), now);
    }
    assert_eq!(ids(&mut ring), ["1", "2"]);
    let mut small = Ring::new(Limits { bytes: 1, ..limits });
    small.offer(&event(7), now);
    assert_eq!(ids(&mut small), ["7"]);
}

fn shrink(id: u64, from: i64) -> Item {
    let change = HoleChange::Shrink {
        id,
        from: Timestamp::from_millis(from),
        to: None,
        read: false,
    };
    Item::Hole(Box::new(HoleNews { change, gap: None }))
}

/// What waits, in order: events by id, changes to holes by where the hole begins.
fn told(ring: &mut Ring) -> Vec<String> {
    let mut out = Vec::new();
    ring.take(usize::MAX, &mut out);
    let tell = |item: &Item| match item {
        Item::Hole(news) => match &news.change {
            HoleChange::Shrink { id, from, .. } => format!("{id}>{}", from.as_millis()),
            other => format!("{other:?}"),
        },
        Item::Receipt(number) => format!("receipt {number}"),
        Item::Event(event) | Item::Early(event) | Item::Seed(event) | Item::Handed(event) => {
            event.id.to_string()
        }
        Item::Roll(roll) => format!("roll of {}", roll.site),
    };
    out.iter().map(tell).collect()
}

#[test]
fn a_change_to_a_hole_keeps_its_place_and_is_never_lost() {
    let now = Clock::system().now();
    let mut ring = ring(2, WhenFull::DropOldest);
    ring.offer(&event(0), now);
    ring.offer_history(shrink(1, 5)).unwrap();
    for number in 1..4 {
        ring.offer(&event(number), now);
    }
    ring.offer_history(shrink(2, 6)).unwrap();
    assert_eq!((ring.len(), ring.is_empty()), (2, false));
    assert_eq!(told(&mut ring), ["1>5", "2", "3", "2>6"]);
    assert_eq!(lost(&mut ring)[0].count, Some(2));
    ring.offer_history(shrink(1, 7)).unwrap();
    assert!(!ring.is_empty(), "it is a reason to commit by itself");
}

#[test]
fn of_two_changes_to_one_hole_that_wait_the_later_stays() {
    let now = Clock::system().now();
    let mut ring = ring(9, WhenFull::DropOldest);
    for from in 0..50 {
        ring.offer(&event(1), now);
        ring.offer_history(shrink(1, from)).unwrap();
    }
    ring.offer_history(shrink(2, 0)).unwrap();
    let told = told(&mut ring);
    assert_eq!(told[9..], ["1>49", "2>0"]);
}

#[test]
fn history_waits_while_the_ring_is_half_full_and_the_stream_does_not() {
    let now = Clock::system().now();
    let mut ring = ring(4, WhenFull::DropOldest);
    let history = |number| Item::Seed(event(number));
    assert!(ring.offer_history(history(1)).is_ok());
    assert!(ring.offer_history(history(2)).is_ok());
    assert!(ring.offer_history(history(3)).is_err());
    for number in 4..8 {
        ring.offer(&event(number), now);
    }
    assert_eq!(
        told(&mut ring),
        ["1", "2", "6", "7"],
        "seeds are not dropped"
    );
}

#[test]
fn what_herald_lost_of_its_own_is_told_apart() {
    let now = Clock::system().now();
    let mut ring = ring(1, WhenFull::DropOldest);
    let mut own = Event::new(Kind::HERALD_GAP, "own", Timestamp::from_millis(1));
    own.origin = Origin::Derived;
    for event in [event(1), Arc::new(own), event(2), event(3)] {
        ring.offer(&event, now);
    }
    let losses = ring.take_losses();
    let told: Vec<_> = losses
        .iter()
        .map(|loss| (loss.own, loss.gap.count))
        .collect();
    assert_eq!(told, [(false, Some(2)), (true, Some(1))]);
}

proptest! {
    /// Whatever is offered and taken: bounded, in order, and every event is either taken or counted as lost.
    #[test]
    fn nothing_vanishes(
        capacity in 1_usize..8,
        policy in prop_oneof![Just(WhenFull::Wait), Just(WhenFull::DropOldest), Just(WhenFull::DropNewest)],
        steps in prop::collection::vec((any::<bool>(), 0_u64..4), 1..200),
    ) {
        let mut now = Clock::system().now();
        let mut ring = ring(capacity, policy);
        let (mut offered, mut taken, mut lost) = (0_u64, Vec::new(), 0);
        for (push, amount) in steps {
            now += Duration::from_secs(amount);
            if push {
                if ring.offer(&event(offered), now) == Offer::Taken {
                    offered += 1;
                }
            } else {
                ring.take(usize::try_from(amount).unwrap(), &mut taken);
            }
            prop_assert!(ring.len() <= capacity);
            lost += ring.take_losses().iter().filter_map(|loss| loss.gap.count).sum::<u64>();
        }
        ring.take(usize::MAX, &mut taken);
        let taken: Vec<_> = taken.iter().filter_map(Item::event).collect();
        prop_assert_eq!(taken.len() as u64 + lost, offered);
        let numbers: Vec<u64> = taken.iter().map(|event| event.id.parse().unwrap()).collect();
        prop_assert!(numbers.is_sorted());
    }
}
