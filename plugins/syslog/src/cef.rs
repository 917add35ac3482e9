//! The event in ArcSight's Common Event Format, version 0 of the header, keys of the extension dictionary 1.2.

use crate::message::visible;
use std::fmt::{Display, Write as _};
use std::net::IpAddr;
use unifi_herald_plugin::{Endpoint, Event, Severity, Text};

/// The body: `CEF:0|vendor|product|version|kind|name|severity|extension`.
pub(crate) fn body(event: &Event) -> String {
    let mut out = Extension(String::with_capacity(512));
    let kind = event.kind.as_str();
    let name = name(kind);
    let level = severity(event.severity);
    // Kinds and version have nothing to escape.
    out.0.push_str("CEF:0|unifi-herald|unifi-herald|");
    out.0.push_str(env!("CARGO_PKG_VERSION"));
    out.print(format_args!("|{kind}|{name}|{level}|"));
    out.print(format_args!("rt={}", event.time.as_millis()));
    out.text("externalId", &event.id);
    out.text("cat", event.category());
    out.text("dvchost", &event.controller);
    out.label("cs1", "site", Some(&event.site));
    ends(event, &mut out);
    rest(event, &mut out);
    out.text("msg", &event.summary);
    out.0
}

/// Who did it to whom: the ends of a flow, else client and device, administrator or VPN user.
fn ends(event: &Event, out: &mut Extension) {
    let flow = event.src.is_some() || event.dst.is_some();
    if let Some(src) = &event.src {
        out.end(src, ["src", "spt", "smac", "shost"]);
    }
    if let Some(dst) = &event.dst {
        out.end(dst, ["dst", "dpt", "dmac", "dhost"]);
    }
    let admin = event.admin.as_ref();
    let vpn = event.vpn.as_deref();
    let client = event.client.as_ref();
    if !flow {
        let addresses = [
            client.and_then(|client| client.ip.as_ref()),
            admin.and_then(|admin| admin.ip.as_ref()),
            vpn.and_then(|vpn| vpn.ip.as_ref()),
        ];
        out.address("src", addresses.into_iter().flatten().next());
        if let Some(client) = client {
            out.maybe("smac", client.mac);
            let host = client.hostname.as_ref().or(client.name.as_ref());
            out.maybe("shost", host);
        }
        if let Some(device) = &event.device {
            out.maybe("dmac", device.mac);
            out.maybe("dhost", device.name.as_ref());
        }
    } else if let Some(device) = &event.device {
        // The ends have taken the places of the machines; the device is who saw it.
        out.maybe("dvcmac", device.mac);
        out.maybe("deviceExternalId", device.name.as_ref());
    }
    let users = [
        admin.and_then(|admin| admin.name.as_ref()),
        vpn.and_then(|vpn| vpn.name.as_ref()),
        client.and_then(|client| client.name.as_ref()),
    ];
    out.maybe("suser", users.into_iter().flatten().next());
}

/// What else is known.
fn rest(event: &Event, out: &mut Extension) {
    if let Some(threat) = &event.threat {
        out.maybe("act", threat.action.as_ref());
        out.label("cs2", "signature", threat.signature.as_ref());
        out.label("cs3", "threat category", threat.category.as_ref());
        match threat.direction.as_deref() {
            Some("incoming") => out.text("deviceDirection", "0"),
            Some("outgoing") => out.text("deviceDirection", "1"),
            _ => {}
        }
    }
    out.label("cs4", "ssid", event.ssid.as_ref());
    let wan = event.wan.as_ref().and_then(|wan| wan.name.as_ref());
    out.label("cs5", "wan", wan);
    out.label("cs6", "controller key", event.key.as_ref());
    if let Some(number) = event.port.as_ref().and_then(|port| port.number) {
        out.text("cn1", number);
        out.text("cn1Label", "port");
    }
    if let Some(network) = &event.network {
        if let Some(vlan) = network.vlan {
            out.text("cn2", vlan);
            out.text("cn2Label", "vlan");
        }
        out.label("flexString1", "network", network.name.as_ref());
    }
    if let Some(alert) = &event.alert {
        out.label("flexString2", "incident", Some(&alert.id));
    }
    out.maybe("reason", event.reason.as_ref());
}

/// Severity as CEF counts it: 0 to 3 is low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high.
fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Debug => 0,
        Severity::Info => 2,
        Severity::Notice => 3,
        Severity::Warning => 5,
        Severity::Error => 7,
        Severity::Critical => 10,
    }
}

/// `device.upgrade_failed` as `Device upgrade failed`: the same for every event of a kind, as collectors want it.
fn name(kind: &str) -> String {
    let mut name = kind.replace(['.', '_'], " ");
    name[..1].make_ascii_uppercase();
    name
}

/// Key and value pairs, being written.
struct Extension(String);

impl Extension {
    fn print(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let written = self.0.write_fmt(what);
        debug_assert!(written.is_ok(), "{written:?}");
    }

    /// A pair, with everything escaped that could end the value. What is empty is left out.
    fn text(&mut self, key: &str, value: impl Display) {
        let value = value.to_string();
        if value.is_empty() {
            return;
        }
        self.print(format_args!(" {key}="));
        for c in value.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '=' => self.0.push_str("\\="),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                c => self.0.push(visible(c)),
            }
        }
    }

    fn maybe(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// One of the keys whose meaning stands in a second pair.
    fn label(&mut self, key: &str, meaning: &str, value: Option<&Text>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.text(key, value);
            self.text(&format!("{key}Label"), meaning);
        }
    }

    /// An address, where it is one: collectors refuse events with others.
    fn address(&mut self, key: &str, value: Option<&Text>) {
        if let Some(ip) = value.and_then(|value| value.parse::<IpAddr>().ok()) {
            self.text(key, ip);
        }
    }

    fn end(&mut self, end: &Endpoint, [ip, port, mac, host]: [&str; 4]) {
        self.address(ip, end.ip.as_ref());
        self.maybe(port, end.port);
        self.maybe(mac, end.mac);
        self.maybe(host, end.name.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::{Cef, read_cef};
    use unifi_herald_plugin::Kind;
    use unifi_herald_plugin::testing::EventBuilder;

    fn cef(event: &Event) -> Cef {
        read_cef(&body(event)).unwrap()
    }

    #[test]
    fn a_threat_is_written_out() {
        let event = EventBuilder::new(Kind::THREAT_BLOCKED).id("5ee9").build();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            body(&event),
            format!(
                "CEF:0|unifi-herald|unifi-herald|{version}|threat.blocked|Threat blocked|5|\
                 rt=1795368073440 externalId=5ee9 cat=threat dvchost=home cs1=default cs1Label=site \
                 src=192.0.2.17 spt=50112 smac=aa:bb:cc:00:00:01 shost=Anna's iPhone \
                 dst=203.0.113.9 dpt=443 act=blocked cs2=ET MALWARE Suspicious User Agent \
                 cs2Label=signature cs3=A Network Trojan was Detected cs3Label=threat category \
                 deviceDirection=1 msg=home: threat blocked on Home"
            )
        );
    }

    #[test]
    fn clients_devices_and_people_have_their_keys() {
        let roam = cef(&EventBuilder::new(Kind::CLIENT_ROAMED).build());
        assert_eq!(roam.get("smac"), Some("aa:bb:cc:00:00:01"));
        assert_eq!(roam.get("src"), Some("192.0.2.17"));
        assert_eq!(roam.get("dmac"), Some("f0:9f:c2:00:00:02"));
        assert_eq!(roam.get("cs4Label"), Some("ssid"));
        let login = cef(&EventBuilder::new(Kind::ADMIN_LOGIN).build());
        assert_eq!(login.get("suser"), Some("anna"));
        assert_eq!(login.get("src"), Some("192.0.2.10"));
        let port = cef(&EventBuilder::new(Kind::PORT_LOOP).build());
        assert_eq!(
            (port.get("cn1"), port.get("cn1Label")),
            (Some("7"), Some("port"))
        );
    }

    #[test]
    fn names_of_strangers_stay_inside_their_value() {
        let hostile = "a=b|c\\ dst=1.2.3.4\r\nCEF:0|x\u{1b}[2J";
        let event = EventBuilder::new(Kind::CLIENT_CONNECTED)
            .client_name(hostile)
            .summary(hostile)
            .build();
        let text = body(&event);
        assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
        let read = cef(&event);
        let shown = hostile.replace('\u{1b}', " ");
        assert_eq!(read.get("shost"), Some(&*shown));
        assert_eq!(read.get("msg"), Some(&*shown));
        assert_eq!(read.get("dst"), None);
    }

    #[test]
    fn what_is_no_address_is_not_called_one() {
        let event = EventBuilder::new(Kind::CLIENT_CONNECTED)
            .with(|event| event.client.as_mut().unwrap().ip = Some("fe80::1%eth0".into()))
            .build();
        assert_eq!(cef(&event).get("src"), None);
    }
}
