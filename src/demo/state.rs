//! How the state of clients and devices looks on the wire: REST lists and sync frames.

use super::fleet::{Attach, DeviceType};
use super::json::{Object, array};
use super::rng::hash;
use super::story::{Link, Story};

impl Story {
    /// The objects of `stat/sta`: who is connected.
    pub(super) fn stations(&self, now: i64) -> Vec<String> {
        (0..self.links.len())
            .filter_map(|at| self.station(at, now))
            .collect()
    }

    /// The objects of `rest/user`: who was ever seen.
    pub(super) fn users(&self, now: i64) -> Vec<String> {
        (0..self.links.len())
            .filter(|&at| self.known[at])
            .map(|at| self.user(at, now))
            .collect()
    }

    /// The objects of `stat/device`.
    pub(super) fn device_list(&self, now: i64) -> Vec<String> {
        (0..self.fleet.devices.len())
            .map(|at| self.device(at, now))
            .collect()
    }

    /// A `sta:sync` or, now and then, a `device:sync` frame.
    pub(super) fn sync_frame(&mut self, now: i64) -> String {
        let client = self.chatter.below(self.links.len());
        match self.station(client, now) {
            Some(station) if self.chatter.chance(0.8) => frame("sta:sync", &station),
            _ => {
                let device = self.chatter.below(self.fleet.devices.len());
                frame("device:sync", &self.device(device, now))
            }
        }
    }

    fn station(&self, at: usize, now: i64) -> Option<String> {
        let (client, link) = (&self.fleet.clients[at], self.links[at]);
        let since = match link {
            Link::Away => return None,
            Link::Air { since, .. } | Link::Port { since } => since,
        };
        let gateway = &self.fleet.devices[0];
        let traffic = i64::try_from(hash(&client.mac) % 1_000_000_000).unwrap_or(0) + (now - since);
        let mut sta = Object::new();
        sta.text("_id", &client.id)
            .bool("_is_guest_by_uap", client.guest);
        sta.int("anomalies", 0)
            .int("assoc_time", since / 1000)
            .bool("authorized", true)
            .bool("blocked", false);
        sta.int("first_seen", since / 1000 - 8_000_000)
            .text("gw_mac", &gateway.mac);
        sta.text_if("hostname", client.hostname.as_deref())
            .text("ip", &client.ip)
            .bool("is_guest", client.guest);
        sta.bool("is_wired", matches!(link, Link::Port { .. }))
            .int("last_seen", now / 1000);
        sta.int("latest_assoc_time", since / 1000)
            .text("mac", &client.mac);
        sta.text_if("name", client.name.as_deref())
            .text("network", self.fleet.lan);
        sta.text(
            "network_id",
            &self.fleet.uuid("network").replace('-', "")[..24],
        );
        sta.bool("noted", client.name.is_some())
            .text("oui", client.oui)
            .bool("qos_policy_applied", true);
        match (link, client.attach) {
            (Link::Air { ap, radio, .. }, Attach::Air(ssid, _)) => {
                let (ap, radio) = (
                    &self.fleet.devices[ap],
                    self.fleet.devices[ap].radios[radio],
                );
                let signal = -48 - i64::try_from(hash(&ap.mac) % 30).unwrap_or(0);
                sta.text("ap_mac", &ap.mac)
                    .text("bssid", &ap.mac)
                    .int("channel", i64::from(radio.channel));
                sta.text("essid", self.fleet.ssids[ssid].name)
                    .int("ccq", 333)
                    .bool("is_11r", false)
                    .int("noise", -96);
                sta.bool("powersave_enabled", false)
                    .text("radio", radio.band)
                    .text("radio_name", "wifi1");
                sta.text("radio_proto", "ax")
                    .int("rssi", 95 + signal)
                    .int("signal", signal)
                    .int("rx_rate", 400_000);
                sta.int("tx_rate", 216_000)
                    .int("tx_power", 34)
                    .int("tx_retries", 9542)
                    .int("wifi_tx_attempts", 56_140);
            }
            (_, Attach::Port(switch, port)) => {
                sta.text("sw_mac", &self.fleet.devices[switch].mac)
                    .int("sw_port", i64::from(port))
                    .int("sw_depth", 1);
                sta.int("wired_rate_mbps", 1000)
                    .int("wired-rx_bytes", traffic)
                    .int("wired-tx_bytes", traffic / 3);
            }
            _ => {}
        }
        sta.int("rx_bytes", traffic)
            .int("rx_packets", traffic / 700)
            .int("tx_bytes", traffic * 4)
            .int("satisfaction", 99);
        sta.text("site_id", &self.fleet.id)
            .int("uptime", (now - since) / 1000)
            .text("user_id", &client.id);
        sta.text("usergroup_id", "").int("vlan", 0);
        Some(sta.finish())
    }

    fn user(&self, at: usize, now: i64) -> String {
        let client = &self.fleet.clients[at];
        let mut user = Object::new();
        user.text("_id", &client.id)
            .text("mac", &client.mac)
            .text("site_id", &self.fleet.id)
            .text("oui", client.oui);
        user.bool("is_guest", client.guest)
            .int("first_seen", now / 1000 - 8_000_000)
            .int("last_seen", now / 1000);
        user.bool("is_wired", matches!(client.attach, Attach::Port(..)));
        user.text_if("hostname", client.hostname.as_deref())
            .text_if("name", client.name.as_deref());
        user.bool("noted", client.name.is_some())
            .text("usergroup_id", "")
            .bool("use_fixedip", false);
        user.text("last_ip", &client.ip);
        user.finish()
    }

    fn device(&self, at: usize, now: i64) -> String {
        let device = &self.fleet.devices[at];
        let online = self.online[at];
        let uptime = now / 1000 % 4_000_000;
        let mut object = Object::new();
        object
            .text("_id", &device.id)
            .int("_uptime", uptime)
            .bool("adopted", true)
            .text("cfgversion", "6381f86fdd573e1e");
        object
            .text("device_id", &device.id)
            .text("ip", &device.ip)
            .text("mac", &device.mac)
            .text("model", device.model);
        object
            .text("name", &device.name)
            .text("type", device.wire)
            .text("version", &device.version);
        object
            .int("state", i64::from(online))
            .int("last_seen", now / 1000)
            .int("uptime", uptime);
        object
            .text("serial", &device.mac.replace(':', "").to_uppercase())
            .text("site_id", &self.fleet.id);
        object
            .bool("default", false)
            .bool("locating", false)
            .bool("unsupported", false)
            .bool("upgradable", false);
        object
            .int(
                "num_sta",
                i64::try_from(self.clients_of(at).len()).unwrap_or(0),
            )
            .int("satisfaction", 98);
        if let Some((parent, port)) = device.uplink {
            let parent = &self.fleet.devices[parent];
            let mut uplink = Object::new();
            uplink
                .bool("full_duplex", true)
                .text("ip", &device.ip)
                .text("mac", &device.mac)
                .text("name", "eth0");
            uplink
                .int("speed", 1000)
                .text("type", "wire")
                .bool("up", online)
                .text("uplink_mac", &parent.mac);
            uplink
                .text("uplink_device_name", &parent.name)
                .int("uplink_remote_port", i64::from(port));
            object.raw("uplink", &uplink.finish());
            let mut last = Object::new();
            last.text("uplink_mac", &parent.mac)
                .int("uplink_remote_port", i64::from(port));
            object.raw("last_uplink", &last.finish());
        }
        object.raw("port_table", &self.ports(at));
        if device.kind == DeviceType::AccessPoint {
            object
                .raw("radio_table", &self.radios(at))
                .raw("vap_table", &self.vaps(at));
        }
        if device.kind == DeviceType::Gateway {
            for (name, interface, up) in
                [("wan1", "eth8", self.wan[0]), ("wan2", "eth9", self.wan[1])]
            {
                let mut wan = Object::new();
                wan.text("ifname", interface)
                    .text("ip", "203.0.113.1")
                    .bool("up", up)
                    .int("speed", 1000)
                    .bool("enable", true);
                object.raw(name, &wan.finish());
            }
        }
        object.raw(
            "sys_stats",
            r#"{"loadavg_1":"0.15","loadavg_15":"0.02","loadavg_5":"0.08","mem_total":128622592}"#,
        );
        object.raw(
            "system-stats",
            r#"{"cpu":"3.1","mem":"27.4","uptime":"3971849"}"#,
        );
        object.text("x_authkey", "345678976545678");
        object.finish()
    }

    fn ports(&self, at: usize) -> String {
        let device = &self.fleet.devices[at];
        let used = |port: u16| {
            self.fleet
                .devices
                .iter()
                .any(|other| other.uplink == Some((at, port)))
                || self
                    .fleet
                    .clients
                    .iter()
                    .any(|client| client.attach == Attach::Port(at, port))
        };
        array((1..=device.ports).map(|port| {
            let (up, uplink) = (used(port) || port == device.ports, port == device.ports);
            let speed = if up { 1000 } else { 0 };
            let mut row = Object::new();
            row.bool("aggregated_by", false)
                .bool("autoneg", true)
                .bool("enable", true)
                .bool("full_duplex", up);
            row.bool("is_uplink", uplink)
                .bool("jumbo", false)
                .raw("lldp_table", "[]")
                .bool("masked", false);
            row.text("media", "GE")
                .text("name", &format!("Port {port}"))
                .text("op_mode", "switch")
                .int("poe_caps", 7);
            row.text("poe_class", "Class 3")
                .text("poe_current", "60.18")
                .bool("poe_enable", up)
                .bool("poe_good", up);
            row.text("poe_mode", "auto")
                .text("poe_power", "3.24")
                .text("poe_voltage", "53.78")
                .int("port_idx", i64::from(port));
            row.bool("port_poe", true)
                .text("portconf_id", "5a32aa4ee4babd4452422ddd")
                .int("rx_broadcast", 218);
            row.int("rx_bytes", 478_468)
                .int("rx_dropped", 0)
                .int("rx_errors", 0)
                .int("rx_packets", 6014)
                .int("speed", speed);
            row.text("stp_state", if up { "forwarding" } else { "disabled" })
                .int("tx_bytes", 1_911_509_746);
            row.int("tx_dropped", 0)
                .int("tx_errors", 0)
                .int("tx_packets", 10_408_988)
                .bool("up", up);
            row.finish()
        }))
    }

    fn radios(&self, at: usize) -> String {
        array(
            self.fleet.devices[at]
                .radios
                .iter()
                .zip(0..)
                .map(|(radio, n)| {
                    let mut row = Object::new();
                    row.text("radio", radio.band)
                        .text("name", &format!("wifi{n}"))
                        .int("channel", i64::from(radio.channel));
                    row.text("ht", &radio.width.to_string())
                        .int("nss", 2)
                        .text("tx_power_mode", "auto")
                        .int("max_txpower", 22);
                    row.bool("min_rssi_enabled", false)
                        .bool("sens_level_enabled", false);
                    row.finish()
                }),
        )
    }

    fn vaps(&self, at: usize) -> String {
        let device = &self.fleet.devices[at];
        let every = device
            .radios
            .iter()
            .flat_map(|radio| self.fleet.ssids.iter().map(move |ssid| (radio, ssid)));
        array(every.map(|(radio, ssid)| {
            let mut row = Object::new();
            row.text("ap_mac", &device.mac)
                .text("bssid", &device.mac)
                .int("channel", i64::from(radio.channel));
            row.text("essid", ssid.name)
                .text("radio", radio.band)
                .text("state", "RUN")
                .text("t", "vap")
                .bool("up", true);
            row.int("avg_client_signal", -61)
                .int("ccq", 633)
                .int("num_sta", 2)
                .int("satisfaction", 98);
            row.int("rx_bytes", 1_680_489_730)
                .int("tx_bytes", 2_405_174_619)
                .text("usage", "user")
                .text("wlanconf_id", &ssid.id);
            row.finish()
        }))
    }
}

/// A frame with one item.
pub(super) fn frame(kind: &str, item: &str) -> String {
    format!(r#"{{"meta":{{"rc":"ok","message":"{kind}"}},"data":[{item}]}}"#)
}
