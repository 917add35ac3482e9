//! Which messages about an incident are pointless, since the news of its end waits behind them and tells more.

use std::collections::HashMap;
use unifi_herald_plugin::{AlertState, BufferedEvent, Text};

/// Positions in `window`, rising, of the messages about incidents whose end is further back in it.
pub(super) fn overtaken(window: &[BufferedEvent]) -> Vec<usize> {
    let mut ends: HashMap<(&Text, &Text, &Text), usize> = HashMap::new();
    for (index, event) in window.iter().enumerate() {
        if let Some((incident, AlertState::Resolved)) = incident(event) {
            ends.insert(incident, index);
        }
    }
    if ends.is_empty() {
        return Vec::new();
    }
    let positions = window.iter().enumerate().filter(|(index, event)| {
        incident(event)
            .is_some_and(|(incident, _)| ends.get(&incident).is_some_and(|end| index < end))
    });
    positions.map(|(index, _)| index).collect()
}

/// Which incident the event speaks of, and what it says.
fn incident(event: &BufferedEvent) -> Option<((&Text, &Text, &Text), AlertState)> {
    let alert = event.alert.as_ref()?;
    Some(((&event.controller, &event.site, &alert.id), alert.state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unifi_herald_plugin::Kind;
    use unifi_herald_plugin::testing::EventBuilder;

    fn message(seq: u64, kind: Kind, incident: u8) -> BufferedEvent {
        let named = |event: &mut unifi_herald_plugin::Event| {
            if let Some(alert) = &mut event.alert {
                alert.id = format!("incident-{incident}").into();
            }
        };
        EventBuilder::new(kind).with(named).buffered(seq)
    }

    fn window(messages: &[(Kind, u8)]) -> Vec<BufferedEvent> {
        (1..)
            .zip(messages)
            .map(|(seq, (kind, incident))| message(seq, *kind, *incident))
            .collect()
    }

    #[test]
    fn the_end_takes_the_place_of_what_came_before_it() {
        let window = window(&[
            (Kind::ALERT_FIRING, 1),
            (Kind::ALERT_FIRING, 2),
            (Kind::DEVICE_OFFLINE, 1),
            (Kind::ALERT_REPEATED, 1),
            (Kind::ALERT_FOLDED, 1),
            (Kind::ALERT_RESOLVED, 1),
            (Kind::ALERT_RESOLVED, 3),
        ]);
        assert_eq!(overtaken(&window), [0, 3, 4]);
    }

    #[test]
    fn another_site_has_incidents_of_its_own() {
        let mut window = window(&[(Kind::ALERT_FIRING, 1)]);
        let elsewhere = EventBuilder::new(Kind::ALERT_RESOLVED)
            .site("home", "x1", "Attic")
            .with(|event| {
                if let Some(alert) = &mut event.alert {
                    alert.id = "incident-1".into();
                }
            });
        window.push(elsewhere.buffered(2));
        assert!(overtaken(&window).is_empty());
    }

    proptest! {
        /// Whatever waits, the news of every end stays, and nothing goes whose end does not wait behind it.
        #[test]
        fn only_what_an_end_follows_goes(messages in proptest::collection::vec((0usize..5, 0u8..4), 0..40)) {
            const KINDS: [Kind; 5] = [
                Kind::ALERT_FIRING,
                Kind::ALERT_REPEATED,
                Kind::ALERT_RESOLVED,
                Kind::ALERT_FOLDED,
                Kind::CLIENT_ROAMED,
            ];
            let messages: Vec<(Kind, u8)> = messages.into_iter().map(|(kind, incident)| (KINDS[kind], incident)).collect();
            let gone = overtaken(&window(&messages));
            for (index, (kind, incident)) in messages.iter().enumerate() {
                let ended = messages[index + 1..].contains(&(Kind::ALERT_RESOLVED, *incident));
                let expected = ended && *kind != Kind::CLIENT_ROAMED;
                prop_assert_eq!(gone.contains(&index), expected);
            }
        }
    }
}
