//! The session machine with made-up instants, and the bound on logins under random weather.

use super::*;
use crate::clock::Clock;
use crate::unifi::cookies::Jar;
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);
const WALL: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn session() -> Session {
    let mut jar = Jar::default();
    jar.set("TOKEN=abc", WALL);
    Session {
        jar,
        csrf: Some("csrf".to_owned()),
        renew_after: Some(MINUTE * 118),
        idle: None,
    }
}

fn logged_in() -> Outcome {
    Outcome::LoggedIn(session())
}

fn refused() -> Outcome {
    Outcome::RefusedNotProof("HTTP 403".to_owned())
}

fn locked(seconds: Option<u64>) -> Outcome {
    Outcome::LockedOut {
        retry_after: seconds.map(Duration::from_secs),
    }
}

fn wait(machine: &mut SessionMachine, now: Instant) -> (Duration, Pause) {
    match machine.ask(now) {
        Ask::Wait(until, why) => (until - now, why),
        other => panic!("{other:?}"),
    }
}

fn ready(machine: &mut SessionMachine, now: Instant) -> Pass {
    match machine.ask(now) {
        Ask::Ready(pass) => pass,
        other => panic!("{other:?}"),
    }
}

/// A machine whose first login came out like this, and the moment it did.
fn after(outcome: &Outcome) -> (SessionMachine, Instant) {
    let now = Clock::system().now();
    let mut machine = SessionMachine::new();
    assert_eq!(machine.ask(now), Ask::Login);
    machine.finished(outcome, now, 0.5);
    (machine, now)
}

#[test]
fn one_login_serves_everybody() {
    let now = Clock::system().now();
    let mut machine = SessionMachine::new();
    assert_eq!(machine.ask(now), Ask::Login);
    assert_eq!(machine.ask(now), Ask::Busy);
    assert_eq!(machine.ask(now + MINUTE), Ask::Busy);
    machine.finished(&logged_in(), now, 0.0);
    let pass = ready(&mut machine, now);
    assert_eq!(
        (pass.generation, pass.cookie.as_str(), pass.csrf.as_deref()),
        (1, "TOKEN=abc", Some("csrf"))
    );
    assert_eq!(ready(&mut machine, now), pass);
}

#[test]
fn a_doubt_about_an_older_session_changes_nothing() {
    let (mut machine, now) = after(&logged_in());
    machine.distrust(1);
    assert_eq!(machine.ask(now), Ask::Login);
    machine.distrust(1);
    assert_eq!(machine.ask(now), Ask::Busy);
    machine.finished(&logged_in(), now, 0.0);
    machine.distrust(1);
    assert_eq!(ready(&mut machine, now).generation, 2);
}

#[test]
fn a_session_is_renewed_before_it_ends_and_after_idling() {
    let (mut machine, now) = after(&logged_in());
    ready(&mut machine, now + MINUTE * 117);
    assert_eq!(machine.ask(now + MINUTE * 118), Ask::Login);

    let classic = Outcome::LoggedIn(Session {
        renew_after: None,
        idle: Some(MINUTE * 14),
        ..session()
    });
    let (mut machine, now) = after(&classic);
    machine.touch(1, now + MINUTE * 10);
    ready(&mut machine, now + MINUTE * 23);
    machine.touch(0, now + MINUTE * 23);
    assert_eq!(machine.ask(now + MINUTE * 24), Ask::Login);
}

#[test]
fn refusals_pause_longer_and_longer() {
    let (mut machine, mut now) = after(&refused());
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let (pause, why) = wait(&mut machine, now);
        assert_eq!(why, Pause::Refused);
        pauses.push(pause.as_secs() / 60);
        now += pause;
        assert_eq!(machine.ask(now), Ask::Login);
        machine.finished(&refused(), now, 0.5);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
}

#[test]
fn each_refusal_has_its_pause() {
    let table = [
        (Outcome::WrongPassword, 60 * 60),
        (
            Outcome::SecondFactorNeeded(crate::unifi::login::Factor::Os),
            60 * 60,
        ),
        (Outcome::WrongCode, 5 * 60),
        (Outcome::NoPermission, 5 * 60),
        (Outcome::NoCookie, 5 * 60),
        (Outcome::NotHere { status: 401 }, 5 * 60),
        (locked(None), 5 * 60),
        (locked(Some(5)), 5 * 60),
        (locked(Some(1234)), 1234),
        (locked(Some(10_000_000)), 24 * 60 * 60),
    ];
    for (outcome, seconds) in table {
        let (mut machine, now) = after(&outcome);
        assert_eq!(
            wait(&mut machine, now),
            (Duration::from_secs(seconds), Pause::Refused),
            "{outcome:?}"
        );
        assert_eq!(machine.sentence(), outcome.sentence());
    }
}

#[test]
fn a_console_that_boots_is_asked_again_soon_and_costs_no_login() {
    let booting = Outcome::Booting { status: 502 };
    let (mut machine, mut now) = after(&booting);
    for _ in 0..50 {
        let (pause, why) = wait(&mut machine, now);
        assert_eq!(why, Pause::Weather);
        assert!(pause <= MINUTE);
        now += pause;
        assert_eq!(machine.ask(now), Ask::Login);
        machine.finished(&booting, now, 0.99);
    }
    now += MINUTE;
    assert_eq!(
        machine.ask(now),
        Ask::Login,
        "fifty attempts did not use up the allowance"
    );
    machine.finished(&logged_in(), now, 0.0);
    ready(&mut machine, now);
}

#[test]
fn the_kind_is_doubted_after_three_missing_logins_in_a_row() {
    let missing = Outcome::NotHere { status: 404 };
    let (mut machine, mut now) = after(&missing);
    assert!(!machine.doubts_kind());
    for outcome in [
        &missing,
        &Outcome::Booting { status: 502 },
        &missing,
        &missing,
        &missing,
    ] {
        assert!(!machine.doubts_kind());
        now += MINUTE;
        assert_eq!(machine.ask(now), Ask::Login);
        machine.finished(outcome, now, 0.0);
    }
    assert!(machine.doubts_kind());
    assert!(!machine.doubts_kind());
}

#[test]
fn logging_in_again_and_again_is_spaced_even_when_it_succeeds() {
    let (mut machine, now) = after(&logged_in());
    for logins in 1..1000 {
        machine.distrust(logins);
        match machine.ask(now) {
            Ask::Login => machine.finished(&logged_in(), now, 0.0),
            Ask::Wait(until, why) => {
                assert_eq!(
                    (logins, until - now, why),
                    (u64::from(BURST), SPACING, Pause::TooOften)
                );
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("logins without end");
}

#[test]
fn a_restart_keeps_the_pause() {
    let (machine, now) = after(&locked(Some(1800)));
    let saved = machine.save(now, WALL);
    let later = WALL + MINUTE * 10;
    for same_credentials in [true, false] {
        let mut restored = SessionMachine::restore(&saved, same_credentials, now, later);
        assert_eq!(wait(&mut restored, now), (MINUTE * 20, Pause::Refused));
        assert!(restored.sentence().contains("locked out"));
    }
    let mut passed = SessionMachine::restore(&saved, true, now, WALL + MINUTE * 31);
    assert_eq!(passed.ask(now), Ask::Login);
    passed.finished(&refused(), now, 0.0);
    assert_eq!(
        wait(&mut passed, now).0,
        MINUTE * 10,
        "the second refusal in a row"
    );
}

#[test]
fn new_credentials_may_be_tried_at_once() {
    let (machine, now) = after(&Outcome::WrongPassword);
    let saved = machine.save(now, WALL);
    assert_eq!(
        wait(&mut SessionMachine::restore(&saved, true, now, WALL), now).0,
        LONG_PAUSE
    );
    assert_eq!(
        SessionMachine::restore(&saved, false, now, WALL).ask(now),
        Ask::Login
    );
}

#[test]
fn a_file_from_a_wrong_clock_cannot_lock_us_out_for_ever() {
    let saved = Saved {
        until: Some(i64::MAX),
        spent_until: Some(i64::MAX),
        refusals: u32::MAX,
        ..Saved::default()
    };
    let now = Clock::system().now();
    let mut machine = SessionMachine::restore(&saved, true, now, WALL);
    assert_eq!(wait(&mut machine, now).0, MAX_PAUSE);
    assert_eq!(machine.ask(now + MAX_PAUSE), Ask::Login);
    machine.finished(&refused(), now + MAX_PAUSE, 0.0);
    assert_eq!(wait(&mut machine, now + MAX_PAUSE).0, LONG_PAUSE);
}

#[test]
fn what_is_saved_survives_json() {
    let (machine, now) = after(&refused());
    let saved = machine.save(now, WALL);
    let text = serde_json::to_string(&saved).unwrap();
    assert_eq!(serde_json::from_str::<Saved>(&text).unwrap(), saved);
    assert_eq!(
        serde_json::from_str::<Saved>("{}").unwrap(),
        Saved::default()
    );
    assert!(!text.contains("TOKEN"));
}

#[test]
fn ending_and_abandoning() {
    let (mut machine, now) = after(&logged_in());
    assert_eq!(machine.end().unwrap().cookie, "TOKEN=abc");
    assert_eq!(machine.end(), None);
    assert_eq!(machine.ask(now), Ask::Login);
    machine.abandoned();
    assert_eq!(
        machine.ask(now),
        Ask::Login,
        "nobody waits for a login that will not come back"
    );
    assert!(!format!("{:?}", pass(&session(), 1)).contains("abc"));
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Distrust,
    Restart,
    Abandon,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(logged_in()),
        2 => Just(refused()),
        1 => Just(Outcome::WrongPassword),
        1 => (0_u64..100_000).prop_map(|seconds| locked(Some(seconds))),
        2 => Just(Outcome::Booting { status: 502 }),
        1 => Just(Outcome::Unreachable("x: y".to_owned())),
        1 => Just(Outcome::NotHere { status: 404 }),
        1 => Just(Outcome::NotHere { status: 401 }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..200).prop_map(Step::Pass),
        6 => Just(Step::Distrust),
        1 => Just(Step::Restart),
        1 => Just(Step::Abandon),
    ]
}

proptest! {
    /// The storm of one login per second for 46 hours cannot happen by whatever a controller does, and no restart
    /// makes herald forget that it was refused.
    #[test]
    fn logins_per_hour_are_bounded_whatever_happens(
        steps in proptest::collection::vec((step(), outcome(), 0.0..1.0_f64), 1..600),
    ) {
        let start = Clock::system().now();
        let (mut now, mut wall) = (start, WALL);
        let mut machine = SessionMachine::new();
        // Successful logins are bounded within one life of the process, refused ones over all of them.
        let mut lives = vec![Vec::new()];
        let (mut refused, mut free) = (Vec::new(), Vec::new());
        for (step, outcome, draw) in steps {
            match step {
                Step::Pass(seconds) => {
                    now += Duration::from_secs(seconds);
                    wall = wall + Duration::from_secs(seconds);
                }
                Step::Distrust => machine.distrust(machine.generation),
                Step::Restart => {
                    machine = SessionMachine::restore(&machine.save(now, wall), true, now, wall);
                    lives.push(Vec::new());
                }
                Step::Abandon => {
                    if machine.ask(now) == Ask::Login {
                        lives.last_mut().unwrap().push(now);
                        machine.abandoned();
                    }
                }
            }
            if machine.ask(now) == Ask::Login {
                prop_assert_eq!(machine.ask(now), Ask::Busy);
                match outcome.weight() {
                    Weight::Counted => lives.last_mut().unwrap().push(now),
                    Weight::Free => free.push(now),
                }
                if outcome.weight() == Weight::Counted && !matches!(outcome, Outcome::LoggedIn(_)) {
                    refused.push(now);
                }
                machine.finished(&outcome, now, draw);
            }
        }
        let busiest = |moments: &[Instant]| {
            let within = |(n, from): (usize, &Instant)| moments[n..].iter().take_while(|at| **at < *from + MINUTE * 60).count();
            moments.iter().enumerate().map(within).max().unwrap_or(0)
        };
        for life in &lives {
            prop_assert!(busiest(life) <= 20, "{} logins in an hour", busiest(life));
        }
        prop_assert!(busiest(&refused) <= 20, "{} refused logins in an hour", busiest(&refused));
        prop_assert!(busiest(&free) <= 300, "{} attempts in an hour", busiest(&free));
    }

    /// A refusal is never followed by another login within its pause.
    #[test]
    fn a_refusal_is_never_retried_early(seconds in 0_u64..4000, n in 0_u32..6) {
        let mut now = Clock::system().now();
        let mut machine = SessionMachine::new();
        for _ in 0..=n {
            while let Ask::Wait(until, _) = machine.ask(now) { now = until; }
            machine.finished(&refused(), now, 0.0);
        }
        let pause = (300_u64 << n).min(3600);
        let early = seconds < pause;
        machine.distrust(0);
        prop_assert_eq!(matches!(machine.ask(now + Duration::from_secs(seconds)), Ask::Wait(..)), early);
    }
}
