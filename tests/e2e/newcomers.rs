//! Whoever the controller lists is no news; whoever joins later is, once, whatever becomes of herald.

use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use crate::support::{LIMIT, eventually};
use std::collections::BTreeMap;
use unifi_herald::demo::{Carrier, Pace, Scenario, Simulator, SimulatorOptions};
use unifi_herald_plugin::{BufferedEvent, Kind, Mac, Origin};

fn first_seen(rig: &Rig) -> Vec<BufferedEvent> {
    let mut events = rig.events("events.jsonl");
    events.retain(|event| event.kind == Kind::CLIENT_FIRST_SEEN);
    events
}

/// `mac` connects again; wait until the sink has that.
fn connects(simulator: &Simulator, rig: &Rig, mac: Mac, id: &str) {
    let time = simulator.time().as_millis();
    let item = format!(
        r#"{{"key":"EVT_WU_Connected","user":"{mac}","ssid":"Home","subsystem":"wlan","time":{time},"_id":"{id}"}}"#
    );
    simulator
        .emit_item("default", Carrier::Events, &item)
        .unwrap();
    eventually("its connection is in the file", || {
        rig.ids("events.jsonl").contains(id)
    });
}

#[test]
fn a_new_device_is_told_once_and_a_known_one_never() {
    let simulator = Simulator::start(SimulatorOptions {
        scenario: Scenario::NewDevice,
        ..SimulatorOptions::default()
    })
    .unwrap();
    let config =
        controller("home", &simulator, r#"["default"]"#) + ARCHIVE + "\n[store]\nmode = \"disk\"\n";
    let rig = Rig::new(&config);
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    // What is heard was held until the lists were there.
    simulator.emit("default", 40);
    eventually("the first events are in the file", || {
        rig.raws("events.jsonl").len() >= 40
    });
    assert_eq!(first_seen(&rig), []);

    simulator.play(Pace::PerSecond(20.0));
    eventually("a new client is told", || !first_seen(&rig).is_empty());
    simulator.play(Pace::Still);
    let told = first_seen(&rig).remove(0);
    let client = told.client.clone().unwrap();
    assert_eq!(
        (client.name.as_deref(), client.random_mac, told.origin),
        (Some("OnePlus-12"), true, Origin::Derived)
    );
    assert!(
        told.summary
            .starts_with("OnePlus-12 (random address) joined "),
        "{}",
        told.summary
    );
    let all = rig.events("events.jsonl");
    let place = all.iter().position(|event| event.seq == told.seq).unwrap();
    let parent = &all[place - 1];
    assert_eq!(
        (parent.seq + 1, parent.kind, &parent.client, parent.time),
        (told.seq, Kind::CLIENT_CONNECTED, &told.client, told.time)
    );

    let mac = client.mac.unwrap();
    connects(&simulator, &rig, mac, "0123456789abcdef01234561");
    stop_clean(host);
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    connects(&simulator, &rig, mac, "0123456789abcdef01234562");
    stop_clean(host);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for event in first_seen(&rig) {
        let name = event.client.as_ref().and_then(|client| client.name.clone());
        *times.entry(name.unwrap().to_string()).or_default() += 1;
    }
    // On a slow machine the second stranger of the scenario may have come too.
    times.remove("raspberrypi");
    assert_eq!(times, BTreeMap::from([("OnePlus-12".to_owned(), 1)]));
}
