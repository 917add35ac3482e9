//! `client.first_seen`: made of the event that was the first to name a client.

use crate::own_event::hashed_id;
use unifi_herald_plugin::{Client, Event, Kind, Mac, Origin};

/// Whether an event of this kind says that its client is there: not that it left, nor what somebody decided about it,
/// and not what herald does not understand.
pub(super) fn tells_of_presence(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::UNKNOWN
            | Kind::CLIENT_DISCONNECTED
            | Kind::CLIENT_BLOCKED
            | Kind::CLIENT_UNBLOCKED
            | Kind::GUEST_UNAUTHORIZED
            | Kind::GUEST_EXPIRED
            | Kind::VPN_DISCONNECTED
    )
}

/// The event that `client` of `parent` makes: about the same client at the same place and time.
pub(super) fn announce(parent: &Event, client: &Client, mac: Mac) -> Event {
    let kind = Kind::CLIENT_FIRST_SEEN;
    let id = hashed_id(&[&parent.id, kind.as_str(), &mac.to_string()], parent.time);
    let mut event = Event::new(kind, id, parent.time);
    event.received = parent.received;
    event.controller = parent.controller.clone();
    event.site = parent.site.clone();
    event.site_name = parent.site_name.clone();
    event.origin = Origin::Derived;
    event.client = Some(client.clone());
    event.device = parent.device.clone();
    event.to = parent.to.clone();
    event.ssid = parent.ssid.clone();
    event.port = parent.port.clone();
    event.network = parent.network.clone();
    event.summary = summary(parent, client, mac).into();
    event
}

/// `anna-phone (random address) joined Home for the first time, at Attic`.
fn summary(parent: &Event, client: &Client, mac: Mac) -> String {
    let name = match &client.name {
        Some(name) => name.to_string(),
        None => mac.to_string(),
    };
    let random = if client.random_mac {
        " (random address)"
    } else {
        ""
    };
    let network = parent.ssid.as_ref().unwrap_or(&parent.site_name);
    let network = if network.is_empty() {
        "the network"
    } else {
        network
    };
    let device = parent.device.as_ref();
    let place = device.and_then(|device| device.name.as_ref());
    let place = place.map_or_else(String::new, |place| format!(", at {place}"));
    format!("{name}{random} joined {network} for the first time{place}")
}
