//! Without a stream: what is published while herald listens, and from one herald to another.

use super::{ARCHIVE, archived, event, id, ids, publish, publish_events, run, status, wait_for};
use crate::support::eventually;
use crate::support::herald::Herald;
use crate::support::nats::NatsServer;
use std::collections::BTreeSet;

fn source(server: &NatsServer, name: &str, subject: &str) -> String {
    format!(
        "[sources.{name}]\nplugin = \"nats\"\noptions = {{ servers = [\"{}\"], subject = \"{subject}\" }}\n",
        server.url()
    )
}

/// A sink that hands on what the archive gets.
fn sink(server: &NatsServer, prefix: &str) -> String {
    format!(
        "[sinks.on]\nplugin = \"nats\"\noptions = {{ servers = [\"{}\"], prefix = \"{prefix}\", jetstream = false }}\n\
         [chains.on]\nwhen = {{ kinds = [\"system.notice\"] }}\nsteps = [{{ sink = \"on\" }}]\n",
        server.url()
    )
}

#[test]
fn who_listens_hears_it_and_the_store_may_be_memory() {
    let server = NatsServer::start();
    publish_events(&server, 0..5);
    let memory = "[store]\nmode = \"memory\"\n";
    let config = source(&server, "building", "events.>") + ARCHIVE + memory;
    let herald = Herald::with(&config);
    let running = run(&herald);
    publish_events(&server, 5..300);
    wait_for(&herald, &ids(5..300));
    running.stopped().with_code(0);
    assert_eq!(
        archived(&herald).len(),
        295,
        "and what was before it is gone"
    );
    let events = herald.events("events.jsonl");
    let (first, line) = (&events[0], event(&id(5), "building"));
    let sent: serde_json::Value = serde_json::from_str(&line).unwrap();
    for field in ["id", "time", "controller", "site", "kind", "summary"] {
        assert_eq!(first[field], sent[field]);
    }
    assert_ne!(first["received"], sent["time"], "by the clock of herald");
}

#[test]
fn from_herald_to_herald_ids_stay_and_a_loop_ends() {
    let server = NatsServer::start();
    // From the building to A, from A to B, and from B to A again.
    let first = [
        &*source(&server, "building", "events.>"),
        &*source(&server, "echo", "b.>"),
        &*sink(&server, "a"),
        ARCHIVE,
    ];
    let second = [&*source(&server, "a", "a.>"), &*sink(&server, "b"), ARCHIVE];
    let (first, second) = (first.concat(), second.concat());
    let (a, b) = (Herald::with(&first), Herald::with(&second));
    let (running_a, running_b) = (run(&a), run(&b));
    let connected = |herald: &Herald, name| {
        eventually("it listens", || status(herald, name)["connected"] == true);
    };
    connected(&a, "echo");
    connected(&a, "building");
    publish_events(&server, 0..30);
    for herald in [&a, &b] {
        wait_for(herald, &ids(0..30));
    }
    eventually("everything has come back", || {
        status(&a, "echo")["received"] == 30
    });
    // A second round would bring something twice; this comes after it.
    publish(&server, [event("last", "building").into_bytes()]);
    eventually("the last has come back as well", || {
        status(&a, "echo")["received"] == 31
    });
    for herald in [&a, &b] {
        let archived = archived(herald);
        assert_eq!(archived.len(), 31, "nothing goes round twice");
        assert_eq!(archived.iter().collect::<BTreeSet<_>>().len(), 31);
    }
    assert_eq!(status(&b, "a")["received"], 31);
    running_a.stopped().with_code(0);
    running_b.stopped().with_code(0);
}
