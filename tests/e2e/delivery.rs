//! From the socket through a script to file and webhook: everything, once, in order, as received.

use crate::support::receiver::Receiver;
use crate::support::rig::{ARCHIVE, Rig, controller, stop_clean};
use crate::support::{LIMIT, eventually};
use std::collections::BTreeSet;
use std::sync::Arc;
use unifi_herald::config::ControllerKind;
use unifi_herald::demo::{Entry, Network, Simulator, SimulatorOptions};

fn simulator(kind: ControllerKind) -> Simulator {
    let sites = vec![Network::House, Network::Office];
    Simulator::start(SimulatorOptions {
        kind,
        sites,
        missing_id_share: 0.0,
        alert_share: 0.0,
        ..SimulatorOptions::default()
    })
    .unwrap()
}

/// A chain with a script that keeps what is about clients and adds a field, before the webhook.
fn config(controllers: &str, hook: &Receiver) -> String {
    format!(
        r#"
{controllers}
{ARCHIVE}

[scripts.clients]
file = "scripts/clients.rhai"
params = {{ note = "seen by a script" }}

[sinks.hook]
plugin = "webhook"
batch = {{ max = 7 }}
options = {{ url = "{url}", format = "json" }}

[chains.clients]
steps = [{{ script = "clients" }}, {{ sink = "hook" }}]
"#,
        url = hook.url()
    )
}

const CLIENTS: &str = r#"
fn filter(event) {
    if event.category != "client" { return false; }
    event.fields.note = params.note;
    true
}
"#;

fn raws(entries: &[Arc<Entry>]) -> BTreeSet<&str> {
    entries.iter().map(|entry| entry.raw.as_str()).collect()
}

fn nothing_lost_and_nothing_doubled(kind: ControllerKind) {
    let simulator = simulator(kind);
    let hook = Receiver::start();
    let rig = Rig::new(&config(&controller("home", &simulator, r#"["*"]"#), &hook));
    rig.write("scripts/clients.rhai", CLIENTS);
    let host = rig.start();
    // The classic kind has a socket for what belongs to no site besides one per site.
    let sockets = if kind == ControllerKind::SelfHosted {
        3
    } else {
        2
    };
    assert!(simulator.wait_for_sockets(sockets, LIMIT));

    let mut made = Vec::new();
    for _ in 0..20 {
        for site in simulator.sites() {
            made.extend(simulator.emit(site, 10));
        }
    }
    let heard: Vec<_> = made
        .iter()
        .filter(|entry| entry.listeners > 0)
        .cloned()
        .collect();
    assert!(heard.len() > 300, "{}", heard.len());
    eventually("every event is in the file", || {
        rig.raws("events.jsonl").len() == heard.len()
    });
    eventually("the sinks have nothing pending", || {
        host.books().iter().all(|sink| sink.books.pending == 0)
    });
    stop_clean(host);

    let written = rig.raws("events.jsonl");
    assert_eq!(
        written.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        raws(&heard),
        "byte for byte as sent"
    );
    assert!(
        written.values().all(|times| *times == 1),
        "nothing is doubled"
    );
    let events = rig.events("events.jsonl");
    assert!(
        events.windows(2).all(|pair| pair[0].seq < pair[1].seq),
        "in the order of seq"
    );
    let sites: BTreeSet<_> = events.iter().map(|event| event.site.to_string()).collect();
    assert!(sites.len() >= 2, "{sites:?}");

    let clients: Vec<_> = events
        .iter()
        .filter(|event| event.category() == "client")
        .collect();
    assert!(clients.len() > 50);
    assert!(
        clients.iter().any(|event| event
            .client
            .as_ref()
            .is_some_and(|client| client.name.is_some())),
        "names"
    );
    let wanted: Vec<_> = clients.iter().map(|event| event.id.to_string()).collect();
    assert_eq!(
        hook.ids(),
        wanted,
        "the webhook has what the script let through, in order, once"
    );
    for hook in hook.hooks() {
        assert!(hook.body.contains("seen by a script"));
        assert!(hook.headers.contains_key("webhook-id"));
    }
    simulator.stop();
}

#[test]
fn unifi_os_with_two_sites() {
    nothing_lost_and_nothing_doubled(ControllerKind::UnifiOs);
}

#[test]
fn self_hosted_with_two_sites() {
    nothing_lost_and_nothing_doubled(ControllerKind::SelfHosted);
}

#[test]
fn a_controller_behind_a_tunnel_that_ends_on_this_machine() {
    let simulator = Simulator::start(SimulatorOptions {
        plain: true,
        ..SimulatorOptions::default()
    })
    .unwrap();
    let rig = Rig::new(&(controller("home", &simulator, r#"["default"]"#) + ARCHIVE));
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let made = simulator.emit("default", 10);
    eventually("the events are in the file", || {
        let written = rig.raws("events.jsonl");
        made.iter().all(|entry| written.contains_key(&entry.raw))
    });
    stop_clean(host);
}

#[test]
fn two_controllers_at_once() {
    let one = simulator(ControllerKind::UnifiOs);
    let other = Simulator::start(SimulatorOptions {
        kind: ControllerKind::SelfHosted,
        seed: 9,
        missing_id_share: 0.0,
        alert_share: 0.0,
        ..SimulatorOptions::default()
    })
    .unwrap();
    let controllers = [
        controller("one", &one, r#"["Home"]"#),
        controller("other", &other, r#"["default"]"#),
    ];
    let rig = Rig::new(&(controllers.concat() + ARCHIVE));
    let host = rig.start();
    assert!(one.wait_for_sockets(1, LIMIT) && other.wait_for_sockets(2, LIMIT));
    let mut made = one.emit("default", 50);
    made.extend(other.emit("default", 50));
    made.retain(|entry| entry.listeners > 0);
    eventually("every event is in the file", || {
        rig.raws("events.jsonl").len() == made.len()
    });
    let from = |name: &str| {
        rig.events("events.jsonl")
            .iter()
            .filter(|event| &*event.controller == name && event.raw.is_some())
            .count()
    };
    assert!(from("one") >= 40 && from("other") >= 40);
    stop_clean(host);
}

#[test]
fn a_dead_webhook_and_a_refusing_one_do_not_hold_up_the_file() {
    let simulator = simulator(ControllerKind::UnifiOs);
    let refusing = Receiver::start();
    refusing.answer(&[422; 9]);
    let dead = "http://127.0.0.1:9/hook";
    let rig = Rig::new(&format!(
        r#"
{controller}
{ARCHIVE}
[sinks.dead]
plugin = "webhook"
options = {{ url = "{dead}" }}
[sinks.refusing]
plugin = "webhook"
batch = {{ max = 1 }}
options = {{ url = "{url}", format = "json" }}
[chains.also]
steps = [{{ sink = "dead" }}, {{ sink = "refusing" }}]
"#,
        controller = controller("home", &simulator, r#"["default"]"#),
        url = refusing.url(),
    ));
    let host = rig.start();
    assert!(simulator.wait_for_sockets(1, LIMIT));
    let made = simulator.emit("default", 40);
    eventually("every event is in the file", || {
        rig.raws("events.jsonl").len() == made.len()
    });
    let books = |host: &unifi_herald::host::Host, name: &str| {
        host.books()
            .into_iter()
            .find(|sink| &*sink.name == name)
            .map(|sink| sink.books)
            .unwrap()
    };
    eventually("the refusing sink is done", || {
        books(&host, "refusing").pending == 0
    });
    assert_eq!(books(&host, "refusing").dead_lettered, 9);
    assert_eq!(books(&host, "dead").delivered, 0);
    assert!(books(&host, "dead").pending >= 40);
    for sink in host.books() {
        assert!(sink.books.balance(), "{sink:?}");
    }
    let stopped = host.stop(std::time::Duration::from_millis(200));
    let left: Vec<_> = stopped
        .left
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(left, ["dead"], "and it says what was left");
}
