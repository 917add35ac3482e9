//! The kinds of system-log entry: their keys, categories and words.

/// The fixed part of a kind of entry.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) event: &'static str,
    pub(super) key: &'static str,
    pub(super) category: &'static str,
    pub(super) subcategory: &'static str,
    pub(super) kind: &'static str,
    pub(super) severity: &'static str,
    pub(super) target: &'static str,
    pub(super) title: &'static str,
    pub(super) message: &'static str,
}

/// The form of an item whose key alone tells it.
pub(super) fn plain_form(key: &str) -> Option<&'static Form> {
    Some(match key {
        "EVT_WU_Connected" | "EVT_WG_Connected" => &CONNECTED_WIRELESS,
        "EVT_WU_Disconnected" | "EVT_WG_Disconnected" => &DISCONNECTED_WIRELESS,
        "EVT_WU_Roam" | "EVT_WG_Roam" => &ROAMED,
        "EVT_LU_Connected" | "EVT_LG_Connected" => &CONNECTED_WIRED,
        "EVT_LU_Disconnected" | "EVT_LG_Disconnected" => &DISCONNECTED_WIRED,
        "EVT_AP_ChannelChanged" => &CHANGED_CHANNELS,
        "EVT_AP_Lost_Contact" | "EVT_SW_Lost_Contact" | "EVT_GW_Lost_Contact" => &UNREACHABLE,
        "EVT_AP_Connected" | "EVT_SW_Connected" | "EVT_GW_Connected" => &RECONNECTED,
        "EVT_AD_Login" => &ADMIN_ACCESS,
        _ => return None,
    })
}

/// A client's form: they differ in little.
const fn client(
    event: &'static str,
    key: &'static str,
    sub: &'static str,
    title: &'static str,
    message: &'static str,
) -> Form {
    Form {
        event,
        key,
        category: "CLIENT_DEVICES",
        subcategory: sub,
        kind: "CLIENT_CONNECTION",
        severity: "LOW",
        target: "CLIENT",
        title,
        message,
    }
}

const CONNECTED_WIRELESS: Form = client(
    "CLIENT_CONNECTED_WIRELESS",
    "CLIENT_CONNECTED_WIRELESS_2",
    "MONITORING_WIFI",
    "WiFi Client Connected",
    "{CLIENT} connected to {WLAN} on {DEVICE}. Connection Info: {WIFI_STATS}. IP: {IP}",
);
const DISCONNECTED_WIRELESS: Form = client(
    "CLIENT_DISCONNECTED_WIRELESS",
    "CLIENT_DISCONNECTED_WIRELESS_2",
    "MONITORING_WIFI",
    "WiFi Client Disconnected",
    "{CLIENT} disconnected from {WLAN}. Time Connected: {DURATION}. Last Connected To: {DEVICE}",
);
const ROAMED: Form = client(
    "CLIENT_ROAMED",
    "CLIENT_ROAMED_2",
    "MONITORING_WIFI",
    "WiFi Client Roamed",
    "{CLIENT} roamed from {DEVICE_FROM} to {DEVICE_TO} on {WLAN}. Connection Info: {WIFI_STATS}",
);
const CONNECTED_WIRED: Form = client(
    "CLIENT_CONNECTED_WIRED",
    "CLIENT_CONNECTED_WIRED_2",
    "MONITORING_WIRED",
    "Wired Client Connected",
    "{CLIENT} connected to {NETWORK}. IP: {IP}",
);
const DISCONNECTED_WIRED: Form = client(
    "CLIENT_DISCONNECTED_WIRED",
    "CLIENT_DISCONNECTED_WIRED_2",
    "MONITORING_WIRED",
    "Wired Client Disconnected",
    "{CLIENT} disconnected from {NETWORK}. Time Connected: {DURATION}",
);

/// A device's form.
const fn device(
    event: &'static str,
    severity: &'static str,
    title: &'static str,
    message: &'static str,
) -> Form {
    Form {
        event,
        key: event,
        category: "UNIFI_DEVICES",
        subcategory: "DEVICE_STATUS",
        kind: "DEVICE_STATE",
        severity,
        target: "DEVICE",
        title,
        message,
    }
}

const CHANGED_CHANNELS: Form = device(
    "AP_CHANGED_CHANNELS",
    "LOW",
    "AP Changed Channels",
    "{DEVICE} changed its channel from {PREVIOUS_CHANNEL} to {CHANNEL}.",
);
const UNREACHABLE: Form = device(
    "DEVICE_UNREACHABLE",
    "HIGH",
    "Device Unreachable",
    "{DEVICE} is unreachable.",
);
const RECONNECTED: Form = device(
    "DEVICE_RECONNECTED",
    "LOW",
    "Device Reconnected",
    "{DEVICE} has reconnected.",
);

/// A form about an internet connection.
const fn wan(
    event: &'static str,
    key: &'static str,
    severity: &'static str,
    title: &'static str,
    message: &'static str,
) -> Form {
    Form {
        event,
        key,
        category: "INTERNET_AND_WAN",
        subcategory: "INTERNET_OUTAGE_AND_FAILOVER",
        kind: "INTERNET_STATUS",
        severity,
        target: "SITE",
        title,
        message,
    }
}

/// An internet connection failed.
pub(super) const WAN_FAILED: Form = wan(
    "NETWORK_WAN_FAILED",
    "NETWORK_WAN_FAILED_2",
    "HIGH",
    "Internet Disconnected",
    "Internet connection {WAN_ID} is down.",
);
/// It is back.
pub(super) const WAN_RESTORED: Form = wan(
    "NETWORK_WAN_RESTORED",
    "NETWORK_WAN_RESTORED_2",
    "LOW",
    "Internet Restored",
    "Internet connection {WAN_ID} is up again.",
);
/// The backup connection took over.
pub(super) const FAILED_OVER: Form = wan(
    "NETWORK_FAILED_OVER_TO_BACKUP_WAN",
    "NETWORK_FAILED_OVER_TO_BACKUP_WAN_2",
    "HIGH",
    "{FAILOVER_WAN_ID} Internet Failover Active",
    "Internet connection {WAN_ID} on port {PORT} is down and {FAILOVER_WAN_ID} {FAILOVER_ISP_NAME} is now active.",
);
/// The provider loses packets.
pub(super) const PACKET_LOSS: Form = wan(
    "ISP_PACKET_LOSS",
    "ISP_PACKET_LOSS_2",
    "MEDIUM",
    "High Packet Loss",
    "Internet connection {WAN_ID} is losing packets.",
);

/// A form about an attack.
const fn security(
    event: &'static str,
    key: &'static str,
    sub: &'static str,
    severity: &'static str,
    title: &'static str,
    message: &'static str,
) -> Form {
    Form {
        event,
        key,
        category: "SECURITY",
        subcategory: sub,
        kind: "THREAT_DETECTION_AND_PREVENTION",
        severity,
        target: "DEVICE",
        title,
        message,
    }
}

/// The intrusion detection noticed something and let it pass.
pub(super) const THREAT_DETECTED: Form = security(
    "THREAT_DETECTED",
    "THREAT_DETECTED_KNOWN_SOURCE_CLIENT",
    "SECURITY_INTRUSION_PREVENTION",
    "HIGH",
    "Threat Detected",
    "A network intrusion attempt from {SRC_CLIENT} to {DST_IP} has been detected.",
);
/// The intrusion detection stopped something.
pub(super) const THREAT_BLOCKED: Form = security(
    "THREAT_BLOCKED",
    "THREAT_BLOCKED_KNOWN_SOURCE_CLIENT",
    "SECURITY_INTRUSION_PREVENTION",
    "VERY_HIGH",
    "Threat Detected and Blocked",
    "A network intrusion attempt from {SRC_CLIENT} to {DST_IP} has been detected and blocked.",
);
/// Somebody knocked at the honeypot.
pub(super) const HONEYPOT: Form = security(
    "HONEYPOT_HIT_DETECTED",
    "HONEYPOT_HIT_DETECTED_KNOWN_CLIENT",
    "SECURITY_HONEYPOT",
    "HIGH",
    "Honeypot Triggered",
    "{SRC_CLIENT} has accessed the honeypot {DST_IP}.",
);
/// A firewall policy stopped a client.
pub(super) const BLOCKED_BY_FIREWALL: Form = security(
    "BLOCKED_BY_FIREWALL",
    "TRAFFIC_BLOCKED_KNOWN_SOURCE_CLIENT",
    "SECURITY_FIREWALL",
    "MEDIUM",
    "Blocked by Firewall",
    "{SRC_CLIENT} was blocked from accessing {DST_IP} by the {TRIGGER} Firewall Policy.",
);

const ADMIN_ACCESS: Form = Form {
    event: "ADMIN_ACCESS",
    key: "ADMIN_ACCESS",
    category: "AUDIT",
    subcategory: "SYSTEM_ADMIN",
    kind: "ADMIN_ACCESS",
    severity: "MEDIUM",
    target: "ADMIN",
    title: "Network Accessed",
    message: "{ADMIN} accessed the Network application from {IP}.",
};
