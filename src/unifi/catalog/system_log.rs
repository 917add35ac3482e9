//! The keys of `alert` frames and of the system-log API, without their endings: `CLIENT_ROAMED`; and the frames
//! that are events by themselves.

use super::Row;
use unifi_herald_plugin::{Kind, Severity};

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    ("CLIENT_CONNECTED", Kind::CLIENT_CONNECTED, None),
    ("CLIENT_CONNECTED_WIRED", Kind::CLIENT_CONNECTED, None),
    ("CLIENT_CONNECTED_WIRELESS", Kind::CLIENT_CONNECTED, None),
    ("CLIENT_DISCONNECTED", Kind::CLIENT_DISCONNECTED, None),
    ("CLIENT_DISCONNECTED_WIRED", Kind::CLIENT_DISCONNECTED, None),
    ("CLIENT_DISCONNECTED_WIRELESS", Kind::CLIENT_DISCONNECTED, None),
    ("CLIENT_ROAMED", Kind::CLIENT_ROAMED, None),
    ("TELEPORT_CLIENT_CONNECTED", Kind::VPN_CONNECTED, None),
    ("TELEPORT_CLIENT_DISCONNECTED", Kind::VPN_DISCONNECTED, None),
    ("VPN_CLIENT_CONNECTED", Kind::VPN_CONNECTED, None),
    ("VPN_CLIENT_DISCONNECTED", Kind::VPN_DISCONNECTED, None),
    ("AP_CHANGED_CHANNELS", Kind::WIFI_CHANNEL_CHANGED, None),
    ("DEVICE_LOST_CONTACT", Kind::DEVICE_OFFLINE, None),
    ("DEVICE_UNREACHABLE", Kind::DEVICE_OFFLINE, None),
    ("DEVICE_RECONNECTED", Kind::DEVICE_ONLINE, None),
    ("NETWORK_WAN_FAILED", Kind::WAN_DOWN, None),
    ("NETWORK_WAN_FAILED_MULTIPLE_TIMES", Kind::WAN_DEGRADED, None),
    ("NETWORK_WAN_FAILED_TEMPORARY", Kind::WAN_DEGRADED, None),
    ("NETWORK_WAN_RESTORED", Kind::WAN_UP, None),
    ("NETWORK_FAILED_OVER_TO_BACKUP_WAN", Kind::WAN_FAILOVER, None),
    ("NETWORK_FAILED_OVER_TO_BACKUP_WAN_TEMPORARY", Kind::WAN_FAILOVER, Some(Severity::Warning)),
    ("ISP_HIGH_LATENCY", Kind::WAN_DEGRADED, None),
    ("ISP_PACKET_LOSS", Kind::WAN_DEGRADED, None),
    ("THREAT_DETECTED", Kind::THREAT_DETECTED, None),
    ("THREAT_BLOCKED", Kind::THREAT_BLOCKED, None),
    ("HONEYPOT_HIT_DETECTED", Kind::THREAT_HONEYPOT, None),
    ("BLOCKED_BY_FIREWALL", Kind::TRAFFIC_BLOCKED, None),
    ("TRAFFIC_BLOCKED", Kind::TRAFFIC_BLOCKED, None),
    ("ADMIN_ACCESS", Kind::ADMIN_LOGIN, None),
    // Frames of their own, whose items carry no key.
    ("vpn:connect", Kind::VPN_CONNECTED, None),
    ("vpn:disconnect", Kind::VPN_DISCONNECTED, None),
    ("client:disconnected", Kind::VPN_DISCONNECTED, None),
];

/// `key` without its last ending, when that is one of those which only tell versions and variants apart:
/// a number, `V` and a number, or everything from `KNOWN` on.
pub(super) fn without_ending(key: &str) -> Option<&str> {
    let (rest, last) = key.rsplit_once('_')?;
    let digits = last.strip_prefix('V').unwrap_or(last);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(rest);
    }
    key.find("_KNOWN_").map(|at| &key[..at])
}
