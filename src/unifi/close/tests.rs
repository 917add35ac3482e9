//! The catalogue, row by row, and the bound on logins it can ask for.

use super::*;
use proptest::prelude::*;

const UP: Duration = Duration::from_secs(600);

fn rejected(status: u16) -> Seen {
    Seen::Rejected {
        status,
        retry_after: None,
    }
}

fn lost(how: Loss, data: bool) -> Seen {
    Seen::Lost { how, data, up: UP }
}

fn logins(seen: &Seen, times: usize) -> Vec<bool> {
    let mut reconnect = Reconnect::default();
    (0..times)
        .map(|_| reconnect.judge(seen, 0.5).login)
        .collect()
}

#[test]
fn each_row_of_the_catalogue() {
    let table = [
        // Seen, whether to log in at once, a word of the sentence that names the fix.
        (rejected(401), true, "logs in again"),
        (rejected(403), true, "logs in again"),
        (rejected(200), false, "restarting"),
        (rejected(502), false, "restarting"),
        (rejected(503), false, "restarting"),
        (rejected(404), false, "check sites"),
        (rejected(400), false, "Upgrade"),
        (rejected(426), false, "Upgrade"),
        (rejected(429), false, "too often"),
        (rejected(302), false, "redirected"),
        (
            Seen::Unreachable("cannot reach it: check url".to_owned()),
            false,
            "check url",
        ),
        (lost(Loss::Close(1000), false), false, "without a frame"),
        (lost(Loss::Close(1000), true), false, "connects again"),
        (lost(Loss::Close(1001), true), false, "connects again"),
        (lost(Loss::Abnormal, true), false, "proxies"),
        (lost(Loss::Close(1008), true), true, "connects again"),
        (lost(Loss::HalfOpen, true), false, "power"),
        (lost(Loss::Mute, true), true, "logs in again"),
        (lost(Loss::Protocol, true), false, "update herald"),
    ];
    for (seen, login, word) in table {
        let next = Reconnect::default().judge(&seen, 0.5);
        assert_eq!(next.login, login, "{seen:?}");
        assert!(next.trouble.contains(word), "{seen:?}: {}", next.trouble);
        assert!(
            !next.reason.is_empty() && next.wait >= Duration::from_secs(1),
            "{seen:?}"
        );
    }
}

#[test]
fn three_empty_connections_in_a_row_force_a_login_then_fewer_and_fewer() {
    let seen = lost(Loss::Close(1000), false);
    let at: Vec<usize> = logins(&seen, 30)
        .iter()
        .enumerate()
        .filter(|(_, login)| **login)
        .map(|(n, _)| n + 1)
        .collect();
    assert_eq!(at, [3, 6, 12, 24]);
    assert_eq!(
        logins(&lost(Loss::Abnormal, false), 3),
        [false, false, true]
    );

    let mut reconnect = Reconnect::default();
    for _ in 0..10 {
        assert!(!reconnect.judge(&seen, 0.0).login);
        assert!(!reconnect.judge(&seen, 0.0).login);
        reconnect.judge(&lost(Loss::Close(1000), true), 0.0);
    }
}

#[test]
fn a_new_session_that_is_refused_is_not_answered_by_a_storm_of_logins() {
    let at: Vec<usize> = logins(&rejected(401), 31)
        .iter()
        .enumerate()
        .filter(|(_, login)| **login)
        .map(|(n, _)| n + 1)
        .collect();
    assert_eq!(at, [1, 3, 7, 15, 31]);
    let mut reconnect = Reconnect::default();
    reconnect.judge(&rejected(403), 0.0);
    assert!(
        reconnect
            .judge(&rejected(403), 0.0)
            .trouble
            .contains("View Only")
    );
}

#[test]
fn only_data_makes_the_next_wait_short_again() {
    let mut reconnect = Reconnect::default();
    let empty = Seen::Lost {
        how: Loss::Close(1000),
        data: false,
        up: UP,
    };
    let waits: Vec<u64> = (0..8)
        .map(|_| reconnect.judge(&empty, 1.0).wait.as_secs())
        .collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    let flash = Seen::Lost {
        how: Loss::Close(1000),
        data: true,
        up: Duration::from_secs(1),
    };
    assert_eq!(
        reconnect.judge(&flash, 1.0).wait.as_secs(),
        60,
        "a frame and a close at once is no recovery"
    );
    assert_eq!(
        reconnect
            .judge(&lost(Loss::Close(1000), true), 1.0)
            .wait
            .as_secs(),
        1
    );
}

#[test]
fn a_handshake_that_asks_for_patience_gets_it() {
    let mut reconnect = Reconnect::default();
    assert_eq!(reconnect.judge(&rejected(429), 0.0).wait, TOO_MANY);
    let asked = |seconds| Seen::Rejected {
        status: 429,
        retry_after: Some(Duration::from_secs(seconds)),
    };
    assert_eq!(reconnect.judge(&asked(90), 0.0).wait.as_secs(), 90);
    assert_eq!(reconnect.judge(&asked(90_000), 0.0).wait, MAX_WAIT);
}

#[test]
fn a_site_that_is_really_quiet_is_disturbed_less_and_less() {
    let mut reconnect = Reconnect::default();
    let mut hours = Vec::new();
    for _ in 0..7 {
        hours.push(reconnect.mute_limit().as_secs() / 3600);
        assert!(reconnect.judge(&lost(Loss::Mute, true), 0.0).login);
    }
    assert_eq!(hours, [1, 2, 4, 8, 16, 32, 32]);
    reconnect.judge(&lost(Loss::Abnormal, true), 0.0);
    assert_eq!(reconnect.mute_limit(), MUTE);
}

fn seen() -> impl Strategy<Value = Seen> {
    let how = prop_oneof![
        any::<u16>().prop_map(Loss::Close),
        Just(Loss::Close(1008)),
        Just(Loss::Abnormal),
        Just(Loss::HalfOpen),
        Just(Loss::Protocol)
    ];
    prop_oneof![
        (any::<u16>(), proptest::option::of(0_u64..1_000_000)).prop_map(|(status, seconds)| {
            Seen::Rejected {
                status,
                retry_after: seconds.map(Duration::from_secs),
            }
        }),
        Just(rejected(401)),
        (how, any::<bool>(), 0_u64..100).prop_map(|(how, data, up)| Seen::Lost {
            how,
            data,
            up: Duration::from_secs(up)
        }),
    ]
}

proptest! {
    #[test]
    fn no_wait_is_zero_or_endless(all in proptest::collection::vec((seen(), 0.0..1.0_f64), 1..200)) {
        let mut reconnect = Reconnect::default();
        for (seen, draw) in all {
            let next = reconnect.judge(&seen, draw);
            prop_assert!(next.wait >= Duration::from_secs(1) && next.wait <= MAX_WAIT);
            prop_assert!(reconnect.mute_limit() <= MUTE * 32);
        }
    }
}
