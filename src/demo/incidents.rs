//! What internet connections, administrators and attackers do, and what the controller says about it.

use super::forms::{self, Form};
use super::item::{Draft, Item, label};
use super::json::Object;
use super::rng::object_id;
use super::story::Story;
use super::twin::{self, named};

impl Story {
    /// An internet connection fails or returns.
    pub(super) fn wan(&mut self, line: usize, up: bool, now: i64) {
        if std::mem::replace(&mut self.wan[line], up) == up {
            return;
        }
        let (interface, state) = (
            ["eth8", "eth9"][line],
            if up { "active" } else { "inactive" },
        );
        let gateway = &self.fleet.devices[0];
        let item = Draft::new(&self.fleet, "EVT_GW_WANTransition", "lan", now)
            .device(gateway)
            .text("iface", interface)
            .text("state", state)
            .says(&format!(
                "{} WAN interface {interface} transitioned to state {state}",
                label(gateway)
            ));
        self.ready.push_back(item);
    }

    /// The backup connection is in use. Only the system log has this.
    pub(super) fn failed_over(&mut self, now: i64) {
        let fixed = |id: &str, name: &str| {
            let mut object = Object::new();
            object
                .text("id", id)
                .text("name", name)
                .bool("not_actionable", true);
            object.finish()
        };
        let mut isp = Object::new();
        isp.bool("enclosed_with_brackets", true)
            .text("name", "Example ISP")
            .bool("not_actionable", true);
        let parameters = [
            ("PORT", fixed("9", "9")),
            ("WAN_ID", fixed("WAN", "WAN1")),
            ("FAILOVER_WAN_ID", fixed("WAN2", "WAN2")),
            ("FAILOVER_ISP_NAME", isp.finish()),
        ];
        self.tell_entry(&forms::FAILED_OVER, &parameters, now);
    }

    pub(super) fn packet_loss(&mut self, now: i64) {
        self.tell_entry(&forms::PACKET_LOSS, &[("WAN_ID", named("WAN1"))], now);
    }

    /// Somebody logs in to the controller, or tries to.
    pub(super) fn login(&mut self, name: &str, ip: &str, failed: bool, now: i64) {
        let item = if failed {
            Draft::new(&self.fleet, "EVT_AD_LoginFailed", "", now)
                .negative()
                .admin(name)
                .says(&format!("Admin[{name}] log in failed"))
        } else {
            Draft::new(&self.fleet, "EVT_AD_Login", "", now)
                .text("ip", ip)
                .admin(name)
                .says(&format!("Admin[{name}] logged in from {ip}"))
        };
        self.ready.push_back(Item {
            siteless: true,
            ..item
        });
    }

    pub(super) fn vouchers(&mut self, now: i64) {
        let (count, admin) = (self.rng.range(1, 20), self.fleet.admins[0].0);
        let item = Draft::new(&self.fleet, "EVT_AD_VoucherCreated", "", now)
            .text("num", &count.to_string())
            .text("use", "1")
            .admin(admin)
            .says(&format!("Admin[{admin}] created {count} voucher(s)"));
        self.ready.push_back(item);
    }

    /// A signature of the intrusion detection matches.
    pub(super) fn random_threat(&mut self, now: i64) {
        let (signature, blocked) = (self.rng.below(SIGNATURES.len()), self.rng.chance(0.5));
        if let Some(client) = self.someone(|_| true) {
            self.threat(client, signature, blocked, now);
        }
    }

    pub(super) fn threat(&mut self, client: usize, signature: usize, blocked: bool, now: i64) {
        let (id, signature, category, severity) = SIGNATURES[signature % SIGNATURES.len()];
        let (port, flow) = (
            self.rng.range(1024, 65_536),
            self.rng.range(1 << 50, 1 << 51),
        );
        let outside = format!("203.0.113.{}", self.rng.range(2, 250));
        // Both forms are on record: an object or a list, a text or a list.
        let odd = self.rng.chance(0.5);
        let (client, gateway) = (&self.fleet.clients[client], &self.fleet.devices[0]);
        let action = if blocked { "blocked" } else { "allowed" };
        let item = Draft::new(&self.fleet, "EVT_IPS_IpsAlert", "www", now)
            .negative()
            .int("timestamp", now / 1000)
            .int("flow_id", flow)
            .text("in_iface", "br0")
            .text("event_type", "alert")
            .text("src_ip", &client.ip)
            .text("src_mac", &client.mac)
            .int("src_port", port)
            .text("dest_ip", &outside)
            .text("dst_mac", &gateway.mac)
            .int("dest_port", 443)
            .text("proto", "TCP")
            .text("app_proto", "tls")
            .text("usgip", "203.0.113.1")
            .text("unique_alertid", &format!("{flow}-{now}"))
            .raw("srcipGeo", if odd { "[]" } else { "false" })
            .raw("dstipGeo", "{\"continent_code\":\"EU\",\"country_code\":\"FR\",\"country_name\":\"France\",\"asn\":64496}")
            .raw("dstipCountry", if odd { "\"FR\"" } else { "false" })
            .raw("catname", if odd { "[\"emerging-malware\"]" } else { "\"emerging-malware\"" })
            .text("inner_alert_action", action)
            .int("inner_alert_gid", 1)
            .int("inner_alert_signature_id", id)
            .int("inner_alert_rev", 3)
            .text("inner_alert_signature", signature)
            .text("inner_alert_category", category)
            .int("inner_alert_severity", severity)
            .says(&format!(
                "IPS Alert {severity}: {category}. Signature {signature}. From: {}:{port}, to: {outside}:443, protocol: TCP",
                client.ip
            ));
        self.ready.push_back(item);
    }

    /// A firewall policy or the honeypot notices a client. Only the system log has these.
    pub(super) fn firewall_block(&mut self, now: i64) {
        let Some(client) = self.someone(|_| true) else {
            return;
        };
        let honeypot = self.rng.chance(0.2);
        let outside = format!("203.0.113.{}", self.rng.range(2, 250));
        let client = self.directory.client(&self.fleet.clients[client].mac);
        let mut to = Object::new();
        to.text("id", &outside)
            .text("name", &outside)
            .bool("not_actionable", true);
        let mut trigger = Object::new();
        trigger
            .text("id", &self.fleet.uuid("policy"))
            .text("name", "block cameras to external");
        let parameters = [
            ("SRC_CLIENT", client),
            ("DST_IP", to.finish()),
            ("TRIGGER", trigger.finish()),
        ];
        let form = if honeypot {
            &forms::HONEYPOT
        } else {
            &forms::BLOCKED_BY_FIREWALL
        };
        self.tell_entry(form, &parameters, now);
    }

    fn tell_entry(&mut self, form: &Form, parameters: &[(&'static str, String)], now: i64) {
        // The id stands in the middle of an entry, so it is given here and not when the item is recorded.
        let id = object_id(self.rng.next(), self.rng.next());
        let text = twin::entry(form, &id, now, parameters, true);
        let key = form.key.to_owned();
        self.ready.push_back(Item {
            key,
            time: now,
            text,
            id: Some(id),
            alert: true,
            siteless: false,
        });
    }
}

/// Signature id, signature, category and severity.
const SIGNATURES: [(i64, &str, &str, i64); 5] = [
    (
        2_003_337,
        "ET MALWARE Suspicious User Agent (Autoupdate)",
        "A Network Trojan was Detected",
        1,
    ),
    (
        2_400_022,
        "ET DROP Spamhaus DROP Listed Traffic Inbound group 23",
        "Misc Attack",
        2,
    ),
    (
        2_024_364,
        "ET SCAN Possible Nmap User-Agent Observed",
        "Web Application Attack",
        1,
    ),
    (
        2_027_865,
        "ET INFO Observed DNS Query to .cloud TLD",
        "Potentially Bad Traffic",
        2,
    ),
    (
        2_033_078,
        "ET P2P BitTorrent DHT ping request",
        "Potential Corporate Privacy Violation",
        3,
    ),
];
