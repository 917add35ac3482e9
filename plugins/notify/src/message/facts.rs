//! Who, where and what: the facts below a message.

use super::when::{length, moment};
use super::{Fact, first_name, place};
use crate::text;
use std::fmt::Display;
use std::time::Duration;
use unifi_herald_plugin::{AlertState, Client, Device, Endpoint, Event, Text};

/// Longest a value may be, in characters: names of networks and devices are shorter, and what is longer is no name.
const LONGEST: text::Limit = text::Limit::chars(200);

/// The facts about `event` that are known, in this order.
pub(super) fn of(event: &Event) -> Vec<Fact> {
    let wan = event.wan.as_deref();
    let threat = event.threat.as_deref();
    let vpn = event.vpn.as_deref();
    let admin = event.admin.as_ref();
    let port = event.port.as_ref();
    let network = event.network.as_ref();
    let uplink = event
        .device
        .as_ref()
        .and_then(|device| device.uplink.as_deref());
    let known = [
        ("Site", Some(site(event))),
        ("Device", event.device.as_ref().and_then(device)),
        (
            "Uplink",
            uplink.and_then(|uplink| {
                named(
                    uplink.name.as_ref(),
                    [uplink.port.map(|port| format!("port {port}"))],
                )
            }),
        ),
        (
            "Port",
            port.and_then(|port| named(port.name.as_ref(), [port.number.map(text_of)])),
        ),
        ("Client", event.client.as_ref().and_then(client)),
        ("Wi-Fi", named(event.ssid.as_ref(), [])),
        (
            "Network",
            network.and_then(|network| {
                named(
                    network.name.as_ref(),
                    [network.vlan.map(|vlan| format!("VLAN {vlan}"))],
                )
            }),
        ),
        (
            "Internet",
            wan.and_then(|wan| {
                named(
                    wan.name.as_ref(),
                    [
                        wan.isp.as_ref().map(text_of),
                        wan.interface.as_ref().map(text_of),
                    ],
                )
            }),
        ),
        (
            "Admin",
            admin.and_then(|admin| named(admin.name.as_ref(), [admin.ip.as_ref().map(text_of)])),
        ),
        (
            "VPN",
            vpn.and_then(|vpn| {
                named(
                    vpn.name.as_ref(),
                    [vpn.kind.as_ref().map(text_of), vpn.ip.as_ref().map(text_of)],
                )
            }),
        ),
        (
            "Threat",
            threat.and_then(|threat| {
                named(
                    threat.signature.as_ref(),
                    [threat.category.as_ref().map(text_of)],
                )
            }),
        ),
        (
            "Action",
            threat.and_then(|threat| named(threat.action.as_ref(), [])),
        ),
        ("From", event.src.as_deref().and_then(endpoint)),
        ("To", event.dst.as_deref().and_then(endpoint)),
        (
            "Lost",
            event.gap.as_deref().map(|gap| {
                let count = gap
                    .count
                    .map(|count| format!("{count} events, "))
                    .unwrap_or_default();
                format!("{count}{} to {}", moment(gap.from), moment(gap.to))
            }),
        ),
        ("Reason", named(event.reason.as_ref(), [])),
    ];
    let facts = known.into_iter().chain(incident(event));
    facts
        .filter_map(|(name, value)| {
            let value = LONGEST.cut(&text::line(&value?));
            (!value.is_empty()).then_some(Fact { name, value })
        })
        .collect()
}

/// The site's name; with the controller's where that says more.
pub(super) fn site(event: &Event) -> String {
    let name = place(event).unwrap_or_default();
    let controller = text::line(&event.controller);
    if controller.is_empty() || controller.to_lowercase() == name.to_lowercase() {
        name
    } else {
        format!("{name} ({controller})")
    }
}

/// The name of what the event is about.
pub(super) fn subject(event: &Event) -> Option<String> {
    let client = event.client.as_ref();
    let device = event.device.as_ref();
    let name = first_name([
        client.and_then(|client| client.name.as_ref()),
        device.and_then(|device| device.name.as_ref()),
        event.wan.as_ref().and_then(|wan| wan.name.as_ref()),
        event.vpn.as_ref().and_then(|vpn| vpn.name.as_ref()),
        event.admin.as_ref().and_then(|admin| admin.name.as_ref()),
        event
            .network
            .as_ref()
            .and_then(|network| network.name.as_ref()),
    ]);
    let macs = [
        client.and_then(|client| client.mac),
        device.and_then(|device| device.mac),
    ];
    name.or_else(|| macs.into_iter().flatten().next().map(text_of))
}

/// How the incident stands, where it is more than begun.
fn incident(event: &Event) -> Vec<(&'static str, Option<String>)> {
    let Some(alert) = event.alert.as_deref() else {
        return Vec::new();
    };
    let over = alert.state == AlertState::Resolved;
    let lasts = Some(length(Duration::from_secs(alert.duration_s)));
    vec![
        (
            "Since",
            (alert.state != AlertState::Firing).then(|| moment(alert.since)),
        ),
        ("Lasted", lasts.filter(|_| over)),
        ("Events", (alert.count > 1).then(|| text_of(alert.count))),
    ]
}

fn device(device: &Device) -> Option<String> {
    named(
        device.name.as_ref(),
        [device.model.as_ref().map(text_of), device.mac.map(text_of)],
    )
}

fn client(client: &Client) -> Option<String> {
    let name = first_name([client.name.as_ref(), client.hostname.as_ref()]).map(Text::from);
    named(
        name.as_ref(),
        [client.mac.map(text_of), client.ip.as_ref().map(text_of)],
    )
}

fn endpoint(end: &Endpoint) -> Option<String> {
    let ip = end.ip.as_ref().map(|ip| match end.port {
        Some(port) if ip.contains(':') => format!("[{ip}]:{port}"),
        Some(port) => format!("{ip}:{port}"),
        None => ip.to_string(),
    });
    named(end.name.as_ref(), [ip, end.mac.map(text_of)])
}

/// `Kitchen (U6-Lite, f0:9f:c2:00:00:02)`; what is not known is left out.
fn named<const N: usize>(name: Option<&Text>, more: [Option<String>; N]) -> Option<String> {
    let more: Vec<String> = more
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    let more = more.join(", ");
    match (name.filter(|name| !name.is_empty()), more.is_empty()) {
        (Some(name), true) => Some(name.to_string()),
        (Some(name), false) => Some(format!("{name} ({more})")),
        (None, false) => Some(more),
        (None, true) => None,
    }
}

fn text_of(value: impl Display) -> String {
    value.to_string()
}
