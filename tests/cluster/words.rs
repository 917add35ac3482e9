//! What is wrong with a cluster is said at the start, by name and without secrets.

use super::Office;
use crate::support::herald::Herald;
use crate::support::nats::NatsServer;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use unifi_herald::tasks::thread;

fn says(server: &str, text: &str) {
    let herald = Herald::with(&format!(
        "[host]\nrole = \"process\"\n[store]\nmode = \"jetstream\"\njetstream = {{ servers = [\"{server}\"] }}\n"
    ));
    let mut running = herald.start(&["run"]);
    running.says(text);
    running.stopped().with_code(0);
}

#[test]
fn a_missing_permission_and_a_refused_account_are_named() {
    let server = NatsServer::with("authorization { users: [ { user: any, password: pw } ] }");
    says(&server.url(), "the server refuses the account");
    let limited = "no_auth_user: any\nauthorization { users: [ { user: any, password: pw, \
        permissions: { publish: { deny: [\"$JS.API.STREAM.CREATE.>\"] } } } ] }";
    let server = NatsServer::with(limited);
    says(&server.url(), "cannot make the stream herald");
    for denied in ["$KV.herald_state.>", "$JS.ACK.>"] {
        let limited = format!(
            "no_auth_user: any\nauthorization {{ users: [ {{ user: any, password: pw, \
             permissions: {{ publish: {{ deny: [\"{denied}\"] }} }} }} ] }}"
        );
        let server = NatsServer::with(&limited);
        says(&server.url(), &format!("cannot publish to {denied}: "));
    }
    let server = NatsServer::with("max_payload: 1000");
    says(&server.url(), "takes messages of 1000 bytes only");
}

#[test]
fn a_stream_of_somebody_else_and_an_old_server_are_named() {
    let server = NatsServer::start();
    crate::support::nats::on_a_runtime(async {
        let context = async_nats::jetstream::new(server.client().await);
        let config = async_nats::jetstream::stream::Config {
            name: "herald".to_owned(),
            subjects: vec!["something.else".to_owned()],
            ..async_nats::jetstream::stream::Config::default()
        };
        context.create_stream(config).await.unwrap();
    });
    says(&server.url(), "the stream herald is somebody else's");
    let old = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("nats://{}", old.local_addr().unwrap());
    thread("old-server", move || {
        for stream in old.incoming() {
            let mut stream = stream.unwrap();
            let info =
                r#"INFO {"server_id":"x","version":"2.8.4","max_payload":1048576,"proto":1}"#;
            write!(stream, "{info}\r\n").unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            for line in lines.map_while(Result::ok) {
                if line.starts_with("PING") && write!(stream, "PONG\r\n").is_err() {
                    break;
                }
            }
        }
    })
    .unwrap();
    says(&url, "nats-server 2.8.4 is too old: 2.9 or later is needed");
}

#[test]
fn a_cluster_that_is_described_wrongly_is_an_error_of_the_configuration() {
    let herald = Herald::with(
        "[host]\nrole = \"collect\"\n[store]\nmode = \"jetstream\"\n\
         jetstream = { servers = [\"http://h\"], creds = \"none.creds\", replicas = 2, max_age = \"0s\", stream = \"a.b\" }\n",
    );
    let ended = herald.run(&["check"]).with_code(78);
    for part in [
        "not the address of a NATS server",
        "expected 1, 3 or 5",
        "expected more than \"0s\"",
        "not a name of a stream",
        "none.creds",
        "config.toml:5",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let herald = Herald::with("[host]\nrole = \"collect\"\n");
    let ended = herald.run(&["check"]).with_code(78);
    assert!(
        ended
            .stderr
            .contains("it does nothing without store.mode = \"jetstream\""),
        "{}",
        ended.stderr
    );
}

#[test]
fn every_example_on_the_page_is_a_configuration() {
    let page = include_str!("../../docs/scaling.md");
    let blocks = page.split("```toml\n").skip(1);
    let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        for role in ["all", "collect", "process"] {
            let herald = Herald::with(block).env("HERALD__HOST__ROLE", role);
            herald.run(&["check"]).with_code(0);
        }
    }
}

#[test]
fn an_office_needs_no_controller_and_takes_a_new_configuration_with_a_restart() {
    let server = NatsServer::start();
    let (house, mut worker) = Office::new(&[&server]).worker("one");
    worker.says("cluster is ready");
    // Nor does it read its configuration anew, and it says what to do.
    let asked = house.run(&["reload"]).with_code(1);
    assert!(
        asked
            .stderr
            .contains("restart it with the new configuration"),
        "{asked:?}"
    );
    worker.signal("HUP");
    worker.says("configuration not reloaded");
    house.write("counter.rhai", "fn filter(");
    house.run(&["reload"]).with_code(78);
    worker.stopped().with_code(0);
}
