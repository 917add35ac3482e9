//! herald's own sentences, one for each kind that has one, built with the pieces that exist.

use super::pieces::{
    append, push, push_channel, push_client, push_device, push_endpoint, push_joined, push_place,
    push_radio, push_wan,
};
use crate::unifi::subjects::Details;
use unifi_herald_plugin::{Event, Kind};

/// Write the sentence for `event`; false when there is none or its subject is not known.
pub(super) fn write(line: &mut String, event: &Event, details: &Details<'_>) -> bool {
    let written = match event.kind.category() {
        "client" | "guest" => client(line, event, details),
        "device" => device(line, event, details),
        "wifi" => wifi(line, event),
        "port" => port(line, event),
        "network" => network(line, event),
        "wan" => wan(line, event, details),
        "vpn" => vpn(line, event),
        "threat" | "traffic" => threat(line, event, details),
        "admin" => admin(line, event),
        "system" => system(line, event, details),
        _ => None,
    };
    written.is_some()
}

/// Write what can be said without knowing anything but kind, key and device.
pub(super) fn fall_back(line: &mut String, event: &Event) {
    line.push_str(event.key.as_deref().unwrap_or(event.kind.as_str()));
    if let Some(device) = &event.device {
        let named = push_device(line, ": ", device);
        debug_assert!(named.is_some() || device.name.is_none());
    }
}

fn client(line: &mut String, event: &Event, details: &Details<'_>) -> Option<()> {
    push_client(line, event.client.as_ref()?)?;
    match event.kind {
        Kind::CLIENT_CONNECTED => {
            line.push_str(" connected");
            push_joined(line, " to ", where_to(event));
            push_place(line, " at ", event.device.as_ref());
            push_radio(line, None, event.to.as_ref());
        }
        Kind::CLIENT_DISCONNECTED => {
            line.push_str(" disconnected");
            push_joined(line, " from ", where_to(event));
            push_place(line, " at ", event.device.as_ref());
            push_joined(line, " after ", details.duration.as_deref());
        }
        Kind::CLIENT_ROAMED => {
            line.push_str(" roamed");
            push_place(
                line,
                " from ",
                event.from.as_ref().and_then(|place| place.device.as_ref()),
            );
            let to = event.to.as_ref().and_then(|place| place.device.as_ref());
            push_place(line, " to ", to.or(event.device.as_ref()));
            push_joined(line, " on ", event.ssid.as_deref());
            push_radio(line, event.from.as_ref(), event.to.as_ref());
        }
        Kind::CLIENT_ROAMED_RADIO => {
            line.push_str(" changed radio");
            push_place(line, " at ", event.device.as_ref());
            push_joined(line, " on ", event.ssid.as_deref());
            push_radio(line, event.from.as_ref(), event.to.as_ref());
        }
        Kind::CLIENT_BLOCKED | Kind::CLIENT_UNBLOCKED => {
            let unblocked = event.kind == Kind::CLIENT_UNBLOCKED;
            line.push_str(if unblocked {
                " was unblocked"
            } else {
                " was blocked"
            });
            push_by(line, event);
        }
        Kind::GUEST_AUTHORIZED => {
            line.push_str(" was authorized as a guest");
            push_by(line, event);
            push_joined(line, " for ", details.duration.as_deref());
        }
        Kind::GUEST_UNAUTHORIZED => {
            line.push_str(" is no longer authorized as a guest");
            push_by(line, event);
        }
        Kind::GUEST_EXPIRED => line.push_str("'s time as a guest is over"),
        // The code itself opens the guest network, and a summary goes everywhere.
        Kind::GUEST_VOUCHER_USED => line.push_str(" used a voucher"),
        Kind::GUEST_PAID => line.push_str(" paid for guest access"),
        _ => return None,
    }
    Some(())
}

fn device(line: &mut String, event: &Event, details: &Details<'_>) -> Option<()> {
    push_device(line, "", event.device.as_ref()?)?;
    match event.kind {
        Kind::DEVICE_ONLINE => line.push_str(" is online"),
        Kind::DEVICE_OFFLINE => line.push_str(" is offline"),
        Kind::DEVICE_RESTARTED => {
            let told = admin_name(event).is_some();
            line.push_str(if told { " was restarted" } else { " restarted" });
            push_by(line, event);
        }
        Kind::DEVICE_ADOPTED => {
            line.push_str(" was adopted");
            push_by(line, event);
        }
        Kind::DEVICE_READOPTED => line.push_str(" was adopted again"),
        Kind::DEVICE_REMOVED => {
            line.push_str(" was removed");
            push_by(line, event);
        }
        Kind::DEVICE_DISCOVERED => line.push_str(" was found and waits for adoption"),
        Kind::DEVICE_UPGRADE_SCHEDULED => {
            line.push_str(" is scheduled for an upgrade");
            push_by(line, event);
        }
        Kind::DEVICE_UPGRADING => {
            line.push_str(" is being upgraded");
            push_by(line, event);
        }
        Kind::DEVICE_UPGRADED => {
            line.push_str(" was upgraded");
            push_joined(line, " from ", details.version_from.as_deref());
            push_joined(line, " to ", details.version_to.as_deref());
        }
        Kind::DEVICE_ISOLATED => line.push_str(" is isolated: it has no uplink"),
        Kind::DEVICE_OVERHEATED => line.push_str(" is too hot"),
        // Failures have many causes; the controller's words name them.
        _ => return None,
    }
    Some(())
}

fn wifi(line: &mut String, event: &Event) -> Option<()> {
    let device = event.device.as_ref();
    match event.kind {
        Kind::WIFI_CHANNEL_CHANGED => {
            push_device(line, "", device?)?;
            line.push_str(" changed its channel");
            push_radio(line, event.from.as_ref(), event.to.as_ref());
        }
        Kind::WIFI_RADAR => {
            push_device(line, "", device?)?;
            line.push_str(" detected radar");
            push_channel(line, event.from.as_ref());
        }
        Kind::WIFI_INTERFERENCE => {
            push_device(line, "", device?)?;
            line.push_str(" sees interference");
            push_channel(line, event.to.as_ref());
        }
        Kind::WIFI_ROGUE_AP => {
            push_device(line, "", device?)?;
            line.push_str(" detected a rogue access point");
            push_joined(line, " with SSID ", event.ssid.as_deref());
            push_endpoint(line, ": ", event.src.as_deref());
        }
        _ => return None,
    }
    Some(())
}

fn port(line: &mut String, event: &Event) -> Option<()> {
    let port = event.port.as_ref();
    let what = match event.kind {
        Kind::PORT_POE_OVERLOAD => "PoE overload",
        Kind::PORT_POE_OFF => "PoE was turned off",
        Kind::PORT_LOOP => "Loop detected",
        Kind::PORT_STP_BLOCKED => "Spanning tree blocks traffic",
        Kind::PORT_OUTLET_CYCLED => "Power was cycled",
        _ => return None,
    };
    line.push_str(what);
    let of = if event.kind == Kind::PORT_OUTLET_CYCLED {
        " on outlet"
    } else {
        " on port"
    };
    if let Some(port) = port {
        line.push_str(of);
        if let Some(number) = port.number {
            append(line, format_args!(" {number}"));
        }
        if let Some(name) = &port.name {
            append(line, format_args!(" ({name})"));
        }
    }
    push_place(line, " of ", Some(event.device.as_ref()?));
    Some(())
}

fn network(line: &mut String, event: &Event) -> Option<()> {
    match event.kind {
        Kind::NETWORK_ROGUE_DHCP => {
            line.push_str("Rogue DHCP server");
            push_endpoint(line, " ", event.src.as_deref());
            if let Some(number) = event.port.as_ref().and_then(|port| port.number) {
                append(line, format_args!(" on port {number}"));
            }
            push_place(line, " of ", event.device.as_ref());
            if let Some(vlan) = event.network.as_ref().and_then(|network| network.vlan) {
                append(line, format_args!(" in VLAN {vlan}"));
            }
            Some(())
        }
        // Whether the pool is empty or nearly so is in the controller's words.
        _ => None,
    }
}

fn wan(line: &mut String, event: &Event, details: &Details<'_>) -> Option<()> {
    push_wan(line, event.wan.as_deref()?)?;
    match event.kind {
        Kind::WAN_UP => line.push_str(" is up"),
        Kind::WAN_DOWN => line.push_str(" is down"),
        Kind::WAN_FAILOVER => {
            line.push_str(" is down");
            push_joined(line, ", failed over to ", details.failover.as_deref());
        }
        _ => return None,
    }
    push_place(line, " at ", event.device.as_ref());
    Some(())
}

fn vpn(line: &mut String, event: &Event) -> Option<()> {
    let vpn = event.vpn.as_deref();
    let client = event
        .client
        .as_ref()
        .and_then(|client| client.name.as_deref());
    push(line, &[client.or(vpn?.name.as_deref())?]);
    let gone = event.kind == Kind::VPN_DISCONNECTED;
    line.push_str(if gone {
        " disconnected from"
    } else {
        " connected to"
    });
    match vpn.and_then(|vpn| vpn.kind.as_deref()) {
        Some(kind) => append(line, format_args!(" the VPN ({kind})")),
        None => line.push_str(" the VPN"),
    }
    if let Some(ip) = vpn.and_then(|vpn| vpn.ip.as_deref()) {
        append(line, format_args!(" from {ip}"));
    }
    Some(())
}

fn threat(line: &mut String, event: &Event, details: &Details<'_>) -> Option<()> {
    let what = match event.kind {
        Kind::THREAT_DETECTED => "Threat detected",
        Kind::THREAT_BLOCKED => "Threat blocked",
        Kind::THREAT_HONEYPOT => "Honeypot hit",
        Kind::TRAFFIC_BLOCKED => "Traffic blocked",
        _ => return None,
    };
    line.push_str(what);
    let threat = event.threat.as_deref();
    let signature =
        threat.and_then(|threat| threat.signature.as_deref().or(threat.category.as_deref()));
    push_joined(line, ": ", signature);
    if let Some(policy) = &details.policy {
        append(line, format_args!(" by \"{policy}\""));
    }
    if event.src.is_none() && event.dst.is_none() && signature.is_none() {
        return None;
    }
    push_endpoint(line, " from ", event.src.as_deref());
    push_endpoint(line, " to ", event.dst.as_deref());
    Some(())
}

fn admin(line: &mut String, event: &Event) -> Option<()> {
    let name = admin_name(event);
    match event.kind {
        Kind::ADMIN_LOGIN => {
            push(line, &[name?, " logged in"]);
            push_joined(
                line,
                " from ",
                event.admin.as_ref().and_then(|admin| admin.ip.as_deref()),
            );
        }
        Kind::ADMIN_LOGIN_FAILED => {
            push(line, &["Login of ", name?, " failed"]);
            push_joined(
                line,
                " from ",
                event.admin.as_ref().and_then(|admin| admin.ip.as_deref()),
            );
        }
        Kind::ADMIN_VOUCHER_CREATED | Kind::ADMIN_VOUCHER_DELETED => {
            // Never the code: see `guest.voucher_used`.
            match event.voucher.as_ref().and_then(|voucher| voucher.count) {
                Some(1) | None => line.push_str("A voucher was"),
                Some(count) => append(line, format_args!("{count} vouchers were")),
            }
            let deleted = event.kind == Kind::ADMIN_VOUCHER_DELETED;
            line.push_str(if deleted { " deleted" } else { " created" });
            push_by(line, event);
        }
        _ => return None,
    }
    Some(())
}

fn system(line: &mut String, event: &Event, details: &Details<'_>) -> Option<()> {
    if event.kind != Kind::SYSTEM_UPDATE_AVAILABLE {
        return None;
    }
    push(
        line,
        &["An update is available: ", details.version_to.as_deref()?],
    );
    Some(())
}

/// The network a client is on: its SSID, else the network's name.
fn where_to(event: &Event) -> Option<&str> {
    let network = event
        .network
        .as_ref()
        .and_then(|network| network.name.as_deref());
    event.ssid.as_deref().or(network)
}

fn admin_name(event: &Event) -> Option<&str> {
    event.admin.as_ref()?.name.as_deref()
}

fn push_by(line: &mut String, event: &Event) {
    push_joined(line, " by ", admin_name(event));
}
