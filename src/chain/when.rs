//! The conditions of `when`, made ready to be decided for every event.

use crate::config::When;
use crate::glob;
use unifi_herald_plugin::{Event, Kind, Mac, Severity};

/// A condition on events; the cheap parts are decided first.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    /// Whether there is no condition at all.
    always: bool,
    min_severity: Option<Severity>,
    /// One flag per kind.
    kinds: Option<Box<[bool]>>,
    controllers: Option<Patterns>,
    sites: Option<Patterns>,
    clients: Option<Patterns>,
    devices: Option<Patterns>,
    ssids: Option<Patterns>,
}

#[derive(Clone, Debug, Default)]
struct Patterns(Vec<Pattern>);

#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    /// The address the text is, where it is one: compared as a number, in whichever form it was written.
    mac: Option<Mac>,
}

impl Matcher {
    /// Make a condition ready.
    #[must_use]
    pub fn new(when: &When) -> Self {
        Self {
            always: *when == When::default(),
            min_severity: when.min_severity,
            kinds: when
                .kinds
                .as_ref()
                .map(|kinds| Kind::ALL.iter().map(|kind| kinds.contains(kind)).collect()),
            controllers: when.controllers.as_deref().map(Patterns::new),
            sites: when.sites.as_deref().map(Patterns::new),
            clients: when.clients.as_deref().map(Patterns::new),
            devices: when.devices.as_deref().map(Patterns::new),
            ssids: when.ssids.as_deref().map(Patterns::new),
        }
    }

    /// Whether `event` comes from a place that the condition admits: controller and site.
    #[must_use]
    pub fn admits_place(&self, event: &Event) -> bool {
        self.controllers
            .as_ref()
            .is_none_or(|patterns| patterns.fit([Some(&*event.controller)]))
            && self
                .sites
                .as_ref()
                .is_none_or(|patterns| patterns.fit_site(event))
    }

    /// Whether `event` meets every part of the condition but those on kind and severity.
    #[must_use]
    pub fn admits_but_for_kind(&self, event: &Event) -> bool {
        self.always || (self.admits_place(event) && self.admits_subjects(event))
    }

    fn admits_subjects(&self, event: &Event) -> bool {
        self.clients
            .as_ref()
            .is_none_or(|patterns| patterns.fit_client(event))
            && self
                .devices
                .as_ref()
                .is_none_or(|patterns| patterns.fit_device(event))
            && self
                .ssids
                .as_ref()
                .is_none_or(|patterns| patterns.fit([event.ssid.as_deref()]))
    }

    /// Whether `event` meets every part of the condition. A part about something the event does not have is not
    /// met, unless it admits everything.
    #[must_use]
    pub fn admits(&self, event: &Event) -> bool {
        self.always
            || (self
                .min_severity
                .is_none_or(|least| event.severity >= least)
                && self
                    .kinds
                    .as_ref()
                    .is_none_or(|kinds| kinds[event.kind.index()])
                && self.admits_place(event)
                && self.admits_subjects(event))
    }
}

impl Patterns {
    fn new(patterns: &[String]) -> Self {
        Self(
            patterns
                .iter()
                .map(|text| Pattern {
                    text: text.clone(),
                    mac: text.parse().ok(),
                })
                .collect(),
        )
    }

    fn fit<const N: usize>(&self, names: [Option<&str>; N]) -> bool {
        self.0.iter().any(|pattern| {
            pattern.text == "*"
                || names
                    .iter()
                    .flatten()
                    .any(|name| glob::matches(&pattern.text, name))
        })
    }

    fn fit_site(&self, event: &Event) -> bool {
        let fits = |text| glob::fits_site(text, &event.controller, &event.site, &event.site_name);
        self.0.iter().any(|pattern| fits(&pattern.text))
    }

    fn fit_client(&self, event: &Event) -> bool {
        let client = event.client.as_ref();
        let names = [
            client.and_then(|client| client.name.as_deref()),
            client.and_then(|client| client.hostname.as_deref()),
        ];
        self.fit(names) || self.fit_mac(client.and_then(|client| client.mac))
    }

    fn fit_device(&self, event: &Event) -> bool {
        let device = event.device.as_ref();
        self.fit([device.and_then(|device| device.name.as_deref())])
            || self.fit_mac(device.and_then(|device| device.mac))
    }

    fn fit_mac(&self, mac: Option<Mac>) -> bool {
        let Some(mac) = mac else { return false };
        self.0.iter().any(|pattern| match pattern.mac {
            Some(wanted) => wanted == mac,
            None => pattern.text.contains(':') && glob::matches(&pattern.text, &mac.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::{Client, Device, Timestamp};

    fn event() -> Event {
        let mut event = Event::new(Kind::CLIENT_CONNECTED, "1", Timestamp::from_millis(0));
        event.controller = "home".into();
        event.site = "k3x9".into();
        event.site_name = "Main Office".into();
        event.ssid = Some("Guests".into());
        event.client = Some(Client {
            mac: "aa:bb:cc:00:00:01".parse().ok(),
            name: Some("Anna's iPhone".into()),
            hostname: Some("iphone".into()),
            ..Client::default()
        });
        event
    }

    fn list(patterns: &[&str]) -> Option<Vec<String>> {
        Some(
            patterns
                .iter()
                .map(|pattern| (*pattern).to_owned())
                .collect(),
        )
    }

    fn admits(when: &When) -> bool {
        Matcher::new(when).admits(&event())
    }

    #[test]
    fn no_condition_admits_everything() {
        assert!(admits(&When::default()));
    }

    #[test]
    fn every_part_must_be_met() {
        let kinds = Some(vec![Kind::CLIENT_CONNECTED, Kind::WAN_DOWN]);
        assert!(admits(&When {
            kinds: kinds.clone(),
            min_severity: Some(Severity::Info),
            ..When::default()
        }));
        assert!(!admits(&When {
            kinds,
            min_severity: Some(Severity::Notice),
            ..When::default()
        }));
        assert!(!admits(&When {
            kinds: Some(vec![Kind::WAN_DOWN]),
            ..When::default()
        }));
    }

    #[test]
    fn sites_go_by_short_or_display_name_and_optionally_by_controller() {
        for (pattern, fits) in [
            ("k3x9", true),
            ("main*", true),
            ("home/main office", true),
            ("home/*", true),
            ("*/default", false),
            ("work/*", false),
        ] {
            assert_eq!(
                admits(&When {
                    sites: list(&[pattern]),
                    ..When::default()
                }),
                fits,
                "{pattern}"
            );
        }
    }

    #[test]
    fn clients_go_by_address_in_any_form_name_or_host_name() {
        for (pattern, fits) in [
            ("AA-BB-CC-00-00-01", true),
            ("aa:bb:*", true),
            ("anna*", true),
            ("IPHONE", true),
            ("bob*", false),
            ("aa:bb:cc:00:00:02", false),
        ] {
            assert_eq!(
                admits(&When {
                    clients: list(&[pattern]),
                    ..When::default()
                }),
                fits,
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_condition_on_what_the_event_does_not_have_is_met_by_a_star_only() {
        assert!(!admits(&When {
            devices: list(&["Kitchen"]),
            ..When::default()
        }));
        assert!(admits(&When {
            devices: list(&["*"]),
            ..When::default()
        }));
        let mut with_device = event();
        with_device.device = Some(Device {
            name: Some("Kitchen".into()),
            ..Device::default()
        });
        assert!(
            Matcher::new(&When {
                devices: list(&["kit?hen"]),
                ..When::default()
            })
            .admits(&with_device)
        );
    }

    #[test]
    fn ssids_and_controllers() {
        assert!(admits(&When {
            ssids: list(&["guest?"]),
            controllers: list(&["ho*"]),
            ..When::default()
        }));
        assert!(!admits(&When {
            ssids: list(&["Home"]),
            ..When::default()
        }));
    }
}
