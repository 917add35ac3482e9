//! Made-up events that look like real ones and are the same on every run.

use crate::{
    Admin, Alert, AlertState, Band, BufferedEvent, Client, Device, Digest, DigestIncident,
    DigestTop, Endpoint, Event, Gap, Kind, Mac, Network, Origin, Place, Port, Raw, Severity, Text,
    Threat, Timestamp, Uplink, Voucher, Vpn, Wan,
};
use std::sync::Arc;
use std::time::Duration;

/// When made-up events happen, and where the clock of the test kit's context starts:
/// 2026-11-22T17:21:13.440Z.
pub const START: Timestamp = Timestamp::from_millis(1_795_368_073_440);

/// An event of `kind` with the subjects such an event has, and a summary.
#[must_use]
pub fn event(kind: Kind) -> Event {
    EventBuilder::new(kind).build()
}

/// `count` events of different kinds, one a second from [`START`], with ids `test-1`, `test-2`, … and those numbers as `seq`.
#[must_use]
pub fn batch(count: usize) -> Vec<BufferedEvent> {
    (1..=count as u64).map(buffered).collect()
}

/// The event number `seq` of an endless [`batch`].
#[must_use]
pub fn buffered(seq: u64) -> BufferedEvent {
    const KINDS: [Kind; 5] = [
        Kind::CLIENT_CONNECTED,
        Kind::CLIENT_ROAMED,
        Kind::DEVICE_OFFLINE,
        Kind::DEVICE_ONLINE,
        Kind::WAN_DOWN,
    ];
    let kind = KINDS[(seq % KINDS.len() as u64) as usize];
    EventBuilder::new(kind)
        .id(&format!("test-{seq}"))
        .time(START + Duration::from_secs(seq.saturating_sub(1)))
        .buffered(seq)
}

/// Makes one event; starts with everything filled in that events of the kind have.
#[derive(Clone, Debug)]
pub struct EventBuilder(Event);

impl EventBuilder {
    /// An event of `kind` at [`START`] on the site `default` of the controller `home`.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let mut event = Event::new(kind, format!("test-{}", kind.as_str()), START);
        event.received = START + Duration::from_millis(72);
        event.controller = "home".into();
        event.site = "default".into();
        event.site_name = "Home".into();
        subjects(&mut event);
        event.summary = summary(&event);
        if matches!(kind.category(), "herald" | "alert" | "digest") {
            event.origin = Origin::Derived;
        } else {
            event.raw = Raw::parse(r#"{"_id":"5ee9f7ca453d4e00f3c04b57","key":"EVT_TEST"}"#).ok();
        }
        Self(event)
    }

    /// Set the id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.0.id = id.into();
        self
    }

    /// Set when it happened; it is received 72 ms later.
    #[must_use]
    pub fn time(mut self, time: Timestamp) -> Self {
        self.0.time = time;
        self.0.received = time + Duration::from_millis(72);
        self
    }

    /// Set controller, short name of the site, and its name for people.
    #[must_use]
    pub fn site(mut self, controller: &str, site: &str, name: &str) -> Self {
        self.0.controller = controller.into();
        self.0.site = site.into();
        self.0.site_name = name.into();
        self
    }

    /// Set the line for people.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.0.summary = summary.into();
        self
    }

    /// Set how much it matters.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.0.severity = severity;
        self
    }

    /// Set the client's name and host name.
    #[must_use]
    pub fn client_name(mut self, name: &str) -> Self {
        let client = self.0.client.get_or_insert_with(Client::default);
        client.name = Some(name.into());
        client.hostname = Some(name.into());
        self
    }

    /// Set what a script added.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Change anything else.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Event)) -> Self {
        change(&mut self.0);
        self
    }

    /// The event.
    #[must_use]
    pub fn build(self) -> Event {
        self.0
    }

    /// The event with its place in the host's order.
    #[must_use]
    pub fn buffered(self, seq: u64) -> BufferedEvent {
        BufferedEvent {
            seq,
            event: Arc::new(self.0),
        }
    }
}

/// Fill in what events of this kind are about.
fn subjects(event: &mut Event) {
    match event.kind.category() {
        "client" => client(event),
        "guest" => {
            client(event);
            if let Some(client) = &mut event.client {
                client.guest = true;
            }
            event.ssid = text("Guests");
            if event.kind == Kind::GUEST_VOUCHER_USED {
                event.voucher = Some(voucher());
            }
        }
        "device" | "wifi" | "power" => event.device = Some(access_point(2, "Kitchen")),
        "port" => {
            event.device = Some(switch());
            event.port = Some(Port {
                number: Some(7),
                name: text("Camera"),
            });
        }
        "network" => {
            event.network = Some(Network {
                name: text("IoT"),
                vlan: Some(20),
            });
        }
        "wan" | "lte" => {
            event.wan = Some(Box::new(Wan {
                name: text("WAN"),
                interface: text("eth8"),
                isp: text("Example Telecom"),
            }));
        }
        "vpn" => {
            event.vpn = Some(Box::new(Vpn {
                name: text("anna"),
                kind: text("wireguard"),
                ip: text("198.51.100.4"),
            }));
        }
        "threat" | "traffic" => threat(event),
        "admin" => admin(event),
        "herald" => event.reason = text("socket closed"),
        "alert" => alert(event),
        "digest" => event.digest = Some(Box::new(digest())),
        _ => {}
    }
    if event.kind == Kind::HERALD_GAP {
        event.gap = Some(Box::new(Gap {
            from: START,
            to: START + Duration::from_secs(30),
            count: Some(3),
        }));
    }
}

fn client(event: &mut Event) {
    event.client = Some(Client {
        mac: Some(Mac::new([0xaa, 0xbb, 0xcc, 0, 0, 1])),
        name: text("Anna's iPhone"),
        hostname: text("iphone"),
        ip: text("192.0.2.17"),
        ..Client::default()
    });
    event.device = Some(access_point(2, "Kitchen"));
    event.ssid = text("Home");
    if event.kind == Kind::CLIENT_ROAMED {
        event.from = Some(place(1, "Attic", 36));
        event.to = Some(place(2, "Kitchen", 44));
    }
}

fn threat(event: &mut Event) {
    event.threat = Some(Box::new(Threat {
        signature: text("ET MALWARE Suspicious User Agent"),
        category: text("A Network Trojan was Detected"),
        action: text("blocked"),
        direction: text("outgoing"),
    }));
    event.src = Some(Box::new(Endpoint {
        ip: text("192.0.2.17"),
        port: Some(50_112),
        mac: Some(Mac::new([0xaa, 0xbb, 0xcc, 0, 0, 1])),
        name: text("Anna's iPhone"),
    }));
    event.dst = Some(Box::new(Endpoint {
        ip: text("203.0.113.9"),
        port: Some(443),
        ..Endpoint::default()
    }));
}

fn admin(event: &mut Event) {
    event.admin = Some(Admin {
        name: text("anna"),
        ip: text("192.0.2.10"),
    });
    if matches!(
        event.kind,
        Kind::ADMIN_VOUCHER_CREATED | Kind::ADMIN_VOUCHER_DELETED
    ) {
        event.voucher = Some(voucher());
    }
}

fn voucher() -> Voucher {
    Voucher {
        code: text("12345-67890"),
        count: Some(1),
    }
}

/// An access point that is offline, three minutes ago if that is over.
fn alert(event: &mut Event) {
    let states = [
        AlertState::Firing,
        AlertState::Repeated,
        AlertState::Resolved,
        AlertState::Folded,
    ];
    let state = states.into_iter().find(|state| state.kind() == event.kind);
    let state = state.unwrap_or(AlertState::Firing);
    let mut alert = Alert::new("5ee9f7ca453d4e00f3c04b57", "device_down", START);
    alert.key = "f0:9f:c2:00:00:02".into();
    alert.state = state;
    alert.severity = Severity::Critical;
    alert.title = "Kitchen is offline".into();
    alert.body = "U6-Lite on port 2 of SW-Core".into();
    alert.events = vec!["test-device.offline".into()];
    match state {
        AlertState::Firing => {}
        AlertState::Repeated => alert.duration_s = 6 * 3600,
        AlertState::Resolved => {
            alert.title = "Kitchen is back after 3 min".into();
            alert.duration_s = 180;
            alert.until = Some(START + Duration::from_mins(3));
            alert.count = 2;
            alert.events.push("test-device.online".into());
        }
        AlertState::Folded => {
            alert.body = "With it: Attic, Garage".into();
            alert.count = 3;
        }
    }
    event.severity = match state {
        AlertState::Resolved => Severity::Notice,
        AlertState::Firing | AlertState::Repeated | AlertState::Folded => alert.severity,
    };
    event.device = Some(access_point(2, "Kitchen"));
    event.alert = Some(Box::new(alert));
}

/// A day with an incident.
fn digest() -> Digest {
    let mut alert = Alert::new("5ee9f7ca453d4e00f3c04b57", "device_down", START);
    alert.severity = Severity::Critical;
    alert.title = "Kitchen is offline".into();
    alert.until = Some(START + Duration::from_mins(3));
    let counts = [("client.connected", 42), ("device.offline", 1)];
    Digest {
        name: "daily".into(),
        since: START,
        until: START + Duration::from_hours(24),
        counts: counts.map(|(kind, count)| (kind.into(), count)).into(),
        incidents: vec![DigestIncident::of(&alert)],
        top: vec![DigestTop::new("client", "Anna's iPhone", 17)],
    }
}

fn access_point(number: u8, name: &str) -> Device {
    Device {
        mac: Some(Mac::new([0xf0, 0x9f, 0xc2, 0, 0, number])),
        name: text(name),
        model: text("U6-Lite"),
        kind: text("ap"),
        uplink: Some(Box::new(Uplink {
            mac: Some(Mac::new([0xf0, 0x9f, 0xc2, 0, 1, 1])),
            name: text("SW-Core"),
            port: Some(u32::from(number)),
        })),
    }
}

fn switch() -> Device {
    Device {
        mac: Some(Mac::new([0xf0, 0x9f, 0xc2, 0, 1, 1])),
        name: text("SW-Core"),
        model: text("USW-24-PoE"),
        kind: text("switch"),
        uplink: None,
    }
}

fn place(number: u8, name: &str, channel: u32) -> Place {
    Place {
        device: Some(Device {
            mac: Some(Mac::new([0xf0, 0x9f, 0xc2, 0, 0, number])),
            name: text(name),
            ..Device::default()
        }),
        channel: Some(channel),
        band: Some(Band::Ghz5),
    }
}

fn text(text: &str) -> Option<Text> {
    Some(text.into())
}

/// `Anna's iPhone: client roamed on Home`.
fn summary(event: &Event) -> Text {
    if let Some(alert) = &event.alert {
        return alert.title.clone();
    }
    let names = [
        event
            .client
            .as_ref()
            .and_then(|client| client.name.as_deref()),
        event
            .device
            .as_ref()
            .and_then(|device| device.name.as_deref()),
        event.wan.as_ref().and_then(|wan| wan.name.as_deref()),
        event.admin.as_ref().and_then(|admin| admin.name.as_deref()),
    ];
    let who = names.into_iter().flatten().next();
    let who = who.unwrap_or(&event.controller);
    let what = event.kind.as_str().replace(['.', '_'], " ");
    format!("{who}: {what} on {}", event.site_name).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fields;

    #[test]
    fn every_kind_makes_an_event_that_survives_json() {
        for kind in Kind::ALL {
            let event = EventBuilder::new(*kind).buffered(1);
            let read: BufferedEvent = serde_json::from_str(&event.to_json()).unwrap();
            assert_eq!(read, event, "{kind}");
            assert_eq!(event.to_json(), serde_json::to_string(&event).unwrap());
            assert!(!event.summary.is_empty());
            assert_eq!(event.alert.is_some(), kind.category() == "alert", "{kind}");
            let state = event.alert.as_ref().map(|alert| alert.state.kind());
            assert!(state.is_none_or(|state| state == *kind));
            assert_eq!(event.digest.is_some(), kind.category() == "digest");
            let has = |subject: bool| assert!(subject, "{kind} has what such events are about");
            match kind.category() {
                "client" | "guest" => has(event.client.is_some()),
                "device" | "wifi" | "power" | "port" => has(event.device.is_some()),
                "network" => has(event.network.is_some()),
                "wan" | "lte" => has(event.wan.is_some()),
                "vpn" => has(event.vpn.is_some()),
                "threat" | "traffic" => has(event.threat.is_some()),
                "admin" => has(event.admin.is_some()),
                "herald" => has(event.reason.is_some()),
                "alert" => {
                    let alert = event.alert.as_ref().unwrap();
                    assert_eq!(alert.state.kind(), *kind);
                }
                "digest" => has(event.digest.is_some()),
                "system" | "unknown" => {}
                other => panic!("say here what events of {other} are about"),
            }
        }
    }

    #[test]
    fn a_batch_is_the_same_every_time_and_its_ids_differ() {
        assert_eq!(batch(20), batch(20));
        let mut ids: Vec<_> = batch(20).into_iter().map(|e| e.event.id.clone()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 20);
        assert_eq!(&*ids[4], "test-5");
    }

    #[test]
    fn the_builder_changes_what_it_says() {
        let event = EventBuilder::new(Kind::CLIENT_CONNECTED)
            .site("office", "x1", "Office")
            .client_name("printer")
            .field("n", 1)
            .severity(Severity::Critical)
            .with(|event| event.ssid = None)
            .build();
        assert_eq!(&*event.controller, "office");
        assert_eq!(event.client.unwrap().hostname.as_deref(), Some("printer"));
        assert_eq!(
            event.fields,
            Fields::from_iter([("n".to_owned(), 1.into())])
        );
        assert_eq!(event.severity, Severity::Critical);
        assert!(event.ssid.is_none());
    }
}
