//! Incidents of workers and silences of the cluster, through the commands.

use super::{Office, publish};
use crate::support::COUNTER;
use crate::support::eventually;
use crate::support::herald::Herald;
use crate::support::nats::NatsServer;
use serde_json::Value;
use unifi_herald::clock::Clock;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{AlertState, BufferedEvent, Kind};

const ALERT: &str = r#"
[alerts.down]
on = ["device.offline"]
resolve_on = ["device.online"]
key = "{{ event.fields.thing }}"
title = "something is offline"

[chains.outages]
steps = [{ alert = "down" }, { sink = "archive" }]
"#;

fn offline(site: &str, thing: &str) -> BufferedEvent {
    EventBuilder::new(Kind::DEVICE_OFFLINE)
        .id(&format!("{site}-{thing}"))
        .site("hq", site, site)
        .time(Clock::system().wall())
        .field("thing", thing)
        .buffered(1)
}

fn lines(herald: &Herald, arguments: &[&str]) -> Vec<Value> {
    let listed = herald.run(arguments).with_code(0);
    let lines = listed.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn incidents(herald: &Herald) -> Vec<Value> {
    lines(herald, &["incidents", "list", "--json"])
}

/// Ids of the events that opened something and were told.
fn told(office: &Office) -> Vec<String> {
    let mut opened = office.all();
    opened.retain(|event| {
        let alert = event.alert.as_deref();
        alert.is_some_and(|alert| alert.state == AlertState::Firing)
    });
    let firsts = opened
        .iter()
        .map(|event| event.alert.as_ref().unwrap().events[0].to_string());
    firsts.collect()
}

#[test]
fn incidents_and_silences_are_seen_and_changed_at_any_worker() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let houses = ["one", "two"].map(|name| office.herald(name, COUNTER, ALERT));
    let mut first = houses[0].start(&["run"]);
    first.says("cluster is ready");
    publish(&server.url(), &[offline("a", "door"), offline("b", "door")]);
    eventually("one has both", || incidents(&houses[0]).len() == 2);
    let mut second = houses[1].start(&["run"]);
    second.says("partition taken");
    eventually("both show both", || {
        houses.iter().all(|house| {
            house
                .run(&["incidents", "list", "--json"])
                .stdout
                .lines()
                .count()
                == 2
        })
    });
    let id = |incident: &Value| incident["id"].as_str().unwrap().to_owned();
    let acknowledged = |house: &Herald| {
        let known = incidents(house);
        let done = known
            .iter()
            .filter(|incident| incident["acknowledged"] == true);
        done.map(id).collect::<Vec<_>>()
    };
    let both: Vec<String> = incidents(&houses[1]).iter().map(id).collect();
    let elsewhere = houses[0].run(&["incidents", "ack", "none"]);
    assert_ne!(elsewhere.code, Some(0), "{elsewhere:?}");
    // One of them is held by the other.
    for incident in &both {
        houses[0].run(&["incidents", "ack", incident]).with_code(0);
    }
    eventually("both know it", || {
        houses.iter().all(|house| acknowledged(house) == both)
    });

    let made = lines(
        &houses[0],
        &["silence", "add", "--alert", "down", "--for", "1h", "--json"],
    );
    let silence = id(&made[0]);
    let listed = ["silence", "list", "--json"];
    eventually("the other goes by it", || {
        lines(&houses[1], &listed) == made && incidents(&houses[1])[0]["silenced_until"].is_string()
    });
    publish(&server.url(), &[offline("a", "gate"), offline("b", "gate")]);
    eventually("both know of it", || {
        houses.iter().all(|house| incidents(house).len() == 4)
    });
    assert_eq!(told(&office).len(), 2, "before the silence");
    houses[1].run(&["silence", "remove", &silence]).with_code(0);
    eventually("there is none any more", || {
        lines(&houses[0], &listed).is_empty()
    });
    eventually("what was kept untold is told", || told(&office).len() == 4);

    second.signal("KILL");
    eventually("the first has both", || {
        first.stderr().matches("partition taken").count() > 2
    });
    eventually("and knows it all", || {
        incidents(&houses[0]).len() == 4 && acknowledged(&houses[0]) == both
    });
    first.stopped().with_code(0);
    let offline = houses[0].run(&["incidents", "list"]);
    assert!(
        offline.stderr.contains("only a running one knows"),
        "{offline:?}"
    );
}
