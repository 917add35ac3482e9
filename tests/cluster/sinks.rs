//! A sink that is dead holds up nobody, and gets everything in order when it is back.

use super::{Office, books, event, publish};
use crate::support::nats::NatsServer;
use crate::support::receiver::Receiver;
use crate::support::{COUNTER, eventually};
use std::collections::BTreeSet;

#[test]
fn a_dead_sink_stalls_no_chain_and_no_other_sink_and_then_gets_all_of_it_in_order() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let hook = Receiver::start();
    hook.down(true);
    let other = format!(
        "[sinks.other]\nplugin = \"webhook\"\nretry = {{ min = \"50ms\", max = \"200ms\" }}\n\
         options = {{ url = \"{}\", format = \"json\" }}\n[buffer]\ncapacity = 100",
        hook.url()
    );
    let house = office.herald("one", COUNTER, &other);
    let mut worker = house.start(&["run"]);
    worker.says("cluster is ready");
    // More than the sink's lane has room for, and more than a consumer hands out.
    let count = 1500;
    let events: Vec<_> = (0..count)
        .flat_map(|number| ["a", "b"].map(|site| event(site, number)))
        .collect();
    publish(&server.url(), &events);
    office.wait_for(events.len());
    eventually("all of it waits for the dead one", || {
        books(&house, "other")["pending"] == events.len()
    });
    assert_eq!(hook.ids(), Vec::<String>::new());
    hook.down(false);
    let all = || hook.ids().into_iter().collect::<BTreeSet<_>>().len();
    let mut arrived = 0;
    while arrived < events.len() {
        eventually("more arrives", || {
            let before = std::mem::replace(&mut arrived, all());
            arrived > before
        });
    }
    for site in ["a", "b"] {
        let ids = hook.ids();
        let mut of_site: Vec<_> = ids.iter().filter(|id| id.starts_with(site)).collect();
        of_site.dedup();
        assert!(of_site.is_sorted(), "{of_site:?}");
    }
    worker.stopped().with_code(0);
    office.assert_whole(events.len(), 0);
}
