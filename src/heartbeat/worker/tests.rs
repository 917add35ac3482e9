//! The worker over hours of virtual time, with an HTTP that goes nowhere.

use super::*;
use crate::config::BufferPlan;
use crate::config::WhenFull;
use crate::status::{ControllerFacts, ControllerStatus};
use crate::store::MemoryStore;
use crate::tasks::Tasks;
use std::sync::Arc;
use unifi_herald_plugin::testing::{START, TestHttp};

const MINUTE: Duration = Duration::from_mins(1);

struct World {
    http: TestHttp,
    home: ControllerStatus,
    clock: Clock,
    tasks: Tasks,
}

impl World {
    /// A worker that pings once a minute, with one controller that was just heard.
    fn new() -> Self {
        let clock = Clock::of_runtime(START);
        let buffer = BufferPlan {
            capacity: 10,
            when_full: WhenFull::Wait,
            max_wait: MINUTE,
            max_bytes: 1 << 20,
        };
        let world = Self {
            http: TestHttp::default(),
            home: ControllerStatus::default(),
            tasks: Tasks::new(),
            clock: clock.clone(),
        };
        world.http.always(200);
        world.hear();
        let worker = HeartbeatWorker {
            plan: HeartbeatPlan {
                url: "https://example.org/ping/hunter2".to_owned().into(),
                every: MINUTE,
            },
            http: world.http.client(),
            roster: Roster::testing(vec![("home".into(), world.home.clone())], Vec::new()),
            store: Arc::new(MemoryStore::new(&[], &buffer, clock.clone())),
            clock,
            stop: world.tasks.stop_token(),
        };
        world.tasks.spawn(worker.run());
        world
    }

    fn change(&self, change: impl FnOnce(&mut ControllerFacts)) {
        self.home.update(change);
    }

    /// A frame comes over the only socket.
    fn hear(&self) {
        let now = self.clock.wall();
        self.change(|facts| {
            facts.sites.insert("default".into(), true);
            facts.last_frame = Some(now);
        });
    }

    /// How many pings came within `time`.
    async fn pings_in(&self, time: Duration) -> usize {
        tokio::time::sleep(time).await;
        self.http.take_requests().len()
    }
}

#[tokio::test(start_paused = true)]
async fn pings_while_all_is_well_and_no_longer() {
    let world = World::new();
    assert_eq!(world.pings_in(MINUTE * 10 - MINUTE / 2).await, 10);
    world.change(|facts| *facts.sites.get_mut("default").unwrap() = false);
    assert_eq!(world.pings_in(MINUTE * 600).await, 0, "cut off");
    world.hear();
    assert_eq!(world.pings_in(MINUTE / 2).await, 1, "at once");
    let rest = world.pings_in(MINUTE * 600).await;
    assert!((14..=15).contains(&rest), "until it is silent: {rest}");
    world.hear();
    assert_eq!(world.pings_in(MINUTE / 2).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_arrive_is_sent_again_soon() {
    let world = World::new();
    world.http.fail("no route");
    world.http.answer(500, "");
    assert_eq!(world.pings_in(MINUTE / 2).await, 3, "at 0, 10 and 20 s");
    world.hear();
    assert_eq!(world.pings_in(MINUTE).await, 1);
}

#[tokio::test(start_paused = true)]
async fn stops_when_told_and_asks_for_the_address_as_it_is_written() {
    let world = World::new();
    tokio::time::sleep(MINUTE / 2).await;
    let requests = world.http.take_requests();
    assert_eq!(requests[0].method(), "GET");
    assert_eq!(requests[0].uri(), "https://example.org/ping/hunter2");
    world.tasks.stop();
    world.tasks.ended().await;
    assert_eq!(world.pings_in(MINUTE * 10).await, 0);
}
