//! The keys of `events` frames and of `stat/event`: `EVT_WU_Roam`.
//!
//! The wire is case-sensitive, and `Lost_Contact` is the only device key with an underscore; `Update_Available`
//! and the `_Alert` variants of LTE are kept beside the forms without, since both were seen.

use super::Row;
use unifi_herald_plugin::{Kind, Severity};

/// All of them.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    FAMILIES
        .iter()
        .flat_map(|family| family.iter())
        .chain(SPECIAL)
        .copied()
}

/// What every kind of device can do; not every pair was seen, but each means the same wherever it turns up.
macro_rules! device {
    ($family:literal) => {
        &[
            (
                concat!("EVT_", $family, "_Adopted"),
                Kind::DEVICE_ADOPTED,
                None,
            ),
            (
                concat!("EVT_", $family, "_AutoReadopted"),
                Kind::DEVICE_READOPTED,
                None,
            ),
            (
                concat!("EVT_", $family, "_CommitError"),
                Kind::DEVICE_CONFIG_ERROR,
                None,
            ),
            (
                concat!("EVT_", $family, "_Configured"),
                Kind::SYSTEM_NOTICE,
                None,
            ),
            (
                concat!("EVT_", $family, "_Connected"),
                Kind::DEVICE_ONLINE,
                None,
            ),
            (
                concat!("EVT_", $family, "_Deleted"),
                Kind::DEVICE_REMOVED,
                None,
            ),
            (
                concat!("EVT_", $family, "_Disconnected"),
                Kind::DEVICE_OFFLINE,
                None,
            ),
            (
                concat!("EVT_", $family, "_DiscoveredPending"),
                Kind::DEVICE_DISCOVERED,
                None,
            ),
            (
                concat!("EVT_", $family, "_EliteDeviceChanged"),
                Kind::SYSTEM_NOTICE,
                None,
            ),
            (
                concat!("EVT_", $family, "_EliteDeviceOffline"),
                Kind::SYSTEM_NOTICE,
                Some(Severity::Warning),
            ),
            (
                concat!("EVT_", $family, "_EliteDeviceRevoke"),
                Kind::SYSTEM_NOTICE,
                Some(Severity::Warning),
            ),
            (
                concat!("EVT_", $family, "_FirmwareCheckFailed"),
                Kind::DEVICE_UPGRADE_FAILED,
                Some(Severity::Warning),
            ),
            (
                concat!("EVT_", $family, "_FirmwareDownloadFailed"),
                Kind::DEVICE_UPGRADE_FAILED,
                None,
            ),
            (
                concat!("EVT_", $family, "_HostKeyMismatch"),
                Kind::DEVICE_CONFIG_ERROR,
                Some(Severity::Error),
            ),
            (
                concat!("EVT_", $family, "_Isolated"),
                Kind::DEVICE_ISOLATED,
                None,
            ),
            (
                concat!("EVT_", $family, "_LicenseChanged"),
                Kind::SYSTEM_NOTICE,
                None,
            ),
            (
                concat!("EVT_", $family, "_LicenseInvalid"),
                Kind::SYSTEM_NOTICE,
                Some(Severity::Warning),
            ),
            (
                concat!("EVT_", $family, "_LicenseValid"),
                Kind::SYSTEM_NOTICE,
                None,
            ),
            (
                concat!("EVT_", $family, "_Lost_Contact"),
                Kind::DEVICE_OFFLINE,
                None,
            ),
            (
                concat!("EVT_", $family, "_Notification"),
                Kind::SYSTEM_NOTICE,
                None,
            ),
            (
                concat!("EVT_", $family, "_OutletPowerCycle"),
                Kind::PORT_OUTLET_CYCLED,
                None,
            ),
            (
                concat!("EVT_", $family, "_Overheat"),
                Kind::DEVICE_OVERHEATED,
                None,
            ),
            (
                concat!("EVT_", $family, "_RediscoveredPending"),
                Kind::DEVICE_DISCOVERED,
                None,
            ),
            (
                concat!("EVT_", $family, "_RestartProc"),
                Kind::SYSTEM_NOTICE,
                None,
            ),
            (
                concat!("EVT_", $family, "_Restarted"),
                Kind::DEVICE_RESTARTED,
                Some(Severity::Notice),
            ),
            (
                concat!("EVT_", $family, "_RestartedUnknown"),
                Kind::DEVICE_RESTARTED,
                None,
            ),
            (
                concat!("EVT_", $family, "_RollUpgrade"),
                Kind::DEVICE_UPGRADING,
                None,
            ),
            (
                concat!("EVT_", $family, "_UpgradeFailed"),
                Kind::DEVICE_UPGRADE_FAILED,
                None,
            ),
            (
                concat!("EVT_", $family, "_UpgradeScheduled"),
                Kind::DEVICE_UPGRADE_SCHEDULED,
                None,
            ),
            (
                concat!("EVT_", $family, "_Upgraded"),
                Kind::DEVICE_UPGRADED,
                None,
            ),
        ]
    };
}

#[rustfmt::skip]
static FAMILIES: &[&[Row]] = &[
    device!("AP"),
    device!("BB"),
    device!("DEV"),
    device!("DM"),
    device!("GW"),
    device!("LTE"),
    device!("SW"),
    device!("USP"),
    device!("XG"),
];

#[rustfmt::skip]
static SPECIAL: &[Row] = &[
    // Clients.
    ("EVT_WU_Connected", Kind::CLIENT_CONNECTED, None),
    ("EVT_WU_Disconnected", Kind::CLIENT_DISCONNECTED, None),
    ("EVT_WU_Roam", Kind::CLIENT_ROAMED, None),
    ("EVT_WU_RoamRadio", Kind::CLIENT_ROAMED_RADIO, None),
    ("EVT_WG_Connected", Kind::CLIENT_CONNECTED, None),
    ("EVT_WG_Disconnected", Kind::CLIENT_DISCONNECTED, None),
    ("EVT_WG_Roam", Kind::CLIENT_ROAMED, None),
    ("EVT_WG_RoamRadio", Kind::CLIENT_ROAMED_RADIO, None),
    ("EVT_WG_AuthorizationEnded", Kind::GUEST_EXPIRED, None),
    ("EVT_WG_AuthorizationEndedByQuota", Kind::GUEST_EXPIRED, None),
    ("EVT_LU_Connected", Kind::CLIENT_CONNECTED, None),
    ("EVT_LU_Disconnected", Kind::CLIENT_DISCONNECTED, None),
    ("EVT_LG_Connected", Kind::CLIENT_CONNECTED, None),
    ("EVT_LG_Disconnected", Kind::CLIENT_DISCONNECTED, None),
    ("EVT_LG_AuthorizationEnded", Kind::GUEST_EXPIRED, None),
    ("EVT_LG_AuthorizationEndedByQuota", Kind::GUEST_EXPIRED, None),
    ("EVT_WC_Blocked", Kind::CLIENT_BLOCKED, None),
    ("EVT_WC_Unblocked", Kind::CLIENT_UNBLOCKED, None),
    ("EVT_LC_Blocked", Kind::CLIENT_BLOCKED, None),
    ("EVT_LC_Unblocked", Kind::CLIENT_UNBLOCKED, None),
    // Hotspot.
    ("EVT_HS_AuthedByNoAuth", Kind::GUEST_AUTHORIZED, None),
    ("EVT_HS_AuthedByPassword", Kind::GUEST_AUTHORIZED, None),
    ("EVT_HS_VoucherUsed", Kind::GUEST_VOUCHER_USED, None),
    ("EVT_HS_PaymentProcessed", Kind::GUEST_PAID, None),
    // Access points.
    ("EVT_AP_ARPCacheTimeoutNoDevice", Kind::SYSTEM_NOTICE, None),
    ("EVT_AP_ChannelChanged", Kind::WIFI_CHANNEL_CHANGED, None),
    ("EVT_AP_DetectRogueAP", Kind::WIFI_ROGUE_AP, None),
    ("EVT_AP_MinRateNGAutoOptimized", Kind::WIFI_OPTIMIZED, None),
    ("EVT_AP_MulticastBlockAutoEnabled", Kind::WIFI_OPTIMIZED, None),
    ("EVT_AP_MulticastBlockNoDevice", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    ("EVT_AP_No2GHzByOuiAutoEnabled", Kind::WIFI_OPTIMIZED, None),
    ("EVT_AP_PlanFinished", Kind::WIFI_OPTIMIZED, None),
    ("EVT_AP_PossibleInterference", Kind::WIFI_INTERFERENCE, None),
    ("EVT_AP_RadarDetected", Kind::WIFI_RADAR, None),
    ("EVT_AP_WiFiUXIncreased", Kind::WIFI_OPTIMIZED, None),
    ("EVT_AP_WirelessEvent", Kind::SYSTEM_NOTICE, None),
    // Bridges and wireless uplinks.
    ("EVT_BB_ChannelChanged", Kind::WIFI_CHANNEL_CHANGED, None),
    ("EVT_BB_LinkRadioChanged", Kind::WIFI_CHANNEL_CHANGED, None),
    ("EVT_BB_PossibleInterference", Kind::WIFI_INTERFERENCE, None),
    ("EVT_BB_RadarDetected", Kind::WIFI_RADAR, None),
    ("EVT_CF_VwireSet", Kind::SYSTEM_NOTICE, None),
    ("EVT_CF_VwireUnset", Kind::SYSTEM_NOTICE, Some(Severity::Notice)),
    // Switches.
    ("EVT_SW_DetectRogueDHCP", Kind::NETWORK_ROGUE_DHCP, None),
    ("EVT_SW_LoopDetected", Kind::PORT_LOOP, None),
    ("EVT_SW_PoeDisconnect", Kind::PORT_POE_OFF, None),
    ("EVT_SW_PoeOverload", Kind::PORT_POE_OVERLOAD, None),
    ("EVT_SW_StpPortBlocking", Kind::PORT_STP_BLOCKED, None),
    // Gateways.
    ("EVT_GW_DhcpPoolExhausted", Kind::NETWORK_DHCP_EXHAUSTED, None),
    ("EVT_GW_DhcpPoolNearExhausted", Kind::NETWORK_DHCP_EXHAUSTED, Some(Severity::Warning)),
    ("EVT_GW_IPSUpdateError", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    ("EVT_GW_IpReputationAlert", Kind::THREAT_DETECTED, None),
    ("EVT_GW_NetworkAutoScaled", Kind::SYSTEM_NOTICE, None),
    ("EVT_GW_NetworkAutoScaleFailed", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    ("EVT_GW_WANTransition", Kind::WAN_TRANSITION, None),
    // Mobile networks.
    ("EVT_LTE_ConnectedToLte", Kind::LTE_CONNECTED, None),
    ("EVT_LTE_NotConnectedToLte", Kind::LTE_DISCONNECTED, None),
    ("EVT_LTE_NotConnectedToLte_Alert", Kind::LTE_DISCONNECTED, None),
    ("EVT_LTE_RegisteredToLte", Kind::LTE_CONNECTED, None),
    ("EVT_LTE_NotRegisteredToLte", Kind::LTE_DISCONNECTED, None),
    ("EVT_LTE_NotRegisteredToLte_Alert", Kind::LTE_DISCONNECTED, None),
    ("EVT_LTE_HardLimitUsed", Kind::LTE_LIMIT, None),
    ("EVT_LTE_HardLimitCutoff", Kind::LTE_LIMIT, Some(Severity::Error)),
    ("EVT_LTE_Threshold", Kind::LTE_LIMIT, None),
    // Power.
    ("EVT_USP_RpsPortPowerDelivering", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    ("EVT_USP_RpsOutOfBudget", Kind::POWER_OVERLOAD, None),
    ("EVT_USP_RpsPortOverload", Kind::POWER_OVERLOAD, None),
    ("EVT_USP_RpsPowerDeniedByPsuOverload", Kind::POWER_DENIED, None),
    ("EVT_USP_RpsPortErrorBlocked", Kind::POWER_DENIED, None),
    // Public address.
    ("EVT_PA_IncorrectStreamConfiguration", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    ("EVT_PA_ScheduledStreamFailed", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    ("EVT_PA_StreamSkippedDevices", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    // Intrusion detection; the severity comes from the alert.
    ("EVT_IPS_IpsAlert", Kind::THREAT_DETECTED, None),
    // Administration.
    ("EVT_AD_AutoBackupFailedCloudKeySDCardNotFound", Kind::ADMIN_BACKUP, Some(Severity::Error)),
    ("EVT_AD_BackupCreated", Kind::ADMIN_BACKUP, None),
    ("EVT_AD_GuestAuthorizedFor", Kind::GUEST_AUTHORIZED, None),
    ("EVT_AD_GuestExtended", Kind::GUEST_AUTHORIZED, None),
    ("EVT_AD_GuestUnauthorized", Kind::GUEST_UNAUTHORIZED, None),
    ("EVT_AD_HDUsableSpace", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    ("EVT_AD_HotspotOpLogin", Kind::ADMIN_LOGIN, None),
    ("EVT_AD_Login", Kind::ADMIN_LOGIN, None),
    ("EVT_AD_LoginFailed", Kind::ADMIN_LOGIN_FAILED, None),
    ("EVT_AD_MicroSDUsableSpace", Kind::SYSTEM_NOTICE, Some(Severity::Warning)),
    ("EVT_AD_PaymentRefunded", Kind::SYSTEM_NOTICE, Some(Severity::Notice)),
    ("EVT_AD_ScheduleUpgradeFailedNotFound", Kind::DEVICE_UPGRADE_FAILED, None),
    ("EVT_AD_UpdateAvailable", Kind::SYSTEM_UPDATE_AVAILABLE, None),
    ("EVT_AD_Update_Available", Kind::SYSTEM_UPDATE_AVAILABLE, None),
    ("EVT_AD_VoucherCreated", Kind::ADMIN_VOUCHER_CREATED, None),
    ("EVT_AD_VoucherDeleted", Kind::ADMIN_VOUCHER_DELETED, None),
    ("EVT_AD_VouchersDeleted", Kind::ADMIN_VOUCHER_DELETED, None),
];
