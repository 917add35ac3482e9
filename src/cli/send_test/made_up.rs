//! The event that is sent: like a real one of its kind, and marked as a test wherever somebody may look.

use crate::own_event::hashed_id;
use std::sync::Arc;
use std::time::Duration;
use unifi_herald_plugin::testing::EventBuilder;
use unifi_herald_plugin::{BufferedEvent, Event, Kind, Text, Timestamp};

/// An event of `kind` that happens `now` at `controller`, for the sink of this name.
pub(super) fn event(kind: Kind, controller: &str, sink: &str, now: Timestamp) -> BufferedEvent {
    let id = hashed_id(&["test", kind.as_str(), sink], now);
    EventBuilder::new(kind)
        .id(&format!("test-{id}"))
        .time(now)
        .field("test", true)
        .with(|event| {
            event.controller = controller.into();
            event.received = now;
            event.summary = marked(&event.summary);
            mark_alert(event, sink, now);
            mark_digest(event, now);
        })
        .buffered(0)
}

/// `Test: Kitchen is offline`.
fn marked(text: &str) -> Text {
    Arc::from(format!("Test: {text}"))
}

fn mark_alert(event: &mut Event, sink: &str, now: Timestamp) {
    let Some(alert) = &mut event.alert else {
        return;
    };
    // The same for every test, so that one closes what another opened.
    alert.id = marked_id(&hashed_id(&["test", sink], Timestamp::from_millis(0)));
    alert.title = marked(&alert.title);
    alert.body = Arc::from(format!("{}\nNothing happened: this is a test.", alert.body));
    alert.since = now - Duration::from_secs(alert.duration_s);
    alert.until = alert.until.map(|_| now);
}

fn mark_digest(event: &mut Event, now: Timestamp) {
    let Some(digest) = &mut event.digest else {
        return;
    };
    let begun = now - Duration::from_hours(24);
    for incident in &mut digest.incidents {
        incident.id = marked_id(&incident.id);
        incident.title = marked(&incident.title);
        incident.since = begun + Duration::from_hours(1);
        incident.until = Some(incident.since + Duration::from_mins(3));
    }
    digest.since = begun;
    digest.until = now;
}

fn marked_id(id: &str) -> Text {
    Arc::from(format!("test-{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::testing::START;

    #[test]
    fn every_kind_is_marked_wherever_somebody_may_look() {
        for kind in Kind::ALL {
            let event = event(*kind, "home", "ops", START);
            assert!(event.summary.starts_with("Test: "), "{kind}");
            assert!(event.id.starts_with("test-"), "{kind}");
            assert_eq!(event.fields["test"], true);
            if let Some(alert) = &event.alert {
                assert!(alert.title.starts_with("Test: ") && alert.id.starts_with("test-"));
                assert!(alert.since <= START && alert.until.is_none_or(|until| until == START));
            }
            if let Some(digest) = &event.digest {
                assert_eq!(digest.until, START);
                assert!(
                    digest
                        .incidents
                        .iter()
                        .all(|one| one.title.starts_with("Test: "))
                );
            }
        }
    }

    #[test]
    fn tests_for_one_sink_speak_of_one_incident() {
        let id = |kind, sink, now| event(kind, "home", sink, now).alert.clone().unwrap().id;
        let opened = id(Kind::ALERT_FIRING, "ops", START);
        let later = START + Duration::from_hours(1);
        assert_eq!(id(Kind::ALERT_RESOLVED, "ops", later), opened);
        assert_ne!(id(Kind::ALERT_FIRING, "phone", START), opened);
    }
}
