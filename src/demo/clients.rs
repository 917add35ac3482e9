//! What clients do, and what the controller says about it.

use super::fleet::Attach;
use super::item::{Draft, duration, size};
use super::story::{Link, Story};

impl Story {
    /// The client connects where it can; nothing happens when it cannot.
    pub(super) fn connect(&mut self, at: usize, now: i64) {
        if self.links[at] != Link::Away {
            return;
        }
        let Some(link) = self.place(at, None, now) else {
            return;
        };
        self.links[at] = link;
        self.known[at] = true;
        self.tell_connected(at, now);
    }

    fn tell_connected(&mut self, at: usize, now: i64) {
        let client = &self.fleet.clients[at];
        let who = who(client.guest);
        let item = match (self.links[at], client.attach) {
            (Link::Air { ap, radio, .. }, Attach::Air(ssid, _)) => {
                let (device, radio) = (
                    &self.fleet.devices[ap],
                    self.fleet.devices[ap].radios[radio],
                );
                let ssid = self.fleet.ssids[ssid].name;
                let key = if client.guest {
                    "EVT_WG_Connected"
                } else {
                    "EVT_WU_Connected"
                };
                Draft::new(&self.fleet, key, "wlan", now)
                    .text(who.0, &client.mac)
                    .text("ssid", ssid)
                    .text_if("hostname", client.hostname.as_deref())
                    .device(device)
                    .text("radio", radio.band)
                    .text("channel", &radio.channel.to_string())
                    .text("channelWidth", &radio.width.to_string())
                    .says(&format!(
                        "{}[{}] has connected to AP[{}] with SSID \"{ssid}\" on \"channel {}({})\"",
                        who.1, client.mac, device.mac, radio.channel, radio.band
                    ))
            }
            (Link::Port { .. }, _) => {
                let key = if client.guest {
                    "EVT_LG_Connected"
                } else {
                    "EVT_LU_Connected"
                };
                Draft::new(&self.fleet, key, "lan", now)
                    .text(who.0, &client.mac)
                    .text("network", self.fleet.lan)
                    .says(&format!(
                        "{}[{}] has connected to {}",
                        who.1, client.mac, self.fleet.lan
                    ))
            }
            _ => return,
        };
        self.ready.push_back(item);
    }

    /// The client leaves.
    pub(super) fn disconnect(&mut self, at: usize, now: i64) {
        let link = std::mem::replace(&mut self.links[at], Link::Away);
        self.tell_disconnected(at, link, now);
    }

    fn tell_disconnected(&mut self, at: usize, link: Link, now: i64) {
        let bytes = self.rng.range(0, 1 << self.rng.clone().range(6, 34));
        let client = &self.fleet.clients[at];
        let who = who(client.guest);
        // The controller works these out from what the device reports, in whole seconds.
        let time = now - now.rem_euclid(1000);
        let item = match (link, client.attach) {
            (Link::Air { ap, since, .. }, Attach::Air(ssid, _)) => {
                let device = &self.fleet.devices[ap];
                let ssid = self.fleet.ssids[ssid].name;
                let seconds = ((now - since) / 1000).max(1);
                let key = if client.guest {
                    "EVT_WG_Disconnected"
                } else {
                    "EVT_WU_Disconnected"
                };
                Draft::new(&self.fleet, key, "wlan", time)
                    .text(who.0, &client.mac)
                    .text("ssid", ssid)
                    .text_if("hostname", client.hostname.as_deref())
                    .device(device)
                    .int("duration", seconds)
                    .int("bytes", bytes)
                    .says(&format!(
                        "{}[{}] disconnected from \"{ssid}\" ({} connected, {}, last AP[{}])",
                        who.1,
                        client.mac,
                        duration(seconds),
                        size(bytes),
                        device.mac
                    ))
            }
            (Link::Port { since }, _) => {
                let seconds = ((now - since) / 1000).max(1);
                let key = if client.guest {
                    "EVT_LG_Disconnected"
                } else {
                    "EVT_LU_Disconnected"
                };
                Draft::new(&self.fleet, key, "lan", time)
                    .text(who.0, &client.mac)
                    .text_if("hostname", client.hostname.as_deref())
                    .text("network", self.fleet.lan)
                    .int("duration", seconds)
                    .int("bytes", bytes)
                    .says(&format!(
                        "{}[{}] disconnected from \"{}\" ({} connected, {})",
                        who.1,
                        client.mac,
                        self.fleet.lan,
                        duration(seconds),
                        size(bytes)
                    ))
            }
            _ => return,
        };
        self.ready.push_back(item);
    }

    /// The client moves to another access point; where there is none, to another radio.
    pub(super) fn roam(&mut self, at: usize, now: i64) {
        let Link::Air {
            ap: from,
            radio: from_radio,
            since,
        } = self.links[at]
        else {
            return;
        };
        let Some(Link::Air { ap, radio, .. }) = self.place(at, Some(from), since) else {
            return self.roam_radio(at, now);
        };
        let old = self.links[at];
        self.links[at] = Link::Air { ap, radio, since };
        // Some controllers tell a move as leaving and coming, in either order.
        match self.rng.below(100) {
            0..8 => {
                self.tell_disconnected(at, old, now);
                self.tell_connected(at, now);
            }
            8..14 => {
                self.tell_connected(at, now);
                self.tell_disconnected(at, old, now);
            }
            _ => self.tell_roamed(at, (from, from_radio), (ap, radio), now),
        }
    }

    fn tell_roamed(&mut self, at: usize, from: (usize, usize), to: (usize, usize), now: i64) {
        let client = &self.fleet.clients[at];
        let Attach::Air(ssid, _) = client.attach else {
            return;
        };
        let ssid = self.fleet.ssids[ssid].name;
        let (old, new) = (&self.fleet.devices[from.0], &self.fleet.devices[to.0]);
        let (old_radio, new_radio) = (old.radios[from.1], new.radios[to.1]);
        let who = who(client.guest);
        let key = if client.guest {
            "EVT_WG_Roam"
        } else {
            "EVT_WU_Roam"
        };
        let item = Draft::new(&self.fleet, key, "wlan", now)
            .text(who.0, &client.mac)
            .text("ap_from", &old.mac)
            .text("ap_to", &new.mac)
            .text("radio_from", old_radio.band)
            .text("radio_to", new_radio.band)
            .text("channel_from", &old_radio.channel.to_string())
            .text("channel_to", &new_radio.channel.to_string())
            .text_if("hostname", client.hostname.as_deref())
            .text("ssid", ssid)
            .text("radio", new_radio.band)
            .text("channel", &new_radio.channel.to_string())
            .says(&format!(
                "{}[{}] roams from AP[{}] to AP[{}] from \"channel {}({})\" to \"channel {}({})\" on \"{ssid}\"",
                who.1, client.mac, old.mac, new.mac, old_radio.channel, old_radio.band, new_radio.channel, new_radio.band
            ));
        self.ready.push_back(item);
    }

    /// The client changes the band on the same access point; nothing happens when it knows only one.
    pub(super) fn roam_radio(&mut self, at: usize, now: i64) {
        let Link::Air {
            ap,
            radio: from,
            since,
        } = self.links[at]
        else {
            return;
        };
        let Attach::Air(_, bands) = self.fleet.clients[at].attach else {
            return;
        };
        let radios = &self.fleet.devices[ap].radios;
        let others: Vec<usize> = (0..radios.len())
            .filter(|&at| at != from && bands.contains(&radios[at].band))
            .collect();
        let Some(to) = self.rng.pick(&others) else {
            return;
        };
        self.links[at] = Link::Air {
            ap,
            radio: to,
            since,
        };
        let (client, device) = (&self.fleet.clients[at], &self.fleet.devices[ap]);
        let (old, new) = (device.radios[from], device.radios[to]);
        let who = who(client.guest);
        let key = if client.guest {
            "EVT_WG_RoamRadio"
        } else {
            "EVT_WU_RoamRadio"
        };
        let item = Draft::new(&self.fleet, key, "wlan", now)
            .text(who.0, &client.mac)
            .device(device)
            .text("radio_from", old.band)
            .text("radio_to", new.band)
            .text("channel_from", &old.channel.to_string())
            .text("channel_to", &new.channel.to_string())
            .says(&format!(
                "{}[{}] roams from \"channel {}({})\" to \"channel {}({})\" on AP[{}]",
                who.1, client.mac, old.channel, old.band, new.channel, new.band, device.mac
            ));
        self.ready.push_back(item);
    }

    pub(super) fn authorized(&mut self, at: usize, now: i64) {
        let voucher = format!(
            "{:05}-{:05}",
            self.rng.below(100_000),
            self.rng.below(100_000)
        );
        let by_voucher = self.rng.chance(0.6);
        let mac = &self.fleet.clients[at].mac;
        let item = if by_voucher {
            Draft::new(&self.fleet, "EVT_HS_VoucherUsed", "wlan", now)
                .text("guest", mac)
                .text("code", &voucher)
                .says(&format!("Guest[{mac}] used Voucher[{voucher}]"))
        } else {
            let admin = self.fleet.admins[0].0;
            Draft::new(&self.fleet, "EVT_AD_GuestAuthorizedFor", "wlan", now)
                .text("guest", mac)
                .text("minutes", "480")
                .admin(admin)
                .says(&format!(
                    "Guest[{mac}] is authorized by Admin[{admin}] for 480 minutes"
                ))
        };
        self.ready.push_back(item);
    }

    pub(super) fn authorization_ended(&mut self, at: usize, now: i64) {
        let mac = &self.fleet.clients[at].mac;
        let item = Draft::new(&self.fleet, "EVT_WG_AuthorizationEnded", "wlan", now)
            .text("guest", mac)
            .says(&format!("Guest[{mac}] authorization ended"));
        self.ready.push_back(item);
    }

    /// An administrator blocks the client, which then leaves.
    pub(super) fn blocked(&mut self, at: usize, now: i64) {
        self.tell_block(at, "EVT_WC_Blocked", "blocked", now);
        self.disconnect(at, now);
    }

    pub(super) fn unblocked(&mut self, at: usize, now: i64) {
        self.tell_block(at, "EVT_WC_Unblocked", "unblocked", now);
    }

    fn tell_block(&mut self, at: usize, key: &'static str, verb: &str, now: i64) {
        let (mac, admin) = (&self.client(at).mac, self.fleet.admins[0].0);
        let item = Draft::new(&self.fleet, key, "wlan", now)
            .text("client", mac)
            .admin(admin)
            .says(&format!("Client[{mac}] was {verb} by Admin[{admin}]"));
        self.ready.push_back(item);
    }
}

/// Field and noun of a user or guest.
fn who(guest: bool) -> (&'static str, &'static str) {
    if guest {
        ("guest", "Guest")
    } else {
        ("user", "User")
    }
}
