//! Subjects with their names, and the lines people read.

use super::*;
use unifi_herald_plugin::{Band, Kind, Mac};

/// A decoder that knows a small site: a phone, two access points, a switch and a gateway.
fn at_home() -> Decoder {
    let mut decoder = decoder();
    let devices = br#"{"meta":{"rc":"ok"},"data":[
        {"mac":"02:00:00:00:00:a1","name":"Attic","model":"U6-Lite","type":"uap"},
        {"mac":"02:00:00:00:00:a2","name":"Kitchen","model":"U6-Lite","type":"uap","uplink":{"uplink_mac":"02:00:00:00:00:51","uplink_remote_port":7}},
        {"mac":"02:00:00:00:00:51","name":"SW-Core","model":"USW-24","type":"usw","port_table":[{"port_idx":3,"name":"Printer"}]},
        {"mac":"02:00:00:00:00:61","name":"Gateway","model":"UDM-Pro","type":"udm"}]}"#;
    assert_eq!(decoder.names().load_devices(devices), Ok(4));
    let users = br#"{"meta":{"rc":"ok"},"data":[{"mac":"02:00:00:00:00:01","name":"Anna's iPhone","hostname":"iphone"}]}"#;
    assert_eq!(decoder.names().load_users(users), Ok(1));
    let clients = br#"{"data":[{"mac":"02:00:00:00:00:01","ip":"192.0.2.17"},{"mac":"00:11:22:33:44:55","hostname":"printer","is_wired":true}]}"#;
    assert_eq!(decoder.names().load_clients(clients), Ok(2));
    decoder
}

fn mac(text: &str) -> Option<Mac> {
    text.parse().ok()
}

#[test]
fn a_roam_is_told_with_names() {
    let item = r#"{"key":"EVT_WU_Roam","user":"02:00:00:00:00:01","ap_from":"02:00:00:00:00:a1","ap_to":"02:00:00:00:00:a2","radio_from":"na","radio_to":"na","channel_from":"36","channel_to":44,"ssid":"Home"}"#;
    let event = event(&mut at_home(), item);
    assert_eq!(
        &*event.summary,
        "Anna's iPhone roamed from Attic to Kitchen on Home (5 GHz, 36 → 44)"
    );
    let client = event.client.as_ref().unwrap();
    assert_eq!(client.name.as_deref(), Some("Anna's iPhone"));
    assert_eq!(client.hostname.as_deref(), Some("iphone"));
    assert_eq!(client.ip.as_deref(), Some("192.0.2.17"));
    assert_eq!(
        (client.guest, client.wired, client.random_mac),
        (false, false, true)
    );
    let device = event.device.as_ref().unwrap();
    assert_eq!(device.name.as_deref(), Some("Kitchen"));
    assert_eq!(device.model.as_deref(), Some("U6-Lite"));
    assert_eq!(device.kind.as_deref(), Some("ap"));
    let uplink = device.uplink.as_ref().unwrap();
    assert_eq!(
        (uplink.mac, uplink.port),
        (mac("02:00:00:00:00:51"), Some(7))
    );
    assert_eq!(uplink.name.as_deref(), Some("SW-Core"));
    let from = event.from.as_ref().unwrap();
    assert_eq!((from.channel, from.band), (Some(36), Some(Band::Ghz5)));
    let attic = from.device.as_ref().unwrap();
    assert_eq!(attic.name.as_deref(), Some("Attic"));
    assert_eq!(
        (&attic.model, &attic.kind),
        (&None, &None),
        "an end has address and name"
    );
    assert_eq!(event.to.as_ref().unwrap().channel, Some(44));
}

#[test]
fn the_same_roam_in_the_system_log_has_the_same_subjects() {
    let item = r#"{"key":"CLIENT_ROAMED_2","event":"CLIENT_ROAMED","parameters":{"CLIENT":{"id":"02:00:00:00:00:01","name":"old alias"},"DEVICE_FROM":{"id":"02:00:00:00:00:a1","name":"x"},"DEVICE_TO":{"id":"02:00:00:00:00:a2","name":"y"},"WLAN":{"id":"w","name":"Home"},"CHANNEL":{"name":"44"},"PREVIOUS_CHANNEL":{"name":"36"},"RADIO_BAND":{"id":"na","name":"5 GHz"},"PREVIOUS_RADIO_BAND":{"name":"2.4 GHz"}}}"#;
    let event = event(&mut at_home(), item);
    assert_eq!(
        &*event.summary,
        "Anna's iPhone roamed from Attic to Kitchen on Home (2.4 GHz → 5 GHz, 36 → 44)"
    );
    assert_eq!(event.device.as_ref().unwrap().mac, mac("02:00:00:00:00:a2"));
}

#[test]
fn guests_and_cables_are_told_by_the_key() {
    let flags = |key: &str, field: &str| {
        let item = format!(r#"{{"key":"{key}","{field}":"02:00:00:00:00:01"}}"#);
        let event = event(&mut decoder(), &item);
        let client = event.client.as_ref().unwrap();
        (client.guest, client.wired)
    };
    assert_eq!(flags("EVT_WU_Connected", "user"), (false, false));
    assert_eq!(flags("EVT_WG_Connected", "guest"), (true, false));
    assert_eq!(flags("EVT_WG_Roam", "user"), (true, false));
    assert_eq!(flags("EVT_LU_Connected", "user"), (false, true));
    assert_eq!(flags("EVT_LG_Connected", "guest"), (true, true));
    assert_eq!(flags("EVT_HS_VoucherUsed", "guest"), (true, false));
    assert_eq!(flags("EVT_AD_GuestExtended", "guest"), (true, false));
    assert_eq!(flags("EVT_LC_Blocked", "client"), (false, true));
    assert_eq!(flags("EVT_WC_Blocked", "client"), (false, false));
}

#[test]
fn a_mac_that_is_the_subject_of_nothing_stays_out() {
    let rogue = r#"{"key":"EVT_SW_DetectRogueDHCP","sw":"02:00:00:00:00:51","ip":"192.0.2.66","mac":"02:00:00:00:00:66","port":3,"vlan":"20"}"#;
    let rogue = event(&mut at_home(), rogue);
    assert_eq!(rogue.src.as_ref().unwrap().mac, mac("02:00:00:00:00:66"));
    assert_eq!(rogue.device.as_ref().unwrap().mac, mac("02:00:00:00:00:51"));
    assert!(rogue.client.is_none());
    assert_eq!(
        rogue.port.as_ref().unwrap().name.as_deref(),
        Some("Printer")
    );
    assert_eq!(
        &*rogue.summary,
        "Rogue DHCP server 192.0.2.66 on port 3 of SW-Core in VLAN 20"
    );
    let lost = r#"{"key":"EVT_AD_ScheduleUpgradeFailedNotFound","mac":"02:00:00:00:00:a2","msg":"Scheduled upgrade of AP[02:00:00:00:00:a2] failed"}"#;
    let lost = event(&mut at_home(), lost);
    assert_eq!(lost.kind, Kind::DEVICE_UPGRADE_FAILED);
    assert_eq!(
        lost.device.as_ref().unwrap().name.as_deref(),
        Some("Kitchen")
    );
    assert_eq!(&*lost.summary, "Scheduled upgrade of Kitchen failed");
}

#[test]
fn dream_machines_may_name_themselves_twice() {
    let item = r#"{"key":"EVT_DM_Connected","gw":"02:00:00:00:00:62","dm":"02:00:00:00:00:62","dm_name":"Dream","dm_model":"UDM"}"#;
    let event = event(&mut decoder(), item);
    let device = event.device.as_ref().unwrap();
    assert_eq!(
        (device.name.as_deref(), device.kind.as_deref()),
        (Some("Dream"), Some("gateway"))
    );
    assert_eq!(&*event.summary, "Dream (UDM) is online");
}

#[test]
fn threats_have_ends_category_and_direction() {
    let threat = |catname: &str, src: &str, dst: &str| {
        let item = format!(
            r#"{{"key":"EVT_IPS_IpsAlert","src_ip":"{src}","dest_ip":"{dst}","src_port":"50447","catname":{catname},"srcipGeo":[],"dstipGeo":false,"inner_alert_signature":"ET X","inner_alert_action":"blocked"}}"#
        );
        let event = event(&mut decoder(), &item);
        let threat = event.threat.clone().unwrap();
        assert_eq!(event.src.as_ref().unwrap().port, Some(50447));
        (
            threat.category.as_deref().map(ToOwned::to_owned),
            threat.direction.as_deref().map(ToOwned::to_owned),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        threat(r#"["a","b"]"#, "192.168.1.2", "8.8.8.8"),
        (some("a, b"), some("outgoing"))
    );
    assert_eq!(
        threat(r#""a""#, "8.8.8.8", "10.0.0.1"),
        (some("a"), some("incoming"))
    );
    assert_eq!(
        threat("false", "fd00::1", "100.64.0.1"),
        (None, some("internal"))
    );
    assert_eq!(threat("{}", "8.8.8.8", "54.36.xxx.xxx"), (None, None));
}

#[test]
fn vpn_users_have_no_hardware_address() {
    let item = r#"{"key":"TELEPORT_CLIENT_CONNECTED","parameters":{"CLIENT":{"id":"vpn:anna","name":"Anna","ip":"192.0.2.7"}}}"#;
    let event = event(&mut decoder(), item);
    let client = event.client.as_ref().unwrap();
    assert_eq!((client.mac, client.name.as_deref()), (None, Some("Anna")));
    let vpn = event.vpn.as_ref().unwrap();
    assert_eq!(vpn.kind.as_deref(), Some("teleport"));
    assert_eq!(
        &*event.summary,
        "Anna connected to the VPN (teleport) from 192.0.2.7"
    );
}

#[test]
fn voucher_codes_are_no_part_of_a_summary() {
    let item = r#"{"key":"EVT_HS_VoucherUsed","guest":"02:00:00:00:00:01","code":"12345-67890","msg":"used 12345-67890"}"#;
    let event = event(&mut at_home(), item);
    assert_eq!(&*event.summary, "Anna's iPhone used a voucher");
    assert_eq!(
        event.voucher.as_ref().unwrap().code.as_deref(),
        Some("12345-67890")
    );
}

#[test]
fn every_documented_key_gives_a_line() {
    let keys = include_str!("../../../../tests/fixtures/catalog_keys.txt");
    let mut decoder = at_home();
    for key in keys.lines() {
        for fields in [
            "",
            r#","user":"02:00:00:00:00:01","ap":"02:00:00:00:00:a2","sw":"02:00:00:00:00:51","admin":"Admin[anna]""#,
            r#","parameters":{"CLIENT":{"id":"02:00:00:00:00:01"},"DEVICE":{"id":"02:00:00:00:00:a2"}}"#,
        ] {
            let event = event(&mut decoder, &format!(r#"{{"key":"{key}"{fields}}}"#));
            assert_ne!(event.kind, Kind::UNKNOWN);
            assert!(!event.summary.is_empty(), "{key}");
        }
    }
    assert_eq!(decoder.counts().unknown_keys, 0);
}

#[test]
fn lines_are_readable() {
    let client = r#""user":"02:00:00:00:00:01""#;
    let kitchen = r#""ap":"02:00:00:00:00:a2""#;
    let core = r#""sw":"02:00:00:00:00:51""#;
    let gateway = r#""gw":"02:00:00:00:00:61""#;
    let cases = [
        (
            "EVT_WU_Connected",
            format!(r#"{client},{kitchen},"ssid":"Home","radio":"ng","channel":"6""#),
            "Anna's iPhone connected to Home at Kitchen (2.4 GHz, channel 6)",
        ),
        (
            "EVT_WU_Connected",
            format!(r#"{client},{kitchen},"ssid":"Home","radio":"6e""#),
            "Anna's iPhone connected to Home at Kitchen (6 GHz)",
        ),
        (
            "EVT_WU_Disconnected",
            format!(r#"{client},"ssid":"Home","duration":201"#),
            "Anna's iPhone disconnected from Home after 3m 21s",
        ),
        (
            "EVT_LU_Connected",
            r#""user":"00:11:22:33:44:55","network":"LAN""#.to_owned(),
            "printer connected to LAN",
        ),
        (
            "EVT_WU_RoamRadio",
            format!(
                r#"{client},{kitchen},"radio_from":"ng","radio_to":"na","channel_from":"6","channel_to":"36""#
            ),
            "Anna's iPhone changed radio at Kitchen (2.4 GHz → 5 GHz, 6 → 36)",
        ),
        (
            "EVT_WC_Blocked",
            r#""client":"02:00:00:00:00:01","admin":"Admin[anna  ]","is_admin":true"#.to_owned(),
            "Anna's iPhone was blocked by anna",
        ),
        (
            "EVT_WC_Unblocked",
            r#""client":"02:00:00:00:00:09","admin":"anna""#.to_owned(),
            "02:00:00:00:00:09 was unblocked by anna",
        ),
        (
            "EVT_AD_GuestAuthorizedFor",
            r#""guest":"02:00:00:00:00:01","minutes":"20","admin":"Admin[ubnt]""#.to_owned(),
            "Anna's iPhone was authorized as a guest by ubnt for 20m",
        ),
        (
            "EVT_WG_AuthorizationEnded",
            r#""guest":"02:00:00:00:00:01""#.to_owned(),
            "Anna's iPhone's time as a guest is over",
        ),
        (
            "EVT_AP_Lost_Contact",
            kitchen.to_owned(),
            "Kitchen (U6-Lite) is offline",
        ),
        (
            "EVT_AP_Lost_Contact",
            r#""ap":"02:00:00:00:00:a9","ap_displayName":"Garden""#.to_owned(),
            "Garden is offline",
        ),
        (
            "EVT_AP_Lost_Contact",
            r#""ap":"02:00:00:00:00:a9""#.to_owned(),
            "02:00:00:00:00:a9 is offline",
        ),
        (
            "EVT_SW_Connected",
            core.to_owned(),
            "SW-Core (USW-24) is online",
        ),
        (
            "EVT_SW_Restarted",
            format!(r#"{core},"admin":"Admin[anna]""#),
            "SW-Core (USW-24) was restarted by anna",
        ),
        (
            "EVT_SW_RestartedUnknown",
            core.to_owned(),
            "SW-Core (USW-24) restarted",
        ),
        (
            "EVT_AP_Upgraded",
            format!(r#"{kitchen},"version_from":"4.0","version_to":"4.3""#),
            "Kitchen (U6-Lite) was upgraded from 4.0 to 4.3",
        ),
        (
            "EVT_AP_Adopted",
            format!(r#"{kitchen},"admin":"Admin[anna]""#),
            "Kitchen (U6-Lite) was adopted by anna",
        ),
        (
            "EVT_AP_ChannelChanged",
            format!(r#"{kitchen},"radio":"na","channel_from":"36","channel_to":"44""#),
            "Kitchen (U6-Lite) changed its channel (5 GHz, 36 → 44)",
        ),
        (
            "EVT_AP_RadarDetected",
            format!(r#"{kitchen},"radar_channel":"100","freq":"5500""#),
            "Kitchen (U6-Lite) detected radar on channel 100",
        ),
        (
            "EVT_AP_PossibleInterference",
            format!(r#"{kitchen},"channel":"6""#),
            "Kitchen (U6-Lite) sees interference on channel 6",
        ),
        (
            "EVT_AP_DetectRogueAP",
            format!(r#"{kitchen},"essid":"Home","mac":"02:00:00:00:00:99""#),
            "Kitchen (U6-Lite) detected a rogue access point with SSID Home: 02:00:00:00:00:99",
        ),
        (
            "EVT_SW_PoeOverload",
            format!(r#"{core},"port":3"#),
            "PoE overload on port 3 (Printer) of SW-Core",
        ),
        (
            "EVT_SW_StpPortBlocking",
            format!(r#"{core},"port":4"#),
            "Spanning tree blocks traffic on port 4 of SW-Core",
        ),
        (
            "EVT_USP_OutletPowerCycle",
            r#""ap":"02:00:00:00:00:71","outlet":2"#.to_owned(),
            "Power was cycled on outlet 2 of 02:00:00:00:00:71",
        ),
        (
            "EVT_GW_WANTransition",
            format!(r#"{gateway},"iface":"eth8","state":"inactive""#),
            "Internet connection eth8 is down at Gateway",
        ),
        (
            "EVT_GW_WANTransition",
            format!(r#"{gateway},"iface":"eth8","state":"active""#),
            "Internet connection eth8 is up at Gateway",
        ),
        (
            "EVT_GW_WANTransition",
            format!(
                r#"{gateway},"iface":"eth8","state":"odd","msg":"Gateway[02:00:00:00:00:61] WAN is odd""#
            ),
            "Gateway WAN is odd",
        ),
        (
            "EVT_AD_Login",
            r#""admin":"Admin[anna]","ip":"192.0.2.1""#.to_owned(),
            "anna logged in from 192.0.2.1",
        ),
        (
            "EVT_AD_LoginFailed",
            r#""admin":"Admin[anna]""#.to_owned(),
            "Login of anna failed",
        ),
        (
            "EVT_AD_VoucherCreated",
            r#""num":"5","use":1,"admin":"Admin[anna]""#.to_owned(),
            "5 vouchers were created by anna",
        ),
        (
            "EVT_AD_VoucherDeleted",
            r#""code":"1""#.to_owned(),
            "A voucher was deleted",
        ),
        (
            "EVT_AD_UpdateAvailable",
            r#""version":"10.2""#.to_owned(),
            "An update is available: 10.2",
        ),
        (
            "EVT_AP_Configured",
            format!(r#"{kitchen},"msg":"AP[02:00:00:00:00:a2] was configured""#),
            "Kitchen was configured",
        ),
        (
            "EVT_AP_Configured",
            kitchen.to_owned(),
            "EVT_AP_Configured: Kitchen (U6-Lite)",
        ),
        (
            "HONEYPOT_HIT_DETECTED_KNOWN_CLIENT",
            r#""parameters":{"SRC_CLIENT":{"id":"02:00:00:00:00:01"},"DST_IP":{"id":"192.0.2.5"}}"#
                .to_owned(),
            "Honeypot hit from Anna's iPhone to 192.0.2.5",
        ),
        (
            "NETWORK_WAN_FAILED_2",
            r#""parameters":{"WAN_ID":{"id":"WAN","name":"WAN1"},"ISP_NAME":{"name":"Example"}}"#
                .to_owned(),
            "Internet connection WAN1 (Example) is down",
        ),
        (
            "DEVICE_UNREACHABLE",
            r#""parameters":{"DEVICE":{"id":"02:00:00:00:00:a9","name":"Barn","model":"U7"}}"#
                .to_owned(),
            "Barn (U7) is offline",
        ),
        (
            "ISP_PACKET_LOSS_2",
            r#""message_raw":"{WAN_ID} loses packets.","parameters":{"WAN_ID":{"name":"WAN1"}}"#
                .to_owned(),
            "WAN1 loses packets.",
        ),
    ];
    for (key, fields, line) in cases {
        let item = format!(r#"{{"key":"{key}",{fields}}}"#);
        assert_eq!(&*event(&mut at_home(), &item).summary, line);
    }
}
