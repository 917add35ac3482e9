//! What belongs to no site, and is told by a site as well.

use super::*;
use crate::unifi::sites::SUPER;

/// Somebody logs in, by the name of the site that tells it.
fn login(id: &str, ms: i64, site: &str) -> Event {
    let mut event = event(id, ms);
    event.kind = Kind::ADMIN_LOGIN;
    event.client = None;
    event.site = site.into();
    event.admin = Some(Admin {
        name: Some("anna".into()),
        ..Admin::default()
    });
    event
}

#[test]
fn it_is_one_event_whoever_tells_it_first() {
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    for (first, then) in [(SUPER, "default"), ("default", SUPER)] {
        let mut dedupe = Dedupe::new(10);
        let one = admit(
            &mut dedupe,
            &login("a", 0, first),
            EventSource::SocketEvents,
        );
        let again = admit(
            &mut dedupe,
            &login("a", 0, then),
            EventSource::HistoryLegacy,
        );
        assert_eq!((one, again), (new, duplicate), "{first}");
        let other = login("b", 60_000, then);
        assert_eq!(admit(&mut dedupe, &other, EventSource::HistoryLegacy), new);
    }
}

#[test]
fn told_together_it_is_the_sites() {
    let mut dedupe = Dedupe::new(10);
    let legacy = Some(EventSource::HistoryLegacy);
    let (ours, theirs) = (login("a", 0, SUPER), login("a", 0, "default"));
    let other = login("b", 60_000, SUPER);
    let (new, duplicate) = (Admission::New, Admission::Duplicate);
    let told = dedupe.admit([(&ours, legacy), (&other, legacy), (&theirs, legacy)]);
    assert_eq!(told, [duplicate, new, new]);
}

#[test]
fn a_site_tells_it_in_another_form() {
    let mut dedupe = Dedupe::new(10);
    let (socket, log) = (EventSource::SocketEvents, EventSource::HistoryV2);
    // The site is known before.
    admit(&mut dedupe, &event("c", 0), socket);
    assert_eq!(
        admit(&mut dedupe, &login("a", 0, SUPER), socket),
        Admission::New
    );
    let again = login("x", 300, "default");
    assert_eq!(admit(&mut dedupe, &again, log), Admission::Duplicate);
    let next = login("y", 900, "default");
    assert_eq!(admit(&mut dedupe, &next, log), Admission::New, "one is one");
}

#[test]
fn sites_and_controllers_do_not_tell_for_each_other() {
    let mut dedupe = Dedupe::new(10);
    let socket = EventSource::SocketEvents;
    for (controller, site) in [("home", "default"), ("home", "garden"), ("cabin", SUPER)] {
        let mut event = login("a", 0, site);
        event.controller = controller.into();
        assert_eq!(admit(&mut dedupe, &event, socket), Admission::New, "{site}");
    }
    let mut own = login("own", 0, SUPER);
    own.origin = Origin::Derived;
    assert_eq!(admit(&mut dedupe, &own, None), Admission::New);
    own.site = "default".into();
    assert_eq!(admit(&mut dedupe, &own, None), Admission::New, "of its own");
}
