//! Tests of the tables.

use super::*;
use std::collections::HashSet;

/// Every key that the protocol's sources name, one a line.
const KEYS: &str = include_str!("../../../tests/fixtures/catalog_keys.txt");

#[test]
fn every_documented_key_has_a_kind() {
    for key in KEYS.lines() {
        let entry = system(key).unwrap_or_else(|| panic!("{key} is not in the catalog"));
        assert_ne!(entry.kind, Kind::UNKNOWN, "{key}");
        if key.starts_with("EVT_") {
            assert_eq!(&*entry.key, key, "an old key is listed as it is");
        }
    }
}

#[test]
fn no_key_is_listed_twice() {
    let mut seen = HashSet::new();
    for (key, ..) in legacy::rows().chain(system_log::ROWS.iter().copied()) {
        assert!(seen.insert(key), "{key}");
    }
}

#[test]
fn keys_match_whole_and_in_their_case() {
    let kind = |key: &str| system(key).map(|entry| entry.kind);
    assert_eq!(
        kind("CLIENT_DISCONNECTED_WIRELESS_2"),
        Some(Kind::CLIENT_DISCONNECTED)
    );
    assert_eq!(
        kind("CLIENT_CONNECTED_WIRELESS_17"),
        Some(Kind::CLIENT_CONNECTED)
    );
    assert_eq!(
        kind("THREAT_BLOCKED_KNOWN_SOURCE_CLIENT_V3"),
        Some(Kind::THREAT_BLOCKED)
    );
    assert_eq!(
        kind("NETWORK_WAN_FAILED_MULTIPLE_TIMES_2"),
        Some(Kind::WAN_DEGRADED)
    );
    for key in [
        "",
        "_",
        "_2",
        "EVT_WU_roam",
        "EVT_WU_Roam_Radio",
        "EVT_AP_LostContact",
        "EVT_SW_POE_Overload",
        "CLIENT_CONNECTED_TO_NOTHING",
        "XCLIENT_CONNECTED",
        "CLIENT_CONNECTED_",
        "CLIENT_CONNECTED_V",
    ] {
        assert_eq!(kind(key), None, "{key}");
    }
}

#[test]
fn an_operator_who_restarts_a_device_is_no_trouble() {
    let severity = |key: &str| exact(key).map(|entry| entry.severity);
    assert_eq!(severity("EVT_SW_Restarted"), Some(Severity::Notice));
    assert_eq!(severity("EVT_SW_RestartedUnknown"), Some(Severity::Warning));
}

#[test]
fn the_family_is_the_first_word() {
    assert_eq!(family("EVT_LTE_NotConnectedToLte_Alert"), "LTE");
    assert_eq!(family("CLIENT_ROAMED"), "");
    assert_eq!(family("EVT_"), "");
}
