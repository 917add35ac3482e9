//! Dead letters of a cluster, and of the way to it, through the commands.

use super::collectors::{collector, simulator};
use super::{Office, books, event, publish};
use crate::support::herald::Herald;
use crate::support::nats::NatsServer;
use crate::support::receiver::Receiver;
use crate::support::{COUNTER, LIMIT, eventually};
use serde_json::Value;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{Kind, Raw};

fn letters(herald: &Herald) -> Vec<Value> {
    let listed = herald.run(&["dead-letters", "list", "--json"]).with_code(0);
    let lines = listed.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn what_a_sink_refuses_is_listed_shown_retried_and_dropped_by_any_worker() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let hook = Receiver::start();
    hook.answer(&[400, 400, 400]);
    let other = format!(
        "[sinks.other]\nplugin = \"webhook\"\noptions = {{ url = \"{}\", format = \"json\" }}",
        hook.url()
    );
    let houses = ["one", "two"].map(|name| office.herald(name, COUNTER, &other));
    let mut workers = houses.each_ref().map(|house| house.start(&["run"]));
    for worker in &mut workers {
        worker.says("cluster is ready");
    }
    for number in 0..3 {
        publish(&server.url(), &[event("a", number)]);
        eventually("both list the letter", || {
            houses
                .iter()
                .all(|house| letters(house).len() == number + 1)
        });
    }
    let shown = houses[1]
        .run(&["dead-letters", "show", "a-000001"])
        .with_code(0);
    assert!(shown.stdout.contains("400"), "{}", shown.stdout);
    houses[0]
        .run(&["dead-letters", "drop", "a-000000"])
        .with_code(0);
    houses[1]
        .run(&["dead-letters", "retry", "--sink", "other"])
        .with_code(0);
    eventually("the hook has them", || {
        hook.ids()
            .ends_with(&["a-000001".to_owned(), "a-000002".to_owned()])
    });
    eventually("nobody lists any", || {
        houses.iter().all(|house| letters(house).is_empty())
    });
    for worker in workers {
        worker.stopped().with_code(0);
    }
}

#[test]
fn a_letter_that_is_refused_again_at_once_is_a_letter_again_and_tells_of_all_its_tries() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let hook = Receiver::start();
    hook.answer(&[400, 400, 400]);
    let other = format!(
        "[sinks.other]\nplugin = \"webhook\"\noptions = {{ url = \"{}\", format = \"json\" }}",
        hook.url()
    );
    let house = office.herald("one", COUNTER, &other);
    let mut worker = house.start(&["run"]);
    worker.says("cluster is ready");
    publish(&server.url(), &[event("a", 0)]);
    for tries in 1..=3 {
        eventually("it alone is listed, with all its tries", || {
            let letters = letters(&house);
            letters.len() == 1 && letters[0]["attempts"] == tries
        });
        house.run(&["dead-letters", "retry", "--all"]).with_code(0);
    }
    eventually("the hook has it", || hook.ids() == ["a-000000"]);
    eventually("nothing is listed", || letters(&house).is_empty());
    worker.stopped().with_code(0);
}

#[test]
fn a_letter_of_a_sink_that_gives_up_is_tried_for_as_long_again_when_it_is_retried() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let hook = Receiver::start();
    hook.answer(&[503; 5]);
    let other = format!(
        "[sinks.other]\nplugin = \"webhook\"\nretry = {{ min = \"100ms\", max = \"100ms\", give_up_after = \"1h\" }}\n\
         options = {{ url = \"{}\", format = \"json\" }}",
        hook.url()
    );
    let house = office.herald("one", COUNTER, &other);
    let mut worker = house.start(&["run"]);
    worker.says("cluster is ready");
    // It was received long ago.
    publish(&server.url(), &[event("a", 0)]);
    eventually("it is a letter", || letters(&house).len() == 1);
    assert_eq!(letters(&house)[0]["attempts"], 1);
    house.run(&["dead-letters", "retry", "--all"]).with_code(0);
    eventually("the hook has it", || hook.ids() == ["a-000000"]);
    assert!(letters(&house).is_empty());
    worker.stopped().with_code(0);
}

/// Makes an event larger, within what a script may.
const GROW: &str = r#"
fn filter(event) {
    let long = "x";
    for doubling in 0..14 { long += long; }
    event.fields.long = long;
    true
}
"#;

#[test]
fn a_share_that_is_too_large_is_a_dead_letter_without_what_is_large() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let house = office.herald("one", GROW, "");
    let mut worker = house.start(&["run"]);
    worker.says("cluster is ready");
    let raw = format!("\"{}\"", "r".repeat(1_035_000));
    let large = EventBuilder::new(Kind::CLIENT_CONNECTED)
        .id("large")
        .site("hq", "a", "a")
        .with(|event| event.raw = Some(Raw::parse(&raw).unwrap()));
    publish(&server.url(), &[large.buffered(1), event("a", 1)]);
    office.wait_for(1);
    eventually("it is a letter", || letters(&house).len() == 1);
    let letter = &letters(&house)[0];
    assert_eq!(
        (&letter["id"], &letter["sink"]),
        (&"large".into(), &"archive".into())
    );
    let reason = letter["reason"].as_str().unwrap();
    assert!(
        reason.contains("max_payload") && reason.contains("not all"),
        "{reason}"
    );
    assert_eq!(books(&house, "archive")["dead_lettered"], 1);
    house.run(&["dead-letters", "retry", "--all"]).with_code(0);
    office.wait_for(2);
    let written = office.written();
    let large = written.iter().find(|event| &*event.id == "large").unwrap();
    assert!(large.raw.is_none() && large.raw_truncated && large.fields.contains_key("long"));
    worker.stopped().with_code(0);
}

#[test]
fn what_the_cluster_does_not_take_is_a_dead_letter_of_the_outbox() {
    let mut server = NatsServer::start();
    let office = Office::new(&[&server]);
    let simulator = simulator();
    let house = collector(&simulator, server.port());
    let mut running = house.start(&["run"]);
    running.says("cluster is ready");
    assert!(simulator.wait_for_sockets(1, LIMIT));
    eventually("nothing waits", || {
        books(&house, "jetstream-outbox")["pending"] == 0
    });
    server.restart_with("max_payload: 500");
    let made = simulator.emit("default", 3).len() as u64;
    eventually("they are letters", || {
        books(&house, "jetstream-outbox")["dead_lettered"]
            .as_u64()
            .unwrap()
            >= made
    });
    let listed = letters(&house);
    assert!(listed.len() as u64 >= made);
    assert!(
        listed
            .iter()
            .all(|letter| letter["sink"] == "jetstream-outbox")
    );
    server.restart_with("");
    house.run(&["dead-letters", "retry", "--all"]).with_code(0);
    let (_house, worker) = office.worker("one");
    let ids: Vec<String> = listed
        .iter()
        .map(|letter| letter["id"].as_str().unwrap().to_owned())
        .collect();
    eventually("they arrive", || {
        let all = office.all();
        ids.iter()
            .all(|id| all.iter().any(|event| *event.id == **id))
    });
    worker.stopped().with_code(0);
    running.stopped().with_code(0);
    simulator.stop();
}
