//! Controllers that misbehave: the host notices, waits as it should, and goes on.

use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use crate::support::{LIMIT, eventually};
use std::sync::atomic::Ordering;
use std::time::Duration;
use unifi_herald::demo::{
    Booting, ConnectTrouble, Ending, Expiry, Junk, LoginTrouble, Simulator, SimulatorOptions,
};
use unifi_herald::host::Host;

struct World {
    simulator: Simulator,
    rig: Rig,
    host: Host,
}

impl World {
    fn start() -> Self {
        Self::with(|_| {})
    }

    /// A host on a simulator that was prepared before the host started.
    fn with(prepare: impl FnOnce(&Simulator)) -> Self {
        let options = SimulatorOptions {
            missing_id_share: 0.0,
            alert_share: 0.0,
            ..SimulatorOptions::default()
        };
        let simulator = Simulator::start(options).unwrap();
        prepare(&simulator);
        let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
        let host = rig.start();
        assert!(simulator.wait_for_sockets(1, LIMIT));
        Self {
            simulator,
            rig,
            host,
        }
    }

    /// Events made while a socket is open arrive, each once.
    fn events_arrive(&self) {
        let made = self.simulator.emit("default", 10);
        assert!(
            made.iter().all(|entry| entry.listeners == 1),
            "the socket is open"
        );
        eventually("the events are in the file", || {
            let written = self.rig.raws("events.jsonl");
            made.iter().all(|entry| written.contains_key(&entry.raw))
        });
        let written = self.rig.raws("events.jsonl");
        assert!(
            written.values().all(|times| *times == 1),
            "nothing is doubled"
        );
    }

    /// Wait for the `count`-th socket since the start to be the only one open.
    fn reconnected(&self, count: u64) {
        let reached = self.simulator.stats().wait(LIMIT, |counts| {
            counts.connects >= count && counts.sockets == 1
        });
        assert!(reached, "{:?}", self.simulator.stats().counts());
    }

    fn logins(&self) -> u64 {
        self.simulator.stats().counts().logins
    }

    fn stop(self) {
        stop_clean(self.host);
        assert_eq!(
            self.simulator.stats().counts().logouts,
            1,
            "logged out on the way down"
        );
        self.simulator.stop();
    }
}

#[test]
fn a_session_that_expires_mid_stream_is_renewed_with_one_login() {
    for expiry in [Expiry::Unauthorized, Expiry::Stale] {
        let world = World::start();
        world.events_arrive();
        assert_eq!(world.logins(), 1);
        world.simulator.mischief().expire_sessions(expiry);
        world.simulator.mischief().end_sockets(Ending::Abort);
        assert!(
            world
                .simulator
                .stats()
                .wait(LIMIT, |counts| counts.logins == 2),
            "{expiry:?}"
        );
        world.reconnected(2);
        eventually("the host knows that it is connected", || {
            world.host.controllers()[0].1.facts().connected()
        });
        world.events_arrive();
        assert_eq!(world.logins(), 2, "{expiry:?}");
        world.stop();
    }
}

#[test]
fn a_socket_that_ends_in_any_way_is_opened_again_without_a_login() {
    let world = World::start();
    for (number, ending) in [
        Ending::Cut,
        Ending::Abort,
        Ending::Close(1000),
        Ending::Close(1001),
        Ending::Close(1011),
    ]
    .into_iter()
    .enumerate()
    {
        world.events_arrive();
        world.simulator.mischief().end_sockets(ending);
        world.reconnected(number as u64 + 2);
    }
    world.events_arrive();
    assert_eq!(world.logins(), 1);
    world.stop();
}

#[test]
fn junk_costs_nothing_but_itself() {
    let world = World::start();
    let junk = [
        Junk::NotJson,
        Junk::NotUtf8,
        Junk::Truncated,
        Junk::WrongTypes,
        Junk::WrongItems,
        Junk::NoData,
        Junk::Pong,
        Junk::Empty,
        Junk::Deep(10_000),
        Junk::UnknownKind,
        Junk::HugeSync(12 << 20),
    ];
    for junk in &junk {
        world.simulator.mischief().inject("default", junk);
        world.events_arrive();
    }
    assert_eq!(
        world.simulator.stats().counts().connects,
        1,
        "no frame costs the connection"
    );
    let controllers = world.host.controllers();
    let counts = controllers[0].1.counts();
    assert!(
        counts.bad.load(Ordering::Relaxed) >= 3,
        "not JSON, not UTF-8, and JSON that ends too early"
    );
    world.stop();
}

#[test]
fn what_comes_twice_is_written_once_and_counted() {
    let world = World::start();
    world.simulator.mischief().duplicate_every(2);
    world.events_arrive();
    let duplicates = || world.host.books()[0].books.duplicate;
    eventually("duplicates are counted", || duplicates() >= 4);
    world.stop();
}

#[test]
fn a_console_that_boots_is_waited_for() {
    for booting in [Booting::Unavailable, Booting::BadGateway] {
        let options = SimulatorOptions {
            missing_id_share: 0.0,
            ..SimulatorOptions::default()
        };
        let simulator = Simulator::start(options).unwrap();
        simulator.mischief().booting(Some(booting));
        let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
        let host = rig.start();
        eventually("it says why it waits", || {
            host.controllers()[0].1.facts().trouble.is_some()
        });
        simulator.mischief().booting(None);
        assert!(simulator.wait_for_sockets(1, LIMIT));
        assert_eq!(simulator.stats().counts().refused_logins, 0);
        stop_clean(host);
    }
}

#[test]
fn a_handshake_that_answers_a_web_page_is_no_reason_to_log_in() {
    let world = World::with(|simulator| {
        simulator
            .mischief()
            .next_connects(ConnectTrouble::WebPage, 1);
        simulator
            .mischief()
            .next_connects(ConnectTrouble::Status(502), 1);
    });
    world.events_arrive();
    assert_eq!(world.logins(), 1);
    world.stop();
}

#[test]
fn three_empty_connections_force_a_login() {
    let world = World::with(|simulator| {
        simulator
            .mischief()
            .next_connects(ConnectTrouble::CloseAtOnce(1000), 3);
    });
    assert!(
        world
            .simulator
            .stats()
            .wait(LIMIT, |counts| counts.logins == 2 && counts.sockets == 1)
    );
    eventually("the host knows that it is connected", || {
        world.host.controllers()[0].1.facts().connected()
    });
    world.events_arrive();
    assert_eq!(world.logins(), 2);
    world.stop();
}

#[test]
fn a_throttled_login_is_not_repeated_before_its_time_and_the_sentence_says_so() {
    let options = SimulatorOptions::default();
    let simulator = Simulator::start(options).unwrap();
    simulator
        .mischief()
        .next_logins(LoginTrouble::Throttled(Some(3600)), 1);
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
    let host = rig.start();
    let trouble = || host.controllers()[0].1.facts().trouble;
    eventually("the lock is reported", || trouble().is_some());
    assert_eq!(simulator.stats().counts().refused_logins, 1);
    assert!(host.stop(Duration::from_secs(10)).left.is_empty());
    // A restart does not forget: no login is tried while the account is locked.
    let host = rig.start();
    eventually("the lock is remembered", || {
        host.controllers()[0].1.facts().trouble.is_some()
    });
    assert_eq!(simulator.stats().counts().refused_logins, 1);
    assert_eq!(simulator.stats().counts().logins, 0);
    assert!(host.stop(Duration::from_secs(10)).left.is_empty());
}
