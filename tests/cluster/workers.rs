//! Workers that share partitions, come, go and are killed.

use super::{Office, event, publish};
use crate::support::eventually;
use crate::support::nats::NatsServer;

const SITES: [&str; 4] = ["a", "b", "c", "d"];

fn events(numbers: std::ops::Range<usize>) -> Vec<unifi_herald_plugin::BufferedEvent> {
    numbers
        .flat_map(|number| SITES.map(|site| event(site, number)))
        .collect()
}

#[test]
fn what_other_programs_publish_is_processed_and_a_restart_goes_on() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let (herald, mut worker) = office.worker("one");
    worker.says("cluster is ready");
    publish(&server.url(), &events(0..50));
    office.wait_for(200);
    let status = herald.run(&["status", "--json"]).with_code(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    let books = &status["sinks"]["archive"];
    assert_eq!(books["delivered"], 200, "{status}");
    worker.stopped().with_code(0);
    office.assert_whole(200, 0);
    // What comes twice is known after a restart too.
    publish(&server.url(), &events(40..60));
    let (_herald, worker) = office.worker("two");
    office.wait_for(240);
    worker.stopped().with_code(0);
    office.assert_whole(240, 0);
}

#[test]
fn a_killed_worker_is_replaced_and_one_that_is_added_takes_its_share() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let (_one, mut first) = office.worker("one");
    first.says("cluster is ready");
    publish(&server.url(), &events(0..30));
    office.wait_for(120);
    let (_two, mut second) = office.worker("two");
    second.says("partition taken");
    eventually("two hold two each", || {
        second.stderr().matches("partition taken").count() == 2
    });
    publish(&server.url(), &events(30..60));
    office.wait_for(240);
    let more = std::thread::scope(|scope| {
        let url = server.url();
        let more = scope.spawn(move || publish(&url, &events(60..400)));
        eventually("some of it is done", || office.ids().len() > 300);
        first.signal("KILL");
        more.join()
    });
    more.unwrap();
    office.wait_for(1600);
    second.stopped().with_code(0);
    // What the killed one had in its hands: a batch of each of its partitions.
    office.assert_whole(1600, 2 * 256);
}
