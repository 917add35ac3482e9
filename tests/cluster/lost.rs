//! What cannot be an event is lost, counted and told.

use super::{Office, books, event, publish, publish_bytes};
use crate::support::eventually;
use crate::support::nats::NatsServer;
use unifi_herald_plugin::{BufferedEvent, Kind};

fn gaps(office: &Office) -> Vec<BufferedEvent> {
    let mut found = office.all();
    found.retain(|event| event.kind == Kind::HERALD_GAP);
    found
}

#[test]
fn what_is_no_event_is_counted_as_lost_and_told_and_what_follows_arrives() {
    let server = NatsServer::start();
    let office = Office::new(&[&server]);
    let (house, mut worker) = office.worker("one");
    worker.says("cluster is ready");
    publish(&server.url(), &[event("a", 0)]);
    publish_bytes(
        &server.url(),
        "herald.hq.a.client.connected",
        "no \u{1b} event",
    );
    publish(&server.url(), &[event("a", 1)]);
    office.wait_for(2);
    eventually("the gap is told", || gaps(&office).len() == 1);
    // What waits for a sink is told by way of the chains.
    publish_bytes(&server.url(), "herald.out.archive.hq=a", "[]");
    eventually("the other gap is told", || gaps(&office).len() == 2);
    for gap in gaps(&office) {
        assert_eq!((&*gap.controller, &*gap.site), ("hq", "a"));
        assert_eq!(gap.reason.as_deref(), Some("unreadable"));
        assert_eq!(gap.gap.as_ref().unwrap().count, Some(1));
    }
    let [first, second] = &gaps(&office)[..] else {
        panic!();
    };
    assert_eq!(first.fields["beginning"], "no \u{1b} event");
    assert_eq!(second.fields["subject"], "herald.out.archive.hq=a");
    assert_eq!(books(&house, "archive")["lost"], 2);
    assert!(!worker.stopped().with_code(0).stderr.contains("no \u{1b}"));
}
