//! Whatever is published, herald goes on, and says nothing of it that is secret.

use super::{
    ARCHIVE, archived, event, example, id, ids, make_stream, publish, run, status, wait_for,
    waiting,
};
use crate::support::eventually;
use crate::support::herald::Herald;
use crate::support::nats::NatsServer;
use std::collections::BTreeSet;

/// A controller of our own, which is not there.
const HOME: &str = "[controllers.home]\nurl = \"https://192.0.2.1\"\nauth = { username = \"herald\", password = \"x\" }\n";

/// What is no event, with a word in it that nobody may see.
fn junk() -> Vec<Vec<u8>> {
    let fine = event("topsecret", "building");
    let with = |from: &str, to: &str| {
        let changed = fine.replace(from, to);
        assert_ne!(changed, fine);
        changed.into_bytes()
    };
    vec![
        Vec::new(),
        b"topsecret".to_vec(),
        b"{\"topsecret\":".to_vec(),
        b"\x00\xff\xfe topsecret".to_vec(),
        b"[{}]".to_vec(),
        vec![b'['; 500_000],
        b"{\"a\":".repeat(100_000),
        vec![b'"'; 900_000],
        with("system.notice", "topsecret.kind"),
        with("2026-11-22", "topsecret"),
        with("2026-11-22", "9999-12-31"),
        with("\"lobby\"", "[\"topsecret\"]"),
        with("\"building\"", "\"topsecret\\u0000\""),
        with("\"id\"", "\"topsecret\""),
        with("\"topsecret\"", "\"\""),
    ]
}

#[test]
fn what_is_no_event_is_counted_and_the_rest_goes_on() {
    let server = NatsServer::start();
    make_stream(&server);
    let mut payloads = Vec::new();
    for (number, junk) in junk().into_iter().enumerate() {
        payloads.push(junk);
        payloads.push(event(&id(number), "building").into_bytes());
    }
    let bad = payloads.len() / 2;
    // Somebody speaks for a controller of ours, and somebody as if he were herald.
    payloads.push(event("spoofed", "home").into_bytes());
    let own = event("fake", "building").replace("system.notice", "herald.store_degraded");
    payloads.push(own.into_bytes());
    publish(&server, payloads);
    let herald = Herald::with(&format!("{HOME}{}", example(&server)));
    let running = run(&herald);
    wait_for(&herald, &ids(0..bad));
    eventually("nothing comes again", || waiting(&server) == 0);
    let told = status(&herald, "building");
    assert_eq!(told["refused"], bad, "{told}");
    assert_eq!(
        (&told["own"], &told["received"]),
        (&1.into(), &(bad + 1).into())
    );
    let ended = running.stopped().with_code(0);
    assert!(!ended.stderr.contains("topsecret"), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("what came is no event").count(), 1);
    assert_eq!(
        archived(&herald).into_iter().collect::<BTreeSet<_>>(),
        ids(0..bad)
    );
    let kinds = herald.run(&["events", "--json", "--kind", "herald.store_degraded"]);
    assert!(
        kinds.stdout.contains("\"fake\""),
        "it is an event like any other"
    );
}

#[test]
fn an_account_is_nobodys_business() {
    let accounts = "authorization { users: [ { user: herald, password: swordfish } ] }";
    let server = NatsServer::with(accounts);
    let config = |password: &str| {
        format!(
            "[sources.building]\nplugin = \"nats\"\n[sources.building.options]\nservers = [\"{}\"]\nsubject = \"events.>\"\n\
             username = \"herald\"\npassword = \"{password}\"\n[log]\nlevel = \"trace\"\n{ARCHIVE}",
            server.url()
        )
    };
    let herald = Herald::with(&config("hunter2"));
    let mut running = herald.start(&["run"]);
    running.says("source is not connected");
    let told = herald.run(&["status"]).with_code(0).stdout;
    assert!(told.contains("refused the account"), "{told}");
    let online = herald.run(&["check", "--online"]).with_code(1);
    herald.write("config.toml", &config("swordfish"));
    herald.run(&["reload"]).with_code(0);
    running.says("source is connected");
    let fine = herald.run(&["check", "--online"]).with_code(0);
    assert!(
        fine.stdout.contains("source building: ok"),
        "{}",
        fine.stdout
    );
    let doctor = herald.run(&["doctor", "--json"]).with_code(0);
    assert!(
        doctor.stdout.contains("source building"),
        "{}",
        doctor.stdout
    );
    let ended = running.stopped().with_code(0);
    let shown = herald.run(&["config", "show"]).with_code(0);
    for said in [ended, online, fine, doctor, shown] {
        let said = format!("{said:?}{told}");
        assert!(!said.contains("hunter2") && !said.contains("swordfish"));
    }
}
