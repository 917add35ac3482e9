//! What devices do, and what the controller says about it.

use super::fleet::{Attach, DeviceType};
use super::item::{Draft, label};
use super::story::{Link, Story};

impl Story {
    /// The device stops answering.
    pub(super) fn lose(&mut self, at: usize, now: i64) {
        if !std::mem::replace(&mut self.online[at], false) {
            return;
        }
        let key = by_kind(
            self.fleet.devices[at].kind,
            "EVT_AP_Lost_Contact",
            "EVT_SW_Lost_Contact",
            "EVT_GW_Lost_Contact",
        );
        self.tell_device(at, key, true, "was disconnected", now);
        self.strand(at);
    }

    /// The device answers again.
    pub(super) fn regain(&mut self, at: usize, now: i64) {
        if std::mem::replace(&mut self.online[at], true) {
            return;
        }
        let key = by_kind(
            self.fleet.devices[at].kind,
            "EVT_AP_Connected",
            "EVT_SW_Connected",
            "EVT_GW_Connected",
        );
        self.tell_device(at, key, false, "was connected", now);
    }

    pub(super) fn restarted(&mut self, at: usize, now: i64) {
        let key = by_kind(
            self.fleet.devices[at].kind,
            "EVT_AP_RestartedUnknown",
            "EVT_SW_RestartedUnknown",
            "EVT_GW_RestartedUnknown",
        );
        self.tell_device(at, key, true, "was restarted", now);
    }

    pub(super) fn upgrade_scheduled(&mut self, at: usize, now: i64) {
        let key = by_kind(
            self.fleet.devices[at].kind,
            "EVT_AP_UpgradeScheduled",
            "EVT_SW_UpgradeScheduled",
            "EVT_GW_UpgradeScheduled",
        );
        let (device, admin) = (&self.fleet.devices[at], self.fleet.admins[0].0);
        let item = Draft::new(&self.fleet, key, subsystem(device.kind), now)
            .device(device)
            .admin(admin)
            .says(&format!(
                "{} was scheduled for upgrade by Admin[{admin}]",
                label(device)
            ));
        self.ready.push_back(item);
    }

    /// The device is back with a newer firmware.
    pub(super) fn upgraded(&mut self, at: usize, now: i64) {
        let to = bump(&self.fleet.devices[at].version);
        let from = std::mem::replace(&mut self.fleet.devices[at].version, to);
        let device = &self.fleet.devices[at];
        let key = by_kind(
            device.kind,
            "EVT_AP_Upgraded",
            "EVT_SW_Upgraded",
            "EVT_GW_Upgraded",
        );
        let item = Draft::new(&self.fleet, key, subsystem(device.kind), now)
            .device(device)
            .text("version_from", &from)
            .text("version_to", &device.version)
            .says(&format!(
                "{} was upgraded from \"{from}\" to \"{}\"",
                label(device),
                device.version
            ));
        self.ready.push_back(item);
        self.regain(at, now);
    }

    fn tell_device(&mut self, at: usize, key: &'static str, negative: bool, what: &str, now: i64) {
        let device = &self.fleet.devices[at];
        let draft = Draft::new(&self.fleet, key, subsystem(device.kind), now).device(device);
        let draft = if negative { draft.negative() } else { draft };
        let item = draft.says(&format!("{} {what}", label(device)));
        self.ready.push_back(item);
    }

    /// An access point takes another channel.
    pub(super) fn channel_change(&mut self, now: i64) {
        let candidates: Vec<usize> = self
            .fleet
            .access_points()
            .filter(|&at| self.online[at])
            .collect();
        let Some(at) = self.rng.pick(&candidates) else {
            return;
        };
        let radio = self.rng.below(self.fleet.devices[at].radios.len());
        let to = self.other_channel(at, radio);
        let device = &self.fleet.devices[at];
        let (band, from) = (device.radios[radio].band, device.radios[radio].channel);
        if from == 52 || from == 100 || from == 116 {
            // Channels shared with radar are left because of it.
            let radar = Draft::new(&self.fleet, "EVT_AP_RadarDetected", "wlan", now)
                .device(device)
                .text("radar_channel", &from.to_string())
                .text("freq", &(5000 + 5 * from).to_string())
                .says(&format!(
                    "{} radar detected on channel {from}",
                    label(device)
                ));
            self.ready.push_back(radar);
        }
        let item = Draft::new(&self.fleet, "EVT_AP_ChannelChanged", "wlan", now)
            .device(device)
            .text("radio", band)
            .text("channel_from", &from.to_string())
            .text("channel_to", &to.to_string())
            .says(&format!(
                "{} changed its channel from {from} to {to}",
                label(device)
            ));
        self.ready.push_back(item);
        self.fleet.devices[at].radios[radio].channel = to;
    }

    /// A port of a switch overloads, loses its powered device, loops or is blocked.
    pub(super) fn port_trouble(&mut self, now: i64) {
        let switches: Vec<usize> = self
            .fleet
            .switches()
            .filter(|&at| self.online[at])
            .collect();
        let Some(at) = self.rng.pick(&switches) else {
            return;
        };
        let port = self
            .rng
            .range(1, i64::from(self.fleet.devices[at].ports) + 1);
        let (key, what) = match self.rng.below(10) {
            0..5 => ("EVT_SW_PoeDisconnect", "PoE device disconnected"),
            5..8 => ("EVT_SW_PoeOverload", "PoE overload"),
            8 => ("EVT_SW_StpPortBlocking", "is blocked by STP"),
            _ => ("EVT_SW_LoopDetected", "network loop detected"),
        };
        let device = &self.fleet.devices[at];
        let item = Draft::new(&self.fleet, key, "lan", now)
            .negative()
            .device(device)
            .int("port", port)
            .says(&format!("{} Port {port} {what}", label(device)));
        self.ready.push_back(item);
    }

    /// The rarer kinds, so that each is seen now and then.
    pub(super) fn odds_and_ends(&mut self, now: i64) {
        let (roll, n) = (self.rng.below(9), self.rng.next());
        let neighbour = format!(
            "02:00:{:02x}:{:02x}:{:02x}:01",
            n & 0xff,
            n >> 8 & 0xff,
            n >> 16 & 0xff
        );
        let access_points: Vec<usize> = self.fleet.access_points().collect();
        let Some(at) = self.rng.pick(&access_points) else {
            return;
        };
        let switch = self.fleet.switches().next().unwrap_or(0);
        let (ap, admin) = (&self.fleet.devices[at], self.fleet.admins[0].0);
        let draft = |key, subsystem| Draft::new(&self.fleet, key, subsystem, now);
        let item = match roll {
            0 => draft("EVT_AP_DetectRogueAP", "wlan")
                .device(ap)
                .text("essid", "Neighbour's <b>WiFi</b>")
                .text("mac", &neighbour)
                .says(&format!(
                    "{} detected Rogue AP[{neighbour}] with SSID \"Neighbour's <b>WiFi</b>\"",
                    label(ap)
                )),
            1 => draft("EVT_AP_PossibleInterference", "wlan")
                .device(ap)
                .text("channel", &ap.radios[0].channel.to_string())
                .says(&format!(
                    "{} possible interference on channel {}",
                    label(ap),
                    ap.radios[0].channel
                )),
            2 => draft("EVT_SW_DetectRogueDHCP", "lan")
                .device(&self.fleet.devices[switch])
                .text("ip", "192.0.2.254")
                .text("mac", &neighbour)
                .int("port", 4)
                .int("vlan", 1)
                .says(&format!(
                    "{} detected Rogue DHCP Server[{neighbour}]",
                    label(&self.fleet.devices[switch])
                )),
            3 => draft("EVT_AD_BackupCreated", "").says("Backup was created"),
            4 => draft("EVT_AD_UpdateAvailable", "")
                .text("version", "10.2.105")
                .says("Update 10.2.105 is available"),
            5 => draft("EVT_AP_Restarted", "wlan")
                .device(ap)
                .admin(admin)
                .says(&format!("{} was restarted by Admin[{admin}]", label(ap))),
            6 => draft("EVT_GW_DhcpPoolNearExhausted", "lan")
                .device(&self.fleet.devices[0])
                .text("network_name", self.fleet.lan)
                .says(&format!(
                    "{} DHCP pool of {} is nearly exhausted",
                    label(&self.fleet.devices[0]),
                    self.fleet.lan
                )),
            // A key that no list has, as every release brings some.
            7 => draft("EVT_NU_MeshLinkChanged", "wlan")
                .device(ap)
                .says(&format!("{} changed its mesh link", label(ap))),
            _ => draft("EVT_AP_Isolated", "wlan")
                .negative()
                .device(ap)
                .says(&format!("{} was isolated", label(ap))),
        };
        self.ready.push_back(item);
    }

    /// The clients now on this access point, or on this switch's ports.
    pub(super) fn clients_of(&self, device: usize) -> Vec<usize> {
        let on = |at: &usize| match (self.links[*at], self.fleet.clients[*at].attach) {
            (Link::Air { ap, .. }, _) => ap == device,
            (Link::Port { .. }, Attach::Port(switch, _)) => switch == device,
            _ => false,
        };
        (0..self.links.len()).filter(on).collect()
    }

    /// Devices whose uplink is this one.
    pub(super) fn below(&self, device: usize) -> Vec<usize> {
        let hangs_on = |at: &usize| {
            self.fleet.devices[*at]
                .uplink
                .is_some_and(|(parent, _)| parent == device)
        };
        (0..self.fleet.devices.len()).filter(hangs_on).collect()
    }
}

fn by_kind(kind: DeviceType, ap: &'static str, sw: &'static str, gw: &'static str) -> &'static str {
    match kind {
        DeviceType::AccessPoint => ap,
        DeviceType::Switch => sw,
        DeviceType::Gateway => gw,
    }
}

fn subsystem(kind: DeviceType) -> &'static str {
    match kind {
        DeviceType::AccessPoint => "wlan",
        DeviceType::Switch => "lan",
        DeviceType::Gateway => "wan",
    }
}

/// The next firmware: the third number goes up by one.
fn bump(version: &str) -> String {
    let mut parts: Vec<String> = version.split('.').map(str::to_owned).collect();
    if let Some(patch) = parts.get_mut(2) {
        let next = patch.parse::<u32>().map_or(1, |patch| patch + 1);
        *patch = next.to_string();
    }
    parts.join(".")
}
