//! The simulator over the wire.

mod history;
mod login;
mod mischief;
mod play;
mod visitor;
mod world;

use super::{Simulator, SimulatorOptions};
use crate::clock::Clock;
use crate::config::ControllerKind;
use std::time::Duration;
use unifi_herald_plugin::Timestamp;

const BOTH: [ControllerKind; 2] = [ControllerKind::UnifiOs, ControllerKind::SelfHosted];

fn start(change: impl FnOnce(&mut SimulatorOptions)) -> Simulator {
    let mut options = SimulatorOptions {
        alert_share: 0.0,
        missing_id_share: 0.0,
        ..SimulatorOptions::default()
    };
    change(&mut options);
    Simulator::start(options).unwrap()
}

fn of_kind(kind: ControllerKind) -> Simulator {
    start(|options| options.kind = kind)
}

/// A simulator on a clock that stands still, moved on by a second per event, with `count` events made.
fn with_past(count: usize, change: impl FnOnce(&mut SimulatorOptions)) -> (Simulator, Clock) {
    let clock = Clock::manual(Timestamp::from_millis(1_795_000_000_000));
    let simulator = start(|options| {
        options.clock = clock.clone();
        change(options);
    });
    for _ in 0..count {
        clock.advance(Duration::from_secs(1));
        simulator.emit("default", 1);
    }
    (simulator, clock)
}
