//! Words for every kind of event: what to say when it begins and when it is over, for whoever wrote no template.

use unifi_herald_plugin::{Event, Kind};

/// Who or what a sentence is about.
#[derive(Clone, Copy)]
enum About {
    Client,
    Device,
    Port,
    Ssid,
    Network,
    Wan,
    Vpn,
    Threat,
    Admin,
    Site,
    Controller,
}

use About::{Admin, Client, Controller, Device, Network, Port, Site, Ssid, Threat, Vpn, Wan};

/// Of each kind: whom it is about, what it does, and what can be said when that is over.
const WORDS: &[(Kind, About, &str, &str)] = &[
    (
        Kind::UNKNOWN,
        Site,
        "reports something unknown",
        "reports it no more",
    ),
    (Kind::CLIENT_CONNECTED, Client, "connected", "is gone again"),
    (Kind::CLIENT_DISCONNECTED, Client, "disconnected", "is back"),
    (Kind::CLIENT_ROAMED, Client, "roamed", "roams no more"),
    (
        Kind::CLIENT_ROAMED_RADIO,
        Client,
        "changed radio",
        "stays on its radio",
    ),
    (
        Kind::CLIENT_BLOCKED,
        Client,
        "was blocked",
        "is no longer blocked",
    ),
    (
        Kind::CLIENT_UNBLOCKED,
        Client,
        "was unblocked",
        "is blocked again",
    ),
    (
        Kind::CLIENT_FIRST_SEEN,
        Client,
        "was seen for the first time",
        "is gone again",
    ),
    (
        Kind::GUEST_AUTHORIZED,
        Client,
        "was authorized as a guest",
        "is no longer a guest",
    ),
    (
        Kind::GUEST_UNAUTHORIZED,
        Client,
        "is no longer authorized as a guest",
        "is a guest again",
    ),
    (
        Kind::GUEST_EXPIRED,
        Client,
        "has no time left as a guest",
        "is a guest again",
    ),
    (
        Kind::GUEST_VOUCHER_USED,
        Client,
        "used a voucher",
        "is no longer a guest",
    ),
    (
        Kind::GUEST_PAID,
        Client,
        "paid for guest access",
        "is no longer a guest",
    ),
    (Kind::DEVICE_ONLINE, Device, "is online", "is offline again"),
    (Kind::DEVICE_OFFLINE, Device, "is offline", "is back online"),
    (Kind::DEVICE_RESTARTED, Device, "restarted", "is up again"),
    (Kind::DEVICE_ADOPTED, Device, "was adopted", "is settled"),
    (
        Kind::DEVICE_READOPTED,
        Device,
        "was adopted again",
        "is settled",
    ),
    (
        Kind::DEVICE_REMOVED,
        Device,
        "was removed",
        "is there again",
    ),
    (
        Kind::DEVICE_DISCOVERED,
        Device,
        "was found and waits for adoption",
        "waits no more",
    ),
    (
        Kind::DEVICE_UPGRADE_SCHEDULED,
        Device,
        "is scheduled for an upgrade",
        "is no longer scheduled for an upgrade",
    ),
    (
        Kind::DEVICE_UPGRADING,
        Device,
        "is being upgraded",
        "is through with its upgrade",
    ),
    (
        Kind::DEVICE_UPGRADED,
        Device,
        "was upgraded",
        "is settled after its upgrade",
    ),
    (
        Kind::DEVICE_UPGRADE_FAILED,
        Device,
        "could not be upgraded",
        "got over its failed upgrade",
    ),
    (
        Kind::DEVICE_ISOLATED,
        Device,
        "is isolated",
        "is no longer isolated",
    ),
    (
        Kind::DEVICE_OVERHEATED,
        Device,
        "is too hot",
        "is no longer too hot",
    ),
    (
        Kind::DEVICE_CONFIG_ERROR,
        Device,
        "has a wrong configuration",
        "has a working configuration",
    ),
    (
        Kind::WIFI_CHANNEL_CHANGED,
        Device,
        "changed its channel",
        "stays on its channel",
    ),
    (
        Kind::WIFI_RADAR,
        Device,
        "heard radar",
        "hears no more radar",
    ),
    (
        Kind::WIFI_INTERFERENCE,
        Device,
        "suffers from interference",
        "suffers no more from interference",
    ),
    (
        Kind::WIFI_ROGUE_AP,
        Ssid,
        "is announced by a foreign access point",
        "is announced by no foreign access point",
    ),
    (
        Kind::WIFI_OPTIMIZED,
        Site,
        "has its radios optimized",
        "is through with optimizing",
    ),
    (
        Kind::PORT_POE_OVERLOAD,
        Port,
        "asks for too much power",
        "asks for no more than there is",
    ),
    (
        Kind::PORT_POE_OFF,
        Port,
        "gives no more power",
        "gives power again",
    ),
    (
        Kind::PORT_LOOP,
        Port,
        "is part of a loop",
        "is no longer part of a loop",
    ),
    (
        Kind::PORT_STP_BLOCKED,
        Port,
        "is blocked by spanning tree",
        "is no longer blocked",
    ),
    (
        Kind::PORT_OUTLET_CYCLED,
        Port,
        "had its power cycled",
        "has power again",
    ),
    (
        Kind::NETWORK_ROGUE_DHCP,
        Network,
        "has a foreign DHCP server",
        "has no foreign DHCP server any more",
    ),
    (
        Kind::NETWORK_DHCP_EXHAUSTED,
        Network,
        "has no addresses left",
        "has addresses again",
    ),
    (
        Kind::NETWORK_IP_CONFLICT,
        Network,
        "has an address used twice",
        "has every address used once",
    ),
    (Kind::WAN_UP, Wan, "is up", "is down again"),
    (Kind::WAN_DOWN, Wan, "is down", "is back up"),
    (
        Kind::WAN_FAILOVER,
        Wan,
        "has taken over",
        "is no longer needed in place of another",
    ),
    (
        Kind::WAN_DEGRADED,
        Wan,
        "is degraded",
        "is as good as before",
    ),
    (Kind::WAN_TRANSITION, Wan, "changed its state", "is settled"),
    (
        Kind::LTE_CONNECTED,
        Device,
        "is connected by LTE",
        "is no longer connected by LTE",
    ),
    (
        Kind::LTE_DISCONNECTED,
        Device,
        "lost its LTE connection",
        "has its LTE connection again",
    ),
    (
        Kind::LTE_LIMIT,
        Device,
        "used up its LTE data",
        "has LTE data again",
    ),
    (
        Kind::VPN_CONNECTED,
        Vpn,
        "is connected",
        "is no longer connected",
    ),
    (
        Kind::VPN_DISCONNECTED,
        Vpn,
        "is disconnected",
        "is connected again",
    ),
    (
        Kind::THREAT_DETECTED,
        Threat,
        "was detected",
        "was not seen again",
    ),
    (
        Kind::THREAT_BLOCKED,
        Threat,
        "was blocked",
        "was not seen again",
    ),
    (
        Kind::THREAT_HONEYPOT,
        Threat,
        "touched the honeypot",
        "was not seen again",
    ),
    (
        Kind::TRAFFIC_BLOCKED,
        Threat,
        "was blocked by the firewall",
        "was not seen again",
    ),
    (
        Kind::ADMIN_LOGIN,
        Admin,
        "logged in",
        "is no longer logged in",
    ),
    (
        Kind::ADMIN_LOGIN_FAILED,
        Admin,
        "could not log in",
        "fails no more to log in",
    ),
    (
        Kind::ADMIN_CHANGE,
        Admin,
        "changed the configuration",
        "changes nothing any more",
    ),
    (
        Kind::ADMIN_BACKUP,
        Admin,
        "made a backup",
        "is through with the backup",
    ),
    (
        Kind::ADMIN_VOUCHER_CREATED,
        Admin,
        "made vouchers",
        "makes no more vouchers",
    ),
    (
        Kind::ADMIN_VOUCHER_DELETED,
        Admin,
        "deleted vouchers",
        "deletes no more vouchers",
    ),
    (
        Kind::POWER_DENIED,
        Device,
        "was denied power",
        "has power again",
    ),
    (
        Kind::POWER_OVERLOAD,
        Device,
        "gives more power than it can",
        "gives no more power than it can",
    ),
    (
        Kind::SYSTEM_UPDATE_AVAILABLE,
        Controller,
        "has an update",
        "is up to date",
    ),
    (
        Kind::SYSTEM_NOTICE,
        Site,
        "has a notice",
        "has no more notices",
    ),
    (
        Kind::HERALD_CONNECTED,
        Controller,
        "is connected to herald",
        "is no longer connected to herald",
    ),
    (
        Kind::HERALD_DISCONNECTED,
        Controller,
        "is disconnected from herald",
        "is connected to herald again",
    ),
    (
        Kind::HERALD_GAP,
        Site,
        "has a gap in its events",
        "has no more gaps in its events",
    ),
    (
        Kind::HERALD_BLIND,
        Controller,
        "tells herald nothing any more",
        "tells herald of its events again",
    ),
    (
        Kind::HERALD_SINK_DOWN,
        Site,
        "has a sink that takes nothing",
        "has a sink that works again",
    ),
    (
        Kind::HERALD_SINK_UP,
        Site,
        "has a sink that works again",
        "has a sink that takes nothing again",
    ),
    (
        Kind::HERALD_STORE_DEGRADED,
        Site,
        "has a store that takes nothing",
        "has a store that works again",
    ),
    (
        Kind::ALERT_FIRING,
        Site,
        "has an incident",
        "has no incident any more",
    ),
    (
        Kind::ALERT_REPEATED,
        Site,
        "still has an incident",
        "has no incident any more",
    ),
    (
        Kind::ALERT_RESOLVED,
        Site,
        "has no incident any more",
        "has an incident again",
    ),
    (
        Kind::ALERT_FOLDED,
        Site,
        "has incidents that another explains",
        "has no incident any more",
    ),
    (
        Kind::DIGEST_READY,
        Site,
        "has a digest",
        "has no digest any more",
    ),
];

/// What happened.
pub(super) fn begun(event: &Event) -> String {
    if !event.summary.is_empty() {
        return event.summary.to_string();
    }
    let (about, begun, _) = of(event.kind);
    format!("{} {begun}", name(event, about))
}

/// What can be said when it is over.
pub(super) fn over(event: &Event) -> String {
    let (about, _, over) = of(event.kind);
    format!("{} {over}", name(event, about))
}

fn of(kind: Kind) -> (About, &'static str, &'static str) {
    let words = WORDS.iter().find(|(of, ..)| *of == kind);
    words.map_or(
        (Site, "reports something", "reports it no more"),
        |(_, about, begun, over)| (*about, begun, over),
    )
}

/// Its name, else its address, else what it is.
fn name(event: &Event, about: About) -> String {
    let known = match about {
        Client => event.client.as_ref().and_then(|client| {
            let named = client.name.as_ref().or(client.hostname.as_ref());
            let named = named.map(ToString::to_string);
            named.or_else(|| client.mac.map(|mac| mac.to_string()))
        }),
        Device => device(event),
        Port => port(event),
        Ssid => event.ssid.as_ref().map(ToString::to_string),
        Network => event
            .network
            .as_ref()
            .and_then(|network| network.name.as_ref())
            .map(ToString::to_string),
        Wan => event
            .wan
            .as_ref()
            .and_then(|wan| wan.name.as_ref())
            .map(ToString::to_string),
        Vpn => event
            .vpn
            .as_ref()
            .and_then(|vpn| vpn.name.as_ref())
            .map(ToString::to_string),
        Threat => event
            .threat
            .as_ref()
            .and_then(|threat| threat.signature.as_ref())
            .map(ToString::to_string),
        Admin => event
            .admin
            .as_ref()
            .and_then(|admin| admin.name.as_ref())
            .map(ToString::to_string),
        Site => site(event),
        Controller => Some(event.controller.to_string()),
    };
    known
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| nameless(about).to_owned())
}

fn nameless(about: About) -> &'static str {
    match about {
        Client => "A client",
        Device => "A device",
        Port => "A port",
        Ssid => "A wireless network",
        Network => "A network",
        Wan => "The internet connection",
        Vpn => "A VPN",
        Threat => "A threat",
        Admin => "An administrator",
        Site => "The network",
        Controller => "The controller",
    }
}

fn device(event: &Event) -> Option<String> {
    let device = event.device.as_ref()?;
    let name = device.name.as_ref().map(ToString::to_string);
    name.or_else(|| device.mac.map(|mac| mac.to_string()))
}

fn port(event: &Event) -> Option<String> {
    let port = event.port.as_ref()?;
    let name = match (&port.name, port.number) {
        (Some(name), _) => name.to_string(),
        (None, Some(number)) => format!("Port {number}"),
        (None, None) => return None,
    };
    Some(match device(event) {
        Some(device) => format!("{name} of {device}"),
        None => name,
    })
}

fn site(event: &Event) -> Option<String> {
    let name = if event.site_name.is_empty() {
        &event.site
    } else {
        &event.site_name
    };
    Some(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use unifi_herald_plugin::Timestamp;
    use unifi_herald_plugin::testing::EventBuilder;

    #[test]
    fn every_kind_has_words_whatever_is_known_of_it() {
        assert!(
            Kind::ALL
                .iter()
                .copied()
                .eq(WORDS.iter().map(|(kind, ..)| *kind))
        );
        for kind in Kind::ALL {
            let known = EventBuilder::new(*kind).summary("").build();
            let bare = Event::new(*kind, "1", Timestamp::from_millis(0));
            for event in [known, bare] {
                for sentence in [begun(&event), over(&event)] {
                    assert!(
                        sentence.split(' ').count() > 2 || sentence.len() > 12,
                        "{kind}: {sentence}"
                    );
                    assert!(!sentence.starts_with(' '), "{kind}: {sentence}");
                }
                assert_ne!(begun(&event), over(&event), "{kind}");
            }
        }
    }

    #[test]
    fn the_summary_is_the_better_sentence() {
        let event = EventBuilder::new(Kind::DEVICE_OFFLINE)
            .summary("Attic is offline")
            .build();
        assert_eq!(begun(&event), "Attic is offline");
        assert!(
            over(&event).ends_with(" is back online"),
            "{}",
            over(&event)
        );
    }
}
