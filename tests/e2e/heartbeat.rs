//! The dead man's switch: pinged while the controller is heard, not while it is cut off, and again when it is back.

use crate::support::receiver::Receiver;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use crate::support::{LIMIT, eventually};
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::demo::{Booting, Ending, Simulator, SimulatorOptions};
use unifi_herald::host::Host;
use unifi_herald::unifi::timing::Timing;

#[test]
fn pings_only_while_the_controller_is_heard() {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let switch = Receiver::start();
    let rig = Rig::new(&format!(
        "{}{ARCHIVE}\n[heartbeat]\nurl = \"{}\"\n",
        controller("home", &simulator, r#"["default"]"#),
        switch.url()
    ));
    let mut plan = rig.plan();
    // Quicker than a user may ask for.
    plan.heartbeat.as_mut().unwrap().every = Duration::from_millis(20);
    let timing = Timing {
        retry: Duration::from_millis(50),
        ..Timing::default()
    };
    let registry = unifi_herald::builtin();
    let host = Host::start_timed(plan, registry, Clock::system(), timing).unwrap();
    let pings = || switch.hooks().len();
    eventually("it is pinged", || pings() >= 3);

    simulator.mischief().booting(Some(Booting::Unavailable));
    simulator.mischief().end_sockets(Ending::Abort);
    let connected = || host.controllers()[0].1.facts().connected();
    eventually("the controller is cut off", || !connected());
    let last = pings();
    let asked = |counts: &unifi_herald::demo::Counts| counts.requests.values().sum::<u64>();
    let before = asked(&simulator.stats().counts());
    assert!(
        simulator
            .stats()
            .wait(LIMIT, |counts| asked(counts) >= before + 4),
        "the host tries to come back"
    );
    assert!(
        pings() <= last + 1,
        "only the ping that was on its way: {last}, then {}",
        pings()
    );

    simulator.mischief().booting(None);
    let last = pings();
    eventually("it is pinged again", || pings() >= last + 3);
    assert!(connected());
    stop_clean(host);
}
