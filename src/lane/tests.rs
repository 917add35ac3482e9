use super::*;
use crate::clock::Clock;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn retry() -> RetryPlan {
    RetryPlan {
        min: SECOND,
        max: 30 * SECOND,
        give_up_after: None,
    }
}

fn lane(max: usize) -> Lane {
    Lane::new(max, &retry())
}

fn offer(lane: &Lane, now: Instant, window: usize) -> Offer {
    match lane.next(now, window) {
        Next::Deliver(offer) => offer,
        other => panic!("expected a delivery, got {other:?}"),
    }
}

fn unreachable() -> DeliveryError {
    DeliveryError::later("no route to host")
}

fn busy() -> DeliveryError {
    DeliveryError::from_status(503, None, "busy")
}

#[test]
fn weather_is_waited_out_with_growing_delays_and_the_same_batch() {
    let mut now = Clock::system().now();
    let mut lane = lane(20);
    for (attempt, delay) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30)] {
        let offer = offer(&lane, now, 50);
        assert_eq!(
            (offer.start, offer.len, offer.attempt),
            (0, if attempt == 1 { 20 } else { 3 }, attempt)
        );
        let verdict = lane.failed(now, offer, 3, 0, &unreachable(), 1.0);
        assert_eq!(verdict, Verdict::default());
        assert_eq!(lane.next(now, 50), Next::Wait(now + delay * SECOND));
        now += delay * SECOND;
    }
    assert_eq!(lane.health().state(), "retrying");
    let again = offer(&lane, now, 50);
    assert!(!again.may_grow, "a retry repeats the same batch");
    assert_eq!(
        lane.delivered(again, 3),
        Verdict {
            accepted: 3,
            dead: vec![]
        }
    );
    assert_eq!(lane.health().state(), "ok");
    assert_eq!(offer(&lane, now, 50).attempt, 1);
}

#[test]
fn a_change_of_weather_ends_the_wait_but_not_one_the_destination_named() {
    let now = Clock::system().now();
    let mut lane = lane(1);
    lane.failed(now, offer(&lane, now, 1), 1, 0, &unreachable(), 1.0);
    lane.weather_changed();
    lane.failed(
        now,
        offer(&lane, now, 1),
        1,
        0,
        &DeliveryError::after(9 * SECOND, "429"),
        1.0,
    );
    lane.weather_changed();
    assert_eq!(lane.next(now, 1), Next::Wait(now + 9 * SECOND));
}

#[test]
fn what_was_accepted_from_the_front_is_settled_and_the_rest_comes_again() {
    let now = Clock::system().now();
    let mut lane = lane(10);
    let error = unreachable().with_accepted(4);
    assert_eq!(
        lane.failed(now, offer(&lane, now, 10), 10, 0, &error, 0.0)
            .accepted,
        4
    );
    assert_eq!(offer(&lane, now + SECOND, 6).len, 6);
    let all = unreachable().with_accepted(99);
    assert_eq!(
        lane.failed(now, offer(&lane, now + SECOND, 6), 6, 0, &all, 0.0)
            .accepted,
        6
    );
    assert_eq!(lane.health().state(), "ok");
}

#[test]
fn a_refused_batch_is_split_and_only_the_guilty_becomes_a_dead_letter() {
    let now = Clock::system().now();
    let mut lane = lane(10);
    let refused = DeliveryError::from_status(422, None, "what is this?");
    assert_eq!(
        lane.failed(now, offer(&lane, now, 3), 3, 0, &refused, 0.0),
        Verdict::default()
    );
    assert_eq!(offer(&lane, now, 3).len, 1);
    lane.delivered(offer(&lane, now, 3), 1);
    let guilty = offer(&lane, now, 2);
    assert_eq!(guilty.len, 1);
    assert_eq!(lane.failed(now, guilty, 1, 0, &refused, 0.0).dead, [0]);
    lane.delivered(offer(&lane, now, 1), 1);
    assert_eq!(offer(&lane, now, 30).len, 10, "the split batch is over");
}

#[test]
fn ten_refusals_in_a_row_park_the_lane_and_nothing_more_is_given_up() {
    let mut now = Clock::system().now();
    let mut lane = lane(1);
    let refused = DeliveryError::never("template has no field `x`");
    for _ in 0..9 {
        assert_eq!(
            lane.failed(now, offer(&lane, now, 5), 1, 0, &refused, 0.0)
                .dead,
            [0]
        );
    }
    for _ in 0..3 {
        assert_eq!(
            lane.failed(now, offer(&lane, now, 5), 1, 0, &refused, 0.0),
            Verdict::default()
        );
        assert_eq!(lane.health().state(), "parked");
        assert_eq!(lane.next(now, 5), Next::Wait(now + PARKED_RETRY));
        now += PARKED_RETRY;
    }
    lane.delivered(offer(&lane, now, 5), 1);
    assert_eq!(lane.health().state(), "ok");
}

#[test]
fn a_wrong_configuration_parks_and_gone_waits_for_a_reload() {
    let now = Clock::system().now();
    let mut lane = lane(5);
    lane.failed(
        now,
        offer(&lane, now, 5),
        5,
        0,
        &DeliveryError::from_status(401, None, "who?"),
        0.0,
    );
    assert_eq!(lane.next(now, 5), Next::Wait(now + PARKED_RETRY));
    lane.weather_changed();
    assert_eq!(
        lane.next(now, 5),
        Next::Wait(now + PARKED_RETRY),
        "no weather mends a password"
    );
    let later = now + PARKED_RETRY;
    lane.failed(
        later,
        offer(&lane, later, 5),
        5,
        0,
        &DeliveryError::from_status(410, None, "gone"),
        0.0,
    );
    assert_eq!(
        lane.next(later + PARKED_RETRY * 100, 5),
        Next::WaitForReload
    );
    assert_eq!(lane.health().state(), "gone");
}

/// Fail with `error` until the lane tries something else than the front; the number of tries made.
fn until_probe(lane: &mut Lane, now: &mut Instant, error: impl Fn() -> DeliveryError) -> Offer {
    for _ in 0..1000 {
        match lane.next(*now, 2) {
            Next::Wait(until) => *now = until,
            Next::Deliver(offer) if offer.start == 1 => return offer,
            Next::Deliver(offer) => {
                let len = offer.len.min(2);
                assert_eq!(
                    lane.failed(*now, offer, len, 0, &error(), 0.5).dead,
                    [] as [usize; 0]
                );
            }
            Next::WaitForReload => panic!("nothing is gone"),
        }
    }
    panic!("never tried the next one");
}

#[test]
fn a_poison_event_is_told_from_a_dead_destination_by_trying_the_next_one() {
    let begun = Clock::system().now();
    let mut now = begun;
    let mut lane = lane(2);
    let probe = until_probe(&mut lane, &mut now, busy);
    assert!(now - begun >= POISON_AFTER);
    // The destination refuses the next one too: it is down, and nothing is skipped.
    assert_eq!(
        lane.failed(now, probe, 1, 0, &busy(), 0.5),
        Verdict::default()
    );
    assert_eq!(
        lane.next(now, 2),
        Next::Wait(now + 15 * SECOND + Duration::from_millis(7_500))
    );
    // Minutes later it takes the next one, and still not the first.
    let probe = until_probe(&mut lane, &mut now, busy);
    assert_eq!(
        lane.delivered(probe, 1),
        Verdict {
            accepted: 1,
            dead: vec![0]
        }
    );
    assert_eq!(offer(&lane, now, 2).start, 0);
}

#[test]
fn connection_failures_never_make_an_event_poison() {
    let begun = Clock::system().now();
    let mut now = begun;
    let mut lane = lane(1);
    while now < begun + POISON_AFTER * 10 {
        match lane.next(now, 2) {
            Next::Wait(until) => now = until,
            Next::Deliver(offer) => {
                assert_eq!(offer.start, 0);
                lane.failed(now, offer, 1, 0, &unreachable(), 0.5);
            }
            Next::WaitForReload => panic!("nothing is gone"),
        }
    }
}

#[test]
fn what_is_older_than_give_up_after_becomes_dead_letters() {
    let now = Clock::system().now();
    let mut lane = lane(5);
    assert_eq!(
        lane.failed(now, offer(&lane, now, 5), 5, 3, &unreachable(), 0.0)
            .dead,
        [0, 1, 2]
    );
    assert_eq!(offer(&lane, now + SECOND, 2).len, 2);
}

#[test]
fn going_down_and_coming_back_are_announced_once() {
    let now = Clock::system().now();
    let mut lane = lane(1);
    lane.failed(now, offer(&lane, now, 1), 1, 0, &unreachable(), 0.0);
    assert_eq!(
        lane.announce(now),
        None,
        "a minute of weather is nobody's concern"
    );
    let later = now + 61 * SECOND;
    assert_eq!(
        lane.announce(later),
        Some(Announcement::Down("no route to host".to_owned()))
    );
    assert_eq!(lane.announce(later), None);
    lane.delivered(offer(&lane, later, 1), 1);
    assert_eq!(lane.announce(later), Some(Announcement::Up));
    assert_eq!(lane.announce(later), None);
}

#[derive(Clone, Debug)]
enum Answer {
    Ok,
    Weather { accepted: usize, answered: bool },
    Refused { accepted: usize },
    Wrong,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Ok),
        3 => (0_usize..6, any::<bool>()).prop_map(|(accepted, answered)| Answer::Weather { accepted, answered }),
        2 => (0_usize..6).prop_map(|accepted| Answer::Refused { accepted }),
        1 => Just(Answer::Wrong),
    ]
}

proptest! {
    /// Whatever the sink answers: no event again after its acknowledgement, acknowledged in order (but for the one
    /// tried to unmask a poison event), the offer never larger than the batch, and every event settled in the end.
    #[test]
    fn every_event_is_settled_once_and_in_order(
        max in 1_usize..6,
        count in 1_usize..40,
        answers in prop::collection::vec(answer(), 0..200),
    ) {
        let mut now = Clock::system().now();
        let mut lane = lane(max);
        let mut window: Vec<usize> = (0..count).collect();
        let (mut delivered, mut dead) = (Vec::new(), Vec::new());
        let mut answers = answers.into_iter();
        while !window.is_empty() {
            let offer = match lane.next(now, window.len()) {
                Next::Wait(until) => {
                    prop_assert!(until > now);
                    now = until;
                    continue;
                }
                Next::WaitForReload => return Err(TestCaseError::fail("nothing was gone")),
                Next::Deliver(offer) => offer,
            };
            let len = offer.len.min(window.len() - offer.start);
            prop_assert!(len >= 1 && len <= max.max(1));
            let verdict = match answers.next().unwrap_or(Answer::Ok) {
                Answer::Ok => lane.delivered(offer, len),
                Answer::Weather { accepted, answered } => {
                    let error = if answered { busy() } else { unreachable() };
                    lane.failed(now, offer, len, 0, &error.with_accepted(accepted.min(len)), 0.5)
                }
                Answer::Refused { accepted } => {
                    let error = DeliveryError::never("no").with_accepted(accepted.min(len));
                    lane.failed(now, offer, len, 0, &error, 0.5)
                }
                Answer::Wrong => lane.failed(now, offer, len, 0, &DeliveryError::misconfigured("401"), 0.5),
            };
            let accepted: Vec<usize> = (offer.start..offer.start + verdict.accepted).collect();
            prop_assert!(accepted.len() <= len);
            delivered.extend(accepted.iter().map(|index| window[*index]));
            dead.extend(verdict.dead.iter().map(|index| window[*index]));
            window = window
                .iter()
                .enumerate()
                .filter(|(index, _)| !accepted.contains(index) && !verdict.dead.contains(index))
                .map(|(_, event)| *event)
                .collect();
        }
        prop_assert!(delivered.is_sorted(), "{delivered:?}");
        let mut all = [delivered, dead].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
    }
}
