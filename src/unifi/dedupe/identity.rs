//! What tells one event from another: its kind, its time and its subjects.

use std::time::Duration;
use unifi_herald_plugin::{Device, Endpoint, Event, Kind, Mac, Place, Text, Timestamp};

/// Length of the stretches of time in which waiting events are filed; longer than the window, so that mostly one
/// stretch has to be looked at.
const STRETCH_MS: i64 = 16_000;

/// Where a waiting event is filed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    kind: Kind,
    stretch: i64,
    subject: Subject,
}

/// One subject by which twins find each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Client(Mac),
    Device(Mac),
    SrcMac(Mac),
    SrcIp(Text),
    DstMac(Mac),
    DstIp(Text),
    WanName(Text),
    WanInterface(Text),
    Admin(Text),
    Vpn(Text),
}

/// Kind, time and subjects of an event, without the event.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    kind: Kind,
    pub(super) time: Timestamp,
    client: Option<Mac>,
    device: Option<Mac>,
    from: End,
    to: End,
    ssid: Option<Text>,
    port: Option<u32>,
    network: Option<Text>,
    rare: Option<Box<Rare>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct End {
    device: Option<Mac>,
    channel: Option<u32>,
}

/// Subjects that few events have.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    wan_name: Option<Text>,
    wan_interface: Option<Text>,
    admin: Option<Text>,
    vpn: Option<Text>,
    voucher: Option<Text>,
    signature: Option<Text>,
    src: Flow,
    dst: Flow,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Flow {
    mac: Option<Mac>,
    ip: Option<Text>,
    port: Option<u16>,
}

impl Identity {
    pub(super) fn of(event: &Event) -> Self {
        let device = |device: Option<&Device>| device.and_then(|device| device.mac);
        let end = |place: Option<&Place>| End {
            device: device(place.and_then(|place| place.device.as_ref())),
            channel: place.and_then(|place| place.channel),
        };
        let has_rare = event.wan.is_some()
            || event.admin.is_some()
            || event.vpn.is_some()
            || event.voucher.is_some()
            || event.threat.is_some()
            || event.src.is_some()
            || event.dst.is_some();
        Self {
            kind: event.kind,
            time: event.time,
            client: event.client.as_ref().and_then(|client| client.mac),
            device: device(event.device.as_ref()),
            from: end(event.from.as_ref()),
            to: end(event.to.as_ref()),
            ssid: event.ssid.clone(),
            port: event.port.as_ref().and_then(|port| port.number),
            network: event
                .network
                .as_ref()
                .and_then(|network| network.name.clone()),
            rare: has_rare.then(|| Box::new(Rare::of(event))),
        }
    }

    /// Whether no subject that both name differs, and at least one is the same.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let none = Rare::default();
        let (ours, theirs) = (
            self.rare.as_deref().unwrap_or(&none),
            other.rare.as_deref().unwrap_or(&none),
        );
        let mut shared = false;
        let mut agree = |same: Option<bool>| {
            shared |= same == Some(true);
            same != Some(false)
        };
        // These make one event out of two reports …
        let subjects = agree(both(&self.client, &other.client))
            && agree(both(&self.device, &other.device))
            && agree(both(&ours.src.mac, &theirs.src.mac))
            && agree(both(&ours.src.ip, &theirs.src.ip))
            && agree(both(&ours.dst.mac, &theirs.dst.mac))
            && agree(both(&ours.dst.ip, &theirs.dst.ip))
            && agree(both(&ours.wan_name, &theirs.wan_name))
            && agree(both(&ours.wan_interface, &theirs.wan_interface))
            && agree(both(&ours.admin, &theirs.admin))
            && agree(both(&ours.vpn, &theirs.vpn));
        // … and these only keep two events apart: many have the same.
        let circumstances = || {
            let apart = [
                both(&self.from.device, &other.from.device),
                both(&self.to.device, &other.to.device),
                both(&self.from.channel, &other.from.channel),
                both(&self.to.channel, &other.to.channel),
                both(&self.ssid, &other.ssid),
                both(&self.port, &other.port),
                both(&self.network, &other.network),
                both(&ours.src.port, &theirs.src.port),
                both(&ours.dst.port, &theirs.dst.port),
                both(&ours.voucher, &theirs.voucher),
                both(&ours.signature, &theirs.signature),
            ];
            !apart.contains(&Some(false))
        };
        self.kind == other.kind && subjects && shared && circumstances()
    }

    /// Call `each` with every key under which this event is filed.
    pub(super) fn keys(&self, each: impl FnMut(Key)) {
        self.keys_in(self.stretch(self.time), each);
    }

    /// Call `each` with every key under which an event at most `window` away may be filed.
    pub(super) fn keys_nearby(&self, window: Duration, mut each: impl FnMut(Key)) {
        let (first, last) = (
            self.stretch(self.time - window),
            self.stretch(self.time + window),
        );
        for stretch in first..=last {
            self.keys_in(stretch, &mut each);
        }
    }

    fn stretch(&self, time: Timestamp) -> i64 {
        time.as_millis().div_euclid(STRETCH_MS)
    }

    fn keys_in(&self, stretch: i64, mut each: impl FnMut(Key)) {
        let mut file = |subject: Option<Subject>| {
            if let Some(subject) = subject {
                each(Key {
                    kind: self.kind,
                    stretch,
                    subject,
                });
            }
        };
        file(self.client.map(Subject::Client));
        if self.client.is_some() && matches!(self.kind.category(), "client" | "guest") {
            // Every report of these names the client; the device would gather all clients of an access point.
            return;
        }
        file(self.device.map(Subject::Device));
        if let Some(rare) = &self.rare {
            file(rare.src.mac.map(Subject::SrcMac));
            file(rare.src.ip.clone().map(Subject::SrcIp));
            file(rare.dst.mac.map(Subject::DstMac));
            file(rare.dst.ip.clone().map(Subject::DstIp));
            file(rare.wan_name.clone().map(Subject::WanName));
            file(rare.wan_interface.clone().map(Subject::WanInterface));
            file(rare.admin.clone().map(Subject::Admin));
            file(rare.vpn.clone().map(Subject::Vpn));
        }
    }
}

impl Rare {
    fn of(event: &Event) -> Self {
        let flow = |end: Option<&Endpoint>| {
            end.map_or_else(Flow::default, |end| Flow {
                mac: end.mac,
                ip: end.ip.clone(),
                port: end.port,
            })
        };
        let wan = event.wan.as_deref();
        Self {
            wan_name: wan.and_then(|wan| wan.name.clone()),
            wan_interface: wan.and_then(|wan| wan.interface.clone()),
            admin: event.admin.as_ref().and_then(|admin| admin.name.clone()),
            vpn: event.vpn.as_ref().and_then(|vpn| vpn.name.clone()),
            voucher: event
                .voucher
                .as_ref()
                .and_then(|voucher| voucher.code.clone()),
            signature: event
                .threat
                .as_ref()
                .and_then(|threat| threat.signature.clone()),
            src: flow(event.src.as_deref()),
            dst: flow(event.dst.as_deref()),
        }
    }
}

/// Whether two values are the same, when both are there.
fn both<T: PartialEq>(ours: &Option<T>, theirs: &Option<T>) -> Option<bool> {
    Some(ours.as_ref()? == theirs.as_ref()?)
}

/// Whether an id is one of the controller's database: 24 hexadecimal digits.
pub(super) fn is_object_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}
