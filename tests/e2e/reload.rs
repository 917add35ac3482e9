//! Another configuration under way: nothing lost, nothing doubled, what has not changed notices nothing.

use crate::support::receiver::Receiver;
use crate::support::rig::{ARCHIVE, Rig, controller, reload, stop_clean};
use crate::support::{LIMIT, eventually};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald::clock::Clock;
use unifi_herald::config::Plan;
use unifi_herald::control::protocol::Changes;
use unifi_herald::demo::{Entry, Simulator, SimulatorOptions};
use unifi_herald::host::Host;
use unifi_herald_plugin::Kind;

fn simulator() -> Simulator {
    simulator_of(1)
}

fn simulator_of(seed: u64) -> Simulator {
    Simulator::start(SimulatorOptions {
        seed,
        missing_id_share: 0.0,
        alert_share: 0.0,
        ..SimulatorOptions::default()
    })
    .unwrap()
}

/// So many events of the network that a socket was told of.
fn heard(simulator: &Simulator, count: usize) -> usize {
    let made = simulator.emit("default", count);
    made.iter().filter(|entry| entry.listeners > 0).count()
}

fn hook(name: &str, receiver: &Receiver, batch: usize) -> String {
    format!(
        "[sinks.{name}]\nplugin = \"webhook\"\nbatch = {{ max = {batch} }}\noptions = {{ url = \"{}\", format = \"json\" }}\n[chains.{name}]\nsteps = [{{ sink = \"{name}\" }}]\n",
        receiver.url()
    )
}

/// Write another configuration and go on with it.
fn go_on(rig: &Rig, host: &Host, config: &str) -> Changes {
    rig.write("config.toml", config);
    host.go_on_with(rig.plan()).unwrap()
}

/// Everything that was emitted is in the file once, in order.
fn whole(rig: &Rig, emitted: usize) {
    eventually("every event is in the file", || {
        rig.raws("events.jsonl").len() >= emitted
    });
    let raws = rig.raws("events.jsonl");
    assert_eq!(raws.len(), emitted);
    assert!(raws.values().all(|times| *times == 1), "nothing is doubled");
    let events = rig.events("events.jsonl");
    assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq));
}

#[test]
fn under_load_sinks_come_go_and_change_and_nothing_is_lost_or_doubled() {
    for store in ["", "[store]\nmode = \"memory\"\n"] {
        let (simulator, receiver, other) = (simulator(), Receiver::start(), Receiver::start());
        let base = controller("home", &simulator, r#"["default"]"#) + ARCHIVE + store;
        let plain = base.clone() + &*hook("ops", &receiver, 5);
        let rig = Rig::new(&plain);
        let host = rig.start();
        assert!(simulator.wait_for_sockets(1, LIMIT));
        let configs = [
            base.clone() + &*hook("ops", &receiver, 7),
            base.clone() + &*hook("late", &other, 3) + &*hook("ops", &receiver, 7),
            hook("ops", &receiver, 4) + &*base,
            plain.clone(),
        ];
        let mut emitted = 0;
        for round in 0..12 {
            emitted += heard(&simulator, 25);
            let changes = go_on(&rig, &host, &configs[round % configs.len()]);
            assert!(!format!("{changes:?}").contains("controllers.home"));
            emitted += heard(&simulator, 25);
            if round == 1 {
                eventually("the late one has its first", || !other.ids().is_empty());
            }
        }
        whole(&rig, emitted);
        eventually("the webhook has everything", || {
            receiver.ids().len() >= rig.ids("events.jsonl").len()
        });
        let ids = receiver.ids();
        let unique: BTreeSet<_> = ids.iter().cloned().collect();
        assert_eq!(unique, rig.ids("events.jsonl"));
        assert_eq!(unique.len(), ids.len(), "nothing is doubled at the webhook");
        assert_eq!(
            simulator.stats().counts().logins,
            1,
            "the socket is untouched"
        );
        stop_clean(host);
        let late = other.ids();
        assert_eq!(late.iter().collect::<BTreeSet<_>>().len(), late.len());
    }
}

#[test]
fn a_sink_that_left_keeps_what_it_awaits_until_it_is_back() {
    let (simulator, receiver) = (simulator(), Receiver::start());
    let base = controller("home", &simulator, r#"["default"]"#) + ARCHIVE;
    let with = base.clone() + &*hook("ops", &receiver, 10);
    let rig = Rig::new(&with);
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    receiver.hold(true);
    let before = heard(&simulator, 30);
    whole(&rig, before);
    let known: BTreeSet<_> = rig.ids("events.jsonl");
    rig.write("config.toml", &base);
    let changes = host.go_on_with(rig.plan()).unwrap();
    assert_eq!(changes.removed, ["sinks.ops"]);
    assert!(host.books().iter().all(|sink| &*sink.name != "ops"));
    let former = &changes.former_sinks[..];
    assert_eq!((former.len(), &*former[0].name), (1, "ops"));
    assert_eq!(former[0].pending, known.len() as u64);
    assert_eq!(host.board().status().former_sinks, former);
    let between = heard(&simulator, 10);
    whole(&rig, before + between);
    receiver.hold(false);
    let changes = go_on(&rig, &host, &with);
    assert_eq!(changes.added, ["sinks.ops"]);
    assert!(changes.former_sinks.is_empty());
    eventually("what it awaited is there", || {
        receiver.ids().len() >= known.len()
    });
    stop_clean(host);
    let got: BTreeSet<_> = receiver.ids().into_iter().collect();
    assert_eq!(got, known, "and not what came while it was away");
}

#[test]
fn a_sink_that_is_back_before_its_answer_gets_nothing_twice() {
    let (simulator, receiver) = (simulator(), Receiver::start());
    let base = controller("home", &simulator, r#"["default"]"#) + ARCHIVE;
    let with = base.clone() + &*hook("ops", &receiver, 10);
    let rig = Rig::new(&with);
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    receiver.hold(true);
    let made = heard(&simulator, 30);
    whole(&rig, made);
    rig.write("config.toml", &base);
    host.go_on_with(rig.plan()).unwrap();
    rig.write("config.toml", &with);
    host.go_on_with(rig.plan()).unwrap();
    receiver.hold(false);
    eventually("the webhook has everything", || {
        receiver.ids().len() >= rig.ids("events.jsonl").len()
    });
    stop_clean(host);
    let ids = receiver.ids();
    let unique: BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "nothing is doubled");
}

const COUNTING: &str = r#"
fn filter(event) {
    event.fields.count = count("all", "1h");
    event.fields.version = VERSION;
    true
}
"#;

#[test]
fn a_script_is_edited_and_goes_on_counting_and_a_broken_one_is_refused() {
    let simulator = simulator();
    let config = controller("home", &simulator, r#"["default"]"#)
        + "[scripts.counter]\nfile = \"scripts/counter.rhai\"\n[sinks.archive]\nplugin = \"file\"\noptions = { path = \"events.jsonl\" }\n[chains.all]\nwhen = { kinds = [\"client.*\"] }\nsteps = [{ script = \"counter\" }, { sink = \"archive\" }]\n[sinks.notices]\nplugin = \"file\"\noptions = { path = \"notices.jsonl\" }\n[chains.notices]\nwhen = { kinds = [\"system.notice\"] }\nsteps = [{ sink = \"notices\" }]\n";
    let rig = Rig::new(&config);
    let script = |text: &str| rig.write("scripts/counter.rhai", text);
    script(&COUNTING.replace("VERSION", "1"));
    let host = rig.start_reloading();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    simulator.emit("default", 60);
    eventually("some are there", || rig.events("events.jsonl").len() > 20);
    script(&COUNTING.replace("VERSION", "2"));
    reload(&host).unwrap();
    simulator.emit("default", 60);
    let version = |version: i64| {
        let events = rig.events("events.jsonl");
        let of = |event: &&unifi_herald_plugin::BufferedEvent| {
            event.to_json().contains(&format!("\"version\":{version}"))
        };
        events.iter().filter(of).count()
    };
    eventually("the new one is at work", || version(2) > 0);
    script("fn filter(event) { let }");
    let error = reload(&host).unwrap_err();
    assert!(error.is_config(), "{error}");
    assert!(error.to_string().contains("counter.rhai:1"), "{error}");
    let refused = host.roster().refused().unwrap();
    assert!(refused.error.contains("counter.rhai"), "{refused:?}");
    eventually("it is an event", || !rig.events("notices.jsonl").is_empty());
    let notice = &rig.events("notices.jsonl")[0];
    assert_eq!(notice.kind, Kind::SYSTEM_NOTICE);
    assert!(
        notice.summary.contains("counter.rhai:1"),
        "{}",
        notice.summary
    );
    let before = version(2);
    simulator.emit("default", 60);
    eventually("the former one is still at work", || version(2) > before);
    script(&COUNTING.replace("VERSION", "3"));
    reload(&host).unwrap();
    assert_eq!(host.roster().refused(), None);
    stop_clean(host);
    let counts: Vec<u64> = rig
        .events("events.jsonl")
        .iter()
        .map(|event| {
            let json: serde_json::Value = serde_json::from_str(&event.to_json()).unwrap();
            json["fields"]["count"].as_u64().unwrap()
        })
        .collect();
    let wanted: Vec<u64> = (1..=counts.len() as u64).collect();
    assert_eq!(counts, wanted, "neither lost nor counted twice");
}

/// A plan whose second look at the history comes soon.
fn soon(rig: &Rig, config: &str) -> Plan {
    rig.write("config.toml", config);
    let mut plan = rig.plan();
    for controller in &mut plan.controllers {
        controller.backfill.settle = Duration::from_millis(200);
    }
    plan
}

/// Wait until all of `made` are in the file, in whichever form, then look that none is there twice.
fn all_arrive_once(rig: &Rig, simulator: &Simulator, made: &[Arc<Entry>]) {
    let times = |entry: &Arc<Entry>| {
        let (ledger, events) = (simulator.ledger(), rig.events("events.jsonl"));
        let raws = events.iter().filter_map(|event| event.raw.as_ref());
        raws.filter(|raw| ledger.same(entry, raw.as_str())).count()
    };
    eventually("every event is in the file", || {
        made.iter().all(|entry| times(entry) > 0)
    });
    for entry in made {
        assert_eq!(times(entry), 1, "{entry:?}");
    }
}

#[test]
fn controllers_come_go_and_change_and_history_fills_what_a_change_missed() {
    for store in ["", "[store]\nmode = \"memory\"\n"] {
        let (one, other) = (simulator_of(1), simulator_of(2));
        let home = controller("home", &one, r#"["default"]"#);
        let lab = controller("lab", &other, r#"["default"]"#);
        let rest = ARCHIVE.to_owned() + store;
        let rig = Rig::new("");
        let plan = soon(&rig, &(home.clone() + &*rest));
        let host = Host::start(plan, unifi_herald::builtin(), Clock::system()).unwrap();
        assert!(one.wait_for_sockets(1, LIMIT));
        all_arrive_once(&rig, &one, &one.emit("default", 20));
        let plan = soon(&rig, &(home.clone() + &*lab + &*rest));
        let changes = host.go_on_with(plan).unwrap();
        assert_eq!(changes.added, ["controllers.lab"]);
        assert!(other.wait_for_sockets(1, LIMIT));
        all_arrive_once(&rig, &other, &other.emit("default", 20));
        let apart = other.time() + Duration::from_secs(3);
        eventually("time passes", || other.time() > apart);
        // The time of the next event was drawn with the one before.
        other.emit("default", 1);

        // Another way to say the same is a change nevertheless: it is connected anew, and nothing is missed meanwhile.
        let changed = lab.replace("[\"default\"]", "[\"Home\"]");
        other.mischief().unplug(true);
        let plan = soon(&rig, &(home.clone() + &*changed + &*rest));
        let changes = host.go_on_with(plan).unwrap();
        assert_eq!(changes.changed, ["controllers.lab"]);
        assert!(other.wait_for_sockets(0, LIMIT));
        let missed = other.emit("default", 20);
        assert!(missed.iter().all(|entry| entry.listeners == 0));
        other.mischief().unplug(false);
        assert!(other.wait_for_sockets(1, LIMIT));
        all_arrive_once(&rig, &other, &missed);

        let plan = soon(&rig, &(home.clone() + &*rest));
        let changes = host.go_on_with(plan).unwrap();
        assert_eq!(changes.removed, ["controllers.lab"]);
        assert!(other.wait_for_sockets(0, LIMIT));
        assert_eq!(host.controllers().len(), 1);
        all_arrive_once(&rig, &one, &one.emit("default", 20));
        assert_eq!(one.stats().counts().logins, 1, "the other never noticed");
        assert_eq!(one.stats().counts().connects, 1);
        stop_clean(host);
    }
}

#[test]
fn a_destination_that_was_gone_is_tried_again() {
    let (simulator, receiver) = (simulator(), Receiver::start());
    let config = controller("home", &simulator, r#"["default"]"#) + &*hook("ops", &receiver, 100);
    let rig = Rig::new(&config);
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    receiver.answer(&[410]);
    let emitted = heard(&simulator, 10);
    let state = || host.sinks()[0].1.facts().state;
    eventually("it is gone", || state() == "gone");
    assert!(receiver.ids().is_empty());
    let changes = go_on(&rig, &host, &config);
    assert_eq!(changes, Changes::default(), "nothing has changed");
    eventually("it has everything", || receiver.ids().len() >= emitted);
    stop_clean(host);
}

#[test]
fn another_password_in_a_file_is_another_sink_and_the_same_is_not() {
    let (simulator, receiver) = (simulator(), Receiver::start());
    let config = controller("home", &simulator, r#"["default"]"#)
        + &*format!(
            "[sinks.ops]\nplugin = \"webhook\"\noptions = {{ url = \"{}\", format = \"json\", secret = {{ file = \"secret\" }} }}\n[chains.ops]\nsteps = [{{ sink = \"ops\" }}]\n",
            receiver.url()
        );
    let rig = Rig::new(&config);
    fs::write(rig.path("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let host = rig.start();
    assert_eq!(go_on(&rig, &host, &config), Changes::default());
    fs::write(rig.path("secret"), "whsec_AAAA9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    assert_eq!(go_on(&rig, &host, &config).changed, ["sinks.ops"]);
    stop_clean(host);
}
