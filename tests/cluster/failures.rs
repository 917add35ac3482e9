//! Servers that are restarted and leaders that die.

use super::{Office, event, publish};
use crate::support::nats::{NatsServer, on_a_runtime};
use crate::support::proxy::Proxy;
use crate::support::{COUNTER, eventually};
use unifi_herald_plugin::BufferedEvent;

fn events(numbers: std::ops::Range<usize>) -> Vec<BufferedEvent> {
    numbers
        .flat_map(|number| ["a", "b"].map(|site| event(site, number)))
        .collect()
}

#[test]
fn a_server_that_is_killed_and_comes_back_has_everything() {
    let mut server = NatsServer::start();
    let office = Office::new(&[&server]);
    let (_house, mut worker) = office.worker("one");
    worker.says("cluster is ready");
    publish(&server.url(), &events(0..50));
    eventually("some of it is done", || office.ids().len() > 20);
    server.restart();
    publish(&server.url(), &events(50..100));
    office.wait_for(200);
    worker.stopped().with_code(0);
    office.assert_whole(200, 2 * 256);
}

#[test]
fn a_worker_that_is_cut_off_for_long_comes_back_and_writes_over_nobody() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let proxy = Proxy::to(server.port());
    let way = format!("\"nats://127.0.0.1:{}\"", proxy.port());
    let cut_off = office.herald_by(&way, "one", COUNTER, "");
    let mut first = cut_off.start(&["run"]);
    first.says("cluster is ready");
    publish(&server.url(), &events(0..50));
    office.wait_for(100);
    let (_other, mut second) = office.worker("two");
    second.says("partition taken");
    std::thread::scope(|scope| {
        let url = server.url();
        let more = scope.spawn(move || publish(&url, &events(50..400)));
        eventually("some of it is done", || office.ids().len() > 200);
        proxy.cut();
        more.join().unwrap();
    });
    office.wait_for(800);
    eventually("the other has both", || {
        second.stderr().matches("partition taken").count() == 2
    });
    proxy.mend();
    first.says("cluster is well again");
    publish(&server.url(), &events(400..450));
    office.wait_for(900);
    first.stopped().with_code(0);
    second.stopped().with_code(0);
    office.assert_whole(900, 2 * 256);
}

/// Which server leads the stream of events.
fn leader(servers: &[NatsServer; 3], asked: usize) -> Option<usize> {
    let name = on_a_runtime(async {
        let context = async_nats::jetstream::new(servers[asked].client().await);
        let stream = context.get_stream("herald").await.ok()?;
        stream.cached_info().cluster.as_ref()?.leader.clone()
    });
    servers
        .iter()
        .position(|server| name.as_deref() == Some(&*server.name()))
}

#[test]
fn a_leader_dies_and_two_of_three_go_on() {
    let mut servers = NatsServer::cluster();
    let office = Office::new(&servers.each_ref()).with("replicas = 3");
    let (_house, mut worker) = office.worker("one");
    worker.says("cluster is ready");
    publish(&servers[0].url(), &events(0..50));
    office.wait_for(100);
    let mut dead = None;
    eventually("there is a leader", || {
        dead = leader(&servers, 0);
        dead.is_some()
    });
    let dead = dead.unwrap();
    servers[dead].kill();
    let alive = (dead + 1) % 3;
    publish(&servers[alive].url(), &events(50..100));
    office.wait_for(200);
    servers[dead].restart();
    publish(&servers[dead].url(), &events(100..120));
    office.wait_for(240);
    worker.stopped().with_code(0);
    office.assert_whole(240, 2 * 256);
}
