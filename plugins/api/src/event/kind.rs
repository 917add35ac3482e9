//! The stable taxonomy of events: `area.verb`.

use super::Severity;
use std::fmt;
use std::str::FromStr;

/// What happened, in herald's own words: `client.roamed`, `device.offline`.
///
/// Rules are written against kinds and never against the controller's raw keys, since those differ
/// between controller versions. A kind is interned: it is two bytes, compares as a number, and
/// [`Kind::as_str`] costs nothing. The set may grow; names never change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u16);

macro_rules! kinds {
    ($($ident:ident $name:literal $severity:ident,)*) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "names mirror the constants of `Kind`")]
        #[derive(Clone, Copy)]
        enum Index { $($ident,)* }

        impl Kind {
            $(#[doc = concat!("`", $name, "`")] pub const $ident: Self = Self(Index::$ident as u16);)*

            /// Every kind, in the order of the table; `Kind::ALL[k.index()] == k`.
            pub const ALL: &'static [Self] = &[$(Self::$ident,)*];
        }

        const NAMES: &[&str] = &[$($name,)*];
        const AREAS: &[&str] = &[$(area($name),)*];
        const SEVERITIES: &[Severity] = &[$(Severity::$severity,)*];
    };
}

/// What stands before the dot, found while this is compiled.
const fn area(name: &str) -> &str {
    let mut dot = 0;
    while dot < name.len() && name.as_bytes()[dot] != b'.' {
        dot += 1;
    }
    name.split_at(dot).0
}

kinds! {
    UNKNOWN "unknown" Info,

    CLIENT_CONNECTED "client.connected" Info,
    CLIENT_DISCONNECTED "client.disconnected" Info,
    CLIENT_ROAMED "client.roamed" Info,
    CLIENT_ROAMED_RADIO "client.roamed_radio" Info,
    CLIENT_BLOCKED "client.blocked" Notice,
    CLIENT_UNBLOCKED "client.unblocked" Notice,
    CLIENT_FIRST_SEEN "client.first_seen" Notice,

    GUEST_AUTHORIZED "guest.authorized" Info,
    GUEST_UNAUTHORIZED "guest.unauthorized" Info,
    GUEST_EXPIRED "guest.expired" Info,
    GUEST_VOUCHER_USED "guest.voucher_used" Info,
    GUEST_PAID "guest.paid" Info,

    DEVICE_ONLINE "device.online" Notice,
    DEVICE_OFFLINE "device.offline" Error,
    DEVICE_RESTARTED "device.restarted" Warning,
    DEVICE_ADOPTED "device.adopted" Notice,
    DEVICE_READOPTED "device.readopted" Notice,
    DEVICE_REMOVED "device.removed" Notice,
    DEVICE_DISCOVERED "device.discovered" Info,
    DEVICE_UPGRADE_SCHEDULED "device.upgrade_scheduled" Info,
    DEVICE_UPGRADING "device.upgrading" Notice,
    DEVICE_UPGRADED "device.upgraded" Notice,
    DEVICE_UPGRADE_FAILED "device.upgrade_failed" Error,
    DEVICE_ISOLATED "device.isolated" Error,
    DEVICE_OVERHEATED "device.overheated" Error,
    DEVICE_CONFIG_ERROR "device.config_error" Warning,

    WIFI_CHANNEL_CHANGED "wifi.channel_changed" Info,
    WIFI_RADAR "wifi.radar" Warning,
    WIFI_INTERFERENCE "wifi.interference" Notice,
    WIFI_ROGUE_AP "wifi.rogue_ap" Warning,
    WIFI_OPTIMIZED "wifi.optimized" Info,

    PORT_POE_OVERLOAD "port.poe_overload" Error,
    PORT_POE_OFF "port.poe_off" Warning,
    PORT_LOOP "port.loop" Error,
    PORT_STP_BLOCKED "port.stp_blocked" Warning,
    PORT_OUTLET_CYCLED "port.outlet_cycled" Notice,

    NETWORK_ROGUE_DHCP "network.rogue_dhcp" Error,
    NETWORK_DHCP_EXHAUSTED "network.dhcp_exhausted" Error,
    NETWORK_IP_CONFLICT "network.ip_conflict" Warning,

    WAN_UP "wan.up" Notice,
    WAN_DOWN "wan.down" Critical,
    WAN_FAILOVER "wan.failover" Error,
    WAN_DEGRADED "wan.degraded" Warning,
    WAN_TRANSITION "wan.transition" Warning,

    LTE_CONNECTED "lte.connected" Notice,
    LTE_DISCONNECTED "lte.disconnected" Warning,
    LTE_LIMIT "lte.limit" Warning,

    VPN_CONNECTED "vpn.connected" Info,
    VPN_DISCONNECTED "vpn.disconnected" Info,

    THREAT_DETECTED "threat.detected" Error,
    THREAT_BLOCKED "threat.blocked" Warning,
    THREAT_HONEYPOT "threat.honeypot" Error,

    TRAFFIC_BLOCKED "traffic.blocked" Notice,

    ADMIN_LOGIN "admin.login" Notice,
    ADMIN_LOGIN_FAILED "admin.login_failed" Warning,
    ADMIN_CHANGE "admin.change" Notice,
    ADMIN_BACKUP "admin.backup" Info,
    ADMIN_VOUCHER_CREATED "admin.voucher_created" Info,
    ADMIN_VOUCHER_DELETED "admin.voucher_deleted" Info,

    POWER_DENIED "power.denied" Error,
    POWER_OVERLOAD "power.overload" Error,

    SYSTEM_UPDATE_AVAILABLE "system.update_available" Notice,
    SYSTEM_NOTICE "system.notice" Info,

    HERALD_CONNECTED "herald.connected" Notice,
    HERALD_DISCONNECTED "herald.disconnected" Warning,
    HERALD_GAP "herald.gap" Error,
    HERALD_BLIND "herald.blind" Error,
    HERALD_SINK_DOWN "herald.sink_down" Error,
    HERALD_SINK_UP "herald.sink_up" Notice,
    HERALD_STORE_DEGRADED "herald.store_degraded" Critical,

    ALERT_FIRING "alert.firing" Warning,
    ALERT_REPEATED "alert.repeated" Warning,
    ALERT_RESOLVED "alert.resolved" Notice,
    ALERT_FOLDED "alert.folded" Info,

    DIGEST_READY "digest.ready" Info,
}

impl Kind {
    /// The name: `client.roamed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// The part before the dot, which is also the event's `category`: `client`.
    #[must_use]
    pub fn category(self) -> &'static str {
        AREAS[usize::from(self.0)]
    }

    /// The severity an event of this kind has when its source does not say otherwise.
    #[must_use]
    pub fn default_severity(self) -> Severity {
        SEVERITIES[usize::from(self.0)]
    }

    /// A dense number from 0 to `Kind::ALL.len() - 1`, for tables and bit sets. Not stable between versions.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKind(pub String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a kind of event", self.0)
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NAMES
            .iter()
            .position(|name| *name == text)
            .map(|index| Self::ALL[index])
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_dense_and_its_names_are_unique() {
        for (index, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(kind.index(), index);
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
    }

    #[test]
    fn the_category_is_the_area() {
        assert_eq!(Kind::CLIENT_ROAMED.category(), "client");
        assert_eq!(Kind::UNKNOWN.category(), "unknown");
    }
}
