//! A day of a busy office: ten thousand events, and a handful of messages.

use super::timeline::Timeline;
use crate::demo::{Carrier, Entry, Scenario, Simulator, SimulatorOptions};
use crate::unifi::{Decoder, Site};
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::Event;

const ESSENTIALS: &str =
    "presets = [\"essentials\"]\n[sinks.phone]\nplugin = \"console\"\n[time]\nzone = \"UTC\"\n";

/// Events of the day, and of the days before, from which the first run learns.
const DAY: u32 = 10_000;
const BEFORE: usize = 10_000;

/// What a reader of the socket makes of what the controller says.
fn heard(decoder: &mut Decoder, entry: &Entry) -> Vec<Arc<Event>> {
    let message = match entry.carrier {
        Carrier::Events => "events",
        Carrier::Alert => "alert",
    };
    let frame = format!(
        r#"{{"meta":{{"rc":"ok","message":"{message}"}},"data":[{}]}}"#,
        entry.raw
    );
    let mut events = Vec::new();
    decoder.decode(&frame, entry.time, &mut events);
    events
}

#[test]
fn ten_thousand_events_are_a_handful_of_messages() {
    let mut office = Timeline::of(ESSENTIALS);
    let simulator = Simulator::start(SimulatorOptions {
        scenario: Scenario::Office,
        clock: office.clock.clone(),
        trouble: 0.01,
        seed: 11,
        ..SimulatorOptions::default()
    })
    .unwrap();
    let site = simulator.sites()[0];
    let name = Site {
        name: site.into(),
        display: "Office".into(),
    };
    let mut decoder = Decoder::new("office".into(), name);
    for entry in simulator.emit(site, BEFORE) {
        for event in heard(&mut decoder, &entry) {
            office.remember(&event);
        }
    }
    assert_eq!(office.told(), [""; 0]);
    let mut count = 0;
    for _ in 0..DAY {
        office.pass(Duration::from_hours(24) / DAY);
        for entry in simulator.emit(site, 1) {
            for event in heard(&mut decoder, &entry) {
                office.route(&event);
                count += 1;
            }
        }
    }
    assert_eq!(count, DAY);
    office.pass(Duration::from_hours(1));
    let told = office.told();
    println!("{}", told.join("\n"));
    assert_eq!(told, TOLD);
}

const TOLD: &[&str] = &[
    "phone alert.firing New client: 00:00:5e:00:53:81",
    "phone alert.firing Threat detected by \"ET SCAN Possible Nmap User-Agent Observed\" from Viktor's Laptop to 203.0.113.24",
    "phone alert.firing Threat blocked: ET SCAN Possible Nmap User-Agent Observed from 198.51.100.124:41446 to 203.0.113.246:443",
    "phone alert.firing Warehouse (U7PRO) is offline",
    "phone alert.resolved Warehouse is back online",
    "phone alert.firing Internet connection eth8 is down at HQ Gateway",
    "phone alert.resolved The internet connection is back up",
];
