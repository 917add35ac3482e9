//! With a stream behind it nothing is lost, whoever is killed, and nothing is there twice.

use super::{
    ARCHIVE, archived, event, example, id, ids, journal, keep_events, make_stream, publish_events,
    run, status, wait_for, waiting,
};
use crate::support::eventually;
use crate::support::herald::Herald;
use crate::support::nats::{NatsServer, read};
use serde_json::json;
use std::collections::BTreeSet;

/// Between taking and keeping there is time to be killed.
const SLOW: &str = "fn filter(event) { let n = 0; for i in 0..200 { n += i; } true }";

#[test]
fn a_herald_that_is_killed_in_the_middle_has_everything_in_the_end_and_once() {
    const COUNT: usize = 2_000;
    let server = NatsServer::start();
    make_stream(&server);
    keep_events(&server, 0..COUNT);
    let slow = "[{ script = \"slow\" }, { sink";
    let config =
        example(&server).replace("[{ sink", slow) + "[scripts.slow]\nfile = \"slow.rhai\"\n";
    let herald = Herald::with(&config);
    herald.write("slow.rhai", SLOW);
    let mut seen = 0;
    let mut in_the_middle = 0;
    for _ in 0..3 {
        let running = run(&herald);
        eventually("there is more", || {
            let now = archived(&herald).len();
            std::mem::replace(&mut seen, now) < now
        });
        // As a power cut would.
        drop(running);
        in_the_middle += usize::from(waiting(&server) > 0);
    }
    assert!(in_the_middle > 0, "it was killed while there was work");
    let running = run(&herald);
    wait_for(&herald, &ids(0..COUNT));
    eventually("everything is acknowledged", || waiting(&server) == 0);
    running.stopped().with_code(0);
    let journal = journal(&herald);
    assert_eq!(journal.len(), COUNT, "nothing is there twice");
    assert_eq!(journal.into_iter().collect::<BTreeSet<_>>(), ids(0..COUNT));
}

#[test]
fn a_server_that_goes_and_comes_is_read_again() {
    let mut server = NatsServer::start();
    make_stream(&server);
    let herald = Herald::with(&example(&server));
    let running = run(&herald);
    publish_events(&server, 0..10);
    wait_for(&herald, &ids(0..10));
    server.kill();
    eventually("it is told", || {
        status(&herald, "building")["connected"] == false
    });
    let health = herald.run(&["health"]);
    assert!(format!("{health:?}").contains("source building is not connected"));
    server.restart();
    publish_events(&server, 10..20);
    wait_for(&herald, &ids(10..20));
    let told = status(&herald, "building");
    assert_eq!(
        (&told["connected"], &told["refused"]),
        (&json!(true), &json!(0))
    );
    running.stopped().with_code(0);
    let kinds = herald
        .run(&["events", "--json", "--kind", "herald.*"])
        .stdout;
    let count = |kind: &str| kinds.matches(&format!("\"kind\":\"{kind}\"")).count();
    assert_eq!(
        (count("herald.connected"), count("herald.disconnected")),
        (2, 1)
    );
}

#[test]
fn what_was_there_before_is_known_by_its_id() {
    let server = NatsServer::start();
    make_stream(&server);
    let herald = Herald::with(&example(&server));
    for _ in 0..2 {
        // Another process remembers it by its journal, the same one by itself.
        let running = run(&herald);
        publish_events(&server, 0..5);
        publish_events(&server, 0..5);
        eventually("they have come", || {
            status(&herald, "building")["received"] == 10
        });
        eventually("they are acknowledged", || waiting(&server) == 0);
        running.stopped().with_code(0);
    }
    assert_eq!(
        archived(&herald).into_iter().collect::<BTreeSet<_>>(),
        ids(0..5)
    );
    assert_eq!(archived(&herald).len(), 5);
}

#[test]
fn sources_come_and_go_with_a_reload() {
    let server = NatsServer::start();
    make_stream(&server);
    let config = example(&server);
    let herald = Herald::with(&config);
    let mut running = run(&herald);
    publish_events(&server, 0..3);
    wait_for(&herald, &ids(0..3));

    let other = format!(
        "[sources.street]\nplugin = \"nats\"\noptions = {{ servers = [\"{}\"], subject = \"street\" }}\n{ARCHIVE}",
        server.url()
    );
    herald.write("config.toml", &other);
    let told = herald.run(&["reload"]).with_code(0);
    let told = format!("{told:?}");
    for table in ["sources.street", "sources.building"] {
        assert!(told.contains(table), "{told}");
    }
    eventually("the new one is connected", || {
        status(&herald, "street")["connected"] == true
    });
    publish_events(&server, 3..6);
    let payload = event(&id(100), "street");
    crate::support::nats::on_a_runtime(async {
        let client = server.client().await;
        client.publish("street", payload.into()).await.unwrap();
        read(&client).await;
    });
    wait_for(&herald, &ids(100..101));
    assert_eq!(waiting(&server), 3, "nobody reads the stream");

    herald.write("config.toml", &config);
    herald.run(&["reload"]).with_code(0);
    wait_for(&herald, &ids(3..6));
    running.says("configuration reloaded");
    running.stopped().with_code(0);
    assert_eq!(archived(&herald).len(), 7);
}
