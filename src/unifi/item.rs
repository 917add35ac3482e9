//! The fields of an item that herald knows, each found once, in one walk over the item.

use super::value::{Fields as _, Value, fields};
use serde_json::value::RawValue;

/// Most levels of nesting in an item.
const MAX_DEPTH: usize = 64;

/// Why an item gives no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadItem {
    /// Not an object.
    Shape,
    /// Nested deeper than [`MAX_DEPTH`].
    Depth,
    /// An object without a key and without a text.
    Empty,
}

fields! {
    /// An item of `events`, `alert`, `stat/event` or the system log: both shapes, since old and new controllers mix them.
    Item {
        object_id b"_id",
        id b"id",
        key b"key",
        event b"event",
        time b"time",
        datetime b"datetime",
        timestamp b"timestamp",
        msg b"msg",

        message b"message",
        message_raw b"message_raw",
        title_raw b"title_raw",
        severity b"severity",
        parameters b"parameters",

        user b"user",
        guest b"guest",
        client b"client",
        hostname b"hostname",
        ssid b"ssid",
        essid b"essid",
        network b"network",
        network_name b"network_name",
        vlan b"vlan",

        ap b"ap",
        ap_name b"ap_name",
        ap_display_name b"ap_displayName",
        ap_model b"ap_model",
        gw b"gw",
        gw_name b"gw_name",
        gw_display_name b"gw_displayName",
        gw_model b"gw_model",
        sw b"sw",
        sw_name b"sw_name",
        sw_display_name b"sw_displayName",
        sw_model b"sw_model",
        dm b"dm",
        dm_name b"dm_name",
        dm_display_name b"dm_displayName",
        dm_model b"dm_model",
        xg b"xg",
        xg_name b"xg_name",
        xg_display_name b"xg_displayName",
        xg_model b"xg_model",
        bb b"bb",
        bb_name b"bb_name",
        bb_display_name b"bb_displayName",
        bb_model b"bb_model",
        lte b"lte",
        lte_name b"lte_name",
        lte_model b"lte_model",
        usp b"usp",
        usp_name b"usp_name",
        usp_model b"usp_model",
        dev b"dev",
        dev_name b"dev_name",
        dev_model b"dev_model",
        mac b"mac",
        name b"name",

        ap_from b"ap_from",
        ap_to b"ap_to",
        channel b"channel",
        channel_from b"channel_from",
        channel_to b"channel_to",
        radar_channel b"radar_channel",
        radio b"radio",
        radio_from b"radio_from",
        radio_to b"radio_to",

        port b"port",
        outlet b"outlet",
        iface b"iface",
        state b"state",
        duration b"duration",
        minutes b"minutes",
        version b"version",
        version_from b"version_from",
        version_to b"version_to",

        admin b"admin",
        ip b"ip",
        code b"code",
        num b"num",
        count b"count",

        src_ip b"src_ip",
        src_port b"src_port",
        src_mac b"src_mac",
        dest_ip b"dest_ip",
        dest_port b"dest_port",
        dst_mac b"dst_mac",
        catname b"catname",
        alert_action b"inner_alert_action",
        alert_signature b"inner_alert_signature",
        alert_category b"inner_alert_category",
        alert_severity b"inner_alert_severity",
        alert_id b"unique_alertid",
        flow_id b"flow_id",
    }
}

fields! {
    /// `parameters` of a system-log item: what the placeholders of its message stand for.
    Parameters {
        client b"CLIENT",
        src_client b"SRC_CLIENT",
        dst_client b"DST_CLIENT",
        src_ip b"SRC_IP",
        dst_ip b"DST_IP",
        device b"DEVICE",
        device_from b"DEVICE_FROM",
        device_to b"DEVICE_TO",
        device_with_port b"DEVICE_WITH_PORT",
        ap b"AP",
        wlan b"WLAN",
        network b"NETWORK",
        vlan b"VLAN",
        ip b"IP",
        port b"PORT",
        admin b"ADMIN",
        wan b"WAN_ID",
        isp b"ISP_NAME",
        failover_wan b"FAILOVER_WAN_ID",
        failover_isp b"FAILOVER_ISP_NAME",
        trigger b"TRIGGER",
        signature b"SIGNATURE",
        threat_type b"THREAT_TYPE",
        threat_category b"THREAT_CATEGORY",
        channel b"CHANNEL",
        channel_from b"CHANNEL_FROM",
        channel_to b"CHANNEL_TO",
        previous_channel b"PREVIOUS_CHANNEL",
        band b"RADIO_BAND",
        previous_band b"PREVIOUS_RADIO_BAND",
        wifi_stats b"WIFI_STATS",
        previous_wifi_stats b"PREVIOUS_WIFI_STATS",
        duration b"DURATION",
        version b"VERSION",
        version_from b"PREVIOUS_VERSION",
        vpn b"VPN",
        vpn_type b"VPN_TYPE",
    }
}

fields! {
    /// One parameter: a client, a device, a network or just a text.
    Parameter {
        id b"id",
        name b"name",
        hostname b"hostname",
        ip b"ip",
        model b"model",
        model_name b"model_name",
        vlan b"vlan_id",
        brackets b"enclosed_with_brackets",
    }
}

impl<'a> Item<'a> {
    /// Find the fields of an item, in place: it is too large to be handed around. `frame` is the key its frame gives
    /// it, where items have none of their own.
    ///
    /// # Errors
    /// When it is no object, too deep, or says nothing.
    pub(super) fn take(&mut self, raw: &'a RawValue, frame: Option<&str>) -> Result<(), BadItem> {
        let json = raw.get();
        if !json.starts_with('{') {
            return Err(BadItem::Shape);
        }
        if is_deeper_than(json, MAX_DEPTH) {
            return Err(BadItem::Depth);
        }
        self.fill(json).ok_or(BadItem::Shape)?;
        self.must_say_something(frame)
    }

    /// The same for an item at the start of `json` that nobody has checked; its length beside what it is good for, or
    /// nothing when it is no ordinary item and is to be looked at by [`Item::take`].
    pub(super) fn take_checked(
        &mut self,
        json: &'a str,
        frame: Option<&str>,
    ) -> Option<(usize, Result<(), BadItem>)> {
        let length = self.fill_checked(json)?;
        Some((length, self.must_say_something(frame)))
    }

    fn must_say_something(&self, frame: Option<&str>) -> Result<(), BadItem> {
        let says = [
            self.key,
            self.event,
            self.msg,
            self.message,
            self.message_raw,
            self.title_raw,
        ];
        if frame.is_some() || says.iter().flatten().any(|value| value.text().is_some()) {
            Ok(())
        } else {
            Err(BadItem::Empty)
        }
    }

    /// An item of its own, for tests.
    #[cfg(test)]
    pub(super) fn of(raw: &'a RawValue, frame: Option<&str>) -> Result<Self, BadItem> {
        let mut item = Self::default();
        item.take(raw, frame)?;
        Ok(item)
    }

    /// The parameters of a system-log item; empty for every other one.
    pub(super) fn parameters(&self) -> Parameters<'a> {
        match self.parameters {
            Some(value) if value.is_object() => Parameters::read(value.json()).unwrap_or_default(),
            _ => Parameters::default(),
        }
    }
}

impl<'a> Parameter<'a> {
    /// Find the fields of a parameter. One that is a plain text or number is its own name.
    pub(super) fn of(value: Option<Value<'a>>) -> Option<Self> {
        let value = value?;
        if value.is_object() {
            Self::read(value.json())
        } else {
            value.text()?;
            Some(Self {
                name: Some(value),
                ..Self::default()
            })
        }
    }
}

/// Whether brackets in `json`, which is valid, nest deeper than `limit`. Of other text it says something, in one pass.
pub(crate) fn is_deeper_than(json: &str, limit: usize) -> bool {
    let bytes = json.as_bytes();
    // Few brackets cannot nest deeply, and nearly every item has few.
    if memchr::memchr2_iter(b'{', b'[', bytes).nth(limit).is_none() {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Result<Item<'_>, BadItem> {
        Item::of(serde_json::from_str(json).unwrap(), None)
    }

    #[test]
    fn the_last_of_duplicate_keys_counts() {
        let item = of(r#"{"key":"A","user":1,"key":"B"}"#).unwrap();
        assert_eq!(item.key.unwrap().text().as_deref(), Some("B"));
    }

    #[test]
    fn an_item_must_say_something() {
        for (json, why) in [
            ("[1]", BadItem::Shape),
            ("\"x\"", BadItem::Shape),
            ("{}", BadItem::Empty),
            (r#"{"key":null,"msg":""}"#, BadItem::Empty),
            (r#"{"user":"02:00:00:00:00:01"}"#, BadItem::Empty),
        ] {
            assert_eq!(of(json).unwrap_err(), why, "{json}");
        }
        assert!(of(r#"{"msg":"something happened"}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_text_do_not_count() {
        let nested = |levels: usize| {
            format!(
                r#"{{"key":"A","x":{}{}}}"#,
                "[".repeat(levels),
                "]".repeat(levels)
            )
        };
        assert!(of(&nested(63)).is_ok());
        assert_eq!(of(&nested(64)).unwrap_err(), BadItem::Depth);
        let text = format!(r#"{{"key":"A","x":"\"{}"}}"#, "[".repeat(1000));
        assert!(of(&text).is_ok());
        let wide = format!(r#"{{"key":"A","x":[{}]}}"#, vec!["[]"; 500].join(","));
        assert!(of(&wide).is_ok());
        assert_eq!(of(&nested(100_000)).unwrap_err(), BadItem::Depth);
    }
}
