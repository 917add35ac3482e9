//! Subjects of items whose fields stand side by side: `user`, `ap_from`, `src_ip`.

use super::{Details, Subjects, band, direction, is_inside, network};
use crate::unifi::catalog;
use crate::unifi::item::Item;
use crate::unifi::summary::duration;
use crate::unifi::value::Value;
use std::borrow::Cow;
use unifi_herald_plugin::{
    Admin, Device, Endpoint, Event, Kind, Mac, Place, Text, Threat, Voucher, Vpn, Wan,
};

/// Key of the event whose `mac` is the device that was not found.
const UPGRADE_NOT_FOUND: &str = "EVT_AD_ScheduleUpgradeFailedNotFound";

impl Subjects<'_> {
    pub(super) fn legacy<'a>(&mut self, event: &mut Event, item: &Item<'a>) -> Details<'a> {
        let key = event.key.clone().unwrap_or_else(|| "".into());
        let family = catalog::family(&key);
        self.legacy_client(event, item, family);
        self.legacy_device(event, item, family, &key);
        self.legacy_move(event, item);
        event.ssid = self.name(item.ssid.or(item.essid));
        event.network = network(
            self.name(item.network.or(item.network_name)),
            item.vlan.and_then(Value::number),
        );
        if let Some(port) = item.port.or(item.outlet) {
            event.port = self.port(port.number(), None, event.device.as_ref());
        }
        if let Some(iface) = item.iface {
            event.wan = Some(Box::new(Wan {
                interface: self.name(Some(iface)),
                ..Wan::default()
            }));
        }
        self.legacy_admin(event, item);
        match event.kind.category() {
            "threat" => self.legacy_threat(event, item),
            "vpn" => self.legacy_vpn(event, item),
            _ => {}
        }
        if matches!(event.kind, Kind::NETWORK_ROGUE_DHCP | Kind::WIFI_ROGUE_AP) {
            let rogue = Endpoint {
                ip: self.name(item.ip),
                mac: item.mac.and_then(Value::mac),
                ..Endpoint::default()
            };
            event.src = self.endpoint(rogue);
        }
        self.legacy_voucher(event, item);
        Details {
            duration: lasting(item),
            version_from: item.version_from.and_then(Value::text),
            version_to: item.version_to.or(item.version).and_then(Value::text),
            ..Details::default()
        }
    }

    fn legacy_client(&mut self, event: &mut Event, item: &Item<'_>, family: &str) {
        let subject = item.user.or(item.client).or(item.guest);
        let Some(mac) = subject.and_then(Value::mac) else {
            return;
        };
        let hostname = self.name(item.hostname);
        let mut client = self.client(mac, None, hostname, None);
        match family {
            "WU" | "WC" => (client.guest, client.wired) = (client.guest && family == "WC", false),
            "WG" => (client.guest, client.wired) = (true, false),
            "LU" => (client.guest, client.wired) = (false, true),
            "LG" => (client.guest, client.wired) = (true, true),
            "LC" => client.wired = true,
            _ => {}
        }
        client.guest |= family == "HS" || item.guest.is_some() && family != "WU" && family != "LU";
        event.client = Some(client);
    }

    fn legacy_device(&mut self, event: &mut Event, item: &Item<'_>, family: &str, key: &str) {
        // The first address counts; names may stand beside another one (`gw` with `dm_name`).
        let rows = [
            (
                item.ap,
                item.ap_name,
                item.ap_display_name,
                item.ap_model,
                "ap",
            ),
            (
                item.gw,
                item.gw_name,
                item.gw_display_name,
                item.gw_model,
                "gateway",
            ),
            (
                item.sw,
                item.sw_name,
                item.sw_display_name,
                item.sw_model,
                "switch",
            ),
            (
                item.dm,
                item.dm_name,
                item.dm_display_name,
                item.dm_model,
                "gateway",
            ),
            (
                item.xg,
                item.xg_name,
                item.xg_display_name,
                item.xg_model,
                "gateway",
            ),
            (
                item.bb,
                item.bb_name,
                item.bb_display_name,
                item.bb_model,
                "bridge",
            ),
            (item.lte, item.lte_name, None, item.lte_model, "lte"),
            (item.usp, item.usp_name, None, item.usp_model, "power"),
            (item.dev, item.dev_name, None, item.dev_model, ""),
            (item.ap_to.or(item.ap_from), None, None, None, "ap"),
        ];
        let mut found: Option<(Mac, &str)> = None;
        let (mut name, mut model) = (None, None);
        for (mac, own_name, display_name, own_model, kind) in rows {
            found = found.or_else(|| Some((mac?.mac()?, kind)));
            name = name.or(own_name).or(display_name);
            model = model.or(own_model);
        }
        if key == UPGRADE_NOT_FOUND {
            found = item.mac.and_then(Value::mac).map(|mac| (mac, ""));
            name = item.name;
        }
        let Some((mac, kind)) = found else {
            event.device = self.named_only(name, model);
            return;
        };
        // Power strips send their own address as `ap`.
        let kind = if family == "USP" { "power" } else { kind };
        let kind = Some(kind).filter(|kind| !kind.is_empty());
        let (name, model) = (self.name(name), self.name(model));
        event.device = Some(self.device(mac, name, model, kind));
    }

    fn named_only(&mut self, name: Option<Value<'_>>, model: Option<Value<'_>>) -> Option<Device> {
        let name = self.name(name)?;
        Some(Device {
            name: Some(name),
            model: self.name(model),
            ..Device::default()
        })
    }

    fn legacy_move(&mut self, event: &mut Event, item: &Item<'_>) {
        let channel = |value: Option<Value<'_>>| value.and_then(Value::number);
        let radio = |value: Option<Value<'_>>| band(&value?.text()?);
        let from = Place {
            device: item
                .ap_from
                .and_then(Value::mac)
                .map(|mac| self.end(mac, None)),
            channel: channel(item.channel_from.or(item.radar_channel)),
            // A change of channel stays on its radio.
            band: radio(item.radio_from.or(item.channel_from.and(item.radio))),
        };
        let to = Place {
            device: item
                .ap_to
                .and_then(Value::mac)
                .map(|mac| self.end(mac, None)),
            channel: channel(item.channel_to.or(item.channel)),
            band: radio(item.radio_to.or(item.radio)),
        };
        event.from = (from != Place::default()).then_some(from);
        event.to = (to != Place::default()).then_some(to);
    }

    fn legacy_admin(&mut self, event: &mut Event, item: &Item<'_>) {
        let Some(text) = item.admin.and_then(Value::text) else {
            return;
        };
        let inner = text
            .trim()
            .strip_prefix("Admin[")
            .and_then(|rest| rest.strip_suffix(']'));
        let name = self.texts.name(inner.unwrap_or(&text));
        event.admin = Some(Admin {
            name,
            ip: self.name(item.ip),
        });
    }

    fn legacy_threat(&mut self, event: &mut Event, item: &Item<'_>) {
        let src = Endpoint {
            ip: self.name(item.src_ip),
            port: item.src_port.and_then(Value::number),
            mac: item.src_mac.and_then(Value::mac),
            name: None,
        };
        let dst = Endpoint {
            ip: self.name(item.dest_ip),
            port: item.dest_port.and_then(Value::number),
            mac: item.dst_mac.and_then(Value::mac),
            name: None,
        };
        let inside = |end: &Endpoint| is_inside(end.ip.as_deref()?);
        let direction = direction(inside(&src), inside(&dst));
        let threat = Threat {
            signature: self.name(item.alert_signature),
            category: self
                .name(item.alert_category)
                .or_else(|| self.category(item.catname)),
            action: self.name(item.alert_action),
            direction: direction.map(|direction| self.texts.share(direction)),
        };
        event.threat = (threat != Threat::default()).then(|| Box::new(threat));
        event.src = self.endpoint(src);
        event.dst = self.endpoint(dst);
    }

    /// `catname`, which is a text or a list of texts.
    fn category(&mut self, value: Option<Value<'_>>) -> Option<Text> {
        let value = value?;
        if let Some(text) = value.text() {
            return self.texts.name(&text);
        }
        let mut joined = String::new();
        value.elements(|element| {
            if let Some(text) = element.text() {
                if !joined.is_empty() {
                    joined.push_str(", ");
                }
                joined.push_str(&text);
            }
        })?;
        self.texts.name(&joined)
    }

    fn legacy_vpn(&mut self, event: &mut Event, item: &Item<'_>) {
        let user = item.user.filter(|user| user.mac().is_none());
        let vpn = Vpn {
            name: self.name(item.name.or(user)),
            kind: None,
            ip: self.name(item.ip),
        };
        event.vpn = (vpn != Vpn::default()).then(|| Box::new(vpn));
    }

    fn legacy_voucher(&mut self, event: &mut Event, item: &Item<'_>) {
        let about_vouchers = matches!(
            event.kind,
            Kind::GUEST_VOUCHER_USED | Kind::ADMIN_VOUCHER_CREATED | Kind::ADMIN_VOUCHER_DELETED
        );
        if !about_vouchers {
            return;
        }
        let voucher = Voucher {
            code: self.name(item.code),
            count: item.num.or(item.count).and_then(Value::number),
        };
        event.voucher = (voucher != Voucher::default()).then_some(voucher);
    }
}

/// `duration` in seconds or `minutes`, ready to be read.
fn lasting<'a>(item: &Item<'a>) -> Option<Cow<'a, str>> {
    let minutes = || item.minutes.and_then(Value::int)?.checked_mul(60);
    let seconds = item.duration.and_then(Value::int).or_else(minutes)?;
    Some(Cow::Owned(duration(u64::try_from(seconds).ok()?)))
}
